"""Calculators: every case of MedCalc-Bench by its structured values, hand-computed edges, and refusals."""

import ast
import gzip
import json
from pathlib import Path

import pytest

from osler.errors import InputError
from osler.reasoning.calculators import calculate, calculate_text, calculators, case_values

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "qa" / "medcalc.jsonl.gz"
CASES = [json.loads(line) for line in gzip.open(DATA, "rt", encoding="utf-8")] if DATA.exists() else []
KNOWN = {name for one in calculators().values() for name in one.medcalc}


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["Calculator Name"] in KNOWN], ids=lambda c: c["Calculator Name"]
)
def test_a_case_comes_out_within_its_limits(case: dict[str, str]) -> None:
    one, values = case_values(case["Calculator Name"], ast.literal_eval(case["Relevant Entities"]))
    made, truth = calculate(one.id, values).value, case["Ground Truth Answer"]
    if one.output == "date":
        month, day, year = truth.split("/")
        assert made == f"{year}-{month}-{day}"
    elif one.output == "weeks":
        assert made == ", ".join(ast.literal_eval(truth))
    elif case["Output Type"] == "integer" and truth.isdigit():
        assert made == float(truth)
    else:
        assert float(case["Lower Limit"]) - 1e-6 <= float(made) <= float(case["Upper Limit"]) + 1e-6


def test_at_least_46_of_the_55_are_there() -> None:
    assert len(KNOWN) >= 46
