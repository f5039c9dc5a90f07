"""`osler deid` on each format, and the way back."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from osler.cli import run as command

NOTE = "Patient: Maria Lopez, DOB 12/04/1931, MRN: 40618827. Call (415) 555-0132.\n"


@pytest.fixture
def deid(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(os.environ, "OSLER_HOME", str(tmp_path / "home"))

    def run(*arguments: str, name: str = "note.txt", content: str = NOTE) -> tuple[int, str, str]:
        (tmp_path / name).write_text(content, encoding="utf-8")
        code = command(["deid", str(tmp_path / name), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_text(deid: Any) -> None:
    code, out, _ = deid()
    assert code == 0 and "[NAME_1]" in out and "Lopez" not in out and "40618827" not in out


def test_json_spans_point_into_the_original(deid: Any) -> None:
    found = json.loads(deid("--json")[1])
    texts = {NOTE[span["start"] : span["end"]]: span for span in found["spans"]}
    assert texts["40618827"]["type"] == "MRN" and texts["40618827"]["surrogate"] in found["text"]


def test_lines(deid: Any) -> None:
    rows = f'{json.dumps({"id": "a", "text": NOTE})}\n{{"id": "b"}}\n'
    code, out, _ = deid("--jsonl", name="n.jsonl", content=rows)
    first, second = map(json.loads, out.splitlines())
    assert code == 1 and first["id"] == "a" and "Lopez" not in first["text"] and second["error"]["kind"] == "input"


def test_fhir_and_csv(deid: Any) -> None:
    patient = {"resourceType": "Patient", "id": "x", "name": [{"family": "Lopez"}], "birthDate": "1951-02-03"}
    code, out, _ = deid(name="p.json", content=json.dumps(patient))
    assert code == 0 and "Lopez" not in out and json.loads(out)["birthDate"] == "1951"
    code, out, _ = deid(name="t.csv", content="name,dose\nMaria Lopez,5 mg\n")
    assert code == 0 and "Lopez" not in out and "5 mg" in out


def test_kept_and_restored(deid: Any, tmp_path: Path) -> None:
    safe = tmp_path / "safe.txt"
    code, _, said = deid("--keep", "--to", str(safe))
    assert code == 0 and "Lopez" not in safe.read_text()
    name = said.split("kept as ")[1].split(";")[0]
    assert deid("--restore", name, content=safe.read_text())[1] == NOTE


def test_the_same_surrogates_for_a_patient(deid: Any) -> None:
    shifted = [deid("--policy", "research-dates-shifted", "--patient", p)[1] for p in ("1", "1", "2")]
    assert shifted[0] == shifted[1] != shifted[2] and "Lopez" not in shifted[0]


@pytest.mark.parametrize(
    ("name", "content", "arguments", "said"),
    [
        ("x.json", '{"a": 1}', (), "resourceType"),
        ("x.json", '{"a": ', (), "JSON"),
        ("x.txt", "hello", ("--policy", "nope"), "safe-harbor"),
        ("x.txt", "hello", ("--restore", "nope"), "nope"),
    ],
)
def test_what_is_wrong_is_named(deid: Any, name: str, content: str, arguments: tuple[str, ...], said: str) -> None:
    code, _, error = deid(*arguments, name=name, content=content)
    assert code == 1 and said in error
