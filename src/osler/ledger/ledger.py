"""The ledger of a home: every consult and answer, appended once, verifiable, erasable by patient.

The chain holds salted commitments only. The payload lies beside it, encrypted with the patient's key; destroying
that key erases the patient and leaves the chain valid. It does not know how an answer is made again (see trust).
"""

import json
import os
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from osler.errors import InputError, IntegrityError, OslerError
from osler.ledger.chain import GENESIS, Entry, canonical, commit, entry_hash, new_id, now
from osler.ledger.vault import Vault
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

entries_table = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("time", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("commitment", sa.String, nullable=False),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("signature", sa.String, nullable=False),
)
payloads_table = sa.Table(
    "ledger_payloads",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key_id", sa.String, nullable=False, index=True),
    sa.Column("blob", sa.LargeBinary, nullable=False),
)
SALT_BYTES = 32


class Erased(OslerError):
    """The payload was erased with its patient; the chain still holds its commitment."""

    kind = "erased"


class Draft(NamedTuple):
    """What is to be appended. `subject`: the patient it belongs to, null for a payload of its own."""

    kind: str
    payload: dict[str, Any]
    subject: str | None = None
    id: str | None = None


class Broken(NamedTuple):
    seq: int
    id: str | None
    why: str


class Verification(NamedTuple):
    """`broken` is the first entry that fails, null if the chain is whole. `erased`: payloads without a key."""

    entries: int
    erased: int
    head: str
    broken: Broken | None


