"""Interviews under way, in the home's database after every turn; the shipped cases to practise on."""

import time
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from osler.education.patient.exam import Interview
from osler.errors import InputError
from osler.ledger import new_id
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

CASES = Path(__file__).parent / "cases"  # authors' forms, one a file

sittings_table = sa.Table(
    "interviews",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("learner", sa.String, nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),  # an Interview
    sa.Column("trace", sa.String),  # the ledger entry of its score, once it has ended
    sa.Column("made", sa.Float, nullable=False),
)


class Sitting(NamedTuple):
    id: str
    interview: Interview
    trace: str | None
    made: float


def begin(settings: Settings, learner: str, interview: Interview) -> str:
    """Keep a new interview; its id."""
    row = {"id": new_id("p"), "learner": learner, "content": interview.model_dump_json(), "made": time.time()}
    with writing(open_database(settings)) as connection:
        connection.execute(sa.insert(sittings_table).values(**row))
    return str(row["id"])


def sitting(settings: Settings, learner: str, id: str) -> Sitting:
    """A learner's interview. Raises InputError if there is none."""
    found = [one for one in sittings(settings, learner) if one.id == id]
    if not found:
        raise InputError("there is no such interview", where=id)
    return found[0]


def sittings(settings: Settings, learner: str) -> list[Sitting]:
    """A learner's interviews, the newest first."""
    mine = sa.select(sittings_table).where(sittings_table.c.learner == learner)
    with open_database(settings).connect() as connection:
        rows = connection.execute(mine.order_by(sittings_table.c.made.desc())).all()
    return [Sitting(row.id, Interview.model_validate_json(row.content), row.trace, row.made) for row in rows]


def keep(settings: Settings, id: str, interview: Interview, trace: str | None = None) -> None:
    """The interview as it stands now, on disk on return."""
    changed = {"content": interview.model_dump_json(), "trace": trace}
    with writing(open_database(settings)) as connection:
        connection.execute(sa.update(sittings_table).where(sittings_table.c.id == id).values(**changed))
