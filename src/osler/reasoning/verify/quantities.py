"""Quantities in text: numbers in digits or words, ranges, units, doses, frequencies; English and Chinese.

It knows which units measure the same thing and how they convert. It does not know what a quantity is about.
"""

import re
from typing import NamedTuple


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


# dimension -> base unit; alias -> (dimension, factor). Times in hours, masses in grams, lengths in metres.
_UNITS: dict[str, tuple[str, float]] = {}


def _define(dimension: str, table: str) -> None:
    for entry in table.split(";"):
        factor, aliases = entry.strip().split(" ", 1)
        for alias in aliases.split():
            _UNITS[alias.replace("_", " ")] = (dimension, float(factor))


_define(
    "mass",
    "1 g gm gram grams 克; 1e-3 mg milligram milligrams 毫克; 1e-6 mcg µg μg ug microgram micrograms 微克;"
    "1e-9 ng nanogram nanograms 纳克; 1e3 kg kgs kilogram kilograms kilo kilos 公斤 千克; 453.6 lb lbs pound pounds 磅;"
    "28.35 oz ounce ounces 盎司",
)
_define(
    "volume",
    "1 l L liter liters litre litres 升; 1e-3 ml mL cc milliliter milliliters millilitre millilitres 毫升; 0.1 dl dL",
)
_define(
    "length",
    "1 m meter meters metre metres 米; 1e-2 cm centimeter centimeters centimetre centimetres 厘米 公分;"
    "1e-3 mm millimeter millimeters millimetre millimetres 毫米; 1e-6 µm μm micron microns 微米;"
    "0.0254 inch inches 英寸; 0.3048 ft feet foot 英尺",
)
_define(
    "time",
    "1 h hr hrs hour hours 小时 个小时; 0.0166667 min mins minute minutes 分钟; 0.000277778 sec secs second seconds 秒;"
    "24 d day days 天 日; 168 wk wks week weeks 周 星期 个星期; 730.5 mo mos month months 个月 月;"
    "8766 y yr yrs year years 年 岁; 87660 decade decades; 24 night nights",
)
_define("percent", "1 % percent per_cent percentage_points ％")
_define("pressure", "1 mmHg mm_Hg mmhg; 7.50062 kPa kpa")
_define("celsius", "1 °C ℃ ° C degrees_C degrees_Celsius 摄氏度 度")
_define("fahrenheit", "1 °F ℉ F degrees_F degrees_Fahrenheit")
_define("molarity", "1 mmol/L mmol/l mM; 1e-3 µmol/L μmol/L umol/L µmol/l umol/l; 1e-6 nmol/L nmol/l")
_define(
    "density", "1 mg/dL mg/dl; 100 g/L g/l; 1000 g/dL g/dl; 0.1 mg/L mg/l; 1e-4 µg/L ng/mL ng/ml; 1e-7 pg/mL pg/ml ng/L"
)
_define("activity", "1 U IU unit units 单位 国际单位; 1e3 kU; 1e6 MU")
_define("charge", "1 mEq meq milliequivalents")
_define("rate", "1 bpm beats/min beats_per_minute /min 次/分")
_define("energy", "1 kcal calories calorie Cal 千卡 大卡; 0.239 kJ kilojoules 千焦")

_ONES = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8, "千": 1e3, "百": 1e2}
_CHINESE = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}

