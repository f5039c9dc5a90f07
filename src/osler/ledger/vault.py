"""Keys of a home: the ledger's signing key and one encryption key per patient, wrapped by the home's master key.

Destroying a patient's key erases the patient: what was encrypted with it can't be read again.
It does not know what it encrypts.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from osler.errors import IntegrityError
from osler.ledger.chain import canonical
from osler.nouns import Noun, dump
from osler.storage import metadata

RESTORE = "Restore it from a backup of the home."

keys_table = sa.Table(
    "ledger_keys",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject", sa.String, nullable=False, unique=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)


class Certificate(Noun):
    """A key's word for its successor: from the entry after `after` on, `public` signs. Keys are in hexadecimal."""

    previous: str
    public: str
    after: int
    time: str
    signature: str


class Ring(NamedTuple):
    """The signing key in force and the certificates of all changes of key, oldest first. `version`: of its file."""

    signing: Ed25519PrivateKey
    certificates: tuple[Certificate, ...]
    version: tuple[int, int] | None

    @property
    def public(self) -> str:
        return self.signing.public_key().public_bytes_raw().hex()

    def public_at(self, seq: int) -> str:
        """The public key that signs entry `seq`."""
        return next((one.previous for one in self.certificates if seq <= one.after), self.public)


class Vault:
    """The keys under `OSLER_HOME/keys` (files readable by their owner only)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._master = _secret(folder / "master.key")
        self._first, self._file = folder / "ledger.ed25519", folder / "ledger.keys.json"
        self.ring = self._load()

    def refresh(self) -> None:
        """Take up a key that another process has put in force."""
        if _version(self._file) != self.ring.version:
            self.ring = self._load()

    def _load(self) -> Ring:
        version = _version(self._file)
        if version is None:
            return Ring(Ed25519PrivateKey.from_private_bytes(_secret(self._first)), (), None)
        try:
            kept = json.loads(self._file.read_bytes())
            signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"]))
            certificates = tuple(Certificate(**one) for one in kept["certificates"])
        except (OSError, ValueError, KeyError, TypeError):
            raise IntegrityError("the key file is damaged", where=str(self._file), hint=RESTORE) from None
        return Ring(signing, certificates, version)

    def rotate(self, after: int, time: str) -> Certificate:
        """Put a new signing key in force for the entries after `after`; the old one signs it and is destroyed."""
        old, new = self.ring, Ed25519PrivateKey.generate()
        public = new.public_key().public_bytes_raw().hex()
        said = {"previous": old.public, "public": public, "after": after, "time": time}
        made = Certificate(**said, signature=self.sign(certified(said)))
        kept = {"private": new.private_bytes_raw().hex(), "certificates": [*dump(old.certificates), dump(made)]}
        _put(self._file, json.dumps(kept).encode(), replace=True)
        self._first.unlink(missing_ok=True)
        self.refresh()
        return made

    @property
    def key_id(self) -> str:
        return key_id(self.ring.public)

    def sign(self, message: bytes) -> str:
        return self.ring.signing.sign(message).hex()

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether a key of this home, the one in force or one before it, signed the message."""
        keys = [self.ring.public, *(one.previous for one in reversed(self.ring.certificates))]
        return any(signed(message, signature, key) for key in keys)

    def pseudonym(self, subject: str) -> str:
        """A keyed hash of a patient identifier: equal for equal patients, meaningless outside this home."""
        return hmac.digest(self._master, subject.encode(), hashlib.sha256).hex()

    def find(self, connection: sa.Connection, subjects: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """The id and bytes of the key of each subject that has one."""
        names = {self.pseudonym(subject): subject for subject in subjects}
        rows = connection.execute(sa.select(keys_table).where(keys_table.c.subject.in_(names))) if names else ()
        return {names[row.subject]: (row.id, self.unwrap(row.id, row.wrapped)) for row in rows}

    def key_for(self, connection: sa.Connection, subject: str) -> tuple[str, bytes]:
        """The id and bytes of the subject's key, made on first use."""
        found = self.find(connection, [subject]).get(subject)
        if found is None:
            row, found = self.make(subject)
            connection.execute(sa.insert(keys_table).values(**row))
        return found

    def make(self, subject: str) -> tuple[dict[str, Any], tuple[str, bytes]]:
        """A new key for the subject: its row, and its id and bytes."""
        identifier, key = secrets.token_hex(8), secrets.token_bytes(32)
        wrapped = self.encrypt(self._master, key, identifier)
        return {"id": identifier, "subject": self.pseudonym(subject), "wrapped": wrapped}, (identifier, key)

    def key(self, connection: sa.Connection, identifier: str) -> bytes | None:
        """The key with this id, or None once it was destroyed."""
        row = connection.execute(sa.select(keys_table).where(keys_table.c.id == identifier)).first()
        return None if row is None else self.unwrap(row.id, row.wrapped)

    def unwrap(self, identifier: str, wrapped: bytes) -> bytes:
        return self.decrypt(self._master, wrapped, identifier)

    @staticmethod
    def encrypt(key: bytes, plain: bytes, context: str) -> bytes:
        """AES-256-GCM, nonce first; `context` is authenticated so that blobs can't be exchanged."""
        nonce = os.urandom(12)
        return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())

    @staticmethod
    def decrypt(key: bytes, blob: bytes, context: str) -> bytes:
        try:
            return AESGCM(key).decrypt(blob[:12], blob[12:], context.encode())
        except (InvalidTag, ValueError):
            raise IntegrityError("the stored content or its key was changed", where=context) from None


def key_id(public: str) -> str:
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]


def signed(message: bytes, signature: str, public: str) -> bool:
    """Whether the owner of a public key (hexadecimal) signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def certified(said: Mapping[str, Any]) -> bytes:
    """What a certificate's signature is of."""
    fields = {name: said[name] for name in ("previous", "public", "after", "time")}
    return canonical({"what": "osler ledger key", **fields})


def _version(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _secret(path: Path) -> bytes:
    """32 bytes kept in a file, made once: whole or not at all, also when two processes start together."""
    if not path.exists():
        _put(path, secrets.token_bytes(32))
    content = path.read_bytes()
    if len(content) != 32:
        raise IntegrityError("the key file is damaged", where=str(path), hint=RESTORE)
    return content


def _put(path: Path, content: bytes, replace: bool = False) -> None:
    """The whole content in a file that only its owner reads; what is there stays, unless it is to be replaced."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            (os.replace if replace else os.link)(draft, path)
    finally:
        draft.unlink(missing_ok=True)
