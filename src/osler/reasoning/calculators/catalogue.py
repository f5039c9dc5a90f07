"""The calculators of `data/`: read once, checked whole, found by any of their names.

`data/inputs.toml` describes what many calculators ask for; a file of a category names those by their key.
"""

import difflib
import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Literal

import msgspec

from osler.errors import InputError
from osler.reasoning.calculators.expressions import expression


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`units`: other unit -> formula in `x` to `unit`. `options`: [id, points, English, Chinese, other words ...].
    A yes-no input that is not `required` is absent, any other has its `default`, where the score says so.
    `medcalc`: its names in MedCalc-Bench; `assumed`: what that data set takes where a note is silent."""

    key: str
    en: str
    zh: str
    kind: Literal["number", "choice", "yes-no", "date", "duration"] = "yes-no"
    unit: str = ""
    units: dict[str, str] = {}
    range: tuple[float, float] | None = None
    options: list[list[Any]] = []
    points: float = 0
    required: bool = False
    default: Any = None
    medcalc: list[str] = []
    assumed: Any = None


class Calculator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`steps`: [key, English, Chinese, formula] in order; `points`: the sum of the inputs' points, `KEY_points` those
    of a choice. `checks`: [formula that must hold, English, Chinese]. `bands`: [from, English, Chinese], ascending."""

    id: str
    en: str
    zh: str
    about: str
    inputs: list[Input]
    formula: str
    cite: str
    about_zh: str = ""
    also: list[str] = []
    medcalc: list[str] = []
    steps: list[tuple[str, str, str, str]] = []
    checks: list[tuple[str, str, str]] = []
    unit: str = ""
    unit_zh: str = ""
    decimals: int = 0
    output: Literal["number", "date", "weeks"] = "number"
    bands: list[tuple[float, str, str]] = []

    @property
    def names(self) -> list[str]:
        """What its formulas may name before its first step."""
        return ["points", *(i.key for i in self.inputs), *(f"{i.key}_points" for i in self.inputs if i.options)]


@functools.cache
def calculators() -> dict[str, Calculator]:
    """All calculators by id. Raises InputError naming file, calculator and key of what is wrong in a file."""
    folder = files("osler.reasoning.calculators") / "data"
    shared = tomllib.loads((folder / "inputs.toml").read_text(encoding="utf-8"))
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda path: path.name)
    found: dict[str, Calculator] = {}
    for path in paths:
        if path.name != "inputs.toml":
            found |= read_file(path.read_text(encoding="utf-8"), path.name, shared)
    return found


def read_file(text: str, name: str, shared: dict[str, Any]) -> dict[str, Calculator]:
    """The calculators of a file, checked. Raises InputError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=name) from None
    found: dict[str, Calculator] = {}
    for identifier, row in tables.items():
        try:
            inputs = [{"key": i, **shared[i]} if isinstance(i, str) else _whole(i, shared) for i in row["inputs"]]
            one = msgspec.convert(row | {"id": identifier, "inputs": inputs}, Calculator, strict=False)
            _check(one)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError(f"not a calculator: {error}", where=f"{name}, {identifier}") from None
        found[identifier] = one
    return found


def _whole(row: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    return {**shared.get(row.get("like", row["key"]), {}), **{key: row[key] for key in row if key != "like"}}


def _check(one: Calculator) -> None:
    for i in one.inputs:
        if (i.kind in ("number", "duration")) != (i.range is not None) or (i.kind == "choice") != bool(i.options):
            raise ValueError(f"`{i.key}`: numbers have a range, choices have options")
        for formula in i.units.values():
            expression(formula, ["x"])
    names = one.names
    if len(set(names)) < len(names) or [band[0] for band in one.bands] != sorted(band[0] for band in one.bands):
        raise ValueError("inputs must differ, and bands ascend")
    for formula, *_ in one.checks:
        expression(formula, names)
    for key, _, _, formula in one.steps:
        expression(formula, names)
        names.append(key)
    expression(one.formula, names)


def fold(text: str) -> str:
    """A name or unit as compared: without case, spaces, marks and typographic forms."""
    return re.sub(
        r"[\s_^°·'’()-]", "", unicodedata.normalize("NFKC", text).casefold().replace("μ", "u").replace("µ", "u")
    )


def find(name: str) -> Calculator:
    """By id, name in either language, or abbreviation. Raises InputError naming the nearest."""
    known = {fold(n): one for one in calculators().values() for n in (one.id, one.en, one.zh, *one.also)}
    if fold(name) not in known:
        raise InputError(f"no calculator {name!r}", hint=nearest(fold(name), {k: one.id for k, one in known.items()}))
    return known[fold(name)]


def nearest(name: str, known: dict[str, str] | Iterable[str]) -> str:
    """A hint: what is written most like `name`."""
    named = known if isinstance(known, dict) else {key: key for key in known}
    close = dict.fromkeys(named[key] for key in difflib.get_close_matches(name, named, n=3, cutoff=0.3))
    return f"Nearest: {', '.join(close)}." if close else f"Known: {', '.join(dict.fromkeys(named.values()))}."