_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+"
_WORD_NUMBER = (
    rf"\b(?!(?i:one)\s+of\b)(?i:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(list(_ONES)[1:10])}))?|{'|'.join(_ONES)})\b"
)
_COUNTED = (
    "小时|天|日|周|星期|月|年|岁|次|片|分钟|倍|例|处|颗"  # a Chinese numeral before anything else may be part of a word
)
_ONE_NUMBER = rf"(?:{_DIGITS}|{_WORD_NUMBER}|[零一二三四五六七八九十百千两]+(?=个?(?:{_COUNTED})))"
_SCALE = r"(?:\s?(?:hundred|thousand|million|billion)\b|[万亿])?"
_RANGE = r"(?:\s?(?:-|–|—|~|～|至|到)\s?|\s+to\s+|\s+and\s+|\s+or\s+)"
_SPELLED = sorted(_UNITS, key=len, reverse=True)
_UNIT = (
    r"(?:[\s-]?(?:" + "|".join(re.escape(unit) for unit in _SPELLED) + r")(?![A-Za-z]))"
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
_FRACTION = re.compile(
    r"\b(?P<n>one|two|three|four|a|\d+)?[\s-]?(?P<d>half|quarters?|thirds?|fifths?|tenths?)\b(?:\s+(?P<of>an?|of)\b)?"
    r"|\b(?P<a>one|two|three|four|five|six|seven|eight|nine|\d+)\s+(?:in|out of(?: every)?)\s+(?P<b>one|two|three|four|"
    r"five|six|seven|eight|nine|ten|\d[\d,]*)\b",
    re.I,
)
_FRACTIONS = {"half": 2, "quarter": 4, "third": 3, "fifth": 5, "tenth": 10}
_NUMBER_WORDS = {"once": 1.0, "one time": 1.0, "twice": 2.0, "two times": 2.0, "three times": 3.0, "four times": 4.0,
                 "thrice": 3.0}  # fmt: skip
_FREQUENCY = re.compile(
    r"\b(?P<times>once|twice|thrice|one time|two times|three times|four times|\d times)?\s?"
    r"(?:(?:a|per|each|every|/)\s?(?P<period>day|week|month|year)|(?P<ly>daily|weekly|monthly|yearly|nightly))\b"
    r"|\bevery\s(?P<every>\d+(?:\s?(?:-|–|to)\s?\d+)?|other|two|three|four|six|eight|twelve)[\s-]?(?P<step>hours?|days?|weeks?|months?|years?)\b"
    r"|\bq\s?(?P<q>\d+(?:\s?-\s?\d+)?)\s?(?P<qunit>h|hr|hrs|hours|d|days|wk|weeks)\b"
    r"|\b(?P<latin>qd|q\.d\.|od|bid|b\.i\.d\.?|tid|t\.i\.d\.?|qid|q\.i\.d\.?|qhs|qam|qpm|qod|qwk|BID|TID|QID|QD|QHS|QAM)\b"
    r"|(?:每(?P<zh>[日天周月晚早])|一[日天])(?P<zhn>[一二两三四\d])?次?|(?P<qzh>每\d+小时)(?:1次|一次)?"
)
_LATIN = {"qd": 1, "od": 1, "bid": 2, "tid": 3, "qid": 4, "qhs": 1, "qam": 1, "qpm": 1, "qod": 0.5, "qwk": 1 / 7}
_PERIOD = {"day": 1.0, "week": 1 / 7, "month": 1 / 30.44, "year": 1 / 365.25, "日": 1, "天": 1, "周": 1 / 7,
           "月": 1 / 30.44, "晚": 1, "早": 1}  # fmt: skip
_LY = {"daily": 1.0, "nightly": 1.0, "weekly": 1 / 7, "monthly": 1 / 30.44, "yearly": 1 / 365.25}
_STEP = {"hour": 24.0, "h": 24.0, "hr": 24.0, "day": 1.0, "d": 1.0, "week": 1 / 7, "wk": 1 / 7, "month": 1 / 30.44,
         "year": 1 / 365.25}  # fmt: skip
_NEVER_BARE = {"fold", "name", "percent", "frequency", "pair", "calendar"}
_LOOSE = re.compile(r"(?:about|around|approximately|approx\.?|roughly|nearly|almost|some|~|约|大约|左右|近)\s*$", re.I)
_YEAR = re.compile(r"^(?:1[89]|20)\d\d$")


def quantities(text: str) -> list[Quantity]:
    """All quantities of `text` in order; none overlap. Numbers that are part of a name (T2, IL-6) are left out."""
    found: list[Quantity] = []
    taken = bytearray(len(text))

    def add(quantity: Quantity) -> None:
        if not any(taken[quantity.start : quantity.end]):
            taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
            loose = bool(_LOOSE.search(text[max(0, quantity.start - 16) : quantity.start])) or text[
                quantity.end : quantity.end + 2
            ].startswith("左右")
            found.append(quantity._replace(loose=loose))

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
    temperatures = {"celsius", "fahrenheit"}
    return a.dimension == b.dimension or {a.dimension, b.dimension} <= temperatures


def equal(a: Quantity, b: Quantity) -> bool:
    """Whether they say the same: exactly in one unit, within a tenth across units or where one is approximate."""
    if a.dimension != b.dimension and "" in (a.dimension, b.dimension):
        if _NEVER_BARE & {a.dimension, b.dimension}:
            return False
        return _raw(a) == _raw(b)
    if not same_dimension(a, b):
        return False
    low, high = _kelvin(a, b)
    other_low, other_high = _kelvin(b, a)
    across = a.unit.strip().lower().rstrip("s") != b.unit.strip().lower().rstrip("s")
    tolerance = 0.1 if (across and a.dimension == "time") or a.loose or b.loose else 0.005
    if a.dimension in ("calendar", "pair"):
        tolerance = 0.0
    if a.dimension in ("celsius", "fahrenheit"):
        tolerance = 0.003
    return _near(low, other_low, tolerance) and _near(high, other_high, tolerance)


def _raw(item: Quantity) -> tuple[float, float]:
    factor = _UNITS.get(item.unit.strip(" -"), ("", 1.0))[1] if item.dimension else 1.0
    return round(item.low / factor, 6), round(item.high / factor, 6)


def _kelvin(item: Quantity, other: Quantity) -> tuple[float, float]:
    if item.dimension == "fahrenheit" and other.dimension == "celsius":
        return (item.low - 32) / 1.8, (item.high - 32) / 1.8
    return item.low, item.high


def _near(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b)) + 1e-9


