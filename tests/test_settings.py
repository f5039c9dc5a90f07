"""Settings: file, environment and flag in rising strength; every fault names its place."""

from pathlib import Path

import pytest

from osler.errors import InputError
from osler.settings import load_settings


def test_rising_strength(home: Path) -> None:
    home.mkdir()
    (home / "osler.toml").write_text('[models]\nlanguage = "gguf:a"\ncontext = 1024\nthreads = 1\n')
    environment = {"OSLER_HOME": str(home), "OSLER_MODELS_LANGUAGE": "gguf:b", "OSLER_MODELS_THREADS": "2"}
    found = load_settings({"models.language": "gguf:c", "models.embedder": None}, environment).models
    assert (found.language, found.threads, found.context) == ("gguf:c", 2, 1024)


def test_working_directory_is_stronger_than_home(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    (home / "osler.toml").write_text("[library]\npassages = 3\n")
    (tmp_path / "osler.toml").write_text("[library]\npassages = 4\n")
    assert load_settings().library.passages == 4


def test_lists_from_the_environment(home: Path) -> None:
    found = load_settings(environment={"OSLER_HOME": str(home), "OSLER_EGRESS_ALLOW": "https://a/v1, https://b"})
    assert found.egress.allow == ("https://a/v1", "https://b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[models]\ncontext = 'many'\n", "models.context"),
        ("[models]\nunknown = 1\n", "models.unknown"),
        ("[nothing]\na = 1\n", "unknown section"),
        ("[models\n", "not valid TOML"),
    ],
)
def test_bad_file_is_named(home: Path, content: str, message: str) -> None:
    home.mkdir()
    (home / "osler.toml").write_text(content)
    with pytest.raises(InputError, match=message) as caught:
        load_settings()
    assert caught.value.where == str(home / "osler.toml")


def test_bad_variable_is_named(home: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(environment={"OSLER_HOME": str(home), "OSLER_MODELS_THREADS": "-1"})
    assert caught.value.where == "environment variable OSLER_MODELS_THREADS"
