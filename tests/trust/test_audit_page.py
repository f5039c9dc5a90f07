"""`osler audit`: rows as JSON, one page without the network, and what was not measured said aloud."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.scripted import ScriptedModel

from osler.cli.audit import command
from osler.errors import InputError, MissingComponent
from osler.settings import load_settings
from osler.trust.report import audit, page


@pytest.fixture
def task(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task of one's own, and a model that likes the first letter."""
    file = tmp_path / "own.jsonl"
    ask = "Is the blood glucose of {} mg/dL raised <in> a man with diabetes & hypertension?"
    rows = [{"question": ask.format(k), "options": ["yes", "no"], "answer": k % 2} for k in range(30)]
    file.write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr("osler.reasoning.resources.Resources.model", ScriptedModel(lambda request: "A"))
    return str(file)


def test_rows_are_measurements(task: str) -> None:
    made = CliRunner().invoke(command, ["robustness", "--tasks", task, "--limit", "10", "--json"])
    assert made.exit_code == 0, made.output
    rows = {row["metric"]: row for row in json.loads(made.stdout)}
    assert rows["flip rate: option order"]["value"] == 1.0 and rows["accuracy"]["n"] == 10
    assert {"units", "typos", "synonyms"} <= {name.partition(": ")[2] for name in rows}
    assert rows["worst-case accuracy"]["value"] == 0.0


def test_the_page_needs_no_network_and_escapes_what_data_says(task: str, tmp_path: Path) -> None:
    target = tmp_path / "audit.html"
    made = CliRunner().invoke(command, ["robustness", "--tasks", task, "--limit", "5", "--to", str(target)])
    assert made.exit_code == 0, made.output
    html = target.read_text(encoding="utf-8")
    assert "<svg" in html and "flip rate: option order" in html.lower() and "default-src 'none'" in html
    assert not re.search(r"(?:src|href)=[\"'](?!#)", html) and "<script" not in html


def test_what_cannot_be_measured_does_not_stop_the_rest(task: str) -> None:
    parts = audit(("robustness", "privacy", "no_such"), load_settings(), None, [task], 5)
    assert [part.missing is None for part in parts] == [True, False, False]
    assert parts[0].rows and "not there" in (parts[1].missing or "") and "no audit of" in (parts[2].missing or "")
    html = page(parts, "smollm2 <x>")
    assert html.count("not measured") == 2 and "smollm2 &lt;x&gt;" in html


def test_alone_it_is_an_error(task: str, tmp_path: Path) -> None:
    with pytest.raises(MissingComponent, match="no audit of"):
        audit(["no_such"], load_settings(), None, [task], 5)
    with pytest.raises(InputError, match="unknown task"):
        audit(["robustness"], load_settings(), None, ["no_such"], 5)
    assert CliRunner().invoke(command, ["kindness"]).exit_code == 2
    inside = ["robustness", "--tasks", task, "--limit", "2", "--to", f"{task}/no-folder.html"]
    assert isinstance(CliRunner().invoke(command, inside).exception, InputError)
