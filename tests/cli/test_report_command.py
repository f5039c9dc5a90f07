"""`osler report` at the command line."""

import json
from pathlib import Path

import jsonschema
import pytest

from osler.cli.report import command
from osler.errors import InputError, UsageError
from osler.settings import load_settings
from osler.trust.replay import replay

ROOT = Path(__file__).parents[2]
NOTE = str(ROOT / "examples" / "arterial-rupture.txt")


def test_the_document_is_the_contracts_and_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "examples" / "cough-and-fever.dialogue.txt")
    target = tmp_path / "note.md"
    home = ["--home", str(tmp_path)]
    command.main(["visit-note", path, "--to", str(target), "--json", *home], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((ROOT / "docs" / "schemas" / "Report.json").read_text(encoding="utf-8")))
    assert document["kind"] == "visit-note" and document["status"] == "draft"
    assert "yellow sputum" in target.read_text(encoding="utf-8")
    assert replay(document["trace_id"], load_settings({"home": str(tmp_path)})).same


def test_coded_findings_are_said_with_their_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "examples" / "arterial-rupture.phenopacket.json")
    command.main(["referral", path, "--json", "--language", "zh", "--home", str(tmp_path)], standalone_mode=False)
    said = [one["text"] for part in json.loads(capsys.readouterr().out)["sections"] for one in part["statements"]]
    assert any(text.startswith("无") for text in said) and any("气胸" in text for text in said)


@pytest.mark.parametrize(
    ("arguments", "error", "names"),
    [
        (["poem", NOTE], UsageError, "poem"),
        (["handover", NOTE, "--to", "x.odt"], UsageError, "odt"),
        (["handover", "none.txt"], InputError, "read"),
    ],
)
def test_what_cant_be_done_is_said(arguments: list[str], error: type[Exception], names: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=names):
        command.main([*arguments, "--home", str(tmp_path)], standalone_mode=False)
