"""`osler models`: what is listed, and that a grant stands in the sheet and in the ledger."""

import json
from pathlib import Path

import pytest

from osler.cli import run
from osler.ledger import Ledger
from osler.models.catalogue import SHA256
from osler.models.privileges import Privileges
from osler.settings import load_settings

ADMIT = ["models", "admit", "smollm2", "--task", "answer", "--task", "options"]


def test_list_names_what_is_in_use_and_what_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list", "--json", "--model", "gguf:/nowhere.gguf"]) == 0
    used, embedded = json.loads(capsys.readouterr().out)
    assert (used["in_use"], used["digest"]) == (True, None)
    assert "no such model file" in used["problem"]
    assert (embedded["digest"], embedded["size"], embedded["context"]) == (SHA256, 98_362_432, 8192)
    assert (embedded["licence"], embedded["privileges"], embedded["problem"]) == ("apache-2.0", [], None)


def test_endpoint_is_listed_without_a_call(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list", "--model", "openai:https://llm.example/v1#big"]) == 0
    assert "remote · 8,192 tokens" in capsys.readouterr().out


def test_provisional_grant_is_signed_listed_and_in_the_ledger(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ADMIT, "--provisional", "--by", "Dr. Example", "--reason", "a trial", "--json"]) == 0
    granted = json.loads(capsys.readouterr().out)
    payload = Ledger.open(load_settings()).payload(granted["entry"])
    assert (payload["by"], payload["reason"], payload["privileges"]) == (
        "Dr. Example",
        "a trial",
        granted["privileges"],
    )
    assert Privileges(load_settings()).may(SHA256, "options")
    assert run(["models", "list"]) == 0
    assert "may: answer (provisional), options (provisional)" in capsys.readouterr().out
    (home / "privileges.json").write_text("{}")
    assert run(["models", "list"]) == 0
    assert "is ignored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], 2),  # --task belongs to --provisional
        (["--provisional"], 2),
        (["--provisional", "--by", "A", "--reason", " "], 2),
        (["--provisional", "--by", "A", "--reason", "b", "--task", "dance"], 1),
    ],
)
def test_grant_that_is_refused_changes_nothing(home: Path, more: list[str], code: int) -> None:
    assert run([*ADMIT, *more]) == code
    assert not (home / "privileges.json").exists()
