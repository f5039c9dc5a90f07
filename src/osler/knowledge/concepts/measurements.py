"""Abnormal measurements as findings: "potassium 6.1 mmol/L", "BP 82/40", "temp 39.2", and observations of a record.

The ranges and units are data (`reference_ranges.tsv`). A number without a unit counts only if one reading of it is
believable; a range printed with an observation goes before the table. It knows no patient: whether the ranges for
adults apply is for the caller to say.
"""

import functools
import re
from typing import NamedTuple

from osler.knowledge.concepts.normal import data_rows


class Analyte(NamedTuple):
    """One measured quantity. `units`: factor to the first unit ("F" for Fahrenheit); `low`, `high` in that unit."""

    name: str
    names: tuple[str, ...]
    loinc: tuple[str, ...]
    units: dict[str, str]
    written_only: frozenset[str]
    low: float
    high: float
    plausible: tuple[float, float]
    below: str | None
    above: str | None
    adult: bool


class Measurement(NamedTuple):
    """An abnormal value in a text: `value` and `unit` as written (the table's first unit where none is)."""

    start: int
    end: int
    code: str
    value: float
    unit: str


@functools.cache
def analytes() -> tuple[Analyte, ...]:
    found: list[Analyte] = []
    for name, names, loinc, units, low, high, least, most, below, above, ages in data_rows("reference_ranges.tsv"):
        pairs = [unit.rsplit("=", 1) for unit in units.split(";")]
        found.append(
            Analyte(
                name=name,
                names=tuple(names.split("|")),
                loinc=tuple(loinc.split("|")),
                units={unit.rstrip("!"): factor for unit, factor in pairs},
                written_only=frozenset(unit.rstrip("!") for unit, _ in pairs if unit.endswith("!")),
                low=float(low),
                high=float(high),
                plausible=(float(least), float(most)),
                below=below or None,
                above=above or None,
                adult=ages == "adult",
            )
        )
    return tuple(found)


@functools.cache
def _by_name() -> dict[str, Analyte]:
    return {name: analyte for analyte in analytes() for name in analyte.names}


@functools.cache
def _by_loinc() -> dict[str, Analyte]:
    return {code: analyte for analyte in analytes() for code in analyte.loinc}


_FILLER = (
    r"(?:\s*(?:\((?:serum|oral|axillary|tympanic|resting|fasting|room air|ra|h|l|high|low)\)|level|levels|count|"
    r"reading|"
    r"is|was|are|were|of|at|to|now|today|measured|elevated|raised|low|high|up|down|still|about|around|approx\.?|"
    r"on admission|on arrival|on room air|on ra|[:=：~,]|为|是|约|达|最高|高达|仅))*\s*"
)
_BELOW_NUMBER = r"(?P<sign>[<>≤≥])?\s*(?P<number>\d{1,6}(?:[.,]\d{1,3})?)(?![\d.,]*\d)"
_PRESSURE = re.compile(
    rf"(?:\b(?:bp|b/p|blood pressure|nibp)\b|血压){_FILLER}"
    r"(?P<sys>\d{2,3})\s*/\s*(?P<dia>\d{2,3})(?!\d|/)(?:\s*(?:mm\s?hg|毫米汞柱))?",
    re.IGNORECASE,
)
# What may not follow the number: another quantity, a range, a date, a fraction, a dose.
_FOLLOWED = re.compile(
    r"\s*[-–~/]\s*\d|\s?(?:mg|mcg|ug|µg|g|kg|ml|l|meq|mmol|units?|iu|tablets?|tabs?|caps?|puffs?|x|%|days?|d|weeks?|wks?|"
    r"months?|years?|yrs?|hours?|hrs?|h|min|times|cm|mm|pm|am|st|nd|rd|th|po|iv)\b|\s?%",
    re.IGNORECASE,
)


@functools.cache
def _pattern() -> re.Pattern[str]:
    names = sorted(_by_name(), key=len, reverse=True)
    latin = "|".join(re.escape(name) for name in names if name.isascii())
    chinese = "|".join(re.escape(name) for name in names if not name.isascii())
    return re.compile(
        rf"(?:(?<![\w.])(?<!vitamin )(?P<latin>{latin})(?!\w)|(?P<chinese>{chinese})){_FILLER}{_BELOW_NUMBER}",
        re.IGNORECASE,
    )