class Ledger:
    """Open with `Ledger.open(settings)`. One append is one durable transaction (WAL, synchronous=FULL)."""

    def __init__(self, engine: sa.Engine, vault: Vault, settings: Settings) -> None:
        self._engine, self._vault = engine, vault
        self._head_file = settings.home / "ledger.head"

    @classmethod
    def open(cls, settings: Settings) -> "Ledger":
        return cls(open_database(settings), Vault(settings.home / "keys"), settings)

    def append(self, kind: str, payload: dict[str, Any], subject: str | None = None, id: str | None = None) -> Entry:
        """Append one payload; on return it is on disk."""
        return self.append_many([Draft(kind, payload, subject, id)])[0]

    def append_many(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Append all of them or none, in order, in one transaction."""
        contents = [canonical(draft.payload) for draft in drafts]
        with writing(self._engine) as connection:
            last = connection.execute(
                sa.select(entries_table.c.seq, entries_table.c.hash).order_by(entries_table.c.seq.desc()).limit(1)
            ).first()
            seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
            entries: list[Entry] = []
            blobs: list[dict[str, Any]] = []
            for draft, content in zip(drafts, contents, strict=True):
                seq += 1
                identifier = draft.id or new_id("e")
                key_id, key = self._vault.key_for(connection, draft.subject or f"entry {identifier}")
                salt = os.urandom(SALT_BYTES)
                blob = Vault.encrypt(key, salt + zlib.compress(content, 6), identifier)
                link = (seq, identifier, now(), draft.kind, commit(content, salt), previous, self._vault.key_id)
                previous = entry_hash(*link)
                signature = self._vault.sign(previous.encode())
                entries.append(Entry(**dict(zip(LINK_FIELDS, link, strict=True)), hash=previous, signature=signature))
                blobs.append({"id": identifier, "key_id": key_id, "blob": blob})
            connection.execute(sa.insert(entries_table), [entry.model_dump() for entry in entries])
            connection.execute(sa.insert(payloads_table), blobs)
        self._keep_head(entries[-1])
        return entries

    def entry(self, id: str) -> Entry:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(entries_table).where(entries_table.c.id == id)).first()
        if row is None:
            raise InputError(f"no ledger entry {id}", hint="`osler ledger show` lists the newest.")
        return Entry(**row._mapping)

    def entries(self, limit: int = 20) -> list[Entry]:
        """The newest entries, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(entries_table).order_by(entries_table.c.seq.desc()).limit(limit)).all()
        return [Entry(**row._mapping) for row in rows]

    def payload(self, id: str) -> dict[str, Any]:
        """The payload, checked against its commitment. Raises Erased, IntegrityError, InputError."""
        entry = self.entry(id)
        with self._engine.connect() as connection:
            content = self._content(connection, entry)
        if content is None:
            raise Erased("this patient was erased; only the commitment remains", where=id)
        payload: dict[str, Any] = json.loads(content)
        return payload

    def erase(self, subject: str) -> int:
        """Destroy the key and payloads of a patient; how many entries can't be read any more. The chain stays valid."""
        with writing(self._engine) as connection:
            key_id = self._vault.destroy(connection, subject)
            if key_id is None:
                return 0
            gone = sa.update(payloads_table).where(payloads_table.c.key_id == key_id).values(blob=b"")
            return connection.execute(gone).rowcount

    def verify(self) -> Verification:
        """Check every link, signature and readable payload, and that the head last written is still in the chain."""
        erased, previous, seq = 0, GENESIS, 0
        head = self._kept_head()
        with self._engine.connect() as connection:
            for row in connection.execute(sa.select(entries_table).order_by(entries_table.c.seq)):
                entry, seq = Entry(**row._mapping), seq + 1
                why = self._fault(entry, seq, previous)
                if why is None and head is not None and head["seq"] == seq and head["hash"] != entry.hash:
                    why = "the head written outside the database names another hash"
                if why is None:
                    try:
                        erased += self._content(connection, entry) is None
                    except IntegrityError as error:
                        why = error.message
                if why is not None:
                    return Verification(seq, erased, previous, Broken(seq, entry.id, why))
                previous = entry.hash
        if head is not None and head["seq"] > seq:
            why = f"the chain ends at {seq}, the head written outside the database at {head['seq']}: the tail was cut"
            return Verification(seq, erased, previous, Broken(seq + 1, None, why))
        return Verification(seq, erased, previous, None)

    def _fault(self, entry: Entry, seq: int, previous: str) -> str | None:
        if entry.seq != seq:
            return f"entry {seq} is missing"
        if entry.previous != previous:
            return "the link to the entry before is broken"
        if entry_hash(*(getattr(entry, name) for name in LINK_FIELDS)) != entry.hash:
            return "the entry was changed"
        if entry.key != self._vault.key_id or not self._vault.signed(entry.hash.encode(), entry.signature):
            return "the signature is not this ledger's"
        return None

    def _content(self, connection: sa.Connection, entry: Entry) -> bytes | None:
        """Canonical payload bytes, or None if erased."""
        row = connection.execute(sa.select(payloads_table).where(payloads_table.c.id == entry.id)).first()
        if row is None:
            raise IntegrityError("the payload was removed", where=entry.id)
        key = self._vault.key(connection, row.key_id)
        if key is None:
            return None
        plain = Vault.decrypt(key, row.blob, entry.id)
        content = zlib.decompress(plain[SALT_BYTES:])
        if commit(content, plain[:SALT_BYTES]) != entry.commitment:
            raise IntegrityError("the payload does not match its commitment", where=entry.id)
        return content

    def _keep_head(self, entry: Entry) -> None:
        """Write the head beside the database, so that a cut tail is noticed. It may lag, never lead."""
        try:
            kept = self._kept_head()
        except IntegrityError:
            return  # a damaged head is left as it is for `verify` to report; the append itself is on disk
        if kept is not None and kept["seq"] >= entry.seq:
            return
        draft = self._head_file.with_name(f".{self._head_file.name}.{os.getpid()}")
        draft.write_text(json.dumps({"seq": entry.seq, "hash": entry.hash, "signature": entry.signature}))
        os.replace(draft, self._head_file)

    def _kept_head(self) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = json.loads(self._head_file.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise IntegrityError("the head file is damaged", where=str(self._head_file)) from None
        if not isinstance(head.get("seq"), int) or not self._vault.signed(
            str(head.get("hash")).encode(), str(head.get("signature"))
        ):
            raise IntegrityError("the head file is not signed by this ledger", where=str(self._head_file))
        return head


LINK_FIELDS = ("seq", "id", "time", "kind", "commitment", "previous", "key")
