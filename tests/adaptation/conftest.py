import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from osler.settings import Settings, load_settings
from support.tiny_model import tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The spec of a tiny random model."""
    return f"gguf:{tiny_model(tmp_path_factory.mktemp('tiny') / 'tiny.gguf')}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home"}, environment={})


def folder(path: Path, **kinds: Sequence[dict[str, Any]]) -> Path:
    """A folder of training data as `osler adapt data` leaves it."""
    path.mkdir()
    outputs = {}
    for kind, rows in kinds.items():
        file = path / f"{kind}.train.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        outputs[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    sheet = {"sources": [{"name": "test", "licence": "CC0-1.0"}], "outputs": outputs}
    (path / "datasheet.json").write_text(json.dumps(sheet), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asked = [
        {
            "messages": [
                {"role": "user", "content": f"What is {n} and one?"},
                {"role": "assistant", "content": f"It is {n + 1}."},
            ],
            "check": {"number": n + 1},
        }
        for n in range(16)
    ]
    pairs = [{"prompt": f"Say {n}.", "chosen": f"Yes, {n}.", "rejected": "No, never."} for n in range(8)]
    plain = [{"text": "Aspirin relieves pain and lowers fever. " * 20} for _ in range(4)]
    return folder(tmp_path / "data", instruction=asked, preference=pairs, plain=plain)
