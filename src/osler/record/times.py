"""Times as records write them: checking, comparing and counting ages, without losing the zone that was written.

It knows ISO 8601 as FHIR R4 profiles it (partial dates, optional time with offset) and nothing of any record.
"""

import functools
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from osler.record.omissions import Omissions

_TIME = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)
_LEAP = re.compile(r"(?<=:\d\d):60")
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)
OLDEST = 130  # years; an age above it is an error of the record


class Moment(NamedTuple):
    """The first instant (UTC) that a written time may mean. `precision`: its finest part, year to time; `zoned`: an
    offset was written, or none is needed."""

    instant: datetime
    day: date
    precision: str
    zoned: bool


@functools.lru_cache(maxsize=8192)
def moment(text: str) -> Moment | None:
    """The moment of a FHIR date or dateTime, null if it is none (2016-02-30, "last week")."""
    if not _TIME.fullmatch(text):
        return None
    try:  # a leap second (60) is the one value that datetime can't hold
        first = datetime.fromisoformat(_LEAP.sub(":59", text + "0000-01-01"[len(text) :]))
        instant = (first if first.tzinfo else first.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    precision = {4: "year", 7: "month", 10: "day"}.get(len(text), "time")
    return Moment(instant, first.date(), precision, first.tzinfo is not None or precision != "time")


def newest(times: Iterable[str]) -> str | None:
    """The latest of the times, as it was written; of equal ones the first."""
    known = {text: found.instant for text in times if (found := moment(text)) is not None}
    return max(known, key=known.__getitem__, default=None)


def reference_time(dated: Iterable[tuple[str, str | None]], omissions: Omissions) -> str | None:
    """The newest of (path, time) that is not later than now; what is later is reported.

    A date that began in some zone of the earth is not later than now.
    """
    latest = datetime.now(UTC) + timedelta(hours=14)
    best: tuple[datetime, str] | None = None
    for path, text in dated:
        found = moment(text) if text else None
        if text is None or found is None:
            continue
        if found.instant > latest:
            omissions.add(path, f"its time {text} is later than now: not used as the time that the case speaks of")
        elif best is None or found.instant > best[0]:
            best = found.instant, text
    return best[1] if best else None


def age_at(birth: str, reference: str) -> tuple[str | None, str | None]:
    """Age (ISO 8601) at the reference time, and what is doubtful about it.

    Days below two months, years and months below two years, else completed years.
    """
    born, now = moment(birth), moment(reference)
    if born is None or now is None:
        return None, None
    coarse = {born.precision, now.precision} & {"year", "month"}
    months = (now.day.year - born.day.year) * 12
    if "year" not in coarse:
        months += now.day.month - born.day.month - (not coarse and now.day.day < born.day.day)
    if not 0 <= months <= OLDEST * 12:
        return None, f"birth date {birth} does not go with the reference time {reference}: age not counted"
    if coarse:
        doubt = f"birth date {birth} or reference time {reference} has no day: age may be a year off"
        return f"P{months // 12}Y", doubt
    if months < 2:
        return f"P{(now.day - born.day).days}D", None
    return duration(months // 12, months % 12) if months < 24 else f"P{months // 12}Y", None


def duration(years: int = 0, months: int = 0, weeks: int = 0, days: int = 0) -> str:
    """An ISO 8601 duration; the zero duration is P0D."""
    parts = ((years, "Y"), (months, "M"), (weeks, "W"), (days, "D"))
    return "P" + ("".join(f"{count}{letter}" for count, letter in parts if count) or "0D")


def days_of(duration_text: str) -> float | None:
    """Length in days of an ISO 8601 duration of years to days (the time of day is left out), null if it is none."""
    match = _DURATION.fullmatch(duration_text)
    if match is None or duration_text.endswith("T"):
        return None
    years, months, weeks, days = (int(group or 0) for group in match.groups())
    return years * 365.2425 + months * 30.436875 + weeks * 7 + days
