"""Quantities in text: numbers in digits or words, ranges, units, doses, frequencies; English and Chinese.

It knows which units measure the same thing and how they convert. It does not know what a quantity is about.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"


class Quantity(NamedTuple):
    """`low` to `high` in the base unit of `dimension` ("" for a bare number). `start`, `end`: code points.

    `loose`: said to be approximate. `unit`: as written.
    """

    low: float
    high: float
    dimension: str
    unit: str
    start: int
    end: int
    loose: bool = False


_UNITS = {
    alias.replace("_", " "): (dimension, float(entry.split()[0]))
    for dimension, table in tomllib.loads((DATA / "units.toml").read_text(encoding="utf-8")).items()
    for entry in table.split(";")
    for alias in entry.split()[1:]
}

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: n for n, word in enumerate(ONES)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8, "千": 1e3, "百": 1e2}
_CHINESE = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+"
_WORD_NUMBER = rf"\b(?!(?i:one)\s+of\b)(?i:(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(ONES[1:10])}))?|{'|'.join(ONES)})\b"
# A Chinese numeral before anything else may be part of a word.
_COUNTED = "小时|天|日|周|星期|月|年|岁|次|片|分钟|倍|例|处|颗"
_ONE_NUMBER = rf"(?:{_DIGITS}|{_WORD_NUMBER}|[零一二三四五六七八九十百千两]+(?=个?(?:{_COUNTED})))"
_SCALE = r"(?:\s?(?:hundred|thousand|million|billion)\b|[万亿]|\s?[×x*]\s?10(?:\^|\*\*|\*)?\d{1,2}(?!\d))?"
_RANGE = r"(?:\s?(?:-|–|—|~|～|至|到|[×x](?=\s?\d))\s?|\s+to\s+|\s+and\s+|\s+or\s+)"
_UNIT = (
    rf"(?:[\s-]?(?:{'|'.join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z]))"
    r"(?:(?:\sof\s[a-z]+)?\s?(?:/|per)\s?(?:kilogram|kg|m2|hour|hr|h|minute|min|dose|L|l|dL|mL|ml)\b){0,2}"
)
# A letter or hyphen before a digit makes a name of it (T2, IL-6, COVID-19); so does a letter right after a bare one.
_QUANTITY = re.compile(
    rf"(?P<comparison>[<>≤≥]=?\s?)?(?<![A-Za-z0-9.])(?<![A-Za-z]-)(?P<low>{_ONE_NUMBER})(?P<scale1>{_SCALE})"
    rf"(?P<unit1>{_UNIT})?(?:(?P<link>{_RANGE})(?P<high>{_ONE_NUMBER})(?P<scale2>{_SCALE}))?(?P<unit>{_UNIT})?(?![A-Za-z0-9])"
)
_FOLD = re.compile(r"\b(?:double[sd]?|triple[sd]?|halve[sd]?|twofold|threefold)\b", re.I)
_FOLDS = {"doub": 2.0, "trip": 3.0, "halv": 0.5, "twof": 2.0, "thre": 3.0}
_PAIR = re.compile(r"(?<![\d/])(\d{2,3})\s?/\s?(\d{2,3})(?![\d/])(?:\s?mm\s?Hg)?")
_SMALL = rf"{'|'.join(ONES[1:11])}|\d[\d,]*"
_FRACTION = re.compile(
    r"\b(?P<n>one|two|three|four|a|\d+)?[\s-]?(?P<d>half|quarters?|thirds?|fifths?|tenths?)\b(?:\s+(?P<of>an?|of)\b)?"
    rf"|\b(?P<a>{_SMALL})\s+(?:[a-z]+\s+){{0,2}}?(?:in|out of(?: every)?)\s+(?P<b>{_SMALL})\b"
    rf"(?!\s+(?:{'|'.join(_UNITS)})\b)",
    re.I,
)
_FRACTIONS = {"half": 2, "quarter": 4, "third": 3, "fifth": 5, "tenth": 10}
_TIMES = {
    "once": 1.0,
    "one time": 1.0,
    "twice": 2.0,
    "two times": 2.0,
    "three times": 3.0,
    "four times": 4.0,
    "thrice": 3.0,
}
_FREQUENCY = re.compile(
    rf"\b(?P<times>{'|'.join(_TIMES)}|\d times)?\s?"
    r"(?:(?:a|per|each|every|/)\s?(?P<period>day|week|month|year)|(?P<ly>daily|weekly|monthly|yearly|nightly))\b"
    r"|\bevery\s(?P<every>\d+(?:\s?(?:-|–|to)\s?\d+)?|other|two|three|four|six|eight|twelve)[\s-]?(?P<step>hour|day|week|month|year)s?\b"
    r"|\bq\s?(?P<q>\d+(?:\s?-\s?\d+)?)\s?(?P<qunit>h|hr|hour|d|day|wk|week)s?\b"
    r"|\b(?P<latin>qd|q\.d\.|od|bid|b\.i\.d\.?|tid|t\.i\.d\.?|qid|q\.i\.d\.?|qhs|qam|qpm|qod|qwk|biw|tiw|BID|TID|QID|QD|QHS|QAM)\b"
    r"|(?:每(?P<zh>[日天周月晚早])|一[日天])[服打用做]?(?P<zhn>[一二两三四\d])?次?|每(?P<qzh>\d+)小时(?:1次|一次)?"
)
_LATIN = {"qd": 1, "od": 1, "bid": 2, "tid": 3, "qid": 4, "qhs": 1, "qam": 1, "qpm": 1, "qod": 0.5, "qwk": 1 / 7,
          "biw": 2 / 7, "tiw": 3 / 7}  # fmt: skip
# Times a day of one event a period; `dai` of daily.
_PERIOD = {"hour": 24.0, "h": 24.0, "hr": 24.0, "d": 1.0, "day": 1.0, "dai": 1.0, "night": 1.0, "wk": 1 / 7,
           "week": 1 / 7, "month": 1 / 30.44, "year": 1 / 365.25, "日": 1.0, "天": 1.0, "周": 1 / 7,
           "月": 1 / 30.44, "晚": 1.0, "早": 1.0}  # fmt: skip
_NEVER_BARE = {"fold", "percent", "frequency", "pair", "calendar"}
_LOOSE = re.compile(r"(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|~|约|大约|左右|近)\s*$", re.I)
_YEAR = re.compile(r"^(?:1[89]|20)\d\d$")


def quantities(text: str) -> list[Quantity]:
    """All quantities of `text` in order; none overlap. Numbers that are part of a name (T2, IL-6) are left out."""
    found: list[Quantity] = []
    taken = bytearray(len(text))

    def add(quantity: Quantity) -> None:
        if not any(taken[quantity.start : quantity.end]):
            taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
            about = _LOOSE.search(text[max(0, quantity.start - 16) : quantity.start])
            found.append(quantity._replace(loose=bool(about) or text.startswith("左右", quantity.end)))

    for match in _FRACTION.finditer(text):
        if quantity := _fraction(match, text):
            add(quantity)
    for match in _FREQUENCY.finditer(text):
        if (value := _frequency(match)) is not None:
            add(Quantity(value[0], value[1], "frequency", match.group().strip(), match.start(), match.end()))
    for match in _FOLD.finditer(text):
        fold = _FOLDS[match.group().lower()[:4]]
        add(Quantity(fold, fold, "fold", "", match.start(), match.end()))
    for match in _PAIR.finditer(text):
        add(Quantity(float(match[1]), float(match[2]), "pair", "", match.start(), match.end()))
    for match in _QUANTITY.finditer(text):
        for quantity in _measured(match):
            add(quantity)
    return sorted(found, key=lambda item: item.start)


def same_dimension(a: Quantity, b: Quantity) -> bool:
    """Whether the two measure the same thing. A bare number may be any: it has no dimension to differ in."""
    return a.dimension == b.dimension or {a.dimension, b.dimension} == {"celsius", "fahrenheit"}


def equal(a: Quantity, b: Quantity) -> bool:
    """Whether they say the same: exactly in one unit, within a tenth across units or where one is approximate."""
    if a.dimension != b.dimension and "" in (a.dimension, b.dimension):
        return not _NEVER_BARE & {a.dimension, b.dimension} and _raw(a) == _raw(b)
    if not same_dimension(a, b):
        return False
    across = a.unit.strip().lower().rstrip("s") != b.unit.strip().lower().rstrip("s")
    tolerance = 0.1 if (across and a.dimension == "time") or a.loose or b.loose else 0.005
    if a.dimension in ("calendar", "pair"):
        tolerance = 0.0
    if a.dimension in ("celsius", "fahrenheit"):
        tolerance = 0.003
    pairs = zip(_celsius(a, b), _celsius(b, a), strict=True)
    return all(abs(x - y) <= tolerance * max(abs(x), abs(y)) + 1e-9 for x, y in pairs)


def _raw(item: Quantity) -> tuple[float, float]:
    factor = _UNITS.get(item.unit.strip(" -"), ("", 1.0))[1] if item.dimension else 1.0
    return round(item.low / factor, 6), round(item.high / factor, 6)


def _celsius(item: Quantity, other: Quantity) -> tuple[float, float]:
    if item.dimension == "fahrenheit" and other.dimension == "celsius":
        return (item.low - 32) / 1.8, (item.high - 32) / 1.8
    return item.low, item.high


def _number(text: str) -> float:
    cleaned = text.strip().lower().replace(",", "")
    parts = re.split(r"[- ]", cleaned)
    if parts[0] in _WORDS:
        return float(sum(_WORDS[part] for part in parts))
    if re.fullmatch(r"[\d.]+", cleaned):
        return float(cleaned)
    total, digit = 0.0, 0.0
    for character in cleaned:
        if character in _CHINESE:
            digit = _CHINESE[character]
        elif character in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + digit


def _scale(written: str | None) -> float:
    """`million`, `万`, `×10^9`."""
    word = (written or "").strip()
    return 10.0 ** int(re.sub(r"^\D*10\D*", "", word)) if word[:1] in tuple("×x*") else _SCALES.get(word, 1.0)


def _measured(match: re.Match[str]) -> list[Quantity]:
    low, unit = _number(match["low"]), (match["unit"] or match["unit1"] or "").strip(" -")
    scale = _scale(match["scale1"])
    dimension, factor = _dimension(unit)
    start, end = match.span()
    if match["high"] is None:
        if not unit and _YEAR.match(match["low"]) and scale == 1:
            dimension = "calendar"
        return [Quantity(low * scale * factor, low * scale * factor, dimension, unit, start, end)]
    scale2 = _scale(match["scale2"])
    high = _number(match["high"])
    link = match["link"].strip()
    if link in ("and", "or", "to") and match["unit1"] and match["unit"] is None:
        return [Quantity(low * scale * factor, low * scale * factor, dimension, unit, start, match.end("unit1"))]
    if link in ("×", "x") or (link in ("and", "or") and not match["unit"]):
        middle = match.start("high")
        return [
            Quantity(low * scale * factor, low * scale * factor, dimension, unit, start, match.end("low")),
            Quantity(high * scale2 * factor, high * scale2 * factor, dimension, unit, middle, end),
        ]
    scale = scale2 if scale == 1 else scale
    factor1 = _dimension((match["unit1"] or match["unit"] or "").strip(" -"))[1]
    return [Quantity(low * scale * factor1, high * scale2 * factor, dimension, unit, start, end)]


def _dimension(unit: str) -> tuple[str, float]:
    """`mg/kg/day` has the dimension mass/mass/time and the factors multiplied out."""
    if unit in _UNITS:
        return _UNITS[unit]
    unit = re.sub(r"\sof\s[a-z]+", "", unit)
    parts = [part for part in re.split(r"\s?(?:/|\bper\b)\s?", unit) if part]
    if not parts or parts[0].strip() not in _UNITS:
        return ("", 1.0)
    dimension, factor = _UNITS[parts[0].strip()]
    for part in parts[1:]:
        below, divisor = _UNITS.get(part.strip(), (part.strip(), 1.0))
        dimension, factor = f"{dimension}/{below}", factor / divisor
    return dimension, factor


def _fraction(match: re.Match[str], text: str) -> Quantity | None:
    start, end = match.span()
    if match["d"] is None:
        share = 100 * _number(match["a"]) / max(_number(match["b"]), 1e-9)
        return Quantity(share, share, "percent", "%", start, end) if share <= 100 else None
    top = 1.0 if match["n"] is None or match["n"].lower() == "a" else _number(match["n"])
    share = top / _FRACTIONS[match["d"].lower().rstrip("s")]
    after = re.match(r"\s*(?:an?\s+)?([A-Za-z]+)", text[match.end("d") :])
    dimension, factor = _UNITS.get(after[1].lower(), ("", 1.0)) if after else ("", 1.0)
    if after and dimension in ("time", "mass", "volume", "length"):
        value = share * factor
        return Quantity(value, value, dimension, after[1].lower(), start, match.end("d") + after.end())
    if match["d"].lower() in ("third", "fifth", "tenth") and match["n"] is None:
        return None  # an ordinal
    return Quantity(100 * share, 100 * share, "percent", "%", start, end)


def _frequency(match: re.Match[str]) -> tuple[float, float] | None:
    """Times a day."""
    if match["latin"]:
        value = float(_LATIN[match["latin"].lower().replace(".", "")])
    elif match["zh"] or match["zhn"]:
        value = _number(match["zhn"] or "1") * _PERIOD[match["zh"] or "日"]
    elif match["qzh"]:
        value = 24 / float(match["qzh"])
    elif step := match["q"] or match["every"]:
        unit = _PERIOD[match["qunit"] or match["step"]]
        steps = [2.0] if step == "other" else [_number(part) for part in re.split(r"\s?(?:-|–|to)\s?", step)]
        return unit / steps[-1], unit / steps[0]
    elif match["ly"] or match["period"]:
        times = match["times"]
        if match["period"] and not times and not re.match(r"(?:each|every|a|per)\b", match.group().strip()):
            return None
        value = (_TIMES.get(times) or float(times.split()[0])) if times else 1.0
        value *= _PERIOD[match["period"] or match["ly"].removesuffix("ly")]
    else:
        return None
    return value, value
