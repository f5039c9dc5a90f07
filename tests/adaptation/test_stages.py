"""A tiny random model through every stage and back into the runtime."""

import json
from pathlib import Path
from typing import Any

import pytest

from osler.adaptation.gate import gate
from osler.adaptation.progress import Step, TrainingFailed
from osler.adaptation.register import admit, roll_back, serve, withdraw
from osler.adaptation.training import train
from osler.errors import InputError, IntegrityError, OslerError
from osler.ledger import Ledger
from osler.models import Message, load_model
from osler.models.adapters import cards, folder_of, language_model
from osler.models.base import ScoreRequest
from osler.reasoning.resources import Resources, Run
from osler.settings import Settings, load_settings

FAST = ["training.batch=8", "training.length=64"]
ASKED = ScoreRequest([Message("user", "What is 3 and one?")], ["A", "B"])


def _instructed(name: str, tiny: str, data: Path, settings: Settings, *more: str) -> Any:
    changes = [*FAST, "training.epochs=12", "training.learning_rate=0.01", *more]
    return train("instruct", [data], name, settings, base=tiny, changes=changes)


def test_instructed_and_served(tiny: str, data: Path, settings: Settings) -> None:
    card = _instructed("first", tiny, data, settings)
    assert card.steps == 24 and card.losses[1] < card.losses[0] - 2
    assert card.agreement is not None and card.agreement["same"] == 1 and card.agreement["mean"] < 0.01
    assert card.licence.startswith("CC0-1.0") and card.data[0].rows == 16
    before = load_model(tiny, settings).score([ASKED])[0]
    adapted = load_model("adapter:first", settings)
    after = adapted.score([ASKED])[0]
    assert abs(before["A"] - after["A"]) > 0.1
    # The digest names both files; another file in the adapter's place is refused.
    file = folder_of("first", settings) / "adapter.gguf"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(IntegrityError, match="not the one of its card"):
        load_model(
            "adapter:first",
            settings.model_copy(update={"egress": settings.egress.model_copy(update={"allow": ("x",)})}),
        )
    with pytest.raises(InputError, match="there is an adapter of this name"):
        _instructed("first", tiny, data, settings)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("pretrain", []),
        ("prefer", []),
        ("reward", []),
        ("grpo", ["longest=8", "training.steps=2", "answers=2", "training.batch=2"]),
        ("instruct", ["lora=none"]),
    ],
)
def test_every_stage(stage: str, changes: list[str], tiny: str, data: Path, settings: Settings) -> None:
    steps = list[Step]()
    wanted = [*FAST, "training.learning_rate=0.005", "training.epochs=3", *changes]
    card = train(stage, [data], "one", settings, base=tiny, changes=wanted, watch=steps.append)
    assert [one.step for one in steps] == list(range(1, card.steps + 1))
    if stage != "grpo":
        assert card.losses[1] < card.losses[0]
    assert (card.file is None) == (stage == "reward")
    if card.file:
        assert card.agreement is not None and card.agreement["tokens"] == 1 and card.agreement["same"] >= 0.9
        assert load_model("adapter:one", settings).score([ASKED])[0].keys() == {"A", "B"}


class _Killed(Exception):
    pass


def test_resume_has_the_same_losses(tiny: str, data: Path, settings: Settings, tmp_path: Path) -> None:
    def losses(name: str) -> list[float]:
        lines = (folder_of(name, settings) / "progress.jsonl").read_text().splitlines()
        return list({row["step"]: row["loss"] for row in map(json.loads, lines)}.values())

    changes = ["training.keep_every=4", "lora.dropout=0.1"]
    _instructed("whole", tiny, data, settings, *changes)

    def stop(step: Step) -> None:
        if step.step == 7:
            raise _Killed

    steps = [*FAST, "training.epochs=12", "training.learning_rate=0.01", *changes]
    with pytest.raises(_Killed):
        train("instruct", [data], "torn", settings, base=tiny, changes=steps, watch=stop)
    assert not folder_of("torn", settings).exists() and [card.name for card in cards(settings)] == ["whole"]
    with pytest.raises(InputError, match="another training of this name"):
        _instructed("torn", tiny, data, settings)
    again = list[Step]()
    train("instruct", [data], "torn", settings, base=tiny, changes=steps, watch=again.append)
    assert again[0].step == 5
    assert losses("torn") == pytest.approx(losses("whole"), abs=1e-4)


