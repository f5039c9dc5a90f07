"""The small language of red-flag conditions: `chest_pain & (sweating | radiation) & !reproducible`, `sbp < 90`,
`age < 3mo`, `2 of (a, b, c)`.

It parses once and asks an oracle for the value of each name; it does not know where the values come from.
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from osler.errors import InputError

_DAYS = {"d": 1.0, "w": 7.0, "mo": 30.436875, "y": 365.2425}
_MEASURES: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
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
    """The condition that `text` writes. Raises InputError naming `where`.

    Written as Python, the signs bind as they should: "!" is "not ", "2 of (a, b)" a call, "3mo" a number.
    """
    written = re.sub(r"(\d+) of\s*\(", r"of(\1, ", text.replace("&", " and ").replace("|", " or "))
    written = re.sub(r"!(?!=)", " not ", written)
    written = re.sub(r"\b(\d+)(d|w|mo|y)\b", lambda match: str(float(match[1]) * _DAYS[match[2]]), written)
    try:
        return _condition(ast.parse(written.strip(), mode="eval").body)
    except (SyntaxError, ValueError):
        raise InputError(f"the condition can't be read: {text!r}.", where=where) from None


def _condition(node: ast.expr) -> Condition:
    """Raises ValueError for anything that the language doesn't have."""
    match node:
        case ast.Name(id=name):
            return Name(name)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return Not(_condition(part))
        case ast.BoolOp(op=sign, values=values):
            parts = tuple(_condition(value) for value in values)
            return Count(1 if isinstance(sign, ast.Or) else len(parts), parts)
        case ast.Call(func=ast.Name(id="of"), args=[ast.Constant(value=int(least)), *rest]) if rest:
            return Count(least, tuple(_condition(part) for part in rest))
        case ast.Compare(
            left=ast.Name(id=name), ops=[sign], comparators=[ast.Constant(value=int() | float() as limit)]
        ):
            if type(sign) in _SIGNS:
                return Compare(name, _SIGNS[type(sign)], float(limit))
    raise ValueError(ast.dump(node))


def names(condition: Condition, denied: bool = True) -> Iterator[Name | Compare]:
    """All names the condition asks for; `denied`: also those that must not hold."""
    if isinstance(condition, Not):
        if denied:
            yield from names(condition.part)
    elif isinstance(condition, Count):
        for part in condition.parts:
            yield from names(part, denied)
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


def lacking(condition: Condition, oracle: Callable[[Name | Compare], list[T] | None]) -> int | None:
    """How many names more would make the condition true; None if one that must not hold does."""
    if isinstance(condition, Not):
        return 0 if evaluate(condition.part, oracle) is None else None
    if not isinstance(condition, Count):
        return int(oracle(condition) is None)
    ways = sorted(found for part in condition.parts if (found := lacking(part, oracle)) is not None)
    return sum(ways[: condition.least]) if len(ways) >= condition.least else None
