"""The small language of red-flag conditions: `chest_pain & (sweating | radiation) & !reproducible`, `sbp < 90`,
`age < 3mo`, `2 of (a, b, c)`.

It parses once and asks an oracle for the value of each name; it does not know where the values come from.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from osler.errors import InputError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?P<unit>d|w|mo|y)?\b|(?P<name>[a-z]\w*)|(?P<sign><=|>=|<|>|[&|!(),]))"
)
_DAYS = {"d": 1.0, "w": 7.0, "mo": 30.436875, "y": 365.2425}
_MEASURES: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
T = TypeVar("T")


class Name(NamedTuple):
    name: str


class Compare(NamedTuple):
    """A measured value against a limit; ages in days."""

    name: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        return _MEASURES[self.sign](value, self.limit)


class Not(NamedTuple):
    part: "Condition"


class Count(NamedTuple):
    """At least `least` of the parts: 1 is "or", all of them is "and"."""

    least: int
    parts: "tuple[Condition, ...]"


Condition = Name | Compare | Not | Count


def parse(text: str, where: str) -> Condition:
    """The condition that `text` writes. Raises InputError naming `where`."""
    tokens: list[re.Match[str]] = []
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise InputError(f"the condition can't be read at {text[place:][:20]!r}.", where=where)
        tokens.append(match)
        place = match.end()
    reader = _Reader(tokens, where)
    condition = reader.either()
    if reader.left:
        raise InputError(f"the condition goes on after its end: {text!r}.", where=where)
    return condition


class _Reader:
    def __init__(self, tokens: list[re.Match[str]], where: str) -> None:
        self.left = tokens[::-1]
        self._where = where

    def either(self) -> Condition:
        return self._joined("|", self._every)

    def _every(self) -> Condition:
        return self._joined("&", self._one)

    def _joined(self, sign: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._next(sign):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Count(1 if sign == "|" else len(parts), tuple(parts))

    def _one(self) -> Condition:
        if self._next("!"):
            return Not(self._one())
        if self._next("("):
            inner = self.either()
            self._must(")")
            return inner
        token = self.left.pop() if self.left else None
        if token and token["number"] and self._next("of"):
            self._must("(")
            parts = [self.either()]
            while self._next(","):
                parts.append(self.either())
            self._must(")")
            return Count(int(token["number"]), tuple(parts))
        if not token or not token["name"]:
            raise InputError("a name is missing in the condition.", where=self._where)
        if self.left and self.left[-1]["sign"] in _MEASURES:
            sign, limit = self.left.pop()["sign"], self.left.pop() if self.left else None
            if limit is None or not limit["number"]:
                raise InputError(f"{token['name']} {sign}: a number is missing.", where=self._where)
            return Compare(token["name"], sign, float(limit["number"]) * _DAYS.get(limit["unit"] or "", 1.0))
        return Name(token["name"])

    def _next(self, text: str) -> bool:
        if self.left and self.left[-1].group().strip() == text:
            self.left.pop()
            return True
        return False

    def _must(self, text: str) -> None:
        if not self._next(text):
            raise InputError(f"{text!r} is missing in the condition.", where=self._where)


def names(condition: Condition) -> Iterator[Name | Compare]:
    """All names the condition asks for."""
    if isinstance(condition, Not):
        yield from names(condition.part)
    elif isinstance(condition, Count):
        for part in condition.parts:
            yield from names(part)
    else:
        yield condition


def evaluate(condition: Condition, oracle: Callable[[Name | Compare], list[T] | None]) -> list[T] | None:
    """What makes the condition true (of an "or" all true parts), or None if it isn't true."""
    if isinstance(condition, Not):
        return [] if evaluate(condition.part, oracle) is None else None
    if not isinstance(condition, Count):
        return oracle(condition)
    results = [evaluate(part, oracle) for part in condition.parts]
    reasons = [result for result in results if result is not None]
    if len(reasons) < condition.least:
        return None
    return [reason for result in reasons for reason in result]
