"""The first detector: what it promises on kinds with a form of their own, and that masking can be undone."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.privacy.deid import Deidentifier, find_identifiers
from osler.privacy.patterns import chinese_id
from osler.splits import split

SET = Path(__file__).parents[1] / "sets" / "deid_notes.jsonl"


def _found(text: str) -> dict[str, str]:
    return {text[span.start : span.end]: span.type for span in find_identifiers(text)}


@pytest.mark.parametrize(
    ("text", "identifier", "kind"),
    [
        ("Seen by Dr. Amara Okafor today.", "Amara Okafor", "NAME"),
        ("MRN: 40618827, bed 4", "40618827", "MRN"),
        ("call (415) 555-0132 if worse", "(415) 555-0132", "PHONE"),
        ("DOB 12/04/1931", "12/04/1931", "DATE"),
        ("a 93-year-old woman", "93", "AGE"),
        ("write to a.b@example.org", "a.b@example.org", "EMAIL"),
        ("患者李小明，男，45岁", "李小明", "NAME"),
        ("身份证号11010519491231002X", "11010519491231002X", "ID"),
        ("2023年3月5日入院", "2023年3月5日", "DATE"),
    ],
)
def test_kinds(text: str, identifier: str, kind: str) -> None:
    assert _found(text).get(identifier) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson disease, treated with Lipitor 20 mg, 1/2 tablet, power 5/5, BP 120/80.",
        "A 67-year-old man with a Foley catheter; Glasgow Coma Scale 15.",
        "帕金森病，血压120/80 mmHg，45岁。",
    ],
)
def test_hard_negatives(text: str) -> None:
    assert _found(text) == {}


def test_check_digit() -> None:
    assert chinese_id("11010519491231002X")
    assert not chinese_id("110105194912310021")


@settings(deadline=None)  # the first text loads the weights
@given(st.text(max_size=300))
def test_masking_can_be_undone(text: str) -> None:
    deidentifier = Deidentifier()
    masked = deidentifier.mask(text)
    assert all(0 <= span.start < span.end <= len(text) for span in masked.spans)
    if "[" not in text:
        # Equal identifiers that differ in case or spacing share a placeholder, so compare without both.
        assert "".join(deidentifier.restore(masked.text).split()).casefold() == "".join(text.split()).casefold()


def test_recall_on_kinds_with_a_form() -> None:
    """The tuned half of the blind notes: what has a form of its own is found."""
    kinds = {"EMAIL", "URL", "IP", "SSN", "MRN"}
    hits = total = 0
    for line in SET.open(encoding="utf-8"):
        note = json.loads(line)
        if split("deid_notes", note["id"]) != "tune":
            continue
        masked = {i for span in find_identifiers(note["text"]) for i in range(span.start, span.end)}
        for mark in note["spans"]:
            if mark["type"] in kinds:
                total += 1
                hits += all(i in masked or note["text"][i].isspace() for i in range(mark["start"], mark["end"]))
    assert total > 50
    assert hits / total >= 0.95
