"""What an adapter keeps of its rows: canaries put in by the data step, found again after the training."""

import json
from pathlib import Path

import pytest

from osler.adaptation.data import prepare
from osler.adaptation.memorised import CANARIES, TIMES, canaries, memorised
from osler.adaptation.training import train
from osler.errors import InputError
from osler.ledger import Ledger
from osler.models.adapters import read_card, write_card
from osler.settings import Settings
from osler.trust import privacy


def _folder(tmp_path: Path, settings: Settings, hidden: int) -> Path:
    source = tmp_path / "rows.jsonl"
    words = "fever cough rash gout mumps croup".split()
    lines = [
        {"instruction": f"Which drug for {first} after {second}?", "output": f"One against {first}, not {second}."}
        for first in words
        for second in words
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    prepare([str(source)], tmp_path / "made", settings, "CC0-1.0", hidden=hidden)
    return tmp_path / "made"


def test_canaries_stand_in_the_training_rows_as_often_as_said(tmp_path: Path, settings: Settings) -> None:
    folder = _folder(tmp_path, settings, 6)
    text = (folder / "instruction.train.jsonl").read_text(encoding="utf-8")
    hidden = json.loads((folder / CANARIES).read_text(encoding="utf-8"))
    assert [one["times"] for one in hidden] == [*TIMES, *TIMES]
    assert all(text.count(one["secret"]) == one["times"] for one in hidden)
    assert "Canaries: 6." in (folder / "DATASHEET.md").read_text(encoding="utf-8")
    assert canaries(6, 0) == canaries(6, 0) != canaries(6, 1)


def test_what_was_learned_by_heart_is_told(tiny: str, tmp_path: Path, settings: Settings) -> None:
    folder = _folder(tmp_path, settings, 3)
    changes = ["training.epochs=5", "training.learning_rate=0.01", "training.length=64", "training.batch=8"]
    train("instruct", [folder], "leaky", settings, base=tiny, changes=changes)
    found = {one.what: one for one in memorised("leaky", [folder], settings)}
    often = next(one for what, one in found.items() if what.startswith("exposure") and "16 times" in what)
    assert often.before < 6 < often.after <= 8  # 8 bits: likelier than all 255 others
    member = found["membership inference, AUROC"]
    assert member.interval is not None and member.interval[0] <= member.after <= member.interval[1]
    card = read_card("leaky", settings)
    assert card.memorised is not None and len(card.memorised["rows"]) == len(found)
    ledger = Ledger.open(settings)
    assert "memorised" in [
        ledger.payload(entry.id).get("what") for entry in ledger.entries() if entry.kind == "adapter"
    ]


def test_another_folder_is_refused(tiny: str, tmp_path: Path, data: Path, settings: Settings) -> None:
    train("instruct", [data], "first", settings, base=tiny, changes=["training.batch=8", "training.length=64"])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError, match="did not learn from this folder"):
        memorised("first", [other], settings)
    with pytest.raises(InputError, match="no canaries and no validation rows"):
        memorised("first", [data], settings)


def test_the_audit_of_privacy_tells_it(
    tiny: str, tmp_path: Path, data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = train("instruct", [data], "told", settings, base=tiny, changes=["training.batch=8", "training.length=64"])
    kept = {"made": "now", "rows": [{"what": "extracted", "n": 4, "before": 0.0, "after": 0.5, "interval": [0.1, 0.9]}]}
    write_card(card.model_copy(update={"memorised": kept}), settings)
    monkeypatch.setattr(privacy, "TASKS", ())
    (row,) = privacy.audit(settings, "adapter:told")
    assert (row.metric, row.value, row.baseline, row.n) == ("extracted", 0.5, {"before": 0.0}, 4)
    assert privacy.audit(settings, "smollm2") == []
