"""`osler ask`: what it refuses before it does any work, and one batch over given contexts."""

import json
from pathlib import Path

import pytest

from osler.cli import run as osler
from osler.ledger import Ledger
from osler.settings import load_settings

LYME = "Most people with early Lyme disease are treated with doxycycline for 10 days."


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["ask", "  "], 1), (["ask", "Why?", "--method", "oracle"], 1), (["ask", "Why?", "--json", "--jsonl"], 2)],
)
def test_bad_calls_leave_no_home_behind(arguments: list[str], code: int, home: Path) -> None:
    assert osler(arguments) == code
    assert not home.exists()


def test_a_batch_answers_good_lines_and_reports_bad_ones(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": "1", "question": "How is early Lyme disease treated?", "context": LYME},
        {"id": "2", "question": "Is Lyme disease treated with doxycycline?", "context": LYME, "options": ["yes", "no"]},
        {"id": "3", "question": 7},
        {"id": "4", "question": "Which?", "options": "yes"},
        {"id": "5", "question": "Which?", "context": 3},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\nnot json\n", encoding="utf-8")
    assert osler(["ask", str(file), "--jsonl"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in found] == ["1", "2", "3", "4", "5", None]
    assert found[0]["statements"][0]["text"] == LYME and found[0]["evidence"][0]["text"] == LYME
    assert found[1]["choice"] == "A"
    assert all("line" in row["error"]["where"] for row in found[2:])
    ledger = Ledger.open(load_settings())
    entry = ledger.entry(found[0]["trace_id"])
    assert entry.kind == "ask"
    assert ledger.payload(entry.id)["input"]["text"] == rows[0]["question"]
