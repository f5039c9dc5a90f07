"""The score of an interview, its debrief, and the command."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from patient_set import script_of

from osler.cli.patient import command
from osler.education.patient import Interview, Opinion, mark
from osler.education.patient.patient import Reply
from osler.education.patient.phrasing import holds, phrased
from osler.education.patient.sittings import CASES
from osler.nouns import dump
from osler.reasoning.resources import Resources, Run
from osler.settings import load_settings

FORM = CASES / "en-abdominal-pain.toml"
LINES = [
    "Hello, I'm sorry to keep you waiting. May I ask you some questions?",
    "When did it start?",
    "Where is the pain?",
    "Any fever?",
    "Have you vomited?",
    "Do you have asthma or allergies?",
    "Please examine the abdomen.",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(Resources(load_settings({"home": str(tmp_path_factory.mktemp("home"))})), "patient")


@pytest.fixture(scope="module")
def interview(run: Run) -> Interview:
    held = Interview(script=script_of("en-abdominal-pain"))
    for line in LINES:
        held, _ = held.ask(line, run)
    return held


def _points(marked: Any) -> dict[str, Any]:
    return {line.item: line for line in marked.score.lines}


def test_the_state_is_plain_data(interview: Interview) -> None:
    assert Interview.model_validate(json.loads(json.dumps(dump(interview)))) == interview


@pytest.mark.parametrize(
    ("differential", "points"),
    [
        (["appendicitis", "gastroenteritis"], 10),
        (["gastroenteritis", "acute appendicitis"], 7),
        (["appendix disorder"], 5),
        (["migraine"], 0),
        ([], 0),
    ],
)
def test_the_rank_of_the_right_diagnosis_counts(
    differential: list[str], points: float, interview: Interview, run: Run
) -> None:
    marked = mark(interview.model_copy(update={"differential": differential}), run)
    line = _points(marked)["diagnosis"]
    assert line.points == points and line.possible == 10 and line.why


def test_each_line_says_points_of_possible_points_and_why(interview: Interview, run: Run) -> None:
    lines = _points(mark(interview, run))
    assert 0 < lines["history"].points < 10 and "loss of appetite" in lines["history"].why
    assert lines["efficiency"].points == pytest.approx(5 * 6 / 6)
    assert lines["empathy"].points == 1
    assert 0 < lines["red-flags"].points <= 5
    assert lines["reasoning"].possible == 0


def test_stated_directions_are_compared_with_the_graph(interview: Interview, run: Run) -> None:
    said = [
        Opinion(finding="fever", disease="appendicitis", direction="for"),
        Opinion(finding="vomiting", disease="appendicitis", direction="against"),
    ]
    line = _points(mark(interview.model_copy(update={"opinions": said}), run))["reasoning"]
    assert (line.points, line.possible) == (2.5, 5)


def test_the_debrief_asks_what_was_not_known_and_rests_on_evidence(interview: Interview, run: Run) -> None:
    marked = mark(interview, run)
    assert [state.after for state in marked.debrief] == sorted({state.after for state in marked.debrief})
    for state in marked.debrief:
        assert state.questions and all(one.expected_information > 0 for one in state.questions)
    assert {item.kind for item in marked.evidence} == {"edge", "passage"}
    assert "appetite" in marked.missed and "fever" not in marked.missed


def test_a_wording_that_adds_or_turns_anything_is_not_used(run: Run) -> None:
    script = script_of("en-chest-pain")
    plain = "I'm a bit short of breath, yes."
    assert holds("Well, I do get a bit short of breath.", plain, script, run)
    assert not holds("I'm short of breath and I have a cough.", plain, script, run)
    assert not holds("I'm not short of breath.", plain, script, run)
    assert not holds("I'm short of breath since 3 days.", plain, script, run)
    assert not holds("I'm short of breath, like in a heart attack.", plain, script, run)
    reply = Reply(text=plain, facts=["breath"], kind="told")
    assert phrased(reply, "Are you short of breath?", script, run) == reply  # the shipped model has no privilege


def test_the_command_reads_turns_and_prints_one_document(home: Path) -> None:
    given = "\n".join([*LINES, "/for fever: appendicitis", "/diagnose appendicitis", "/plan surgery", "/end", "unread"])
    made = CliRunner().invoke(command, [str(FORM), "--json"], input=given, standalone_mode=False)
    assert made.exception is None
    document = json.loads(made.stdout)
    assert [turn["question"] for turn in document["turns"]] == LINES
    assert set(document["turns"][0]) >= {"question", "reply", "facts"}
    assert document["score"]["points"] > 0 and document["debrief"] and document["case"]["diagnosis"] == "appendicitis"
    assert document["plan"] == "surgery" and document["opinions"][0]["direction"] == "for"


def test_the_page_shows_replies_score_and_what_was_missed(home: Path) -> None:
    made = CliRunner().invoke(command, [str(FORM)], input="Any fever?\n/diagnose appendicitis\n", standalone_mode=False)
    assert made.exception is None
    for part in ("38.1 at home", "Score", "What an expert would have asked", "Never asked for", "Evidence"):
        assert part in made.stdout, part


@pytest.mark.parametrize("line", ["/diagnose ;", "/for fever", "/unknown thing"])
def test_a_wrong_command_is_said(line: str, home: Path) -> None:
    made = CliRunner().invoke(command, [str(FORM), "--json"], input=line + "\n", standalone_mode=False)
    assert type(made.exception).__name__ == "InputError" and made.stdout == ""
