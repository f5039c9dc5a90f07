"""Age and sex of the patient as notes write them, English and Chinese, with the place where it is written; and who
tells: a call about a relative has that relative as its patient.

It takes what is said of the patient in so many words; ages of relatives and of the past are passed over. It guesses
nothing from names or pronouns.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from osler.record.tables import fragment, pattern, patterns
from osler.record.times import OLDEST, days_of, duration


class Said(NamedTuple):
    """What the text says of the patient and where: `age` ISO 8601, `sex`, code points."""

    age: str | None
    sex: Literal["male", "female"] | None
    start: int
    end: int


_HAN_DIGITS = {"两": 2, **{one: value for value, one in enumerate("一二三四五六七八九", 1)}}
_ONES, _TEENS, _TENS = (fragment(name).split("|") for name in ("ones", "teens", "tens"))
# Numbers in words, written without spaces and hyphens.
_WORDS = {word: value for value, word in enumerate(_ONES + _TEENS, 1)}
_WORDS |= {f"{ten}{one}": 10 * n + m for n, ten in enumerate(_TENS, 2) for m, one in enumerate(["", *_ONES])}
_UNITS = dict.fromkeys("y岁", "years") | dict.fromkeys("m月", "months")
_UNITS |= dict.fromkeys("w周", "weeks") | dict.fromkeys("d天日", "days")


def spoken_for(text: str) -> re.Match[str] | None:
    """The opening that names the relative who is the patient; null where the teller or somebody else is."""
    opening = pattern("call").match(text)
    return None if opening is None or pattern("own_complaint").search(text[:2000]) else opening


def demographics(text: str) -> tuple[list[Said], list[Said]]:
    """What is said of the patient's age and sex: (used, contradicting).

    Used are at most one place for the age and one for the sex; a later statement of another age or sex is returned
    as contradicting, so that the reader can report it.
    """
    found = set(_said(text, "stated"))
    if not any(one.age for one in found):
        found |= set(_said(text, "loose"))
    kin = None if any(one.age for one in found) else spoken_for(text)
    if kin and (match := pattern("kin_age").match(text, kin.end())):
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


def _said(text: str, form: str) -> Iterator[Said]:
    for one in patterns(form):
        for match in one.finditer(text):
            groups = match.groupdict()
            unit = "months" if "/12" in match[0] else groups.get("unit")
            age = _age(groups.get("age"), unit, groups.get("more"))
            sex = groups.get("sex") or groups.get("letter")
            if (age or "age" not in groups) and not _of_another(text, match):
                female = pattern("female").fullmatch(sex or "")
                yield Said(age, ("female" if female else "male") if sex else None, match.start(), match.end())


def _of_another(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(0, match.start() - 120) : match.start()], text[match.end() : match.end() + 40]
    lead = before[-12:] + text[match.start() : match.start("age")] if "age" in match.re.groupindex else ""
    if pattern("han_relative").search(lead):
        return True
    if pattern("he_or_she").match(match[0]) and pattern("somewhere_relative").search(before):
        return True
    if pattern("relative_after").match(after) or pattern("past").search(before):
        return True
    return bool(pattern("relative_before").search(before)) and not pattern("brought").search(before)


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
    match = pattern("han_digits").fullmatch(joined)
    if match is None or not joined:
        return _WORDS.get(joined)
    hundreds, zero, tens, ones = match.groups()
    value = 100 * _HAN_DIGITS.get(hundreds, 0) + 10 * (_HAN_DIGITS.get(tens, 1) if tens is not None else 0)
    return value + _HAN_DIGITS.get(ones, 0) * (10 if hundreds and tens is None and zero != "零" else 1)