def test_a_loss_that_is_no_number_registers_nothing(tiny: str, data: Path, settings: Settings) -> None:
    with pytest.raises(TrainingFailed, match="loss"):
        _instructed("wild", tiny, data, settings, "lora=none", "training.learning_rate=1e20", "training.warmup=0")
    assert cards(settings) == [] and not folder_of("wild", settings).exists()


def test_what_cannot_fit_is_refused_early(tiny: str, data: Path, settings: Settings) -> None:
    steps, changes = list[Step](), ["training.batch=4096", "training.length=2048"]
    with pytest.raises(InputError, match=r"needs about [\d.]+ GB"):
        train("instruct", [data], "big", settings, base=tiny, changes=changes, watch=steps.append)
    assert not steps


@pytest.mark.parametrize(
    ("recipe", "changes", "said"),
    [
        ("nothing", [], "no recipe"),
        ("instruct", ["training.speed=2"], "changes nothing"),
        ("instruct", ["training.batch=none"], "training.batch"),
        ("instruct", ["training.batch=0"], "training.batch"),
    ],
)
def test_bad_recipes(recipe: str, changes: list[str], said: str, tiny: str, data: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match=said):
        train(recipe, [data], "x", settings, base=tiny, changes=changes)


def test_bad_folders(tiny: str, data: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data sheet"):
        train("instruct", [tmp_path], "x", settings, base=tiny)
    (data / "instruction.train.jsonl").write_text('{"messages": []}\n')
    with pytest.raises(InputError, match="not the one of its data sheet"):
        train("instruct", [data], "x", settings, base=tiny)
    with pytest.raises(OslerError, match="can't be trained"):
        train("prefer", [data], "x", settings, base="openai:http://127.0.0.1:9/v1#m")


def test_gate_admission_serving_and_back(tiny: str, data: Path, tmp_path: Path, shared: Path) -> None:
    settings = load_settings({"home": tmp_path / "home", "bench.data": str(shared)}, environment={})
    _instructed("first", tiny, data, settings)
    with pytest.raises(InputError, match="not measured"):
        admit("first", "a reviewer", "looks well", settings)
    with pytest.raises(InputError, match="not admitted"):
        serve("first", "a reviewer", settings)
    card = gate("first", settings, tasks=("pubmedqa",), limit=6)
    assert card.state == "shadow"
    rows = {(row["what"], row["metric"]): row for row in card.gates[-1].rows}
    assert rows["pubmedqa", "right"]["n"] == 6 and ("pubmedqa", "macro-F1") in rows
    loss = rows["general text", "loss"]
    assert loss["n"] == 100 and loss["interval"][0] <= loss["difference"] <= loss["interval"][1]
    assert card.gates[-1].passed == (not any(row["worse"] for row in card.gates[-1].rows))
    admit("first", "a reviewer", "override: a test of serving", settings)
    desk = Resources(settings)
    with pytest.raises(OslerError):
        serve("second", "a reviewer", settings)
    assert language_model(settings) == "smollm2"
    assert serve("first", "a reviewer", settings) == "adapter:first"
    assert Run(desk, "ask").resources.model.info.spec == "adapter:first"
    # A server that runs goes on with what serves now; an answer keeps the model that it began with.
    begun = Run(desk, "ask")
    assert roll_back("a reviewer", settings) == "smollm2"
    assert begun.resources.model.info.spec == "adapter:first"
    assert Run(desk, "ask").resources.model.info.spec == "smollm2"
    serve("first", "a reviewer", settings)
    withdraw("first", "a reviewer", "worse on the ward", settings)
    assert language_model(settings) == "smollm2"
    with pytest.raises(InputError, match="withdrawn"):
        serve("first", "a reviewer", settings)
    ledger = Ledger.open(settings)
    said = [ledger.payload(entry.id)["what"] for entry in reversed(ledger.entries(None)) if entry.kind == "adapter"]
    assert said == ["trained", "gate", "admitted", "serving", "serving", "serving", "withdrawn"]
