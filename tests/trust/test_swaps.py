"""Swaps of demographic attributes: the set of the project, what must stay, and FHIR."""

import json
from pathlib import Path
from typing import Any

import pytest

from osler.splits import split
from osler.trust.swaps import attributes, blinded, exception, swap, variants
from osler.trust.swaps_fhir import swap_resource

SET = Path(__file__).parents[1] / "sets" / "swaps.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]


def _right(case: dict[str, Any]) -> bool:
    made = swap(case["text"], case["attribute"], case["to"], insert=case["kind"] == "insert")
    return made.text == case["expected"] and (made.text is not None or made.why == case["why"])


def test_the_set_is_whole() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) >= 120
    assert {case["language"] for case in CASES} == {"en", "zh"}
    assert {case["attribute"] for case in CASES} == set(attributes())
    assert all((case["expected"] is None) == (case["why"] in ("exception", "absent")) for case in CASES)


@pytest.mark.parametrize(
    "case", [case for case in CASES if split("swaps", case["id"]) == "tune"], ids=lambda c: c["id"]
)
def test_texts_of_the_tune_part(case: dict[str, Any]) -> None:
    assert _right(case), swap(case["text"], case["attribute"], case["to"], insert=case["kind"] == "insert")


def test_the_report_part_stays_where_it_was() -> None:
    reported = [_right(case) for case in CASES if split("swaps", case["id"]) == "report"]
    assert len(reported) >= 60 and sum(reported) >= len(reported) - 2


def test_there_and_back_is_the_same_text() -> None:
    text = "A 50-year-old woman hurt her knee. She walks; the pain wakes her, and her husband helps."
    there = swap(text, "sex", "male").text
    assert there and there != text and swap(there, "sex", "female").text == text


def test_an_option_can_forbid_a_swap() -> None:
    assert swap("A 50-year-old man is tired.", "sex", "female", beside="Prostate biopsy").because == "Prostat"
    assert exception("胃痛", "sex") is None and exception("前列腺增大", "sex") == "前列腺"


def test_variants_leave_out_what_the_text_says_already() -> None:
    assert dict(variants("A 50-year-old Black man is tired.", "race")).keys() == set(attributes()["race"]) - {"black"}
    assert not list(variants("A 50-year-old man is tired.", "race"))
    assert len(list(variants("A 50-year-old man is tired.", "race", insert=True))) == len(attributes()["race"])


def test_blinding_takes_out_what_does_not_matter() -> None:
    text, gone = blinded("A 54-year-old White woman with Medicaid has a cough. Her throat is sore.")
    assert text == "A 54-year-old person has a cough. The patient's throat is sore."
    assert gone == ["sex", "race", "insurance"]
    assert blinded("一名50岁黑人男性头痛。") == ("一名50岁人头痛。", ["sex", "race"])
    kept, gone = blinded("A 54-year-old White woman is pregnant.")
    assert kept == "A 54-year-old woman is pregnant." and gone == ["race"]


CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def _patient() -> dict[str, Any]:
    white = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}
    race = [{"url": "ombCategory", "valueCoding": white}, {"url": "text", "valueString": "White"}]
    return {
        "resourceType": "Patient",
        "gender": "female",
        "name": [{"family": "Ellery", "given": ["Ann"]}],
        "extension": [
            {"url": f"{CORE}us-core-race", "extension": race},
            {"url": f"{CORE}us-core-birthsex", "valueCode": "F"},
        ],
        "communication": [{"language": {"text": "English"}}],
        "text": {"status": "generated", "div": "<div>A woman; she has gout.</div>"},
    }


def test_fhir_changes_element_extension_and_narrative_together() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": _patient()}]}
    made, _ = swap_resource(bundle, "sex", "male")
    assert made
    patient = made["entry"][0]["resource"]
    assert patient["gender"] == "male" and patient["extension"][1]["valueCode"] == "M"
    assert patient["text"]["div"] == "<div>A man; he has gout.</div>"
    assert bundle["entry"][0]["resource"] == _patient()  # type: ignore[index]


def test_fhir_race_language_name_and_coverage() -> None:
    race, _ = swap_resource(_patient(), "race", "black")
    language, _ = swap_resource(_patient(), "language", "spanish")
    name, _ = swap_resource(_patient(), "name", "hispanic")
    coverage, _ = swap_resource({"resourceType": "Coverage", "type": {"text": "private"}}, "insurance", "public")
    assert race and language and name and coverage
    assert race["extension"][0]["extension"][0]["valueCoding"]["code"] == "2054-5"
    assert language["communication"][0]["language"]["coding"][0]["code"] == "es"
    assert name["name"] == [{"family": "Hernandez", "given": ["Guadalupe"]}]
    assert coverage["type"]["coding"][0]["code"] == "PUBLICPOL"


def test_fhir_keeps_what_bears_on_medicine() -> None:
    pregnant = {"resourceType": "Condition", "code": {"text": "Pregnancy"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": _patient()}, {"resource": pregnant}]}
    made, why = swap_resource(bundle, "sex", "male")
    assert made is None and why == "exception"


def test_him_is_never_hers() -> None:
    text = "A 50-year-old man was seen. I spoke with him regarding gout. The choice of drug is his."
    now = "A 50-year-old woman was seen. I spoke with her regarding gout. The choice of drug is hers."
    assert swap(text, "sex", "female").text == now and swap(now, "sex", "male").text == text
