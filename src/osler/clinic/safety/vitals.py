"""Vital signs and key laboratory values from note text and from observations, each in one unit.

A reading is taken only where its name stands beside it; the newest counts, in text the last one written. It does not
know which values are dangerous.
"""

import importlib.resources
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from osler.record.case import Observation


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


def _load() -> dict[str, Measure]:
    file = importlib.resources.files("osler.clinic.safety") / "data" / "measures.toml"
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: Measure.model_validate(entry) for name, entry in content.items()}


MEASURES = _load()
_SMALL = (
    r"(?:rectal(?:ly)?|rectum|oral|tympanic|axillary|core|today|now|then|currently|on arrival"
    r"|at home|corrected|adjusted|"
    r"venous|arterial|reading|reads|serum|level|rate|measured|plasma|point|lowest|peak|is|was|of|at|to|about|around|only|"
    r"still|has|fell|rises?|rose|dropped|falling|falls|down|up|from|the|a|by|为|约|达|仅|降至|升至|至|高达|最高|最低|波动于|半天|[一二两三四五六七八九十]+[天日周]|余)"
)
_VALUE = (
    rf"[\s:：=,，~≈(（]*(?:{_SMALL}[\s:：=,，~≈(（]*){{0,4}}(?P<sign>[<>＜＞≤≥]\s?)?(?P<value>\d[\d,]*(?:\.\d+)?)"
    r"(?P<unit>\s?(?:mmol/?L|mg/?dL|[uµμ]mol/?L|°?\s?[CFcf]\b|℃|℉|kPa|mmHg|g/dL|g/L|L/min|g\b|%|x\s?10|×\s?10))?(?!\d|/\d|-?(?:year|week|month|day)|\s?(?:times|hours?|hrs?|days)\b|岁)"
)
_PATTERNS = {
    name: re.compile(rf"(?<![A-Za-z0-9])(?:{measure.names}){_VALUE}")
    for name, measure in MEASURES.items()
    if measure.names
}
_PRESSURE_NAME = r"(?:\b(?:BP|NIBP|ABP)\b|(?i:blood pressure|pressure)|血压)"
_PRESSURE = re.compile(
    rf"(?:{_PRESSURE_NAME}[^.;。；]{{0,30}}?)?(?<![\d/])(?P<s>\d{{2,3}})\s?/\s?(?P<d>\d{{2,3}})(?P<u>\s?mm\s?Hg)?(?![\d/])",
    re.IGNORECASE,
)
_SYSTOLIC = re.compile(
    r"(?:(?<![\d/.])(?P<a>\d{2,3})(?:\s?mm\s?Hg)?\s?(?:mm ?Hg )?systolic|systolic(?: blood)?(?: pressure)?(?: BP)?"
    r"(?:\s(?:is|was|of|now|only|still|at|to|fell|dropped|falling|below|under|around|about|down)){0,4}\s?(?P<b>\d{2,3})(?![\d/])|收缩压\D{0,4}(?P<c>\d{2,3}))",
    re.IGNORECASE,
)


# A bare "39.6" after a stop or "now", or before "degrees", is a temperature: nothing else is written so.
_BARE_TEMPERATURE = re.compile(
    r"(?:(?:^|[,;.，；。]\s?)|\b(?:now|again|still|since then|then|today|tonight|to|and)\s)"
    r"(?P<value>(?:3[5-9]|4[0-2])\.\d)"
    r"(?!\d|\s?(?:%|/|×|[x-]|(?:to|cm|mm|kg|g|mg|ml|l|mmol|[uµμ]mol|pg|ng|iu|units?|kpa|fl|s|secs?|min|h|hours?|days?|w|weeks?"
    r"|months?|years?|y)\b))"
    r"|(?<![\d.])(?P<degrees>(?:2\d|3\d|4[0-3])\.\d)\s?(?:degrees|°)(?!\s?(?:F|of|fahrenheit)\b)",
    re.IGNORECASE,
)


def readings(text: str, source: str) -> list[Reading]:
    """Every reading of a text, in order."""
    found = list(_pressures(text, source))
    for match in _BARE_TEMPERATURE.finditer(text):
        start, end = match.span("value" if match["value"] else "degrees")
        found.append(Reading("temp", float(text[start:end]), text[start:end], source, start, end))
    for name, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            value = MEASURES[name].converted(float(match["value"].replace(",", "")), match["unit"] or "")
            if value is not None:
                found.append(Reading(name, value, match.group().strip(), source, match.start(), match.end()))
    return sorted(found, key=lambda reading: (reading.start or 0, reading.end or 0))


def _pressures(text: str, source: str) -> Iterator[Reading]:
    for match in _PRESSURE.finditer(text):
        systolic, diastolic = float(match["s"]), float(match["d"])
        named = match.start("s") > match.start() or match["u"]
        if named and 40 <= systolic <= 300 and 15 <= diastolic < systolic:
            for name, value in (("sbp", systolic), ("dbp", diastolic)):
                yield Reading(name, value, match.group(), source, match.start(), match.end())
    for match in _SYSTOLIC.finditer(text):
        value = float(next(group for group in match.groups() if group))
        if 30 <= value <= 300:
            yield Reading("sbp", value, match.group(), source, match.start(), match.end())


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
