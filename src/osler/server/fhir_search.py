"""A FHIR search as a query of the ledger: which entries, of those that one may see. It opens none of them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from osler.ledger import Entry, Ledger
from osler.ledger.tables import READABLE, entries_table, payloads_table
from osler.server.fhir_shapes import ID
from osler.server.problems import Refused
from osler.settings import Settings
from osler.storage import open_database

# By name the type that HL7 gives the parameter. `recorded` is a Provenance's own name for its date.
PARAMETERS = {"_id": "token", "_lastUpdated": "date", "date": "date", "recorded": "date", "patient": "reference",
              "subject": "reference"}  # fmt: skip
OF_THE_RESULT = ("_count", "_summary", "_before", "_format", "_pretty")
MOST, USUAL = 100, 50
_WHEN = re.compile(
    r"(eq|ne|lt|gt|le|ge|sa|eb|)(\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(:\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?)"
)
_TIME = entries_table.c.time


class Page(NamedTuple):
    """`before`: where the next page goes on, null on the last."""

    entries: list[Entry]
    total: int
    before: int | None


def wanted(given: Sequence[tuple[str, str]], strict: bool) -> list[tuple[str, str]]:
    """The parameters that count. Raises Refused for a modifier and, where the client is strict, for an unknown one."""
    counted = []
    for name, value in given:
        plain, _, modifier = name.partition(":")
        known = plain in PARAMETERS or plain in OF_THE_RESULT
        if known and modifier and (PARAMETERS.get(plain), modifier) != ("reference", "Patient"):
            raise Refused(400, f"the modifier {modifier!r} of {plain} is not supported", name)
        if not known and strict:
            raise Refused(400, f"the parameter {plain!r} is not supported", name)
        if known and value:
            counted.append((plain, value))
    return counted


def find(
    settings: Settings, ledger: Ledger, seen: sa.ColumnElement[bool], given: Sequence[tuple[str, str]], audits: bool
) -> Page:
    """A page of the entries that these parameters name, newest first. `audits`: erased ones and sights, too."""
    last, conditions = dict(given), [seen, *(_condition(name, value, ledger, audits) for name, value in given)]
    joined = sa.select(entries_table).join(payloads_table, payloads_table.c.id == entries_table.c.id)
    every = joined.where(*conditions, sa.true() if audits else READABLE)
    most = 0 if last.get("_summary") == "count" else min(MOST, _number(last, "_count", USUAL))
    page = every.where(entries_table.c.seq < _number(last, "_before", 2**53)).order_by(entries_table.c.seq.desc())
    with open_database(settings).connect() as connection:
        total = connection.execute(sa.select(sa.func.count()).select_from(every.subquery())).scalar_one()
        rows = connection.execute(page.limit(most + 1)).all() if most else []
    entries = [Entry(**row._mapping) for row in rows[:most]]
    return Page(entries, total, entries[-1].seq if len(rows) > most else None)


def _number(given: Mapping[str, str], name: str, usual: int) -> int:
    written = given.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,16}", written):
        raise Refused(400, f"{name}: not a number", name)
    return int(written)


def _condition(name: str, value: str, ledger: Ledger, audits: bool) -> sa.ColumnElement[bool]:
    if PARAMETERS.get(name) == "date":
        return sa.or_(*(_within(part, name) for part in value.split(",")))
    if name == "_id":
        return entries_table.c.id.in_([part for part in value.split(",") if ID.fullmatch(part)])
    if name in ("patient", "subject"):
        # One whom the record doesn't name is called by the trace.
        named = [id for part in value.split(",") if ID.fullmatch(id := part.rpartition("/")[2])]
        theirs = [one.id for id in named for one in ledger.of_patient(id)]
        sights = [one.entry for id in named for one in ledger.accesses(id)] if audits else []
        return entries_table.c.id.in_([*named, *theirs, *sights])
    return sa.true()


def _within(written: str, name: str) -> sa.ColumnElement[bool]:
    """A date with its prefix: the time of an entry against the whole of the second, day, month or year."""
    found = _WHEN.fullmatch(written)
    try:
        start, end = _span(found[2], found[3]) if found else ("", "")
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise Refused(400, f"{name}: {written!r} is no date with a prefix that is supported", name)
    inside = (start <= _TIME) & (end > _TIME)
    compared = {"ne": ~inside, "lt": start > _TIME, "eb": start > _TIME, "le": end > _TIME, "ge": start <= _TIME}
    return {**compared, "gt": end <= _TIME, "sa": end <= _TIME}.get(found[1], inside)


def _span(date: str, seconds: str | None) -> tuple[str, str]:
    """From when to before when a date reaches, as the ledger writes times; UTC where it names no offset."""
    start = datetime.fromisoformat(date + "-01-01"[len(date) - 10 :] if len(date) < 10 else date)
    start = start.replace(tzinfo=start.tzinfo or UTC)
    if len(date) == 4:
        end = start.replace(year=start.year + 1)
    elif len(date) == 7:
        end = (start + timedelta(31)).replace(day=1)
    elif len(date) == 10:
        end = start + timedelta(1)
    else:
        small = timedelta(milliseconds=1) if seconds and "." in seconds else timedelta(seconds=1)
        end = start + (small if seconds else timedelta(minutes=1))
    one, other = (moment.astimezone(UTC).isoformat(timespec="milliseconds") for moment in (start, end))
    return one, other
