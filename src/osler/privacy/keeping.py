"""What de-identification keeps on the machine: the way back to the originals, and spans that wait for a person.

Both are sealed with the patient's key of the vault that is handed in; destroying the key erases them. It knows neither
how spans are found nor who reviews them.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import sqlalchemy as sa

from osler.errors import InputError
from osler.privacy.spans import Span, SpanType
from osler.storage import metadata, writing

DOUBTFUL = 0.8  # a span below this score waits for a review

kept_table = sa.Table(
    "deid_kept",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)


class Vault(Protocol):
    """What is needed of `osler.ledger.vault.Vault`."""

    def key_for(self, connection: sa.Connection, subject: str) -> tuple[str, bytes]: ...
    def key(self, connection: sa.Connection, identifier: str) -> bytes | None: ...
    @staticmethod
    def encrypt(key: bytes, plain: bytes, context: str) -> bytes: ...
    @staticmethod
    def decrypt(key: bytes, blob: bytes, context: str) -> bytes: ...


class Doubt(NamedTuple):
    """A span that a person should look at, with the text around it. `state`: waiting, confirmed or rejected;
    `document`: alike for the spans of one text."""

    id: str
    type: str
    score: float
    text: str
    before: str
    after: str
    state: str
    document: str = ""


class Keeping:
    """Mappings and reviews of one home's database."""

    def __init__(self, engine: sa.Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    def keep_mapping(self, mapping: Mapping[str, str], subject: str) -> str:
        """Seal a mapping from surrogate to original; the id to ask for it by."""
        return self._put("mapping", subject, [dict(mapping)])[0]

    def mapping(self, identifier: str) -> dict[str, str]:
        """Raises InputError if there is none of this id, or its patient was erased."""
        found = [row for row in self._rows("mapping") if row[0] == identifier]
        if not found:
            raise InputError("no mapping is kept under this id", where=identifier)
        return dict(found[0][2])

    def queue(self, text: str, spans: list[Span], subject: str) -> list[str]:
        """Put the doubtful spans of a text up for review; their ids."""
        document = hashlib.sha256(f"{subject}\n{text}".encode()).hexdigest()[:12]
        doubts = [
            {"document": document, "type": s.type, "score": s.score, "text": text[s.start : s.end],
             "before": text[max(0, s.start - 60) : s.start], "after": text[s.end : s.end + 60]}
            for s in spans if s.score < DOUBTFUL
        ]  # fmt: skip
        return self._put("review", subject, doubts)

    def reviews(self, state: str = "waiting") -> list[Doubt]:
        return [Doubt(id=name, state=at, **content) for name, at, content in self._rows("review") if at == state]

    def decide(self, identifier: str, state: Literal["confirmed", "rejected"], kind: SpanType | None = None) -> None:
        """`kind`: what it is, if not what it was taken for. Raises InputError if nothing of this id waits."""
        here = (kept_table.c.id == identifier) & (kept_table.c.kind == "review") & (kept_table.c.state == "waiting")
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(kept_table).where(here)).first()
            key = self._vault.key(connection, row.key) if row else None
            if row is None or key is None:
                raise InputError("no span of this id waits for review", where=identifier)
            content = json.loads(self._vault.decrypt(key, row.sealed, identifier))
            content["type"] = kind or content["type"]
            sealed = self._vault.encrypt(key, json.dumps(content, ensure_ascii=False).encode(), identifier)
            connection.execute(sa.update(kept_table).where(here).values(state=state, sealed=sealed))

    def rejected(self) -> tuple[str, ...]:
        """Texts that reviewers found to be no identifiers: a policy's `allow`."""
        return tuple(dict.fromkeys(doubt.text for doubt in self.reviews("rejected")))

    def _put(self, kind: str, subject: str, contents: list[Any]) -> list[str]:
        ids = [secrets.token_hex(8) for _ in contents]
        with writing(self._engine) as connection:
            name, key = self._vault.key_for(connection, subject)
            for identifier, content in zip(ids, contents, strict=True):
                sealed = self._vault.encrypt(key, json.dumps(content, ensure_ascii=False).encode(), identifier)
                row = {"id": identifier, "kind": kind, "key": name, "state": "waiting", "sealed": sealed}
                connection.execute(sa.insert(kept_table).values(row))
        return ids

    def _rows(self, kind: str) -> list[tuple[str, str, Any]]:
        """Id, state and content of what is kept of a kind and can still be read."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(kept_table).where(kept_table.c.kind == kind)).all()
            keys = {name: self._vault.key(connection, name) for name in {row.key for row in rows}}
        return [
            (row.id, row.state, json.loads(self._vault.decrypt(key, row.sealed, row.id)))
            for row in rows
            if (key := keys[row.key]) is not None
        ]
