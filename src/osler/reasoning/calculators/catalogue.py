"""The calculators of `data/`: read once, checked whole, found by any of their names.

`data/inputs.toml` describes what many calculators ask for; a file of a category names those by their key.
"""

import difflib
import functools
import re
import tomllib
import unicodedata
from importlib.resources import files
from typing import Any, Literal

import msgspec

from osler.errors import InputError
from osler.reasoning.calculators.expressions import expression
from osler.text import CJK

DATA = files("osler.reasoning.calculators") / "data"


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`units`: other unit -> formula in `x` to `unit`. `options`: [id, points, English, Chinese, other words ...].
    A yes-no input that is not `required` is absent, any other has its `default`, where the score says so.
    `parts`: may be given in parts ("5 ft 7 in"). `whole`: a fraction of it can't be.
    `medcalc`: its names in MedCalc-Bench ("not " before one that says the opposite); `assumed`: what that data set
    takes where a note is silent."""

    key: str
    en: str
    zh: str
    kind: Literal["number", "choice", "yes-no", "date"] = "yes-no"
    unit: str = ""
    units: dict[str, str] = {}
    range: tuple[float, float] | None = None
    options: list[list[Any]] = []
    points: float = 0
    parts: bool = False
    whole: bool = False
    required: bool = False
    default: Any = None
    medcalc: list[str] = []
    assumed: Any = None


class Calculator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`steps`: [key, English, Chinese, formula] in order; `points`: the sum of the inputs' points, `KEY_points` those
    of a choice. `checks`: [formula that must hold, English, Chinese]. `bands`: [from, English, Chinese], ascending;
    `notes`: [formula, English, Chinese], the first that holds is said in place of the band. `differs`: where sources
    part, and what is done here."""

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
    notes: list[tuple[str, str, str]] = []
    differs: str = ""

    @property
    def names(self) -> list[str]:
        """What its formulas may name before its first step."""
        return ["points", *(i.key for i in self.inputs), *(f"{i.key}_points" for i in self.inputs if i.options)]

    @property
    def called(self) -> list[str]:
        return [fold(name) for name in (self.id, self.en, self.zh, *self.also)]


@functools.cache
def calculators() -> dict[str, Calculator]:
    """All calculators by id. Raises InputError naming file, calculator and key of what is wrong in a file."""
    paths = sorted((path for path in DATA.iterdir() if path.name != "units.toml"), key=lambda path: path.name)
    texts = {path.name: path.read_text(encoding="utf-8") for path in paths if path.name.endswith(".toml")}
    shared = tables(texts.pop("inputs.toml"), "inputs.toml")
    found: dict[str, Calculator] = {}
    taken: dict[str, str] = {}
    for name, text in texts.items():
        for one in read_file(text, name, shared).values():
            if twice := [n for n in one.called if taken.setdefault(n, one.id) != one.id]:
                raise InputError(f"{twice[0]!r} names {taken[twice[0]]}, too", where=f"{name}, {one.id}")
            found[one.id] = one
    return found


def tables(text: str, name: str) -> dict[str, Any]:
    """A file of TOML. Raises InputError."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"not TOML: {error}", where=name) from None


def read_file(text: str, name: str, shared: dict[str, Any]) -> dict[str, Calculator]:
    """The calculators of a file, checked. Raises InputError."""
    found: dict[str, Calculator] = {}
    for identifier, row in tables(text, name).items():
        try:
            inputs = [_whole({"key": i, "like": i} if isinstance(i, str) else i, shared) for i in row["inputs"]]
            one = msgspec.convert(row | {"id": identifier, "inputs": inputs}, Calculator, strict=False)
            _check(one)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            lacks = "it has no " * isinstance(error, KeyError)
            raise InputError(f"not a calculator: {lacks}{error}", where=f"{name}, {identifier}") from None
        found[identifier] = one
    return found


def _whole(row: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """An input with what it shares: of `like`, which must be there, or of its own key, if that is."""
    common = shared[row["like"]] if "like" in row else shared.get(row["key"], {})
    return {**common, **{key: row[key] for key in row if key != "like"}}


def _check(one: Calculator) -> None:
    for i in one.inputs:
        if (i.kind == "number") != (i.range is not None) or (i.kind == "choice") != bool(i.options):
            raise ValueError(f"`{i.key}`: numbers have a range, choices have options")
        if i.range and i.range[0] >= i.range[1]:
            raise ValueError(f"`{i.key}`: the range ends before it begins")
        for formula in i.units.values():
            expression(formula, ["x"])
    if [band[0] for band in one.bands] != sorted(band[0] for band in one.bands):
        raise ValueError("bands must ascend")
    names = one.names
    for formula, *_ in one.checks:
        expression(formula, names)
    for key, _, _, formula in one.steps:
        expression(formula, names)
        names.append(key)
    expression(one.formula, names)
    for formula, *_ in one.notes:
        expression(formula, [*names, "result"])
    if len(set(names)) < len(names):
        raise ValueError("inputs and steps must differ in name")


def fold(text: str) -> str:
    """A name or unit as compared: without case, spaces, marks and typographic forms."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("μ", "u")
    return re.sub(r"[\s_^°·'’()*×-]|(?<![a-z])x(?=10)", "", plain)


@functools.cache
def unit_form(text: str) -> str:
    """A unit as compared: symbols in place of words ("毫克/分升", "mg per dl" -> "mg/dl")."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = f"[a-z]+|每|[{CJK}]+?(?=每|[^{CJK}]|$)"
    return fold(re.sub(words, lambda match: _unit_words().get(match[0], match[0]), plain))


@functools.cache
def _unit_words() -> dict[str, str]:
    symbols = tables((DATA / "units.toml").read_text(encoding="utf-8"), "units.toml")
    return {word: symbol for symbol, words in symbols.items() for word in words.split()}


def find(name: str) -> Calculator:
    """By id, name in either language, or abbreviation. Raises InputError naming the nearest."""
    known = {n: one for one in calculators().values() for n in one.called}
    if fold(name) not in known:
        raise InputError(f"no calculator {name!r}", hint=nearest(fold(name), {k: one.id for k, one in known.items()}))
    return known[fold(name)]


def nearest(name: str, known: dict[str, str]) -> str:
    """A hint: whose name (key -> what to say) is written most like `name`."""
    close = [known[key] for key in difflib.get_close_matches(name, known, n=3, cutoff=0.3)]
    said = [*dict.fromkeys(close or known.values())]
    return f"{'Nearest' if close else 'Known'}: {', '.join(said)}." if len(said) < 50 else "`osler calc` lists them."


def described(one: Calculator, inputs: bool = False) -> dict[str, Any]:
    """What a calculator is, ready for JSON, and with `inputs` what it asks for and where sources differ."""
    about = {name: getattr(one, name) for name in ("id", "en", "zh", "about", "unit", "cite")}
    if not inputs:
        return about
    hidden = ("medcalc", "assumed")
    asked = [{f: getattr(item, f) for f in item.__struct_fields__ if f not in hidden} for item in one.inputs]
    return {**about, "differs": one.differs, "inputs": asked}
