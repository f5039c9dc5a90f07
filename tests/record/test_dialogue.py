"""Dialogues: who speaks, and where in the text."""

import gzip
import json
from pathlib import Path

import pytest

from osler.record import read_text


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            "[doctor] hi , martha .\n[patient] hello .\n[patient_guest] me too",
            [("doctor", "hi , martha ."), ("patient", "hello ."), ("other", "me too")],
        ),
        ("Doctor: When? \r\n Patient: Now.\nand again\n", [("doctor", "When?"), ("patient", "Now.\nand again")]),
        ("D: Pain?\nP: Yes.\nGuest_family: Often.", [("doctor", "Pain?"), ("patient", "Yes."), ("other", "Often.")]),
        (
            "医生：哪里不舒服？\n患者：头痛。\n家属：三天了。",
            [("doctor", "哪里不舒服？"), ("patient", "头痛。"), ("other", "三天了。")],
        ),
        ("**Doctor:** When?\n**Patient:** Now.", [("doctor", "When?"), ("patient", "Now.")]),
        ("Doctor (0:12): When?\nPatient (0:15) : Now.", [("doctor", "When?"), ("patient", "Now.")]),
        ("医：哪里不舒服？\n患：头痛。", [("doctor", "哪里不舒服？"), ("patient", "头痛。")]),
    ],
)
def test_turns(text: str, turns: list[tuple[str, str]]) -> None:
    case = read_text(text)
    (document,) = case.documents
    assert case.kind == "dialogue" and document.text == text
    assert [(turn.speaker, text[turn.start : turn.end]) for turn in document.turns] == turns


def test_a_note_with_a_header_is_no_dialogue() -> None:
    header = (
        "Patient: seen in clinic\nDoctor: on call\n\nHistory: fever for three days.\nExam: normal.\nPlan: rest.\nDone."
    )
    assert read_text(header).kind == "note"


def test_text_before_the_first_speaker_is_reported() -> None:
    case = read_text("Recorded in clinic.\nDoctor: Hi.\nPatient: Hi.", kind="dialogue")
    assert case.unread[0].path == "dialogue[0:20]"


def test_the_age_may_be_asked() -> None:
    text = "Doctor: How old are you now?\nPatient: I'm twenty six.\nDoctor: Fine."
    patient = read_text(text).patient
    assert patient.age == "P26Y" and text[patient.start : patient.end] == "I'm twenty six"
    sisters = "Doctor: How old are your sisters?\nPatient: One is nine."
    assert read_text(sisters).patient.age is None


def test_public_dialogues(shared: Path) -> None:
    packed = shared / "notes" / "mtsdialog_train.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(packed.read_bytes()).splitlines()]
    cases = [read_text(row["dialogue"]) for row in rows]
    assert sum(case.kind == "dialogue" for case in cases) >= len(rows) - 2  # two have one turn only
    for case in cases:
        (document,) = case.documents
        for turn in document.turns:
            assert document.text[: turn.start].rstrip(" 	").endswith(":")
    aci = [json.loads(line) for line in (shared / "notes" / "acibench_train.jsonl").read_text().splitlines()]
    for row in aci:
        turns = read_text(row["dialogue"]).documents[0].turns
        assert len(turns) == row["dialogue"].count("[doctor]") + row["dialogue"].count("[patient")


def test_a_number_that_counts_something_else_is_no_age() -> None:
    assert read_text("Doctor: How old are you?\nPatient: I have completed five decades of my life.").patient.age is None
    assert read_text("Doctor: How old are you?\nPatient: I am sixteen.").patient.age == "P16Y"


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("Doctor: Any fever?\nGreg: Yes.\nDoctor: A rash?\nGreg: No.", ["doctor", "patient", "doctor", "patient"]),
        ("Mary Lou: It hurts.\nDoctor: Where?\nMary Lou: Here.\nDoctor: Since when?", ["patient", "doctor"] * 2),
        ("医生：发热吗？\n王秀英：有。\n医生：咳嗽吗？\n王秀英：没有。", ["doctor", "patient", "doctor", "patient"]),
        ("Patient: My knee.\nDr. Osei: Which?\nPatient: Left.\nDr. Osei: Walk.", ["patient", "doctor"] * 2),
        ("Doctor: A?\nAnn: B.\nBob: C.\nDoctor: D?\nAnn: E.\nBob: F.", ["doctor", "doctor"]),  # which of them is it?
        ("Doctor: Note: he smokes.\nDoctor: Plan: rest.", ["doctor", "doctor"]),
    ],
)
def test_the_other_side_may_have_a_name(text: str, speakers: list[str]) -> None:
    case = read_text(text, kind="dialogue")
    assert [turn.speaker for turn in case.documents[0].turns] == speakers