def measurements(text: str, adult: bool = True) -> list[Measurement]:
    """Abnormal values in a text, sorted by start. `adult`: whether ranges that only hold for adults may be used."""
    found: list[Measurement] = []
    for match in _PRESSURE.finditer(text):
        code = _pressure(float(match["sys"]), float(match["dia"])) if adult else None
        if code:
            found.append(Measurement(match.start(), match.end(), code, float(match["sys"]), "mm[Hg]"))
    for match in _pattern().finditer(text):
        one = _read(text, match, adult)
        if one:
            found.append(one)
    return sorted(found)


def _pressure(systolic: float, diastolic: float) -> str | None:
    upper, lower = _by_loinc()["8480-6"], _by_loinc()["8462-4"]
    if not (upper.plausible[0] <= systolic <= upper.plausible[1] and diastolic < systolic):
        return None
    return _judge(upper, systolic) or _judge(lower, diastolic)


def _read(text: str, match: re.Match[str], adult: bool) -> Measurement | None:
    written = match["latin"] or match["chinese"]
    if len(written.rstrip("+-")) <= 2 and not written[0].isupper() and written.isascii():
        return None
    analyte = _by_name()[written.lower()]
    if match["sign"] or (analyte.adult and not adult):
        return None
    value = float(match["number"].replace(",", "." if len(match["number"].split(",")[-1]) < 3 else ""))
    unit = _unit(analyte, text, match.end())
    if unit is not None:
        end, name = unit
        code = code_of(analyte, value, name)
        return Measurement(match.start(), end, code, value, name) if code else None
    if _FOLLOWED.match(text, match.end()):
        return None
    believable = [
        (code_of(analyte, value, name), name)
        for name, factor in analyte.units.items()
        if name not in analyte.written_only and _plausible(analyte, _converted(value, factor))
    ]
    codes = {code for code, _ in believable}
    if len(codes) != 1 or None in codes:
        return None
    code, name = believable[0]
    assert code is not None
    return Measurement(match.start(), match.end(), code, value, name)


def _unit(analyte: Analyte, text: str, at: int) -> tuple[int, str] | None:
    """The unit written at a place: where it ends and its name."""
    rest = text[at : at + 24]
    space = len(rest) - len(rest.lstrip(" "))
    low = rest[space:].lower()
    for name in sorted(analyte.units, key=len, reverse=True):
        if low.startswith(name.lower()):
            after = low[len(name) : len(name) + 1]
            if not (after.isascii() and after.isalnum()) or not name[-1].isalnum():
                return at + space + len(name), name
    return None


def code_of(
    analyte: Analyte, value: float, unit: str | None, low: float | None = None, high: float | None = None
) -> str | None:
    """The term for a value outside its range, or None. `low`, `high`: the value's own range, in its own unit."""
    if low is not None or high is not None:
        if low is not None and value < low:
            return analyte.below
        return analyte.above if high is not None and value > high else None
    factor = next((factor for name, factor in analyte.units.items() if unit and name.lower() == unit.lower()), None)
    if factor is None:
        return None
    converted = _converted(value, factor)
    return _judge(analyte, converted) if _plausible(analyte, converted) else None


def _converted(value: float, factor: str) -> float:
    return (value - 32) / 1.8 if factor == "F" else value * float(factor)


def _plausible(analyte: Analyte, value: float) -> bool:
    return analyte.plausible[0] <= value <= analyte.plausible[1]


def _judge(analyte: Analyte, value: float) -> str | None:
    # a hair of tolerance, so that a converted limit is still normal
    if value < analyte.low * (1 - 1e-3):
        return analyte.below
    return analyte.above if value > analyte.high * (1 + 1e-3) else None


_SPECIMEN = re.compile(
    r"\s*(?:\[.*|\bin (?:serum|plasma|blood|serum or plasma|arterial blood).*|\bby .*|,.*|\(.*\))$", re.IGNORECASE
)


def analyte_of(label: str, codes: list[str]) -> Analyte | None:
    """The quantity of an observation by LOINC code, else by its name without specimen and method."""
    for code in codes:
        if code in _by_loinc():
            return _by_loinc()[code]
    low = label.strip().lower()
    return None if "urine" in low or "fluid" in low else _by_name().get(_SPECIMEN.sub("", low).strip())
