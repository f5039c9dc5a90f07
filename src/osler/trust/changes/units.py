"""Values in another unit that say the same, converted by the calculators' formulas."""

import functools
import re
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from osler.reasoning.calculators.catalogue import calculators
from osler.reasoning.calculators.expressions import Expression, expression
from osler.trust.rewriting import rows
from osler.trust.variants import text_change


class Conversion(NamedTuple):
    """`written`: name, filler and number before the unit it is from."""

    written: re.Pattern[str]
    value: Callable[[float], float]
    unit: str

    def said(self, match: re.Match[str]) -> str:
        value = self.value(float(match[2]))
        return f"{match[1]}{value:.0f} \0{self.unit}" if value >= 100 else f"{match[1]}{value:.3g} \0{self.unit}"


@text_change("units", "values in another unit that say the same")
def units(text: str, luck: Random) -> str:
    for one in _conversions():
        text = one.written.sub(one.said, text)
    return text.replace("\0", "")  # the mark keeps a converted value from being converted back


@functools.cache
def _conversions() -> tuple[Conversion, ...]:
    inputs = {one.key: one for each in calculators().values() for one in each.inputs if one.units}
    found = []
    for key, names, unit, source, target in rows("units.tsv"):
        to_base, from_other = (expression(inputs[key].units.get(one, "x"), ["x"]) for one in (source, target))
        number = r"(?<![\d.,/])(\d+(?:\.\d+)?)"
        written = re.compile(rf"(?i)((?:{names})[^\d\n.;。；]{{0,24}}){number}[ -]?(?:{unit})(?![\w/])")
        found.append(Conversion(written, functools.partial(_converted, to_base, from_other), target))
    return tuple(found)


def _converted(to_base: Expression, from_other: Expression, value: float) -> float:
    """All formulas are straight lines: the other unit's is turned round by two of its points."""
    zero = float(from_other({"x": 0.0}))
    return (float(to_base({"x": value})) - zero) / (float(from_other({"x": 1.0})) - zero)
