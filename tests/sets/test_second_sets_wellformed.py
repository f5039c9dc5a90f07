"""Checks that the later sets on privacy, refusal and reports are well formed: fields, offsets, ids, sizes.

It says nothing about whether a mark or a label is right, and runs no rule.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import build_deid
import build_deid_injected
import pytest

HERE = Path(__file__).parent
TRAPS = set(
    "medication dose laterality diagnosis allergy number date negation family-vs-patient planned-vs-done".split()
)


def _items(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def notes() -> list[dict[str, Any]]:
    return _items("deid_notes_2.jsonl")


def test_notes_have_their_fields_and_share_nothing_with_the_first_set(notes: list[dict[str, Any]]) -> None:
    assert all(set(n) == {"id", "style", "language", "text", "spans"} for n in notes)
    assert len({n["id"] for n in notes}) == len({n["text"] for n in notes}) == len(notes) == 120
    first = _items("deid_notes.jsonl")
    for field in ("id", "text"):
        assert not {n[field] for n in notes} & {n[field] for n in first}
    sizes = Counter((n["language"], n["style"]) for n in notes)
    styles = ("discharge", "ward", "dialogue", "email", "report")
    assert sizes == {(lang, style): size for lang, size in (("en", 16), ("zh", 8)) for style in styles}


def test_spans_of_notes_cut_out_their_text_in_order(notes: list[dict[str, Any]]) -> None:
    for n in notes:
        last = 0
        for span in n["spans"]:
            assert span["type"] in build_deid.TYPES, (n["id"], span)
            assert n["text"][span["start"] : span["end"]] == span["text"] == span["text"].strip() != "", n["id"]
            assert last <= span["start"] < span["end"], (n["id"], span)
            last = span["end"]
    assert {s["type"] for n in notes for s in n["spans"]} == set(build_deid.TYPES)


def test_chinese_identity_numbers_of_notes_have_a_valid_check_digit(notes: list[dict[str, Any]]) -> None:
    texts = [s["text"] for n in notes for s in n["spans"] if n["language"] == "zh" and s["type"] == "ID"]
    numbers = [text for text in texts if len(text) == 18 and text[:17].isdigit()]
    assert len(numbers) >= 5
    for number in numbers:
        total = sum(int(digit) * (2 ** (17 - i) % 11) for i, digit in enumerate(number[:17]))  # GB 11643-1999
        assert number[17] == "10X98765432"[total % 11], number


def test_injected_identifiers_stand_where_their_spans_say(shared: Path) -> None:
    built = list(build_deid_injected.injected(shared / "notes", seed=3))
    assert len({n["id"] for n in built}) == len(built) > 400
    for n in built:
        assert len(n["spans"]) >= 3, n["id"]
        last = 0
        for span in n["spans"]:
            assert n["text"][span["start"] : span["end"]] == span["text"] != "", n["id"]
            assert not set(span["text"]) & set("{}[]#"), (n["id"], span)
            assert last <= span["start"], n["id"]
            last = span["end"]
    assert {s["type"] for n in built for s in n["spans"]} == set(build_deid.TYPES)


def test_injection_keeps_the_note_and_depends_on_the_seed_alone() -> None:
    text = "The patient fell at home. She was seen by the nurse. No fever."
    first, again, other = (build_deid_injected.inject("en-x-1", text, seed) for seed in (1, 1, 2))
    assert first == again != other
    for sentence in ("The patient fell at home.", "She was seen by the nurse.", "No fever."):
        assert sentence in first["text"]


def test_lookalikes_have_their_fields_and_sizes() -> None:
    items = _items("lookalikes_2.jsonl")
    assert all(set(i) == {"id", "language", "text", "unsafe", "why"} and i["text"] and i["why"] for i in items)
    assert len({i["id"] for i in items}) == len({i["text"] for i in items}) == len(items)
    sizes = Counter((i["language"], i["unsafe"]) for i in items)
    assert sizes == {("en", False): 53, ("en", True): 27, ("zh", False): 27, ("zh", True): 13}


def test_report_traps_have_their_fields_and_sizes() -> None:
    items = _items("report_traps.jsonl")
    assert all(set(i) == {"id", "language", "kind", "input", "traps"} for i in items)
    assert len({i["id"] for i in items}) == len({i["input"] for i in items}) == len(items)
    kinds = ("visit-note", "discharge-summary", "referral", "handover", "patient-summary")
    sizes = Counter((i["language"], i["kind"]) for i in items)
    assert sizes == {(lang, kind): size for lang, size in (("en", 10), ("zh", 4)) for kind in kinds}
    assert {trap["what"] for i in items for trap in i["traps"]} == TRAPS


def test_report_traps_ask_for_what_the_input_says_and_forbid_what_it_does_not() -> None:
    for item in _items("report_traps.jsonl"):
        said = item["input"].lower()
        for trap in item["traps"]:
            assert set(trap) == {"what", "must_not", "must"}, item["id"]
            assert trap["must_not"] and not [p for p in trap["must_not"] if p.lower() in said], item["id"]
            assert trap["must"] and all(fact.lower() in said for fact in trap["must"]), item["id"]
