"""What was given for an input, as a number in its unit, a truth, a choice's id or a date's ordinal; or why not."""

import datetime
import math
import re
from typing import Any

from osler.errors import InputError
from osler.reasoning.calculators.catalogue import Input, fold, nearest
from osler.reasoning.calculators.expressions import expression

_NUMBER = re.compile(r"([-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+−]?\.\d+)\s*(.*)", re.S)
_YES = frozenset("yes y true present positive 1 是 有 阳性 存在".split())
_NO = frozenset("no n false absent negative none 0 否 无 没有 阴性 不存在".split())


def read_value(asked: Input, given: Any) -> tuple[Any, str]:
    """(value for the formulas, as it is shown). Raises InputError."""
    if asked.kind in ("number", "duration"):
        number = _number(asked, given)
        return number, f"{number:.6g} {asked.unit}".rstrip()
    word = str(given).strip()
    if asked.kind == "date":
        try:
            day = datetime.date.fromisoformat(word)
        except ValueError:
            raise InputError(f"`{asked.key}`: {word!r} is not a date", hint="Write it as YYYY-MM-DD.") from None
        return day.toordinal(), day.isoformat()
    if asked.kind == "choice":
        words = {fold(str(name)): row for row in asked.options for name in (row[0], *row[2:])}
        if fold(word) not in words:
            hint = f"One of: {', '.join(row[0] for row in asked.options)}."
            raise InputError(f"`{asked.key}`: {word!r} is none of its choices", hint=hint)
        return words[fold(word)][0], words[fold(word)][0]
    if word.casefold() in _YES | _NO:
        return word.casefold() in _YES, "yes" if word.casefold() in _YES else "no"
    raise InputError(f"`{asked.key}`: {word!r} is neither yes nor no")


def _number(asked: Input, given: Any) -> float:
    found = None if isinstance(given, bool) else _NUMBER.fullmatch(str(given).strip())
    if isinstance(given, float) and math.isfinite(given):
        number, unit = given, ""
    elif found is None:
        raise InputError(f"`{asked.key}`: {given!r} is not a number", hint=f"Give it in {asked.unit or 'digits'}.")
    else:
        number, unit = float(found[1].replace(",", "").replace("−", "-")), found[2]
    units = {fold(name): formula for name, formula in {asked.unit: "x", **asked.units}.items()}
    if unit and fold(unit) not in units:
        accepted = ", ".join(name for name in (asked.unit, *asked.units) if name) or "none"
        raise InputError(f"`{asked.key}`: the unit {unit!r} is not known for it", hint=f"Accepted: {accepted}.")
    value = float(f"{expression(units[fold(unit)] if unit else 'x', ['x'])({'x': number}):.9g}")
    low, high = asked.range or (-math.inf, math.inf)
    if not low <= value <= high:
        between = f"{low:g} to {high:g} {asked.unit}".rstrip()
        raise InputError(f"`{asked.key}`: {value:g} {asked.unit} is out of range", hint=f"It must be {between}.")
    return value


def by_key(inputs: list[Input], values: dict[str, Any]) -> dict[str, Any]:
    """What was given by the inputs' keys; a label in either language stands for its key. Raises InputError."""
    known = {fold(name): i.key for i in inputs for name in (i.key, i.en, i.zh)}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if fold(name) not in known:
            raise InputError(f"no input {name!r}", hint=nearest(fold(name), known))
        if known[fold(name)] in found:
            raise InputError(f"`{known[fold(name)]}` is given twice")
        found[known[fold(name)]] = value
    return found
