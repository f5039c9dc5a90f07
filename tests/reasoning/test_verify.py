"""Verification: known verdicts, the rules that must hold for any text, and quantities."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.nouns import Evidence, Source
from osler.reasoning.verify import verify
from osler.reasoning.verify.lexicon import stem
from osler.reasoning.verify.quantities import equal, quantities, same_dimension
from osler.text import sentences


def record(text: str) -> list[Evidence]:
    return [Evidence(id="1", kind="record", text=text)]


FILE = Path(__file__).parent / "verification_cases.jsonl"
CASES = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
# Told wrongly today; none of them is called supported.
MISSED = {
    "Vitamin K is fat-soluble and is stored in the spleen.",
    "The leading cause of anemia worldwide is lack of iron.",
    "Hemoglobin fell from 12.9 to 10.2 after surgery.",
    "Newborn babies get a vitamin K injection shortly after they are born.",
    "Blood cultures were taken.",
    "He had a previous ear infection.",
}
TEXTS = list(dict.fromkeys(case["evidence"][0]["text"] for case in CASES))
STATIN, MEASLES = (next(text for text in TEXTS if text.startswith(name)) for name in ("Statins", "Measles"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["statement"])
def test_verdict(case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if case["statement"] in MISSED:
        request.applymarker(pytest.mark.xfail(strict=True, reason="known miss"))
    found = verify(case["statement"], record(case["evidence"][0]["text"]))
    assert found.verdict == case["verdict"], found.reasons


NOTE = (
    "58-year-old man with hypertension and type 2 diabetes. Takes metformin 500 mg twice daily and amlodipine 5 mg "
    "daily. No chest pain. Left knee pain for 3 weeks. Warfarin was stopped."
)
CHART = (
    "患者女，68岁，2型糖尿病15年，现用二甲双胍0.5g每日三次。近1月双下肢水肿，无胸闷。"
    "右乳肿物2月，大小约3cm。否认高血压病史。"
)


@pytest.mark.parametrize(
    ("statement", "text", "verdict"),
    [
        ("患者服用二甲双胍500mg每日两次。", NOTE, "supported"),
        ("患者服用二甲双胍1000mg每日两次。", NOTE, "unsupported"),
        ("患者有高血压和2型糖尿病。", NOTE, "supported"),
        ("患者有胸痛。", NOTE, "contradicted"),
        ("右膝疼痛3周。", NOTE, "contradicted"),
        ("继续服用华法林。", NOTE, "contradicted"),
        ("患者服用阿司匹林。", NOTE, "unsupported"),
        ("左膝疼痛3周。", NOTE, "partial"),
        ("She takes metformin 500 mg three times a day.", CHART, "supported"),
        ("She takes metformin 850 mg three times a day.", CHART, "contradicted"),
        ("There is a 3 cm mass in the left breast.", CHART, "contradicted"),
        ("She has hypertension.", CHART, "contradicted"),
        ("She was treated with amoxicillin.", CHART, "unsupported"),
    ],
)
def test_across_languages_by_concepts_and_numbers(statement: str, text: str, verdict: str) -> None:
    found = verify(statement, record(text))
    assert found.verdict == verdict, found.reasons


def test_swapped_roles_are_not_supported() -> None:
    text = "Osteoclasts resorb dead bone, while osteoblasts create new bone."
    assert (
        verify("Osteoblasts resorb dead bone, while osteoclasts create new bone.", record(text)).verdict != "supported"
    )


def test_contradiction_says_what_the_evidence_says() -> None:
    found = verify("Follow-up in four hours.", record("Pt seen for knee pain. F/u 48h."))
    assert any("48h" in reason and "four hours" in reason for reason in found.reasons)


@pytest.mark.parametrize("text", TEXTS)
def test_every_sentence_supports_itself(text: str) -> None:
    for start, end in sentences(text):
        assert verify(text[start:end], record(text)).verdict == "supported"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), min_size=1, max_size=4))
def test_any_text_gets_a_verdict_and_whole_sentences_are_supported(parts: list[str]) -> None:
    text = "\n".join(parts)
    verify(parts[0], record(text))
    for start, end in sentences(text):
        if any(character.isalnum() for character in text[start:end]):
            assert verify(text[start:end], record(text)).verdict == "supported"


def test_a_title_before_a_verbatim_sentence_takes_nothing_from_it() -> None:
    text = "Reye syndrome may follow. For this reason aspirin is never given to children with influenza."
    source = Evidence(id="e", kind="passage", text=text, source=Source(title="Viral infections: the airways"))
    said = "Viral infections: the airways: For this reason aspirin is never given to children with influenza."
    assert verify(said, [source]).verdict == "supported"
    assert verify(said.replace("never ", ""), [source]).verdict == "contradicted"


def test_a_part_of_a_denial_is_not_taken_as_verbatim() -> None:
    assert verify("Pleural effusion.", record("No pleural effusion.")).verdict == "contradicted"


def test_no_evidence_supports_nothing() -> None:
    assert verify("Aspirin thins the blood.", []).verdict == "unsupported"
    assert verify("Aspirin thins the blood.", record("")).verdict == "unsupported"


def test_several_pieces_of_evidence_are_read_together() -> None:
    pieces = [Evidence(id=str(n), kind="passage", text=text) for n, text in enumerate([STATIN, MEASLES])]
    assert verify("Measles is very contagious.", pieces).verdict == "supported"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("48h", "2 days"),
        ("1 g", "1000 mg"),
        ("75 mcg", "0.075 mg"),
        ("half a year", "6 months"),
        ("one month", "4 wks"),
        ("a quarter", "25%"),
        ("38.5 C", "101.3 F"),
        ("BID", "twice daily"),
        ("q8h", "three times a day"),
        ("0.85–1.2 g", "0.85 to 1.2 g"),
        ("8mm", "0.8厘米"),
        ("三天", "3 days"),
        ("每日3次", "TID"),
        ("one in four", "25 percent"),
        ("3 million", "3,000,000"),
    ],
)
def test_equal_quantities(a: str, b: str) -> None:
    assert equal(quantities(a)[0], quantities(b)[0])


@pytest.mark.parametrize(
    ("a", "b"), [("48h", "4 hours"), ("75 mg", "75 mcg"), ("2009", "2019"), ("152/94", "125/94"), ("5 days", "5 weeks")]
)
def test_different_quantities_of_one_dimension(a: str, b: str) -> None:
    first, second = quantities(a)[0], quantities(b)[0]
    assert same_dimension(first, second)
    assert not equal(first, second)


def test_numbers_in_names_are_no_quantities() -> None:
    assert quantities("T2DM, IL-6, COVID-19 and HbA1c") == []


def test_words_lose_their_endings_alike_in_many_threads():
    words = [
        f"{start}{end}"
        for start in ("treat", "fibr", "anaem", "hypertens", "cloud")
        for end in ("ing", "ed", "ies", "ational", "ness", "fully", "sses")
    ]
    alone = [stem.__wrapped__(word) for word in words]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(stem.__wrapped__, words * 20, chunksize=50))
    assert together == alone * 20
