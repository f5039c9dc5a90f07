"""One calculation: values in, a checked result out, with every step and what was not given.

It does not read notes: it computes what it is handed, for professional review.
"""

import datetime
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from osler.errors import InputError
from osler.reasoning.calculators.catalogue import Calculator, calculators, find
from osler.reasoning.calculators.expressions import FUNCTIONS, expression
from osler.reasoning.calculators.values import by_key, read_value
from osler.text import has_chinese

_ENGLISH = ("; ", ": ", ". ", "result", "Not given and taken as absent or default")
_CHINESE = ("；", "：", "。", "结果", "未给出而按默认或不存在计")


class Result(NamedTuple):
    """`value`: a number, or a date or "W weeks, D days" as text. `inputs`: as read, with units. `missing`: labels of
    what was not given and taken as absent, or as the default that the score defines."""

    name: str
    value: float | int | str
    unit: str
    steps: list[tuple[str, float]]
    interpretation: str
    inputs: dict[str, str]
    missing: list[str]
    citation: str


def calculate(name: str, values: dict[str, Any], chinese: bool = False) -> Result:
    """Compute the calculator `name`. Raises InputError saying which name, input, unit or value can't be used."""
    one = find(name)
    label = {i.key: i.zh if chinese else i.en for i in one.inputs}
    given = by_key(one.inputs, values)
    known: dict[str, Any] = {"points": 0}
    read: dict[str, str] = {}
    missing, needed, scored = [], [], []
    for i in one.inputs:
        if given.get(i.key) is not None and given[i.key] != "":
            known[i.key], read[i.key] = read_value(i, given[i.key])
        elif i.default is not None or (i.kind == "yes-no" and not i.required):
            known[i.key], _ = read_value(i, i.default if i.default is not None else False)
            missing.append(label[i.key])
        else:
            needed.append(f"`{i.key}` ({label[i.key]}{', ' * bool(i.unit)}{i.unit})")
            continue
        points = next((row[1] for row in i.options if row[0] == known[i.key]), i.points * (known[i.key] is True))
        known |= {f"{i.key}_points": points, "points": known["points"] + points}
        scored += [(label[i.key], float(points))] * bool(points)
    if needed:
        raise InputError(f"{', '.join(needed)} {'is' if len(needed) == 1 else 'are'} missing", where=one.id)
    try:
        names = list(known)
        for holds, en, zh in one.checks:
            if not expression(holds, names)(known):
                raise InputError(zh if chinese else en, where=one.id)
        steps = scored if re.search(r"\bpoints\b", " ".join([one.formula, *(step[3] for step in one.steps)])) else []
        for key, en, zh, formula in one.steps:
            known[key] = expression(formula, list(known))(known)
            steps.append((zh if chinese else en, float(f"{known[key]:.7g}")))
        raw = FUNCTIONS["round"](expression(one.formula, list(known))(known), one.decimals)
        shown = _value(one, raw, chinese)
        known["result"] = raw
        said = [row[1:] for row in one.notes if expression(row[0], list(known))(known)]
    except (ArithmeticError, ValueError, TypeError) as error:
        raise InputError(f"can't be computed from these values: {error}", where=one.id) from None
    said += [row[1:] for row in reversed(one.bands) if row[0] <= raw]
    meaning = said[0][chinese] if said else ""
    unit = (chinese and one.unit_zh) or one.unit
    return Result(one.zh if chinese else one.en, shown, unit, steps, meaning, read, missing, one.cite)


def _value(one: Calculator, raw: float, chinese: bool) -> float | int | str:
    if one.output == "date":
        return datetime.date.fromordinal(int(raw)).isoformat()
    if one.output == "weeks":
        weeks, days = divmod(int(raw), 7)
        return f"{weeks} 周 {days} 天" if chinese else f"{weeks} weeks, {days} days"
    return raw if one.decimals else int(raw)


def pairs(parts: Iterable[str]) -> dict[str, str]:
    """key=value pairs, each key once. Raises InputError."""
    values: dict[str, str] = {}
    for part in parts:
        key, sign, value = (piece.strip() for piece in part.replace("＝", "=").partition("="))
        if not sign or not key or key in values:
            raise InputError(f"{part!r}: write each input once as key=value, like creatinine=88 umol/L")
        values[key] = value
    return values


def calculate_text(text: str) -> str:
    """`NAME; key=value unit; key=value unit` -> the steps and the result in a sentence or two. Raises InputError."""
    name, *parts = [part.strip() for part in re.split(r"[;；\n]", text) if part.strip()] or [""]
    chinese = has_chinese(text)
    made = calculate(name, pairs(parts), chinese)
    comma, colon, stop, result, gone = _CHINESE if chinese else _ENGLISH
    sums = comma.join(
        [*(f"{label} = {value:g}" for label, value in made.steps), f"{result} = {made.value} {made.unit}"]
    )
    more = f" … (+{len(made.missing) - 6})" if len(made.missing) > 6 else ""
    left = f"{gone}{colon}{', '.join(made.missing[:6])}{more}" if made.missing else ""
    said = (f"{made.name}{colon}{sums}", made.interpretation, left)
    return "".join(f"{part.strip()}{stop}" for part in said if part).strip()


def case_values(name: str, entities: dict[str, Any]) -> tuple[Calculator, dict[str, Any]]:
    """The calculator of a MedCalc-Bench case and its values, by the names that stand beside the inputs."""
    one = next((one for one in calculators().values() if name in one.medcalc), None)
    if one is None:
        raise InputError(f"no calculator for {name!r}")
    values: dict[str, Any] = {}
    for i in one.inputs:
        said = [entities[key] for key in i.medcalc if entities.get(key) is not None]
        if i.kind == "yes-no":
            said = [value is True or str(value).casefold() == "black" for value in said]
            said += [not entities[key[4:]] for key in i.medcalc if key[:4] == "not " and key[4:] in entities]
            said = [any(said)] if said else []
        if i.kind == "date" and said:
            month, day, year = str(said[0]).split("/")
            said = [f"{year}-{month:0>2}-{day:0>2}"]
        value = said[0] if said else i.assumed
        if isinstance(value, list):
            value = value[0] if i.kind == "choice" else re.sub(r"^\D+", "", " ".join(map(str, value)))
        values[i.key] = value
    return one, {key: value for key, value in values.items() if value is not None}
