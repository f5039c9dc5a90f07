"""From a wrong answer to the answers like it, and to what differed once it was right."""

import json
from pathlib import Path
from typing import Any

import pytest

from osler.cli import run as osler
from osler.errors import InputError
from osler.ledger import Ledger
from osler.settings import load_settings
from osler.trust.incident import incident, note_fix

MODEL = {"spec": "smollm2", "digest": "d" * 64}


def _answer(question: str, *evidence: str, method: str = "draft", version: str = "1") -> dict[str, Any]:
    trace = {
        "method": method,
        "calls": [{"model": MODEL}],
        "evidence": dict.fromkeys(evidence, "hash"),
        "knowledge": {"library": version},
        "parameters": {},
        "versions": {},
    }
    return {"input": {}, "output": {"answer": {"question": question}}, "trace": trace}


@pytest.fixture
def ledger(home: Path) -> Ledger:
    ledger = Ledger.open(load_settings())
    for id, payload in {
        "wrong": _answer("Which dose of doxycycline for early Lyme disease?", "a", "b"),
        "worded-alike": _answer("Which dose of doxycycline for late Lyme disease?", "x", method="votes"),
        "same-evidence": _answer("Is it safe?", "a", "b", "c"),
        "neither": _answer("What lowers a fever?", "z"),
        "right": _answer("Which dose of doxycycline for early Lyme disease?", "new", version="2"),
    }.items():
        ledger.append("ask", payload, id=id)
    ledger.append("ask", _answer("Which dose?", "a", "b"), "gone", id="gone")
    ledger.erase("gone", "Li", "asked")
    return ledger


def test_answers_like_it_are_found_with_what_they_share(ledger: Ledger) -> None:
    found = incident("wrong", load_settings())
    assert [(one.id, one.same) for one in found.alike] == [
        ("right", ["method", "models"]),
        ("worded-alike", ["models"]),
        ("same-evidence", ["method", "models"]),
    ]
    assert (found.alike[2].evidence, found.alike[0].wording) == (0.667, 1.0)
    assert (found.looked_at, found.unreadable, found.fixes) == (4, 1, [])
    assert found.models == [f"smollm2 {'d' * 64}"] and found.evidence == ["a", "b"]


def test_what_was_done_links_two_traces(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["incident", "wrong", "--note", "newer guideline", "--by", "Wu", "--fixed-by", "right"]
    assert osler([*arguments, "--json"]) == 0
    fix = json.loads(capsys.readouterr().out)["fixes"][0]
    assert (fix["note"], fix["by"], fix["fixed_by"]) == ("newer guideline", "Wu", "right")
    assert fix["changes"] == [{"path": "knowledge.library", "then": "1", "now": "2"}]
    assert osler(["incident", "wrong"]) == 0
    said = capsys.readouterr().out
    assert "newer guideline (see right)" in said and "knowledge.library: 1 → 2" in said
    assert osler(["incident", "wrong", "--note", "no name"]) == 2


def test_what_is_no_answer_is_refused(ledger: Ledger) -> None:
    entry = ledger.append("approval", {"by": "Li"})
    with pytest.raises(InputError, match="is a approval: there is no answer"):
        incident(entry.id, load_settings())
    with pytest.raises(InputError, match="is no answer"):
        note_fix("wrong", entry.id, "?", "Wu", load_settings())
    with pytest.raises(InputError, match="no ledger entry"):
        incident("none", load_settings())
