"""Calculators: every case of MedCalc-Bench by its structured values, hand-computed edges, and refusals."""

import ast
import gzip
import json
import runpy
from pathlib import Path

import pytest

from osler.errors import InputError
from osler.reasoning.calculators import calculate, calculate_text, calculators, case_values

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "qa" / "medcalc.jsonl.gz"
CASES = [json.loads(line) for line in gzip.decompress(DATA.read_bytes()).splitlines()] if DATA.exists() else []
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


def test_all_55_are_there() -> None:
    assert len(KNOWN) == 55


CURB = {"age": 65, "bun": "7 mmol/L", "respiratory_rate": 30, "systolic": 90, "diastolic": 60, "confusion": False}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("ckd-epi-2021", {"age": 50, "sex": "female", "creatinine": 0.7}, 105.29),  # 142 * 0.9938^50 * 1.012
        ("ckd-epi-2021", {"age": 50, "sex": "男", "creatinine": "79.56 umol/L"}, 104.05),  # ratio 1
        ("MAP", {"systolic": 120, "diastolic": 60}, 80),
        ("BMI", {"weight": 50, "height": "2 m"}, 12.5),
        ("maintenance-fluids", {"weight": 10}, 40),
        ("maintenance-fluids", {"weight": 20}, 60),
        ("qtc-bazett", {"qt": 400, "heart_rate": 60}, 400),
        ("corrected-calcium", {"calcium": "2 mmol/L", "albumin": "40 g/L"}, 8.02),
        ("CURB-65", CURB, 3),
        ("CURB-65", CURB | {"bun": "7.1 mmol/L", "diastolic": 61}, 3),
        ("CHA2DS2-VASc", {"age": 65, "sex": "female", "stroke": "有"}, 4),
        ("cha2ds2-vasc", {"age": 75, "sex": "m"}, 2),
        ("SIRS", {"temperature": "100.4 °F", "heart_rate": 90, "respiratory_rate": 20, "wbc": 12}, 0),
        ("has-bled", {"age": 65, "drinks": 8}, 1),
        ("perc", {"age": 50, "heart_rate": 99, "spo2": 95}, 1),
        ("gcs", {"eye": "none", "verbal": "none", "motor": "none"}, 3),
        ("RCRI", {"creatinine": "176.8 umol/L", "insulin": True}, 1),
        ("wells-pe", {"heart_rate": 100, "likeliest": True, "hemoptysis": True}, 4),
        ("MELD-Na", {"creatinine": 0.5, "bilirubin": 0.3, "inr": 0.9, "sodium": 120}, 6),
        ("steroid-conversion", {"from": "prednisone", "to": "hydrocortisone", "dose": 5}, 20),
        ("due-date", {"lmp": "2024-01-01"}, "2024-10-07"),
    ],
)
def test_an_edge_computed_by_hand(name: str, values: dict[str, object], expected: object) -> None:
    made = calculate(name, values).value
    assert made == (pytest.approx(expected, abs=0.011) if isinstance(expected, float | int) else expected)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("bmj", {}, "bmi"),
        ("bmi", {"weight": "70 mmol", "height": 170}, "kg"),
        ("bmi", {"weight": 70, "height": 1.7}, "30 to 250"),
        ("bmi", {"weight": 70}, "height"),
        ("bmi", {"weight": 70, "height": 170, "heigth": 170}, "height"),
        ("bmi", {"weight": True, "height": 170}, "not a number"),
        ("ldl-friedewald", {"cholesterol": 200, "hdl": 50, "triglycerides": 401}, "400"),
        ("mme", {"morphine": 10}, "doses a day"),
        ("delta-ratio", {"sodium": 140, "chloride": 100, "bicarbonate": 24}, "no value"),
        ("due-date", {"lmp": "01/02/2024"}, "YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, values: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        calculate(name, values)


def test_a_tool_call_is_answered_in_its_language() -> None:
    assert "= 24.22 kg/m2" in calculate_text("BMI; weight=70 kg; height=170 cm")
    assert "结果 = 24.22" in calculate_text("体重指数；体重=70 公斤；身高=1.7 米")


def test_the_page_of_the_docs_is_up_to_date() -> None:
    root = Path(__file__).parents[2]
    made = runpy.run_path(str(root / "scripts" / "write_calculators_page.py"))["page"]()
    assert (root / "docs" / "calculators.md").read_text(encoding="utf-8") == made
