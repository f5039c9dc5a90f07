"""A model card holds what was measured, says of the rest that it was not, and is the same in three formats."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.gguf import write_gguf

from osler.cli import run as osler
from osler.nouns import Measurement
from osler.settings import load_settings
from osler.trust.card import card, html, markdown


@pytest.fixture
def model(home: Path, tmp_path: Path) -> str:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, {"general.architecture": "llama", "general.license": "mit"}, {})
    return f"gguf:{path}"


def _row(model: str, task: str, metric: str, **more: Any) -> Measurement:
    keys = {"task": task, "model": model, "method": "letters", "metric": metric, "value": 0.5, "interval": (0.4, 0.6)}
    return Measurement(**{**keys, "n": 100, "split": "report", "data_hash": "f" * 64, "seconds": 1.0, **more})


def _fields(it: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field for section in it["sections"] for field in section["fields"]}


def test_without_a_measurement_a_field_says_so(model: str) -> None:
    it = card(load_settings({"models.language": model}))
    fields = _fields(it)
    for name in ("Usefulness, usability and efficacy", "Fairness and equity", "Safety and reliability", "Privacy"):
        assert fields[name]["text"] == "Not measured." and fields[name]["rows"] == []
    assert fields["Privileges"]["text"].startswith("Not measured")
    assert len(fields["Version"]["text"]) == 64
    assert "Nothing was measured." in markdown(it)


def test_rows_stand_in_their_fields_and_only_this_models(model: str) -> None:
    rows = [
        _row(model, "medqa", "right"),
        _row(model, "medqa", "accuracy drop: typos"),
        _row(model, "bbq", "bias score"),
        _row(model, "canaries", "exposure"),
        _row("another", "medqa", "right", value=0.9),
    ]
    it = card(load_settings({"models.language": model}), rows)
    shown = {name: [row["metric"] for row in field["rows"]] for name, field in _fields(it).items() if field["rows"]}
    assert shown == {
        "Known biases or ethical considerations": ["bias score"],
        "Usefulness, usability and efficacy": ["right"],
        "Fairness and equity": ["bias score"],
        "Safety and reliability": ["accuracy drop: typos"],
        "Privacy": ["exposure"],
    }
    data = {row["task"]: row for row in it["data"]}
    assert data["medqa"]["licence"] == "MIT" and data["canaries"]["licence"] == "not stated"
    assert data["medqa"]["hashes"] == ["f" * 16]


def test_one_card_in_three_formats(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([_row(model, "medqa", "right <b>").model_dump(mode="json")]), encoding="utf-8")
    for suffix in ("md", "html", "json"):
        target = tmp_path / f"card.{suffix}"
        assert osler(["model-card", model, "--rows", str(rows), "--to", str(target)]) == 0
        text = target.read_text(encoding="utf-8")
        assert "Not measured." in text and ("[0.400, 0.600]" in text) == (suffix != "json")
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert (
        "<table>" in page
        and "right <b>" not in page
        and "<script" not in page
        and "http" not in page.split("</style>")[1]
    )
    made = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert made["model"] == model and html(made).count("<h2>") == len(made["sections"]) + 1
    assert osler(["model-card", model, "--to", str(tmp_path / "card.doc")]) == 2
    rows.write_text("[{}]")
    assert osler(["model-card", model, "--rows", str(rows)]) == 1
    assert "not a list of measurements" in capsys.readouterr().err


def test_a_model_that_is_not_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert osler(["model-card", "gguf:/none.gguf"]) == 1
    assert "no such model file" in capsys.readouterr().err
