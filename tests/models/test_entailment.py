"""The verifier's model: its files are checked, its graph is the embedder's up to where its own begins."""

import json
import shutil
from pathlib import Path

import pytest

from osler.errors import IntegrityError, MissingComponent
from osler.models.entailment import FOLDER, Entailment, entailment


def test_chances_are_a_distribution_and_the_same_each_time() -> None:
    first = entailment().chances("He has a fever.", "The patient is febrile at 39.2 C.")
    again = Entailment(FOLDER).chances("He has a fever.", "The patient is febrile at 39.2 C.")
    assert list(first) == ["supported", "partial", "unsupported", "contradicted"]
    assert sum(first.values()) == pytest.approx(1, abs=1e-3)
    assert first == again


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("The tumour is in the left breast.", "Mammography shows no lesion. The chest film is clear."),
        ("患者有糖尿病。", "骨折后行石膏固定，预后良好。"),
    ],
)
def test_what_is_not_spoken_of_is_not_supported(statement: str, evidence: str) -> None:
    chances = entailment().chances(statement, evidence)
    assert chances["supported"] < 0.5


def test_evidence_of_any_length_is_read() -> None:
    chances = entailment().chances("It is benign.", "The nodule was followed for years. " * 400)
    assert max(chances.values()) <= 1


def test_changed_or_missing_files_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "verifier"
    with pytest.raises(MissingComponent, match="not installed"):
        Entailment(folder).chances("a", "b")
    shutil.copytree(FOLDER, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["upper.onnx"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(IntegrityError, match="differs"):
        Entailment(folder).chances("a", "b")
