"""What was given for an input, as a number in its unit, a truth, a choice's id or a date's ordinal; or why not.

Full-width digits and Chinese numerals are numbers; units may be written in words, English or Chinese.
"""

import datetime
import re
import unicodedata
from typing import Any

from osler.errors import InputError
from osler.reasoning.calculators.catalogue import Input, fold, nearest, unit_form
from osler.reasoning.calculators.expressions import expression

_NUMBER = r"([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+))(?![\d.,]*\d)"
_ONE = re.compile(rf"{_NUMBER}(?:\s*(\D.*))?")
_PARTS = re.compile(rf"{_NUMBER}\s*([^\W\d]+)(?:\s+and\b|[\s,又])*")
_DIGITS = {digit: value % 10 for value, digit in enumerate("零一二三四五六七八九〇")} | {"两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
# 千 begins some units. A bare digit after a hundred ("一百七") may stand for tens: it is not read.
_HAN = re.compile("[零〇一二两三四五六七八九十](?:[零〇一二两三四五六七八九十百万点]|千(?![克帕]))*")
_UNCLEAR = re.compile("[百千万][一二两三四五六七八九](?![十百千万])|点.*[十百千万点]|点$")
_YES = frozenset("yes y true present positive 1 是 有 阳性 存在".split())
_NO = frozenset("no n false absent negative none 0 否 无 没有 阴性 不存在".split())


def read_value(asked: Input, given: Any) -> tuple[Any, str]:
    """(value for the formulas, as it is shown). Raises InputError."""
    if asked.kind == "number":
        number = _number(asked, given)
        return number, f"{number:.6g} {asked.unit}".rstrip()
    word = unicodedata.normalize("NFKC", str(given)).strip()
    if asked.kind == "date":
        try:
            day = datetime.date.fromisoformat(
                "-".join(part.zfill(2) for part in re.split(r"\s*[-/.年月]\s*", _HAN.sub(_digits, word).rstrip("日号")))
            )
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
    raise InputError(f"`{asked.key}`: {word!r} is neither yes nor no", hint="Write yes or no.")


def _digits(match: re.Match[str]) -> str:
    """A Chinese numeral in digits; what may be read in two ways stays as it is."""
    whole, _, part = match[0].partition("点")
    total = now = 0
    for mark in whole:
        if mark == "万":
            total, now = (total + now) * 10000, 0
        elif mark in _TENS:
            total, now = total + (now or 1) * _TENS[mark], 0
        else:
            now = now * 10 + _DIGITS[mark]
    more = "." + "".join(str(_DIGITS.get(mark, "")) for mark in part) if part else ""
    return match[0] if _UNCLEAR.search(match[0]) else f"{total + now}{more}"


def _number(asked: Input, given: Any) -> float:
    text = "" if isinstance(given, bool) else f"{given:.12f}" if isinstance(given, float) else str(given)
    said = _HAN.sub(_digits, unicodedata.normalize("NFKC", text).strip().replace("−", "-"))
    parts = _PARTS.findall(said) if asked.parts and _PARTS.sub("", said) == "" else []
    if one := _ONE.fullmatch(said) if len(parts) < 2 else None:
        parts = [(one[1], one[2] or "")]
    if not parts:
        raise InputError(f"`{asked.key}`: {given!r} is not a number", hint=f"Give it in {asked.unit or 'digits'}.")
    units = {unit_form(name): formula for name, formula in {asked.unit: "x", **asked.units}.items()}
    accepted = ", ".join(name for name in (asked.unit, *asked.units) if name) or "none"
    if unknown := [unit for _, unit in parts if unit and unit_form(unit) not in units]:
        raise InputError(f"`{asked.key}`: the unit {unknown[0]!r} is not known for it", hint=f"Accepted: {accepted}.")
    read = ((float(x.replace(",", "")), units[unit_form(unit)] if unit else "x") for x, unit in parts)
    value = float(f"{sum(expression(formula, ['x'])({'x': x}) for x, formula in read):.9g}")
    if asked.range and not asked.range[0] <= value <= asked.range[1]:
        units_too = f"; units accepted: {accepted}." if asked.unit else ""
        hint = f"It must be {asked.range[0]:g} to {asked.range[1]:g} {asked.unit}".rstrip() + units_too
        raise InputError(f"`{asked.key}`: {f'{value:g} {asked.unit}'.rstrip()} is out of range", hint=hint)
    if asked.whole and value != int(value):
        raise InputError(f"`{asked.key}`: {value:g} is not a whole number")
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
