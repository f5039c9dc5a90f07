"""Age and sex of the patient as notes write them, English and Chinese, with the place where it is written.

It takes what is said of the patient in so many words; ages of relatives and of the past are passed over. It guesses
nothing from names or pronouns.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from osler.record.times import OLDEST, days_of, duration


class Said(NamedTuple):
    """What the text says of the patient and where: `age` ISO 8601, `sex`, code points."""

    age: str | None
    sex: Literal["male", "female"] | None
    start: int
    end: int


_TENS = {
    name: 10 * value for value, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_ONES = {
    name: value
    for value, name in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split(),
        1,
    )
}
_WRITTEN = rf"(?:{'|'.join(_TENS)})(?:[\s-]?(?:{'|'.join(list(_ONES)[:9])}))?|{'|'.join(reversed(_ONES))}"
_NUMBER = rf"(?:\d{{1,3}}(?:\.\d)?|{_WRITTEN})"
_UNIT = r"years?|yrs?|y|months?|mos?|weeks?|wks?|w|days?|d"
_FEMALE = r"female|woman|girl|lady|gentlewoman"
_MALE = r"male|man|boy|gentleman|gentlemen"
_SEX = rf"{_FEMALE}|{_MALE}"
_OLD = rf"(?P<age>{_NUMBER})[\s-]*(?P<unit>{_UNIT})(?:[\s-]*old|[\s-]*/?\s*o\b|\.\s?o\.)"
_AND = rf"(?P<age>{_NUMBER})[\s-]*(?P<unit>years?)(?:\s+and|,)?\s+(?P<more>\d{{1,2}})[\s-]*months?[\s-]*old"
# Up to six words between age and sex, none of which leads to another person.
_NEAR = (
    rf"(?:[,\s-]{{1,3}}(?!(?:his|her|whose|with|and|who|mother|father)\b)\w[\w/]*){{0,6}}?"
    rf"[,\s-]{{1,3}}(?P<sex>{_SEX}|[fm](?=[\s,.;:)]|$))\b"
)
_ENGLISH = [
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"\b(?:{_AND}|{_OLD.replace('age>', 'age2>').replace('unit>', 'unit2>')})(?:{_NEAR})?",
        rf"\b(?P<sex>{_SEX})(?:\s+patient)?,?\s+(?:aged?\s+|age:?\s*)(?P<age>{_NUMBER})(?:\s*(?P<unit>{_UNIT})\b)?",
        rf"\baged\s+(?P<age>{_NUMBER})(?:[\s-]*(?P<unit>{_UNIT})\b)?",
        rf"\b(?P<age>{_NUMBER})[\s-]+(?P<unit>years?|months?|weeks?|days?)\s+of\s+age\b",
        rf"^[ \t]*(?:age|patient age)[ \t]*[:=][ \t]*(?P<age>{_NUMBER})(?:\s*(?P<unit>{_UNIT})\b)?",
        r"\b(?P<age>\d{1,3})\s?-?(?P<sex>(?-i:[MF]))(?=\s+(?:with|w/|who|presents?|presenting|c/o|p/w|h/o|here|patient|pt)\b|,)",
    )
]
_HEADED_SEX = re.compile(rf"^[ \t]*(?:sex|gender)[ \t]*[:=][ \t]*(?P<sex>{_SEX}|[fm])\b", re.IGNORECASE | re.MULTILINE)
_STATED_SEX = re.compile(
    rf"\b(?:patient|pt)\s+is\s+an?\s+(?:[\w-]+\s+){{0,3}}?(?P<sex>{_SEX})\b|\bthis\s+(?:[\w-]+\s+){{0,2}}?(?P<sex2>{_SEX})\b",
    re.IGNORECASE,
)
_RELATIVE = (
    r"(?:mother|father|mom|dad|parent|son|daughter|brother|sister|sibling|twin)s?|wife|husband|spouse|partner|aunt|uncle|"
    r"cousin|nephew|niece|grand\w+|child|children|kids?|boyfriend|girlfriend|neighbou?r|friend|donor|roommate"
)
_RELATIVE_BEFORE = re.compile(rf"\b(?:{_RELATIVE})\b[^.;\n]{{0,40}}$", re.IGNORECASE)
_RELATIVE_AFTER = re.compile(rf"\W{{0,3}}(?:\w+\s+)?(?:{_RELATIVE})\b", re.IGNORECASE)
# "mother of a ...", "brought in by his father": the age that follows is the patient's.
_BROUGHT = re.compile(
    rf"\b(?:{_RELATIVE})\s+(?:of|to|brings?|brought|reports?|states?|says|presents? with)\b[^.;\n]*$", re.I
)
# Ages of the past ("since I was"), of ranges ("5 to") and of limits ("over") are not the patient's present age.
_PAST = re.compile(
    r"\b(?:(?:at|since|until|from|when)\s+(?:(?:s?he|they|i|you|we)\s+(?:was|were)\s+)?"
    r"(?:(?:an?|the|about|around|ages?(?:\s+of)?)\s+)*|age\s+of\s+(?:the\s+)?|"
    r"(?:to|or|between|under|over|above|below|than|last|past|every|\d+\s+and)\s+|\d\s*[-–]\s*)$",
    re.IGNORECASE,
)

_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_HAN_NUMBER = r"(?:\d{1,3}|[一二三四五六七八九两]?十[一二三四五六七八九]?|[一二三四五六七八九两])"
_HAN_AGE = (
    rf"(?P<age>{_HAN_NUMBER})\s*(?P<unit>周?岁|个月|月龄|个?月(?!\s*\d)|天|日龄|周龄?)"
    rf"(?:\s*(?P<more>{_HAN_NUMBER})\s*个?月)?"
)
_HAN_SEX = r"(?<!子)(?<!儿)(?P<sex>[男女])(?:性|婴|孩|童|士)?(?!儿|友|朋|方)"
_CHINESE = [
    re.compile(pattern)
    for pattern in (
        rf"{_HAN_SEX}(?:患者|患儿|病人)?[，,、；;\s]{{0,3}}(?:现?年龄?[：:]?\s*)?{_HAN_AGE}",
        rf"{_HAN_AGE}[，,、的\s]{{0,2}}(?:(?:患者|患儿|病人)[，,、\s]{{0,2}})?{_HAN_SEX}",
        rf"年龄\s*[：:]?\s*{_HAN_AGE}",
        rf"(?:患者|患儿|病人)[^。；\n]{{0,8}}?[，,、\s]{_HAN_AGE}",
    )
]
_HAN_HEADED_SEX = re.compile(r"性别\s*[：:]?\s*(?P<sex>[男女])|(?:患者|患儿|病人)(?:[，,、\s]|为)?(?P<sex2>[男女])")
_HAN_RELATIVE = re.compile(
    r"(?:父|母|兄|弟|姐|妹|祖|妻|丈夫|配偶|儿子|女儿|爷|奶|叔|姑|舅|姨|子女)[亲母父]?[^。；\n]{0,4}$"
)
_UNITS = {"y": "years", "m": "months", "w": "weeks", "d": "days"}


def demographics(text: str) -> tuple[list[Said], list[Said]]:
    """What is said of the patient's age and sex: (used, contradicting).

    Used are at most one place for the age and one for the sex; a later statement of another age or sex is returned
    as contradicting, so that the reader can report it.
    """
    found = {*_english(text), *_chinese(text)}
    whole = [one for one in found if one.age and one.sex]
    said = sorted(
        (one for one in found if one in whole or not any(_within(one, other) for other in whole)),
        key=lambda one: (one.start, -one.end, one.age or "", one.sex or ""),
    )
    used: list[Said] = []
    others: list[Said] = []
    for one in said:
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


def _english(text: str) -> Iterator[Said]:
    for pattern in _ENGLISH:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            age = _age(
                groups.get("age") or groups.get("age2"), groups.get("unit") or groups.get("unit2"), groups.get("more")
            )
            sentence = text[max(0, match.start() - 120) : match.start()]
            if age and not _of_another(sentence, text[match.end() : match.end() + 40]):
                yield Said(age, _sex(groups.get("sex")), match.start(), match.end())
    for pattern in (_HEADED_SEX, _STATED_SEX):
        for match in pattern.finditer(text):
            sex = next(group for group in match.groups() if group)
            if not _of_another(text[max(0, match.start() - 120) : match.start()], ""):
                yield Said(None, _sex(sex), match.start(), match.end())


def _of_another(before: str, after: str) -> bool:
    if _RELATIVE_AFTER.match(after) or _PAST.search(before):
        return True
    return bool(_RELATIVE_BEFORE.search(before)) and not _BROUGHT.search(before)


def _age(number: str | None, unit: str | None, more: str | None = None) -> str | None:
    if number is None:
        return None
    value = parse_number(number)
    kind = _UNITS[(unit or "years").lower()[0]]
    if value is None or (kind == "years" and value > OLDEST):
        return None
    whole, part = int(value), value % 1
    if kind == "years" and (more or part):
        return duration(years=whole, months=int(more) if more else round(part * 12))
    return duration(**{kind: whole}) if not part else None


def parse_number(words: str) -> float | None:
    """A number in figures or English words up to ninety-nine."""
    lowered = words.lower().strip()
    if lowered[:1].isdigit():
        return float(lowered)
    tens, _, ones = re.sub(r"[\s-]+", " ", lowered).partition(" ")
    if tens in _ONES and not ones:
        return float(_ONES[tens])
    for name, value in _TENS.items():
        if tens.startswith(name):
            rest = tens[len(name) :] or ones
            return float(value + _ONES.get(rest, 0)) if not rest or rest in _ONES else None
    return None


def _sex(word: str | None) -> Literal["male", "female"] | None:
    if not word:
        return None
    return "female" if re.fullmatch(rf"f|{_FEMALE}", word, re.IGNORECASE) else "male"


def _chinese(text: str) -> Iterator[Said]:
    for pattern in _CHINESE:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            age = _han_age(groups["age"], groups["unit"], groups.get("more"))
            before = text[max(0, match.start() - 12) : match.start("age")]
            if age and not _HAN_RELATIVE.search(before):
                sex: Literal["male", "female"] | None = None
                if groups.get("sex"):
                    sex = "male" if groups["sex"] == "男" else "female"
                yield Said(age, sex, match.start(), match.end())
    for match in _HAN_HEADED_SEX.finditer(text):
        yield Said(None, "male" if "男" in match.group() else "female", match.start(), match.end())


def _han_age(number: str, unit: str, more: str | None) -> str | None:
    value = _han_number(number)
    if "岁" in unit:
        return duration(years=value, months=_han_number(more) if more else 0) if value <= OLDEST else None
    if "月" in unit:
        return duration(months=value)
    return duration(weeks=value) if "周" in unit else duration(days=value)


def _han_number(number: str) -> int:
    if number.isdigit():
        return int(number)
    tens, mark, ones = number.rpartition("十")
    if not mark:
        return _DIGITS[number]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
