"""Checks that the de-identification set is well formed (offsets, types, ids, sizes) and is what its sources say.

It doesn't know whether a mark is right or one is missing, and runs no rule.
"""

import json
from pathlib import Path
from typing import Any

import build_deid
import pytest

HERE = Path(__file__).parent
TITLES = ("Dr ", "Dr. ", "Mr ", "Mr. ", "Mrs ", "Mrs. ", "Ms ", "Ms. ", "Miss ", "Prof ", "Prof. ")
WITHOUT = 15


@pytest.fixture(scope="module")
def notes() -> list[dict[str, Any]]:
    lines = build_deid.NOTES.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_file_equals_a_rebuild_from_its_sources() -> None:
    rebuilt = "".join(note.line() + "\n" for note in build_deid.notes())
    assert build_deid.NOTES.read_text(encoding="utf-8") == rebuilt


def test_documented_counts_are_those_of_the_sources() -> None:
    assert build_deid.counts() in (HERE / "DEID.md").read_text(encoding="utf-8")


def test_ids_are_unique_and_say_language_and_style(notes: list[dict[str, Any]]) -> None:
    assert len({n["id"] for n in notes}) == len(notes) >= 200
    assert len({n["text"] for n in notes}) == len(notes)
    for n in notes:
        assert set(n) == {"id", "language", "style", "text", "spans"}, n["id"]
        assert n["id"].rsplit("-", 1)[0] == f"{n['language']}-{n['style']}", n["id"]


@pytest.mark.parametrize(("language", "least"), [("en", 30), ("zh", 10)])
@pytest.mark.parametrize("style", build_deid.STYLES)
def test_every_style_has_its_notes(notes: list[dict[str, Any]], language: str, least: int, style: str) -> None:
    assert sum(n["language"] == language and n["style"] == style for n in notes) >= least


def test_offsets_cut_out_the_text_in_order_without_overlap(notes: list[dict[str, Any]]) -> None:
    for n in notes:
        last = 0
        for span in n["spans"]:
            assert set(span) == {"start", "end", "type", "text"}, n["id"]
            assert span["type"] in build_deid.TYPES, (n["id"], span)
            assert n["text"][span["start"] : span["end"]] == span["text"] != "", (n["id"], span)
            assert span["text"] == span["text"].strip(), (n["id"], span)
            assert last <= span["start"] < span["end"] <= len(n["text"]), (n["id"], span)
            last = span["end"]


def test_notes_keep_to_their_size(notes: list[dict[str, Any]]) -> None:
    for n in notes:
        size = len(n["text"].split()) if n["language"] == "en" else len(n["text"])
        low, high = (60, 220) if n["language"] == "en" else (150, 420)
        assert low <= size <= high, (n["id"], size)
        assert not n["spans"] or 2 <= len(n["spans"]) <= 12, (n["id"], len(n["spans"]))
    assert sum(not n["spans"] for n in notes) == WITHOUT


def test_titles_and_zip_codes_stay_outside_names_and_addresses(notes: list[dict[str, Any]]) -> None:
    for n in notes:
        for span in n["spans"]:
            if span["type"] == "NAME":
                assert not span["text"].lower().startswith(tuple(t.lower() for t in TITLES)), n["id"]
                assert not span["text"].endswith(("'s", "’s")), n["id"]
            if span["type"] == "ZIP":
                assert any(c.isdigit() for c in span["text"]), n["id"]


def test_chinese_identity_numbers_have_a_valid_check_digit(notes: list[dict[str, Any]]) -> None:
    weights = [2 ** (17 - i) % 11 for i in range(17)]  # GB 11643-1999
    numbers = [
        s["text"]
        for n in notes
        if n["language"] == "zh"
        for s in n["spans"]
        if s["type"] == "ID" and len(s["text"]) == 18 and s["text"][:17].isdigit()
    ]
    assert len(numbers) >= 10
    for number in numbers:
        total = sum(int(digit) * weight for digit, weight in zip(number[:17], weights, strict=True))
        assert number[17] == "10X98765432"[total % 11], number
