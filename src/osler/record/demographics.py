"""Age and sex of the patient as notes write them, English and Chinese, with the place where it is written.

It takes what is said of the patient in so many words; ages of relatives and of the past are passed over. It guesses
nothing from names or pronouns.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from osler.record.narrator import spoken_for
from osler.record.times import OLDEST, days_of, duration


class Said(NamedTuple):
    """What the text says of the patient and where: `age` ISO 8601, `sex`, code points."""

    age: str | None
    sex: Literal["male", "female"] | None
    start: int
    end: int


_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_ONES += ["seventeen", "eighteen", "nineteen"]
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_DIGITS = {"两": 2, **{one: value for value, one in enumerate("一二三四五六七八九", 1)}}
_HAN = re.compile(
    r"(?:([一二两三四五六七八九])百(零|$|(?=[一二三四五六七八九]$))?)?(?:([一二三四五六七八九]?)十)?([一二两三四五六七八九]?)"
)
# Numbers in words, written without spaces and hyphens.
_WORDS = {word: value for value, word in enumerate(_ONES, 1)}
_WORDS |= {f"{ten}{one}": 10 * n + m for n, ten in enumerate(_TENS, 2) for m, one in enumerate(["", *_ONES[:9]])}
WRITTEN_NUMBER = rf"(?:{'|'.join(_TENS)})(?:[\s-]?(?:{'|'.join(_ONES[:9])}))?|{'|'.join(reversed(_ONES))}"
_NUMBER = rf"(?P<age>\d{{1,3}}(?:\.\d)?|{WRITTEN_NUMBER})"
_UNIT = r"(?P<unit>years?|yrs?|y|months?|mos?|weeks?|wks?|w|days?|d)"
_UNITS = dict.fromkeys("y岁", "years") | dict.fromkeys("m月", "months")
_UNITS |= dict.fromkeys("w周", "weeks") | dict.fromkeys("d天日", "days")
_FEMALE = "female|woman|girl|lady|gentlewoman|(?:primi|multi|nulli)(?:gravida|para)"
_SEX = rf"(?P<sex>{_FEMALE}|male|man|boy|gentleman|gentlemen)"
# Up to six words between age and sex, none of which leads to another person.
_NEAR = (
    r"(?:[,\s-]{1,3}(?!(?:his|her|whose|with|and|who|mother|father)\b)\w[\w/]*){0,6}?"
    rf"[,\s-]{{1,3}}(?:{_SEX}|(?P<letter>[fm])(?=[\s,.;:)]|$))\b"
)
_NO_TEMPERATURE = r"(?!(?:9[4-9]|10\d)(?:\.\d)?\s?F\b)"
_OPENING = (
    r"(?:^[ \t]*(?:(?:pt|patient|id|hpi|cc|hx|history|summary|s|subjective)\b[^:\n]{0,30}:)?[ \t]*|(?<!\d)\.[ \t]+)\b"
    + _NO_TEMPERATURE
)
_ENGLISH = (
    rf"\b{_NUMBER}[\s-]*{_UNIT}(?:(?:\s+and|,)?\s+(?P<more>\d{{1,2}})[\s-]*months?)?"
    rf"(?:[\s-]*old|[\s-]*/?\s*o\b|\.\s?o\.)(?:{_NEAR})?",
    rf"\b{_NUMBER}\s?y/?o(?P<letter>(?-i:[MF]))\b",
    # As a note or a sentence opens: "34F G2P2", "45 M admitted", "F/34", also after a heading such as "HPI:".
    rf"{_OPENING}{_NUMBER}\s?/?\s?(?P<letter>(?-i:[MF]))(?=[\s,.;:)])",
    rf"{_OPENING}(?P<letter>(?-i:[MF]))\s?/\s?{_NUMBER}(?=[\s,.;:)])",
    rf"\b{_SEX}(?:\s+patient)?,?\s+(?:aged?\s+|age:?\s*){_NUMBER}(?:\s*{_UNIT}\b)?",
    rf"(?:\baged\s+|^[ \t]*(?:patient )?age[ \t]*[:=][ \t]*){_NUMBER}(?:[\s-]*{_UNIT}\b)?",
    rf"\b{_NUMBER}[\s-]+{_UNIT}\s+of\s+age\b",
    rf"\b{_NO_TEMPERATURE}(?P<age>\d{{1,3}})\s?-?(?P<letter>(?-i:[MF]))"
    r"(?=\s+(?:with|w/|who|presents?|presenting|c/o|p/w|h/o|here|patient|pt)\b|,)",
    rf"(?:^[ \t]*|[ \t]{{2}}|[,;|/][ \t]*)(?:sex|gender)[ \t]*[:=][ \t]*(?:{_SEX}|(?P<letter>[fm]))\b",
    rf"\b(?:(?:patient|pt)\s+is\s+an?|this)\s+(?:[\w-]+\s+){{0,3}}?{_SEX}\b",
)
_HAN_NUMBER = r"(?:\d{1,3}|[一二三四五六七八九两]?十[一二三四五六七八九]?|[一二三四五六七八九两])"
_HAN_AGE = (
    rf"(?P<age>{_HAN_NUMBER})\s*(?P<unit>周?岁|个月|月龄|个?月(?!\s*\d)|天|日龄|周龄?)"
    rf"(?:\s*(?P<more>{_HAN_NUMBER})\s*个?月)?"
    r"(?!以?[前后来内]|以[上下]|[余多时])"  # "3天前" is a time, no age
)
_HAN_SEX = r"(?<!子)(?<!儿)(?P<sex>[男女]|[孕产]妇|妇女)(?:性|婴|孩|童|士|工)?(?!儿|友|朋|方)"
_CHINESE = (
    rf"{_HAN_SEX}(?:患者|患儿|病人)?[，,、；;。\s]{{0,3}}(?:现?年龄?[：:]?\s*|出?生后?)?{_HAN_AGE}",
    rf"{_HAN_AGE}[，,、的\s]{{0,2}}(?:(?:患者|患儿|病人)[，,、\s]{{0,2}}|初|经)?{_HAN_SEX}",
    rf"{_HAN_AGE}的?(?:患者|患儿|病人)",
    rf"年龄\s*[：:]?\s*{_HAN_AGE}",
    rf"(?:出生|生后){_HAN_AGE}",
    rf"(?:患者|患儿|病人)(?:[^。；\n]{{0,8}}?[，,、\s])?{_HAN_AGE}",
    r"(?:性别\s*[：:]?\s*|(?:患者|患儿|病人)(?:[，,、\s]|为)?)(?P<sex>[男女])",
)
# Looser forms, looked for where no other gives an age: "male, 76", "farmer of 58", "I'm 58".
_SOMEBODY = "(?:farmer|teacher|student|nurse|driver|engineer|widow|patient|child|infant)"
_LOOSE = (
    rf"\b(?:{_SEX}(?: of|,)?|{_SOMEBODY}(?: of|,)?|(?:he|she) is|(?:he|she)['’]s|i['’]m|i am) (?:aged? )?{_NUMBER}\b"
    r"(?![ -]?(?:months?|weeks?|days?|hours?|min\w*|pounds?|and a half|mg|ml|mmol|kg|%|/|°|:|on|in|years? (?:ago|since|"
    r"later))|[.:/%°]\d)",
    # Of a baby alone: the same words may tell how long an illness has lasted.
    rf"(?:^|[.\n]\s+){_NUMBER}\s?(?P<unit>months?|mths?|mo|weeks?|wks?|wk|days?)[,.](?=[\s\S]*\b(?:napp(?:y|ies)|fontanelle|"
    r"baby|breast|bottle|feeds?|feeding|floppy|jelly|stools?|cot)\b)",
    r"\b(?P<age>\d{1,2})/12(?=\s*(?:old\b|boy\b|girl\b|baby\b|[MF]\b|,))",
)
# Right behind a relative for whom somebody speaks: "爷爷八十一，", "儿子八个月".
_KIN_AGE = re.compile(rf"[今年才刚快]{{0,2}}(?:{_HAN_AGE}|(?P<years>{_HAN_NUMBER})(?=[，,。、]))")
_PATTERNS, _LOOSER = (
    [re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns]
    for patterns in (_ENGLISH + _CHINESE, _LOOSE)
)
_RELATIVE = (
    r"\b(?:(?:mother|father|mom|dad|parent|son|daughter|brother|sister|sibling|twin)s?|wife|husband|spouse|partner|aunt|"
    r"uncle|cousin|nephew|niece|grand\w+|child|children|kids?|boyfriend|girlfriend|neighbou?r|friend|donor|roommate)"
)
_RELATIVE_BEFORE = re.compile(rf"{_RELATIVE}\b[^.;\n]{{0,40}}$", re.IGNORECASE)
_RELATIVE_AFTER = re.compile(rf"\W{{0,3}}(?:\w+\s+)?{_RELATIVE}\b", re.IGNORECASE)
_HAN_RELATIVE = re.compile(
    r"(?:父|母|兄|弟|姐|妹|祖|妻|丈夫|配偶|儿子|女儿|爷|奶|叔|姑|舅|姨|子女)[亲母父]?[^。；\n]{0,4}$"
)
# "mother of a ...", "brought in by his father": the age that follows is the patient's.
_BROUGHT = re.compile(rf"{_RELATIVE}\s+(?:of|to|brings?|brought|reports?|states?|says|presents? with)\b[^.;\n]*$", re.I)
# Ages of the past ("since I was"), of ranges ("5 to") and of limits ("over") are not the patient's present age.
_PAST = re.compile(
    r"\b(?:(?:at|since|until|from|when)\s+(?:(?:s?he|they|i|you|we)\s+(?:was|were)\s+)?"
    r"(?:(?:an?|the|about|around|ages?(?:\s+of)?)\s+)*|age\s+of\s+(?:the\s+)?|"
    r"(?:to|or|between|under|over|above|below|than|last|past|every|\d+\s+and)\s+|\d\s*[-–]\s*)$",
    re.IGNORECASE,
)


def demographics(text: str) -> tuple[list[Said], list[Said]]:
    """What is said of the patient's age and sex: (used, contradicting).

    Used are at most one place for the age and one for the sex; a later statement of another age or sex is returned
    as contradicting, so that the reader can report it.
    """
    found = set(_said(text, _PATTERNS))
    if not any(one.age for one in found):
        found |= set(_said(text, _LOOSER))
    if not any(one.age for one in found) and (kin := spoken_for(text)) and (match := _KIN_AGE.match(text, kin.end())):
        age = _age(match["age"] or match["years"], match["unit"] or "years", match["more"])
        found.add(Said(age, None, match.start(), match.end()))
    whole = [one for one in found if one.age and one.sex]
    said = [one for one in found if one in whole or not any(_within(one, other) for other in whole)]
    used: list[Said] = []
    others: list[Said] = []
    for one in sorted(said, key=lambda one: (one.start, -one.end, one.age or "", one.sex or "")):
        age = next((known.age for known in used if known.age), None)
        sex = next((known.sex for known in used if known.sex), None)
        if (one.age and age and not _alike(one.age, age)) or (one.sex and sex and one.sex != sex):
            others.append(one)
        elif (one.age and not age) or (one.sex and not sex):
            used.append(one)
    return used, others


def _within(part: Said, whole: Said) -> bool:
    overlap = part.start < whole.end and whole.start < part.end
    return overlap and part.age in (None, whole.age) and part.sex in (None, whole.sex)


def _alike(first: str, second: str) -> bool:
    days, others = days_of(first), days_of(second)
    return days is not None and others is not None and abs(days - others) <= 0.02 * max(days, others)


def _said(text: str, patterns: list[re.Pattern[str]]) -> Iterator[Said]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            unit = "months" if "/12" in match[0] else groups.get("unit")
            age = _age(groups.get("age"), unit, groups.get("more"))
            sex = groups.get("sex") or groups.get("letter")
            if (age or "age" not in groups) and not _of_another(text, match):
                female = re.fullmatch(rf"f|女|.妇|妇女|{_FEMALE}", sex or "", re.IGNORECASE)
                yield Said(age, ("female" if female else "male") if sex else None, match.start(), match.end())


def _of_another(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(0, match.start() - 120) : match.start()], text[match.end() : match.end() + 40]
    if "age" in match.re.groupindex and _HAN_RELATIVE.search(before[-12:] + text[match.start() : match.start("age")]):
        return True
    if re.match("s?he\\b", match[0], re.IGNORECASE) and re.search(_RELATIVE, before, re.IGNORECASE):
        return True
    if _RELATIVE_AFTER.match(after) or _PAST.search(before):
        return True
    return bool(_RELATIVE_BEFORE.search(before)) and not _BROUGHT.search(before)


def _age(number: str | None, unit: str | None, more: str | None) -> str | None:
    value = parse_number(number) if number else None
    letter = "岁" if unit and "岁" in unit else (unit or "years").lstrip("个")[0].lower()
    kind = _UNITS[letter]
    if value is None or (kind == "years" and value > OLDEST):
        return None
    whole, part = int(value), value % 1
    if kind == "years" and (more or part):
        return duration(years=whole, months=int(parse_number(more) or 0) if more else round(part * 12))
    return duration(**{kind: whole}) if not part else None


def parse_number(words: str) -> float | None:
    """A number in figures, in English words up to ninety-nine or in Chinese ones up to 999 (一百二 is 120)."""
    joined = re.sub(r"[\s-]+", "", words.lower())
    if joined[:1].isdigit():
        return float(joined)
    match = _HAN.fullmatch(joined)
    if match is None or not joined:
        return _WORDS.get(joined)
    hundreds, zero, tens, ones = match.groups()
    value = 100 * _DIGITS.get(hundreds, 0) + 10 * (_DIGITS.get(tens, 1) if tens is not None else 0)
    return value + _DIGITS.get(ones, 0) * (10 if hundreds and tens is None and zero != "零" else 1)
