"""What reviewers said as pairs: conflicts, consent, agreement; rewards that can be checked; answers evened out."""

from pathlib import Path

import pytest

from osler.adaptation.preferences import align, cohen, krippendorff, pairs
from osler.adaptation.rewards import reward
from osler.adaptation.training import balanced
from osler.clinic.desk import Desk
from osler.clinic.feedback import keep
from osler.clinic.reports import kinds, signing
from osler.clinic.reports.signing import Change
from osler.errors import InputError
from osler.nouns import Principal
from osler.settings import Settings

NOTE = b"A man of 54 with chest pain since this morning. He takes warfarin. No fever. Plan: troponin in the morning."


@pytest.fixture
def desk(settings: Settings) -> Desk:
    return Desk(settings, who="a")


def reviewer(name: str) -> Principal:
    return Principal(id=name, name=name, roles=["clinician"])


def drafted(desk: Desk) -> str:
    return str(desk.report(kinds(desk.settings)["visit-note"], NOTE, "note.txt").trace_id)


def said(desk: Desk, trace: str, who: str, statement: str, verdict: str, text: str | None = None, consent: bool = True):
    given = {"trace_id": trace, "statement": statement, "verdict": verdict, "text": text, "consent": consent}
    return keep(desk, given, reviewer(who))


def test_edits_and_verdicts_become_pairs(desk: Desk, settings: Settings, tmp_path: Path) -> None:
    trace = drafted(desk)
    change = Change(statement="No fever.", text="The temperature was not raised.", reason="clearer")
    signing.edit(trace, [change], desk, reviewer("a"), consent=True)
    said(desk, trace, "a", "He takes warfarin.", "wrong")
    said(desk, trace, "b", "He takes warfarin.", "wrong")
    said(desk, trace, "c", "He takes warfarin.", "right")
    said(desk, trace, "a", "Plan: troponin in the morning.", "right")
    said(desk, trace, "a", "A man of 54 with chest pain since this morning.", "wrong")
    said(desk, trace, "b", "A man of 54 with chest pain since this morning.", "right")
    said(desk, trace, "d", "Plan: troponin in the morning.", "wrong", consent=False)
    found = pairs(settings)
    assert found.said == 7 and found.without_consent == 1 and found.conflicts == 1
    edit = next(row for row in found.rows if row["rejected"] == "No fever.")
    assert edit["chosen"] == "The temperature was not raised." and "No fever." in edit["prompt"]
    assert "Objective" in edit["prompt"] and edit["provenance"]["reason"] == "clearer"
    assert {row["rejected"] for row in found.rows} == {"No fever.", "He takes warfarin."}
    assert found.alpha is not None and found.alpha < 0.5
    made = align(tmp_path / "pairs", settings)
    assert made["feedback"]["pairs"] == len(found.rows) and made["adapter"] is None
    assert (tmp_path / "pairs" / "datasheet.json").is_file()


def test_a_reviewers_last_word_holds(desk: Desk, settings: Settings) -> None:
    trace = drafted(desk)
    said(desk, trace, "a", "He takes warfarin.", "wrong", "He takes apixaban.")
    said(desk, trace, "a", "He takes warfarin.", "right")
    assert pairs(settings).rows == []


def test_nothing_to_learn_is_said(desk: Desk, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pair in 0 words"):
        align(tmp_path / "pairs", settings)


def test_agreement_by_published_examples() -> None:
    # Krippendorff 2011, section C: four observers, twelve units, missing values; nominal alpha .743.
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    table = [
        {name: value for name, value in zip("abcd", values, strict=True) if value is not None}
        for values in zip(a, b, c, d, strict=True)
    ]
    assert krippendorff(table) == pytest.approx(0.743, abs=0.001)
    # Cohen's kappa of the two-by-two table 20, 5, 10, 15: .4.
    counts = {("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}
    judged = [{"a": one, "b": other} for (one, other), n in counts.items() for _ in range(n)]
    assert cohen(judged) == pytest.approx(0.4)
    assert krippendorff([{"a": 1}]) is None and cohen([{"a": 1}]) is None


@pytest.mark.parametrize(
    ("text", "check", "value"),
    [
        ("B", {"option": "B", "options": {"A": "yes", "B": "no"}}, 1.0),
        ("A", {"option": "B", "options": {"A": "yes", "B": "no"}}, 0.1),
        ("I can't say.", {"option": "B", "options": {"A": "yes", "B": "no"}}, 0.0),
        ("So the score is 3.10.", {"number": 3.1, "tolerance": 0.01}, 1.0),
        ("It is 31.", {"number": 3.1, "tolerance": 0.01}, 0.1),
        ("It is high.", {"number": 3.1}, 0.0),
        ("Aspirin lowers fever.", {"evidence": "Aspirin lowers fever and relieves pain."}, 1.0),
        ("Aspirin does not lower fever.", {"evidence": "Aspirin lowers fever and relieves pain."}, 0.0),
        ("", {"evidence": "x"}, 0.0),
    ],
)
def test_rewards(text: str, check: dict, value: float) -> None:
    assert reward(text, check) == value


def test_rare_answers_are_repeated() -> None:
    def row(answer: str) -> dict:
        return {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": answer}]}

    rows = [row("A")] * 6 + [row("B")] * 2 + [row("C")] + [row("a long answer in words")]
    answers = [one["messages"][-1]["content"] for one in balanced(rows)]
    assert [answers.count(letter) for letter in "ABC"] == [6, 6, 6] and len(answers) == 19
