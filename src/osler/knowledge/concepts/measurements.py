"""Abnormal measurements as findings: "potassium 6.1 mmol/L", "BP 82/40", "temp 39.2", and observations of a record.

The ranges and units are data (`reference_ranges.tsv`). A number without a unit counts only if one reading of it is
believable; a range printed with an observation goes before the table. It knows no patient: whether the ranges for
adults apply is for the caller to say.
"""

import functools
import re
from typing import NamedTuple

from osler.knowledge.concepts.normal import data_rows


class Range(NamedTuple):
    low: float
    high: float


class Analyte(NamedTuple):
    """One measured quantity. `units`: factor to the first unit ("F" for Fahrenheit), those in `written_only` count only
    where they are written; `normal` and `plausible` in the first unit; `below`, `above`: terms of what lies outside."""

    name: str
    names: list[str]
    loinc: list[str]
    units: dict[str, str]
    written_only: list[str]
    normal: Range
    plausible: Range
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
        factors = dict(unit.rsplit("=", 1) for unit in units.replace("!", "").split(";"))
        written_only = [unit.rsplit("!", 1)[0] for unit in units.split(";") if "!" in unit]
        ranges = Range(float(low), float(high)), Range(float(least), float(most))
        terms = below or None, above or None
        shared = name, names.split("|"), loinc.split("|"), factors, written_only
        found.append(Analyte(*shared, *ranges, *terms, ages == "adult"))
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
    for match in _PRESSURE.finditer(text) if adult else ():
        code = _pressure(float(match["sys"]), float(match["dia"]))
        if code:
            found.append(Measurement(*match.span(), code, float(match["sys"]), "mm[Hg]"))
    found += filter(None, (_read(text, match, adult) for match in _pattern().finditer(text)))
    return sorted(found)


def _pressure(systolic: float, diastolic: float) -> str | None:
    upper, lower = _by_loinc()["8480-6"], _by_loinc()["8462-4"]
    if not (upper.plausible.low <= systolic <= upper.plausible.high and diastolic < systolic):
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
    end, unit = _unit(analyte, text, match.end())
    if unit is None:
        if _FOLLOWED.match(text, match.end()):
            return None
        free = [name for name in analyte.units if name not in analyte.written_only]
        believable = [name for name in free if _converted(analyte, value, name) is not None]
        if len({code_of(analyte, value, name) for name in believable}) != 1:
            return None
        unit = believable[0]
    code = code_of(analyte, value, unit)
    return Measurement(match.start(), end, code, value, unit) if code else None


def _unit(analyte: Analyte, text: str, at: int) -> tuple[int, str | None]:
    """Where the unit written at a place ends, and its name; the place itself and None without one."""
    low = text[at : at + 24].lower()
    space = len(low) - len(low.lstrip(" "))
    for name in sorted(analyte.units, key=len, reverse=True):
        end = space + len(name)
        after = low[end : end + 1]
        if low[space:].startswith(name.lower()) and not (name[-1].isalnum() and after.isascii() and after.isalnum()):
            return at + end, name
    return at, None


def code_of(
    analyte: Analyte, value: float, unit: str | None, low: float | None = None, high: float | None = None
) -> str | None:
    """The term for a value outside its range, or None. `low`, `high`: the value's own range, in its own unit."""
    if low is not None or high is not None:
        if low is not None and value < low:
            return analyte.below
        return analyte.above if high is not None and value > high else None
    converted = _converted(analyte, value, unit) if unit else None
    return None if converted is None else _judge(analyte, converted)


def _converted(analyte: Analyte, value: float, unit: str) -> float | None:
    """The value in the analyte's first unit; None in an unknown unit or where nobody has such a value."""
    factor = next((factor for name, factor in analyte.units.items() if name.lower() == unit.lower()), None)
    if factor is None:
        return None
    converted = (value - 32) / 1.8 if factor == "F" else value * float(factor)
    return converted if analyte.plausible.low <= converted <= analyte.plausible.high else None


def _judge(analyte: Analyte, value: float) -> str | None:
    # a hair of tolerance, so that a converted limit is still normal
    if value < analyte.normal.low * (1 - 1e-3):
        return analyte.below
    return analyte.above if value > analyte.normal.high * (1 + 1e-3) else None


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
