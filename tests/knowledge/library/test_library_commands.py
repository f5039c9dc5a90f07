"""`osler ingest` and `osler search` as a user calls them, on a library without vectors."""

import json
import os
from pathlib import Path

import pytest

from osler.cli import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OSLER_MODELS_EMBEDDER", "none")
    return tmp_path


@pytest.fixture
def docs(home: Path) -> Path:
    folder = home / "docs"
    folder.mkdir()
    (folder / "gout.txt").write_text("Colchicine treats gout.")
    (folder / "asthma.txt").write_text("Salbutamol treats asthma.")
    assert run(["ingest", "--library", "ward", str(folder)]) == 0
    return folder


def test_a_file_that_is_gone_is_told_and_pruned(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (docs / "gout.txt").unlink()
    assert run(["ingest", "--library", "ward", str(docs), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out[told.out.index("{") :])["missing"] == [str(docs / "gout.txt")]
    assert "--prune" in told.err
    assert run(["ingest", "--library", "ward", str(docs), "--prune"]) == 0
    assert "1 removed" in capsys.readouterr().out
    assert run(["search", "--library", "ward", "colchicine gout", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == []


def test_what_the_user_states_of_documents(home: Path, docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "old.txt").write_text("Mercury treats gout.")
    stated = ["--collection", "old", "--valid-from", "1890-01-01", "--superseded-by", "gout.txt", "--retracted"]
    assert run(["ingest", "--library", "ward", str(home / "old.txt"), *stated]) == 0
    capsys.readouterr()
    assert run(["search", "--library", "ward", "mercury", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == []


def test_bad_queries_are_reported_and_the_run_goes_on(
    home: Path, docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = home / "q.jsonl"
    queries.write_text(
        '{"_id": "1", "text": "gout"}\n{"_id": "2", "text": " "}\n{"text": "no id"}\n{"_id": null, "text": "gout"}\n'
        '{"_id": "1", "text": "twice"}\n{"_id": "3", "text": "half \\ud83d"}\n{bad\n{"_id": 4, "text": "?! 😀"}\n'
        '{"id": "5 b", "text": "asthma"}\n',
        encoding="utf-8",
    )
    out = home / "run.trec"
    assert run(["search", "--library", "ward", "--queries", str(queries), "--run", str(out), "-k", "5"]) == 1
    lines = [line.split() for line in out.read_text().splitlines()]
    assert [(line[0], Path(line[2]).name) for line in lines] == [("1", "gout.txt"), ("5%20b", "asthma.txt")]
    told = capsys.readouterr().err
    assert "3 queries answered, 6 could not be read" in told
    for number in (2, 3, 4, 5, 6, 7):
        assert f"line {number}" in told
    assert not list(home.glob(".*.draft"))
    missing = ["search", "--library", "ward", "--queries", str(queries), "--run", str(home / "none" / "run.trec")]
    assert run(missing) == 1 and "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "query", ['"open', "gout AND (", "title:gout^3 ~2 [1 TO 2] \\", "😀", "?!", "痛风 gout", "g" * 10_000]
)
def test_odd_queries_are_searches_like_others(docs: Path, query: str) -> None:
    assert run(["search", "--library", "ward", query, "--json"]) == 0


def test_an_empty_query_is_bad_input(docs: Path) -> None:
    assert run(["search", "--library", "ward", "  "]) == 1


def test_a_path_that_is_no_file_is_bad_input(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:

    os.mkfifo(docs / "pipe.txt")
    assert run(["ingest", "--library", "ward", str(docs / "pipe.txt")]) == 1
    assert "no such file or folder" in capsys.readouterr().err
