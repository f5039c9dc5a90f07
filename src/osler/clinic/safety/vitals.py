"""Vital signs and key laboratory values from note text and from observations, each in one unit.

A reading is taken only where its name stands beside it; the newest counts, in text the last one written. It does not
know which values are dangerous.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

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


class Measure(NamedTuple):
    """`names`: pattern of its names in text; a value outside `low` to `high` (after `convert`) is another thing;
    `labels`, `loinc`: how observations call it."""

    unit: str
    names: str
    low: float
    high: float
    labels: str = r"(?!)"
    loinc: tuple[str, ...] = ()
    convert: Callable[[float, str], float] = lambda value, _: value


def _celsius(value: float, unit: str) -> float:
    return (value - 32) / 1.8 if value > 60 or "f" in unit.lower() or "℉" in unit else value


def _molar(factor: float, above: float) -> Callable[[float, str], float]:
    """mg/dL to mmol/L where the unit says so or, without a unit, where the number is too high for mmol/L."""

    def convert(value: float, unit: str) -> float:
        return value / factor if "mg" in unit.lower() or (not unit and value > above) else value

    return convert


MEASURES: dict[str, Measure] = {
    "sbp": Measure("mmHg", r"(?!)", 30, 300, r"systolic", ("8480-6",)),
    "dbp": Measure("mmHg", r"(?!)", 10, 200, r"diastolic", ("8462-4",)),
    "hr": Measure("/min", r"HR|PR|P|(?i:heart rate|pulse(?: rate)?|ventricular rate|rate of|心率|脉搏|脉率|心室率)", 15, 320, r"heart rate|pulse rate", ("8867-4",)),
    "rr": Measure("/min", r"RR|R|(?i:resp(?:iratory|irations?|s)?(?: rate)?|breathing(?: rate| at)|breathes|呼吸(?:频率)?)", 1, 120, r"respiratory rate", ("9279-1",)),
    "spo2": Measure("%", r"(?i:SpO2|SaO2|SpO₂|O2 sats?|sats?|(?:oxygen )?saturation|oximet(?:er|ry)|(?:经皮)?血?氧饱和度?|指脉氧|指氧)", 30, 100, r"oxygen saturation", ("2708-6", "59408-5")),
    "temp": Measure("Cel", r"T|(?i:temp(?:erature)?|febrile|(?:high )?fever|pyrexia|rectal(?:ly)?|core|tympanic|体温|发热|高热|高烧|发烧|[肛腋耳]温|核心温度|最高)", 20, 45, r"body temperature|oral temperature|^temperature", ("8310-5", "8331-1", "8332-9"), _celsius),
    "gcs": Measure("", r"(?i:GCS|Glasgow(?: coma)?(?: scale| score)?|格拉斯哥(?:昏迷)?(?:评分)?)", 3, 15, r"glasgow coma score total", ("9269-2",)),
    "glucose": Measure("mmol/L", r"BM|BG|CBG|(?i:glucose|(?:blood )?sugar|finger ?stick|(?:随机|指尖|末梢|空腹|静脉)?血糖|葡萄糖)", 0.1, 120, r"^glucose", ("2339-0", "2345-7", "41653-7"), _molar(18.016, 60)),
    "lactate": Measure("mmol/L", r"(?i:lactate|血?乳酸)", 0.2, 30, r"^lactate", ("2524-7", "32693-4")),
    "na": Measure("mmol/L", r"Na\+?|(?i:sodium|血清?钠|钠)", 90, 190, r"^sodium", ("2951-2", "2947-0")),
    "k": Measure("mmol/L", r"K\+?|(?i:potassium|血清?钾|钾)", 1, 12, r"^potassium", ("2823-3", "6298-4")),
    "ca": Measure("mmol/L", r"Ca(?:2?\+)*|(?i:calcium|血清?钙|校正钙|钙)", 0.8, 7, r"^calcium", ("17861-6", "49765-1"), _molar(4.008, 6)),
    "ph": Measure("", r"pH", 6.5, 7.9, r"^pH of", ("2744-1", "2746-6")),
    "hco3": Measure("mmol/L", r"(?i:HCO3-?|HCO₃⁻?|bicarb(?:onate)?|碳酸氢[根盐](?:离子)?)", 1, 60, r"bicarbonate", ("1963-8",)),
    "ketones": Measure("mmol/L", r"(?i:ketones?|beta-?hydroxybutyrate|BOHB|血酮体?|[βb]-?羟丁酸)", 0, 20, r"hydroxybutyrate"),
    "paco2": Measure("mmHg", r"(?i:Pa?CO2|Pa?CO₂)", 2, 200, r"carbon dioxide \[partial", ("2019-8",), lambda value, unit: value * 7.50062 if "k" in unit.lower() or (not unit and value < 18) else value),
    "creatinine": Measure("umol/L", r"Cr|(?i:creatinine|creat|血?肌酐)", 10, 3000, r"^creatinine", ("2160-0", "38483-4"), lambda value, unit: value * 88.42 if "mg" in unit.lower() or (not unit and value < 20) else value),
    "neutrophils": Measure("10*9/L", r"ANC|(?i:neut(?:rophil)?s?(?: count)?|中性粒细胞(?:绝对值|计数|绝对计数)?)", 0, 60, r"^neutrophils \[#", ("751-8",), lambda value, unit: value / 1000 if value > 60 else value),
    "platelets": Measure("10*9/L", r"(?i:plt|platelets?(?: count)?|血小板(?:计数)?)", 0, 2500, r"^platelets \[#", ("777-3", "26515-7")),
    "inr": Measure("", r"INR", 0.5, 20, r"^INR", ("6301-6", "34714-6")),
    "hb": Measure("g/L", r"Hb|(?i:ha?emoglobin|血红蛋白)", 20, 250, r"^hemoglobin \[mass", ("718-7",), lambda value, _: value * 10 if value < 25 else value),
    "cohb": Measure("%", r"(?i:COHb|carboxyha?emoglobin|碳氧血红蛋白)", 0, 80, r"carboxyhemoglobin", ("20563-3",)),
    "pef": Measure("%", r"(?i:PEFR?|peak (?:expiratory )?flow|呼气峰流速|峰流速)", 5, 120),
    "qrs": Measure("ms", r"QRS(?: duration| width)?", 50, 300, r"QRS duration", ("8633-0",)),
    "qtc": Measure("ms", r"QTc|QT间期", 300, 800, r"QTc", ("8634-8",)),
    "crt": Measure("s", r"CRT|(?i:cap(?:illary)? refill(?: time)?|毛细血管(?:再)?充盈(?:时间)?)", 0.5, 15, r"capillary refill"),
    "iop": Measure("mmHg", r"IOP|(?i:intraocular pressure|eye pressure|眼压)", 3, 90, r"intraocular pressure"),
    "ck": Measure("U/L", r"CK|(?i:creatine kinase|肌酸激酶)", 20, 500000, r"^creatine kinase", ("2157-6",)),
    "tsh": Measure("mIU/L", r"TSH|促甲状腺激素", 0, 500, r"thyrotropin", ("3016-3",)),
    "alt": Measure("U/L", r"ALT|(?i:谷丙转氨酶|丙氨酸(?:氨基)?转氨酶)", 1, 30000, r"^alanine aminotransferase", ("1742-6",)),
    "esr": Measure("mm/h", r"ESR|(?i:血沉)", 1, 160, r"erythrocyte sedimentation", ("4537-7",)),
}  # fmt: skip
_SMALL = (
    r"(?:rectal(?:ly)?|rectum|oral|tympanic|axillary|core|today|now|then|currently|on arrival|at home|corrected|adjusted|venous|"
    r"arterial|reading|reads|serum|level|rate|measured|plasma|point|lowest|peak|is|was|of|at|to|about|around|only|still|has|fell|"
    r"rises?|rose|dropped|falling|falls|down|up|from|the|a|by|为|约|达|仅|降至|升至|至|高达|最高|最低|波动于|半天|[一二两三四五六七八九十]+[天日周]|余)"
)
_VALUE = (
    rf"[\s:：=,，~≈(（]*(?:{_SMALL}[\s:：=,，~≈(（]*){{0,4}}(?P<sign>[<>＜＞≤≥]\s?)?(?P<value>\d[\d,]*(?:\.\d+)?)"
    r"(?P<unit>\s?(?:mmol/?L|mg/?dL|[uµμ]mol/?L|°?\s?[CFcf]\b|℃|℉|kPa|mmHg|g/dL|g/L|L/min|g\b|%|x\s?10|×\s?10))?(?!\d|/\d|-?(?:year|week|month|day)|岁)"
)
_PATTERNS = {
    name: re.compile(rf"(?<![A-Za-z0-9])(?:{measure.names}){_VALUE}")
    for name, measure in MEASURES.items()
    if measure.names != r"(?!)"
}
_OTHER_UNIT = {"pef": ("l/min",), "glucose": ("g",), "hr": ("%", "mmhg", "mmol/l"), "temp": ("%",)}
_PRESSURE_NAME = r"(?:\b(?:BP|NIBP|ABP)\b|(?i:blood pressure|pressure)|血压)"
_PRESSURE = re.compile(rf"(?:{_PRESSURE_NAME}[^.;。；]{{0,30}}?)?(?<![\d/])(?P<s>\d{{2,3}})\s?/\s?(?P<d>\d{{2,3}})(?P<u>\s?mm\s?Hg)?(?![\d/])", re.I)
_SYSTOLIC = re.compile(
    r"(?:(?<![\d/.])(?P<a>\d{2,3})(?:\s?mm\s?Hg)?\s?(?:mm ?Hg )?systolic|systolic(?: blood)?(?: pressure)?(?: BP)?"
    r"(?:\s(?:is|was|of|now|only|still|at|to|fell|dropped|falling|below|under|around|about|down)){0,4}\s?(?P<b>\d{2,3})(?![\d/])|收缩压\D{0,4}(?P<c>\d{2,3}))",
    re.IGNORECASE,
)


# A bare "39.6" after a stop or "now" is a temperature: nothing else is written so.
_BARE_TEMPERATURE = re.compile(
    r"(?:(?:^|[,;.，；。]\s?)|\b(?:now|again|still|since then|then|today|tonight|to)\s)(?P<value>(?:3[5-9]|4[0-2])\.\d)(?!\d|\s?[a-zA-Z%/×])"
)


def readings(text: str, source: str) -> list[Reading]:
    """Every reading of a text, in order."""
    found = list(_pressures(text, source))
    for match in _BARE_TEMPERATURE.finditer(text):
        found.append(Reading("temp", float(match["value"]), match["value"], source, match.start("value"), match.end("value")))
    for name, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            unit = (match["unit"] or "").strip()
            if unit.lower() in _OTHER_UNIT.get(name, ()):
                continue
            value = MEASURES[name].convert(float(match["value"].replace(",", "").rstrip(".")), unit)
            if MEASURES[name].low <= value <= MEASURES[name].high:
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
        value = MEASURES[name].convert(observation.value, unit)
        if MEASURES[name].low <= value <= MEASURES[name].high:
            text = f"{observation.label} {observation.value:g} {unit}".strip()
            found.append(Reading(name, value, text, observation.source, time=observation.time))
    return sorted(found, key=lambda reading: reading.time or "")


def _before(time: str, since: str) -> bool:
    return time[:10] < since[:10]


def _measure_of(observation: Observation) -> str | None:
    codes = {code.code for code in observation.codes}
    for name, measure in MEASURES.items():
        if codes.intersection(measure.loinc) or re.search(measure.labels, observation.label, re.IGNORECASE):
            return name
    return None


def days_before(time: str, days: int) -> str | None:
    """The ISO date `days` before an ISO 8601 time; None if it can't be read."""
    from datetime import timedelta

    try:
        return (datetime.fromisoformat(time[:10]) - timedelta(days=days)).date().isoformat()
    except ValueError:
        return None
