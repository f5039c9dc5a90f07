"""A run in the formats of lm-evaluation-harness and inspect-ai: what their readers ask for, and Osler's figures."""

import json
from pathlib import Path

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.export import export
from osler.cli import run
from osler.errors import InputError
from osler.reasoning.resources import Resources
from osler.settings import load_settings


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runner.Finished:
    rows = [{"id": f"q{n}", "question": f"Question {n}?", "options": ["w", "x"], "answer": n % 2} for n in range(6)]
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = ["Answer: A", "I can't tell."]
    model = ScriptedModel(lambda request: said["5?" in request.messages[-1].content])
    monkeypatch.setattr(Resources, "model", model)
    return runner.run(str(own), load_settings({"home": tmp_path / "home"}, environment={}), "generated")


def test_lm_eval_results(finished: runner.Finished) -> None:
    made = json.loads(export(finished, "lm-eval"))
    assert {"results", "configs", "versions", "n-shot", "n-samples", "samples", "config", "date"} <= made.keys()
    results = made["results"]["own"]
    assert results["accuracy,none"] == finished.measurements[0].value == 0.5
    assert 0 < results["accuracy_stderr,none"] < 0.3
    assert made["n-samples"]["own"] == {"original": 6, "effective": 6}
    samples = made["samples"]["own"]
    assert [sample["doc_id"] for sample in samples] == list(range(6))
    assert (samples[0]["filtered_resps"], samples[0]["right"], samples[0]["target"]) == (["A"], 1.0, "A")
    assert samples[5]["osler_unparsed"] == "names no option"


def test_inspect_log(finished: runner.Finished) -> None:
    made = json.loads(export(finished, "inspect"))
    assert (made["version"], made["status"]) == (2, "success")
    [score] = made["results"]["scores"]
    assert score["metrics"]["accuracy"]["value"] == 0.5
    assert (score["scored_samples"], score["unscored_samples"]) == (5, 1)
    first, last = made["samples"][0], made["samples"][5]
    assert (first["id"], first["choices"], first["target"]) == ("q0", ["w", "x"], "A")
    assert first["scores"]["right"] == {"value": 1.0, "answer": "A", "explanation": None}
    assert last["scores"]["read"]["value"] == "N"
    assert last["output"]["choices"][0]["message"]["content"] == "I can't tell."


def test_the_command_writes_the_file(
    finished: runner.Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))
    target = tmp_path / "out" / "log.json"
    assert run(["bench", "export", finished.card.id, "--as", "inspect", "--to", str(target)]) == 0
    assert json.loads(target.read_text())["eval"]["eval_id"] == finished.card.id
    assert run(["bench", "export", "none", "--as", "inspect", "--to", str(target)]) == 1
    with pytest.raises(InputError, match="unknown format"):
        export(finished, "csv")
