"""Calculators' files and formulas: what is wrong in one is named, and a formula can only compute."""

import contextlib
import re
import tomllib
from importlib.resources import files

import pytest

from osler.errors import InputError
from osler.reasoning.calculators import calculators
from osler.reasoning.calculators.catalogue import Calculator, read_file, unit_form
from osler.reasoning.calculators.expressions import LONGEST, expression

GOOD = """
[half]
en = "Half"
zh = "一半"
about = "Half of it"
cite = "Nobody A. J Halves 2000"
inputs = [
  { key = "dose", en = "dose", zh = "剂量", kind = "number", unit = "mg", units = { g = "x * 1000" }, range = [0, 9] },
]
steps = [["half", "half", "一半", "dose / 2"]]
formula = "half"
bands = [[-inf, "low", "低"], [2, "high", "高"]]
"""


def test_a_good_file_is_read() -> None:
    assert read_file(GOOD, "mine.toml", {})["half"].inputs[0].key == "dose"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((GOOD, "half = = 1"), "mine.toml: not TOML"),
        (('en = "Half"', ""), "mine.toml, half: .*`en`"),
        (("inputs =", "input ="), "mine.toml, half: .*it has no 'inputs'"),
        (('{ key = "dose"', '"dose", { key = "dose"'), "half: .*it has no 'dose'"),
        (('key = "dose", ', ""), "half: .*it has no 'key'"),
        (("range = [0, 9]", "points = 1"), "half: .*numbers have a range"),
        (("range = [0, 9]", "range = [9, 0]"), "half: .*range ends before it begins"),
        (("range = [0, 9]", 'range = ["a", 9]'), r"half: .*Expected `float`.*inputs\[0\]"),
        (('kind = "number"', 'kind = "text"'), "half: .*Invalid enum value 'text'"),
        (('unit = "mg"', 'size = "mg"'), "half: .*unknown field `size`"),
        (('"x * 1000"', '"y * 1000"'), "half: .*'y'"),
        (("dose / 2", "doses / 2"), "half: .*'doses'"),
        (('formula = "half"', 'formula = "half +"'), "half: .*not a formula"),
        (('"dose / 2"]', '"dose"], ["half", "h", "一", "dose"]'), "half: .*must differ"),
        (("[-inf,", "[3,"), "half: .*ascend"),
        (("[half]", "half = 3\n[[other]]"), "mine.toml, half: not a calculator"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place(change: tuple[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_file(GOOD.replace(*change), "mine.toml", {})
    assert re.search(said, str(caught.value))


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os')",
        "open('x')",
        "x.real",
        "x.__class__",
        "(lambda: 1)()",
        "[1, 2]",
        "[i for i in x]",
        "{x: 1}",
        "x[0]",
        "f'{x}'",
        "max(*x)",
        "max(x, key=abs)",
        "x := 1",
        "import os",
        "y",
        "1 < x < 2",
        "x @ x",
        "x // 1",
        "x % 2",
        "x << 99",
        "x if x else y",
        "x and y",
        "1j",
        "b'x'",
        "None",
        "...",
        "",
        "x; x",
        "\x00",
        "x +" * 5 + "",
        "(" * 300 + "x" + ")" * 300,
        "x" + "+x" * LONGEST,
    ],
)
def test_a_formula_is_arithmetic_of_its_names_alone(formula: str) -> None:
    with pytest.raises(ValueError, match="formula"):
        expression(formula, ["x"])


@pytest.mark.parametrize("formula", ["9 ** 9 ** 9", "10 ** 309", "x / 0", "ln(0)", "(0 - 8) ** 0.5", "'a' * 999999999"])
def test_what_has_no_value_fails_at_once(formula: str) -> None:
    with pytest.raises((ArithmeticError, ValueError)):
        expression(formula, ["x"])({"x": 1})


def test_deep_formulas_are_computed_or_refused_but_never_crash() -> None:
    for deep in (50, 150, 400, 900):
        for formula in ("-" * deep + "x", "(" * (deep // 2) + "x" + ")" * (deep // 2), "x" + "**x" * (deep // 3)):
            with contextlib.suppress(ValueError):
                assert abs(expression(formula, ["x"])({"x": 1.0})) == 1


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("round(2.5)", 3),
        ("round(0.285, 2)", 0.29),
        ("round(-0.5)", 0),
        ("tiers(x, 0, 1, 5, 2, 9)", 5),
        ("tiers(2, 0, 1, 5, 2, 9)", 9),
        ("tiers(0.99, 0, 1, 5, 2, 9)", 0),
        ("log(1000)", 3),
        ("(x > 0) + (x >= 1) + (x != 1)", 2),
        ("not x == 1", False),
        ("2 ** 3 ** 0", 2),
        ("-x ** 2", -1),
    ],
)
def test_a_formula_computes_as_written(formula: str, value: float) -> None:
    assert expression(formula, ["x"])({"x": 1}) == pytest.approx(value)


@pytest.mark.parametrize("one", calculators().values(), ids=lambda one: one.id)
def test_every_calculator_is_whole(one: Calculator) -> None:
    """Both languages, a journal and a year, defaults that are read, limits inside their range."""
    assert re.search(r"\b(?:19|20)\d\d\b", one.cite)
    assert one.about and one.about_zh
    for i in one.inputs:
        assert i.en and i.zh
        if i.kind == "number" and i.range and i.default is not None:
            assert i.range[0] <= i.default <= i.range[1]
        if i.kind == "choice":
            assert i.default is None or i.default in [row[0] for row in i.options]
            words = [word for row in i.options for word in {str(w).casefold() for w in (row[0], *row[2:])}]
            assert len(words) == len(set(words)), f"{one.id}.{i.key}: a word stands for two choices"
    for _, english, chinese in [*one.bands, *one.notes]:
        assert english and re.search(r"[\u4e00-\u9fff]", chinese)


def test_a_word_for_a_unit_stands_for_one_symbol() -> None:
    table = tomllib.loads((files("osler.reasoning.calculators") / "data" / "units.toml").read_text(encoding="utf-8"))
    words = [word for line in table.values() for word in line.split()]
    assert len(words) == len(set(words))
    assert unit_form("毫克/分升") == unit_form("mg per dL") == unit_form("MG／DL") == "mg/dl"
    assert unit_form("×10^9/L") == unit_form("10⁹/L") == unit_form("10的9次方/升")
