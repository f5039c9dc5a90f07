"""What an administrator changed while the server runs: switches and limits. They act at once and outlast a restart.

What the settings switch off stays off, whatever is said here; a limit said here stands instead of the settings'.
"""

import json
import time
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from osler.clinic.desk import Desk
from osler.errors import InputError
from osler.nouns import Principal
from osler.settings import Server
from osler.storage import metadata, open_database, writing

CAPABILITIES = ("consult", "ask", "report", "images", "learn", "cds-hooks")
SWITCHES, LIMITS = ("off", "silent"), ("rate", "upload")

changes_table = sa.Table(
    "changed_settings",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)


class Switches:
    """Of one server: `given`, as its settings are without them. The desk's settings are those with them."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.given, self._engine = desk, desk.settings.server, open_database(desk.settings)
        self._apply()

    def changed(self) -> dict[str, tuple[Any, str, float]]:
        """By key the value, who set it, and when."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(changes_table)).all()
        return {row.key: (json.loads(row.value), row.who, row.at) for row in rows}

    def set(self, key: str, value: Any, who: Principal) -> None:
        """`value`: null takes the change back. The ledger knows it first. Raises InputError."""
        if key not in SWITCHES + LIMITS:
            raise InputError(f"{key} can't be changed while the server runs", hint="Change osler.toml and restart.")
        if key in SWITCHES and (unknown := set(value or ()) - set(CAPABILITIES)):
            raise InputError(f"no capability {unknown.pop()}", hint=f"Known: {', '.join(CAPABILITIES)}.")
        try:
            Server.model_validate({} if value is None else {key: value})
        except ValidationError as error:
            raise InputError(f"server.{key}: {error.errors()[0]['msg']}", where=key) from None
        before = getattr(self._desk.settings.server, key)
        self._desk.ledger.append("settings", {"by": who.id, "what": f"server.{key}", "before": before, "set": value})
        row = {"key": key, "value": json.dumps(value), "who": who.id, "at": time.time()}
        with writing(self._engine) as connection:
            connection.execute(sa.delete(changes_table).where(changes_table.c.key == key))
            if value is not None:
                connection.execute(sa.insert(changes_table).values(**row))
        self._apply()

    def _apply(self) -> None:
        changed: dict[str, Any] = {key: value for key, (value, *_) in self.changed().items()}
        for key in SWITCHES:
            changed[key] = tuple(dict.fromkeys((*getattr(self.given, key), *changed.get(key, ()))))
        now = self.given.model_copy(update=changed)
        self._desk.settings = self._desk.settings.model_copy(update={"server": now})