def _number(text: str) -> float:
    cleaned = text.strip().lower().replace(",", "")
    if cleaned in _ONES:
        return float(_ONES[cleaned])
    parts = re.split(r"[- ]", cleaned)
    if parts[0] in _TENS:
        return float(_TENS[parts[0]] + (_ONES[parts[1]] if len(parts) > 1 else 0))
    if re.fullmatch(r"[\d.]+", cleaned):
        return float(cleaned)
    return _chinese_number(cleaned)


def _chinese_number(text: str) -> float:
    total, digit = 0.0, 0.0
    for character in text:
        if character in _CHINESE:
            digit = _CHINESE[character]
        elif character in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + digit


def _measured(match: re.Match[str]) -> list[Quantity]:
    low, unit = _number(match["low"]), (match["unit"] or match["unit1"] or "").strip(" -")
    scale = _SCALES.get((match["scale1"] or "").strip(), 1.0)
    dimension, factor = _dimension(unit)
    start, end = match.span()
    if match["high"] is None:
        if not unit and _YEAR.match(match["low"]) and scale == 1:
            dimension = "calendar"
        return [Quantity(low * scale * factor, low * scale * factor, dimension, unit, start, end)]
    scale2 = _SCALES.get((match["scale2"] or "").strip(), 1.0)
    high = _number(match["high"])
    if match["link"].strip() in ("and", "or", "to") and match["unit1"] and match["unit"] is None:
        return [Quantity(low * scale * factor, low * scale * factor, dimension, unit, start, match.end("unit1"))]
    if match["link"].strip() in ("and", "or") and not match["unit"]:
        middle = match.start("high")
        return [
            Quantity(low * scale, low * scale, "", "", start, match.end("low")),
            Quantity(high * scale2, high * scale2, "", "", middle, end),
        ]
    scale = scale2 if scale == 1 else scale
    unit1 = (match["unit1"] or match["unit"] or "").strip(" -")
    factor1 = _dimension(unit1)[1]
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
    unit = after[1].lower() if after else ""
    if unit in _UNITS and _UNITS[unit][0] in ("time", "mass", "volume", "length"):
        dimension, factor = _UNITS[unit]
        assert after is not None
        return Quantity(share * factor, share * factor, dimension, unit, start, match.end("d") + after.end())
    if match["d"].lower() in ("third", "fifth", "tenth") and match["n"] is None:
        return None  # an ordinal
    return Quantity(100 * share, 100 * share, "percent", "%", start, end)


def _frequency(match: re.Match[str]) -> tuple[float, float] | None:
    """Times a day."""
    if match["latin"]:
        value = float(_LATIN[match["latin"].lower().replace(".", "")])
    elif match["zh"] or match["zhn"]:
        count = match["zhn"] or "1"
        value = (_number(count)) * _PERIOD[match["zh"] or "日"]
    elif match["qzh"]:
        value = 24 / float(re.sub(r"\D", "", match["qzh"]))
    elif match["q"] or match["every"]:
        step = match["q"] or match["every"]
        unit = _STEP[
            (match["qunit"] or match["step"]).lower().rstrip("s")
            if (match["qunit"] or match["step"]) != "hrs"
            else "hr"
        ]
        steps = [2.0] if step == "other" else [_number(part) for part in re.split(r"\s?(?:-|–|to)\s?", step)]
        return unit / steps[-1], unit / steps[0]
    elif match["ly"] or match["period"]:
        if match["period"] and not match["times"] and not re.match(r"(?:each|every|a|per)\b", match.group().strip()):
            return None
        times = match["times"]
        count_of = 1.0 if not times else _NUMBER_WORDS.get(times) or float(times.split()[0])
        value = count_of * (_LY[match["ly"]] if match["ly"] else _PERIOD[match["period"]])
    else:
        return None
    return value, value
