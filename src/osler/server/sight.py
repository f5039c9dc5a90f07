"""Whose answer is whose: an answer about a patient is seen by the account that asked for it.

A privacy officer sees all; another clinician breaks the glass with a reason, for an hour. Each sight is in the ledger.
It does not know what an answer says.
"""

import time
from typing import Any, NamedTuple

import sqlalchemy as sa

from osler.ledger import Ledger
from osler.ledger.ledger import NoEntry
from osler.nouns import Principal
from osler.server.accounts import LOCAL
from osler.server.look import _
from osler.server.problems import Refused
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

GLASS_SECONDS = 3600.0
SILENT = "silent"  # the owner of what no page shows

owned_table = sa.Table(
    "owned_answers",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("owner", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("request", sa.String, unique=True),  # hash of the idempotency key it was made under
    sa.Column("body", sa.String),  # hash of the request's body
)
glass_table = sa.Table(
    "broken_glass",
    metadata,
    sa.Column("answer", sa.String, primary_key=True),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)


class Owned(NamedTuple):
    """`made`: seconds since the epoch."""

    id: str
    owner: str
    kind: str
    made: float


class Sight:
    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._engine, self._ledger = open_database(settings), ledger

    def keep(
        self, id: str, owner: Principal | str, kind: str, request: str | None = None, body: str | None = None
    ) -> None:
        """Note whose a new answer is, and under which idempotency key it was made."""
        name = owner if isinstance(owner, str) else owner.id
        row = {"id": id, "owner": name, "kind": kind, "made": time.time(), "request": request, "body": body}
        with writing(self._engine) as connection:
            connection.execute(sa.insert(owned_table).values(**row))
        if name != SILENT and kind in ("consult", "answer", "report"):  # a CDS call has an entry of its own
            self._ledger.accessed(name, f"asked for this {kind}", what=id)

    def under(self, request: str) -> tuple[str, str | None] | None:
        """The answer that was made under an idempotency key, and the hash of the body that asked for it."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(owned_table).where(owned_table.c.request == request)).first()
        return None if row is None else (row.id, row.body)

    def mine(
        self, principal: Principal, kinds: tuple[str, ...], limit: int, before: float | None = None
    ) -> list[Owned]:
        """The principal's answers, newest first, made before a time."""
        wanted = (owned_table.c.owner == principal.id) & owned_table.c.kind.in_(kinds)
        if before is not None:
            wanted &= owned_table.c.made < before
        query = sa.select(*(owned_table.c[name] for name in Owned._fields)).where(wanted)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(owned_table.c.made.desc()).limit(limit)).all()
        return [Owned(*row) for row in rows]

    def seen_by(self, principal: Principal, id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """Of an answer's id: whether `payload` would give it to the principal, who breaks no glass for it now."""
        if "privacy-officer" in principal.roles:
            theirs: sa.ColumnElement[bool] = sa.true()
        else:
            broken = (glass_table.c.account == principal.id) & (glass_table.c.until > time.time())
            theirs = id.in_(sa.select(owned_table.c.id).where(owned_table.c.owner == principal.id))
            theirs |= id.in_(sa.select(glass_table.c.answer).where(broken))
            if principal.id == LOCAL.id:
                theirs |= id.not_in(sa.select(owned_table.c.id))
        return theirs & id.not_in(sa.select(owned_table.c.id).where(owned_table.c.owner == SILENT))

    def payload(
        self, id: str, principal: Principal, why: str = "to read it", kind: str | None = None
    ) -> dict[str, Any]:
        """What the ledger holds of an answer (of a kind), for one who may see it; the sight is noted. Raises Refused,
        Erased, NoEntry."""
        if kind and self._ledger.entry(id).kind != kind:
            raise NoEntry(f"{id} is no {kind}")
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(owned_table).where(owned_table.c.id == id)).first()
            open_until = connection.execute(
                sa.select(glass_table.c.until).where(
                    (glass_table.c.answer == id) & (glass_table.c.account == principal.id)
                )
            ).scalar()
        if row is not None and row.owner == SILENT:
            raise Refused(403, _("silent mode: this answer is kept and shown to nobody here"))
        its_owner = principal.id == (row.owner if row is not None else LOCAL.id)
        broke = open_until is not None and open_until > time.time()
        if not (its_owner or broke or "privacy-officer" in principal.roles):
            raise Refused(403, _("another account's record; a clinician can break the glass with a reason"))
        payload = self._ledger.payload(id)
        if not its_owner:
            self._ledger.accessed(principal.id, "broken glass" if broke else why, what=id, kind="access")
        return payload

    def break_glass(self, id: str, principal: Principal, reason: str) -> None:
        """Let a clinician see another's record for an hour; the reason goes to the ledger first."""
        if not reason.strip():
            raise Refused(422, _("a reason is needed"), "reason")
        self._ledger.entry(id)
        self._ledger.accessed(principal.id, reason.strip(), what=id, kind="break-glass")
        key = (glass_table.c.answer == id) & (glass_table.c.account == principal.id)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(glass_table).where(key))
            row = {"answer": id, "account": principal.id, "until": time.time() + GLASS_SECONDS}
            connection.execute(sa.insert(glass_table).values(**row))
