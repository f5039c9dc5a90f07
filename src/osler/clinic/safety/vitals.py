"""Vital signs and key laboratory values from note text and from observations, each in one unit.

A reading is taken only where its name stands beside it; the newest counts, in text the last one written. It does not
know which values are dangerous.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from osler.knowledge.drugs import tables
from osler.record.case import Observation
from osler.record.demographics import parse_number


class Reading(NamedTuple):
    """`value` in the measure's unit. `start`, `end`: code points of the text, None for an observation."""

    measure: str
    value: float
    text: str
    source: str
    start: int | None = None
    end: int | None = None
    time: str | None = None


class Measure(BaseModel):
    """How one measure is named, bounded and converted; the fields are explained at the head of data/measures.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    names: str | None = None
    low: float
    high: float
    labels: str | None = None
    loinc: tuple[str, ...] = ()
    offset: float = 0.0
    factor: float = 1.0
    factor_units: tuple[str, ...] = ()
    factor_above: float = float("inf")
    factor_below: float = float("-inf")
    other_units: tuple[str, ...] = ()
    worse: Literal["low", "high", "last"] = "last"

    def converted(self, value: float, unit: str) -> float | None:
        """The value in `unit` of the measure; None if it can't be one."""
        written = unit.strip().lower()
        if written in self.other_units:
            return None
        turned = any(name in written for name in self.factor_units)
        if turned or (not written and not self.factor_below < value <= self.factor_above):
            value = (value - self.offset) * self.factor
        return value if self.low <= value <= self.high else None


MEASURES = {name: Measure.model_validate(entry) for name, entry in tables.toml(__package__, "measures.toml").items()}
_SAYS = tables.patterns(__package__, "value_words.toml")
_SPOKEN = tables.patterns(__package__, "value_words.toml", "spoken")
_PATTERNS = {
    name: re.compile(rf"(?<![A-Za-z0-9])(?:{measure.names}){_SAYS['value'].pattern}")
    for name, measure in MEASURES.items()
    if measure.names
}


def readings(text: str, source: str) -> list[Reading]:
    """Every reading of a text, in order."""
    found = list(_pressures(text, source))
    for match in _SAYS["bare_temperature"].finditer(text):
        start, end = match.span("value" if match["value"] else "degrees")
        found.append(Reading("temp", float(text[start:end]), text[start:end], source, start, end))
    for match in _SAYS["said_temp"].finditer(text):
        tenths = 5 if match["part"] == "半" else parse_number(match["part"] or "0") or 0
        degrees = (parse_number(match["whole"]) or 0) + tenths / 10
        found.append(Reading("temp", degrees, match.group(), source, match.start(), match.end()))
    for name, pattern in (*_PATTERNS.items(), *_SPOKEN.items()):
        for match in pattern.finditer(text):
            number = parse_number(match["value"].replace(",", "")) or 0.0
            value = MEASURES[name].converted(number, match.groupdict().get("unit") or "")
            if value is not None:
                found.append(Reading(name, value, match.group().strip(), source, match.start(), match.end()))
    return sorted(found, key=lambda reading: (reading.start or 0, reading.end or 0))


def _pressures(text: str, source: str) -> Iterator[Reading]:
    for match in _SAYS["pressure"].finditer(text):
        if match.start("s") > match.start() or match["u"]:
            yield from _pressure(match, source)
    for match in _SAYS["pressure_over"].finditer(text):
        yield from _pressure(match, source, 60)
    for match in _SAYS["pressure_bare"].finditer(text):
        if _SAYS["beside_pressure"].search(text[max(0, match.start() - 20) : match.end() + 20]):
            yield from _pressure(match, source, 60)
    for match in _SAYS["pressure_floor"].finditer(text):
        yield Reading("sbp", float(match["s"]), match.group(), source, match.start(), match.end())
    for match in _SAYS["systolic"].finditer(text):
        value = float(next(group for group in match.groups() if group))
        if 30 <= value <= 300:
            yield Reading("sbp", value, match.group(), source, match.start(), match.end())


def _pressure(match: re.Match[str], source: str, least: int = 40) -> Iterator[Reading]:
    systolic, diastolic = float(match["s"]), float(match["d"])
    if least <= systolic <= 300 and 15 <= diastolic < systolic:
        for name, value in (("sbp", systolic), ("dbp", diastolic)):
            yield Reading(name, value, match.group(), source, match.start(), match.end())


def observed(observations: Iterable[Observation], since: str | None = None) -> list[Reading]:
    """Readings of the record, oldest first; those before `since` (ISO 8601) are left out."""
    found: list[Reading] = []
    for observation in observations:
        if observation.value is None or (since and observation.time and _before(observation.time, since)):
            continue
        name = _measure_of(observation)
        if name is None:
            continue
        unit = observation.unit or ""
        value = MEASURES[name].converted(observation.value, unit)
        if value is not None:
            text = f"{observation.label} {observation.value:g} {unit}".strip()
            found.append(Reading(name, value, text, observation.source, time=observation.time))
    return sorted(found, key=lambda reading: reading.time or "")


def _before(time: str, since: str) -> bool:
    return time[:10] < since[:10]


def _measure_of(observation: Observation) -> str | None:
    codes = {code.code for code in observation.codes}
    for name, measure in MEASURES.items():
        labelled = measure.labels and re.search(measure.labels, observation.label, re.IGNORECASE)
        if labelled or codes.intersection(measure.loinc):
            return name
    return None


def days_before(time: str, days: int) -> str | None:
    """The ISO date `days` before an ISO 8601 time; None if it can't be read."""
    try:
        return (date.fromisoformat(time[:10]) - timedelta(days=days)).isoformat()
    except ValueError:
        return None
