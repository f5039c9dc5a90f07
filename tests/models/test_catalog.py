"""The catalogue of open medical models: every entry complete and typed, and shown as it stands."""

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from osler.cli import run
from osler.models.open_models import OpenModel, how_to_connect, open_models

ALWAYS = ("name", "publisher", "repository", "hub", "sizes", "languages", "modality", "connect")


def test_every_entry_is_complete_and_typed() -> None:
    entries = tomllib.loads((files("osler.models") / "data" / "catalog.toml").read_text(encoding="utf-8"))["model"]
    models = open_models()
    assert 20 <= len(models) == len(entries) <= 30
    for entry in entries:
        assert entry.keys() <= OpenModel.model_fields.keys(), entry["name"]
        assert all(entry.get(key) for key in ALWAYS), entry["name"]
    for model in models:
        assert model.repository and model.repository.count("/") == 1, model.name
        assert all(0 < size < 1000 for size in model.sizes), model.name
        assert all(len(code) == 2 for code in model.languages), model.name
        assert model.licence or model.commercial is not True, f"{model.name}: commercial use by which licence?"
        assert model.modality == "text" or "openai" in model.connect, model.name
        assert how_to_connect(model)
    assert len({model.repository for model in models}) == len({model.name for model in models}) == len(models)


def test_the_catalogue_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path))
    assert run(["models", "catalog", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [model.name for model in open_models()]
    assert next(row for row in rows if row["name"] == "BioMistral")["commercial"] is True
    assert run(["models", "catalog"]) == 0
    text = capsys.readouterr().out
    assert "google/medgemma-4b-it" in text and "licence not known" in text
