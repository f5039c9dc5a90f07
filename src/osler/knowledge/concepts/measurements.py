"""Abnormal measurements as findings: "potassium 6.1 mmol/L", "BP 82/40", "temp 39.2", and observations of a record.

The ranges and units are data (`reference_ranges.tsv`). A number without a unit counts only if one reading of it is
believable; a range printed with an observation goes before the table. It knows no patient: whether the ranges for
adults apply is for the caller to say.
"""

import functools
import re
from typing import NamedTuple

from osler.knowledge.concepts.matcher import Mention
from osler.knowledge.concepts.tables import data_rows, patterns
from osler.knowledge.graph import load_graph

_SAYS = patterns("measurements")
# A hair of tolerance, so that a converted limit is still normal.
_HAIR = 1e-3


class Analyte(NamedTuple):
    """One measured quantity. `units`: factor to the first unit ("F" for Fahrenheit; with "!" the unit counts only where
    it is written); normal and plausible limits in the first unit; `below`, `above`: terms of what lies outside."""

    name: str
    names: list[str]
    loinc: list[str]
    units: dict[str, str]
    low: float
    high: float
    least: float
    most: float
    below: str | None
    above: str | None
    adult: bool


@functools.cache
def analytes() -> tuple[Analyte, ...]:
    found: list[Analyte] = []
    for name, names, loinc, units, low, high, least, most, below, above, ages in data_rows("reference_ranges.tsv"):
        factors = dict(unit.rsplit("=", 1) for unit in units.split(";"))
        limits = float(low), float(high), float(least), float(most)
        shared = name, names.split("|"), loinc.split("|"), factors
        found.append(Analyte(*shared, *limits, below or None, above or None, ages == "adult"))
    return tuple(found)


@functools.cache
def _known() -> dict[str, Analyte]:
    """Analytes by name and by LOINC code."""
    return {key: analyte for analyte in analytes() for key in (*analyte.names, *analyte.loinc)}


@functools.cache
def _pattern() -> re.Pattern[str]:
    names = sorted((name for analyte in analytes() for name in analyte.names), key=len, reverse=True)
    latin = "|".join(re.escape(name) for name in names if name.isascii())
    chinese = "|".join(re.escape(name) for name in names if not name.isascii())
    named = rf"(?:(?<![\w.])(?<!vitamin )(?P<latin>{latin})(?!\w)|(?P<chinese>{chinese}))"
    return re.compile(named + _SAYS["value"].pattern, re.IGNORECASE)


def measurements(text: str, adult: bool = True) -> list[Mention]:
    """Abnormal values in a text, sorted by start; value and unit as written (the table's first unit where none is).
    `adult`: whether ranges that only hold for adults may be used."""
    read = [_pressure(match) for match in _SAYS["pressure"].finditer(text)] if adult else []
    read += [_read(match, adult) for match in _pattern().finditer(text)]
    return sorted(one for one in read if one)


def _mention(match: re.Match[str], end: int, code: str | None, value: float, unit: str) -> Mention | None:
    if code is None:
        return None
    start, label = match.start(), load_graph().node(code).label
    return Mention(start, end, code, label, "hpo", match.string[start:end], value, unit)


def _pressure(match: re.Match[str]) -> Mention | None:
    systolic, diastolic, unit = float(match["sys"]), float(match["dia"]), "mm[Hg]"
    upper, lower = _known()["8480-6"], _known()["8462-4"]
    if diastolic >= systolic or _converted(upper, systolic, unit) is None:
        return None
    code = code_of(upper, systolic, unit) or code_of(lower, diastolic, unit)
    return _mention(match, match.end(), code, systolic, unit)


def _read(match: re.Match[str], adult: bool) -> Mention | None:
    written = match["latin"] or match["chinese"]
    if len(written.rstrip("+-")) <= 2 and not written[0].isupper() and written.isascii():
        return None
    analyte = _known()[written.lower()]
    if match["sign"] or (analyte.adult and not adult):
        return None
    value = float(match["number"].replace(",", "." if len(match["number"].split(",")[-1]) < 3 else ""))
    end, unit = _unit(analyte, match.string, match.end())
    if unit is None:
        free = [name for name, factor in analyte.units.items() if not factor.endswith("!")]
        believable = [name for name in free if _converted(analyte, value, name) is not None]
        if (
            _SAYS["followed"].match(match.string, end)
            or len({code_of(analyte, value, name) for name in believable}) != 1
        ):
            return None
        unit = believable[0]
    return _mention(match, end, code_of(analyte, value, unit), value, unit)


def _unit(analyte: Analyte, text: str, at: int) -> tuple[int, str | None]:
    """Where the unit written at a place ends, and its name; the place itself and None without one."""
    low = text[at : at + 24].lower()
    space = len(low) - len(low.lstrip(" "))
    for name in sorted(analyte.units, key=len, reverse=True):
        end = space + len(name)
        after = low[end : end + 1]
        if low.startswith(name.lower(), space) and not (name[-1].isalnum() and after.isascii() and after.isalnum()):
            return at + end, name
    return at, None


def code_of(
    analyte: Analyte, value: float, unit: str | None, low: float | None = None, high: float | None = None
) -> str | None:
    """The term for a value outside its range, or None. `low`, `high`: the value's own range, in its own unit."""
    if low is None and high is None:
        converted = _converted(analyte, value, unit or "")
        if converted is None:
            return None
        value, low, high = converted, analyte.low * (1 - _HAIR), analyte.high * (1 + _HAIR)
    if low is not None and value < low:
        return analyte.below
    return analyte.above if high is not None and value > high else None


def _converted(analyte: Analyte, value: float, unit: str) -> float | None:
    """The value in the analyte's first unit; None in an unknown unit or where nobody has such a value."""
    factor = next((factor for name, factor in analyte.units.items() if name.lower() == unit.lower()), None)
    if factor is None:
        return None
    converted = (value - 32) / 1.8 if factor == "F" else value * float(factor.rstrip("!"))
    return converted if analyte.least <= converted <= analyte.most else None


def analyte_of(label: str, codes: list[str]) -> Analyte | None:
    """The quantity of an observation by LOINC code, else by its name without specimen and method."""
    low = label.strip().lower()
    names = [] if "urine" in low or "fluid" in low else [_SAYS["specimen"].sub("", low).strip()]
    return next((_known()[key] for key in (*codes, *names) if key in _known()), None)
