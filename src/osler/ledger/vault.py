"""Keys of a home: the ledger's signing key and one encryption key per patient, wrapped by the home's master key.

Destroying a patient's key erases the patient: what was encrypted with it can't be read again.
It does not know what it encrypts.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from osler.errors import IntegrityError
from osler.storage import metadata

keys_table = sa.Table(
    "ledger_keys",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject", sa.String, nullable=False, unique=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)


class Vault:
    """The keys under `OSLER_HOME/keys` (files readable by their owner only)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._master = _secret(folder / "master.key")
        self._signing = Ed25519PrivateKey.from_private_bytes(_secret(folder / "ledger.ed25519"))
        self.public = self._signing.public_key().public_bytes_raw()
        self.key_id = hashlib.sha256(self.public).hexdigest()[:16]

    def sign(self, message: bytes) -> str:
        return self._signing.sign(message).hex()

    def signed(self, message: bytes, signature: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def pseudonym(self, subject: str) -> str:
        """A keyed hash of a patient identifier: equal for equal patients, meaningless outside this home."""
        return hmac.new(self._master, subject.encode(), hashlib.sha256).hexdigest()

    def key_for(self, connection: sa.Connection, subject: str) -> tuple[str, bytes]:
        """The id and bytes of the subject's key, made on first use."""
        pseudonym = self.pseudonym(subject)
        row = connection.execute(sa.select(keys_table).where(keys_table.c.subject == pseudonym)).first()
        if row is not None:
            return row.id, self.decrypt(self._master, row.wrapped, row.id)
        identifier, key = secrets.token_hex(8), secrets.token_bytes(32)
        wrapped = self.encrypt(self._master, key, identifier)
        connection.execute(sa.insert(keys_table).values(id=identifier, subject=pseudonym, wrapped=wrapped))
        return identifier, key

    def key(self, connection: sa.Connection, identifier: str) -> bytes | None:
        """The key with this id, or None once it was destroyed."""
        row = connection.execute(sa.select(keys_table).where(keys_table.c.id == identifier)).first()
        return None if row is None else self.decrypt(self._master, row.wrapped, row.id)

    def destroy(self, connection: sa.Connection, subject: str) -> str | None:
        """Destroy the subject's key; its id, or None if there was none."""
        pseudonym = self.pseudonym(subject)
        row = connection.execute(sa.select(keys_table.c.id).where(keys_table.c.subject == pseudonym)).first()
        if row is None:
            return None
        connection.execute(sa.delete(keys_table).where(keys_table.c.id == row.id))
        return str(row.id)

    @staticmethod
    def encrypt(key: bytes, plain: bytes, context: str) -> bytes:
        """AES-256-GCM, nonce first; `context` is authenticated so that blobs can't be exchanged."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())

    @staticmethod
    def decrypt(key: bytes, blob: bytes, context: str) -> bytes:
        try:
            return AESGCM(key).decrypt(blob[:12], blob[12:], context.encode())
        except (InvalidTag, ValueError):
            raise IntegrityError("the stored content or its key was changed", where=context) from None


def _secret(path: Path) -> bytes:
    """32 bytes kept in a file, made once: whole or not at all, also when two processes start together."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    content = path.read_bytes()
    if len(content) != 32:
        raise IntegrityError("the key file is damaged", where=str(path), hint="Restore it from a backup of the home.")
    return content
