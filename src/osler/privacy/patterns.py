"""Identifiers with a form of their own (`data/patterns.toml`) and the checks that numbers of a kind must pass.

Follows the kinds of HIPAA Safe Harbor, 45 CFR 164.514(b)(2), with Chinese and British forms. It knows no names.
"""

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple, get_args

from osler.errors import InputError
from osler.privacy.spans import SpanType

_VIN = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)


# Capitals of a regex that are neither an escape nor the P of a group's name.
_UPPER = re.compile(r"(\\.|\?P)|([A-Z])")
_CHINESE = re.compile("[\u3400-\u9fff]")


class Rule(NamedTuple):
    """`sure` 0: only a hint. `name`: what the tagger sees. `cased`: else `find` is for the text in lower case."""

    kind: SpanType
    name: str
    sure: float
    find: re.Pattern[str]
    check: str
    cased: bool
    chinese: bool


class Match(NamedTuple):
    start: int
    end: int
    rule: Rule


def rules(text: str, where: str) -> list[Rule]:
    """The rules of a TOML text with [[rule]] tables. Raises InputError naming the rule that isn't one."""
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=where) from None
    found = []
    parts = _parts() | whole.get("parts", {})
    for number, row in enumerate(whole.get("rule", []), 1):
        place = f"{where}, rule {number}"
        kind, check = row.get("kind"), row.get("check", "")
        if kind not in get_args(SpanType):
            raise InputError(f"kind is {kind!r}", where=place, hint=f"Kinds: {', '.join(get_args(SpanType))}.")
        if check and check not in CHECKS:
            raise InputError(f"check is {check!r}", where=place, hint=f"Checks: {', '.join(CHECKS)}.")
        try:
            find = re.sub(r"\{([a-z]+)\}", lambda match: parts[match[1]], row["find"])
            cased = bool(row.get("cased"))
            pattern = re.compile(find if cased else _UPPER.sub(lambda match: match[1] or match[2].lower(), find))
        except (KeyError, re.error) as error:
            raise InputError(f"`find` is no regular expression: {error}", where=place) from None
        name, sure = f"{kind}{row.get('name', '')}", float(row.get("sure", 0))
        found.append(Rule(kind, name, sure, pattern, check, cased, row.get("script") == "zh"))
    return found


def _text() -> str:
    return files("osler.privacy").joinpath("data/patterns.toml").read_text(encoding="utf-8")


@cache
def _parts() -> dict[str, str]:
    """Pieces that a policy's own rules may use too, such as {month} and {word}."""
    return dict(tomllib.loads(_text())["parts"])


@cache
def shipped() -> tuple[Rule, ...]:
    return tuple(rules(_text(), "patterns.toml"))


def matches(text: str, among: tuple[Rule, ...]) -> Iterator[Match]:
    """What the rules find. Lower case is made once: a regex that ignores case takes twice the time."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    chinese = _CHINESE.search(text) is not None
    for rule in among:
        for match in rule.find.finditer(text if rule.cased else lower) if chinese or not rule.chinese else ():
            group = next((name for name in match.groupdict() if match[name] is not None), 0)
            start, end = match.span(group)
            if end > start and (not rule.check or CHECKS[rule.check](text[start:end])):
                yield Match(start, end, rule)


def chinese_id(number: str) -> bool:
    """Whether the check digit of an 18-digit Chinese identity number is right (GB 11643-1999)."""
    return chinese_check(number) == number[17].upper()


def chinese_check(number: str) -> str:
    """The check digit of the first 17 digits."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11]


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1: payment cards, NPI with the prefix 80840."""
    digits = [int(c) for c in number if c.isdigit()][::-1]
    return sum(d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits)) % 10 == 0


def ssn(number: str) -> bool:
    """Area, group and serial that the Social Security Administration can have given out."""
    area, group, serial = number[:3], number[4:6], number[7:]
    return area not in ("000", "666") and group != "00" and serial != "0000"


def vin(number: str) -> bool:
    """The ninth character of a vehicle identification number is its check digit (49 CFR 565.15)."""
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum((int(c) if c.isdigit() else _VIN[c]) * w for c, w in zip(number, weights, strict=True))
    return "0123456789X"[total % 11] == number[8]


def iban(number: str) -> bool:
    """ISO 13616: the number modulo 97 is 1."""
    plain = re.sub(r"\s", "", number)
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def ipv6(address: str) -> bool:
    try:
        return address.count(":") > 2 and bool(ipaddress.IPv6Address(address))
    except ValueError:
        return False


CHECKS = {check.__name__: check for check in (chinese_id, luhn, ssn, vin, iban, ipv6)}
