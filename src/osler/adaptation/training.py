"""Train by a recipe and register what came of it: data and memory checked first, checkpoints on the way, the way back
to serving proven at the end. A killed training goes on when the same command is given again.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.adaptation.base import Base, base_weights, load_base
from osler.adaptation.memory import check, free_memory, need
from osler.adaptation.progress import Step, TrainingFailed, reporter
from osler.adaptation.recipe import LEARNS, Recipe, read_recipe
from osler.bench.task import rows as json_rows
from osler.errors import InputError
from osler.ledger import Ledger, canonical
from osler.ledger.chain import now
from osler.models.adapters import AdapterCard, Material, folder_of, read_card, write_card
from osler.models.files import file_digest, write_atomically
from osler.settings import Settings

PACKAGES = ("torch", "transformers", "trl", "peft")
SHORT = 12  # code points of an answer that is a choice


class Plan(NamedTuple):
    """What is to be trained on what; its digest tells a training that goes on from another one of the same name."""

    name: str
    recipe: Recipe
    base: str
    parent: str | None
    data: list[Material]
    licence: str

    def digest(self, base_digest: str) -> str:
        said = [self.recipe.model_dump(mode="json"), base_digest, self.parent, [one.sha256 for one in self.data]]
        return hashlib.sha256(canonical(said)).hexdigest()


def train(
    recipe: str,
    data: Sequence[Path],
    name: str,
    settings: Settings,
    base: str = "smollm2",
    parent: str | None = None,
    changes: Sequence[str] = (),
    watch: Callable[[Step], None] = lambda step: None,
) -> AdapterCard:
    """The registered adapter. `parent`: one to go on with (its base is taken); `data`: folders of `osler adapt data`.

    Raises MissingComponent without the extra `train`, InputError for data, recipe or memory that won't do,
    TrainingFailed where the loss is no number or the disk full.
    """
    wanted, target = read_recipe(recipe, changes), folder_of(name, settings)
    if target.exists():
        raise InputError("there is an adapter of this name", where=name, hint="Take another name, or remove it.")
    if parent is not None:
        before = read_card(parent, settings)
        base = before.base
    rows, materials = _material(data, LEARNS[wanted.stage])
    if wanted.training.balance:
        rows = balanced(rows)
    weights = base_weights(base, settings)
    licences = [*(one for material in materials for one in material.licences), weights.header.licence or "unknown"]
    plan = Plan(name, wanted, base, parent, materials, " AND ".join(dict.fromkeys(licences)))
    work = _workplace(plan, weights.digest, settings)
    return _trained(plan, load_base(base, settings), rows, work, settings, watch)


def _material(folders: Sequence[Path], kind: str) -> tuple[list[dict[str, Any]], list[Material]]:
    """The training rows of a kind, and what they come from. Raises InputError where a folder has none."""
    rows, materials = list[dict[str, Any]](), list[Material]()
    for folder in folders:
        path, sheet = folder / f"{kind}.train.jsonl", folder / "datasheet.json"
        if not sheet.is_file():
            hint = "`osler adapt data` makes one: licence, privacy and leaks are checked there."
            raise InputError("no data sheet in this folder", where=str(folder), hint=hint)
        if not path.is_file():
            raise InputError(f"the folder has no {kind} data", where=str(folder), hint=f"{path.name} is missing.")
        said: Any = json.loads(sheet.read_bytes())
        if said["outputs"].get(path.name) != file_digest_of(path):
            raise InputError("the file is not the one of its data sheet (sha256 differs)", where=str(path))
        found = list(json_rows(path))
        licences = list(dict.fromkeys(str(source["licence"]) for source in said["sources"]))
        materials.append(Material(path=folder.name, sha256=file_digest_of(sheet), rows=len(found), licences=licences))
        rows += found
    if not rows:
        raise InputError("there is nothing to learn from", where=", ".join(map(str, folders)))
    return rows, materials


def balanced(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and again those whose short answer is rarer than the commonest one, in turn, until each is as frequent;
    rows of long answers stand once."""
    by_answer: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        answer = str(row["messages"][-1]["content"]) if "messages" in row else ""
        if 0 < len(answer) <= SHORT:
            by_answer.setdefault(answer, []).append(row)
    most = max(map(len, by_answer.values()), default=0)
    return rows + [mine[k % len(mine)] for mine in by_answer.values() for k in range(most - len(mine))]


def file_digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _workplace(plan: Plan, base_digest: str, settings: Settings) -> Path:
    """The folder of a training on its way, kept until it is whole."""
    work = settings.home / "adapters" / f".{plan.name}"
    kept, mine = work / "plan.json", plan.digest(base_digest)
    if kept.exists() and json.loads(kept.read_bytes())["digest"] != mine:
        hint = f"Give the same command as before to go on with it, or delete {work}."
        raise InputError("another training of this name was begun and not finished", where=plan.name, hint=hint)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(kept, json.dumps({"digest": mine}).encode())
    return work


def _trained(
    plan: Plan, base: Base, rows: list[dict[str, Any]], work: Path, settings: Settings, watch: Callable[[Step], None]
) -> AdapterCard:
    from transformers import PrinterCallback, set_seed
    from transformers.trainer_utils import get_last_checkpoint

    from osler.adaptation.stages import trainer

    set_seed(plan.recipe.training.seed)
    if plan.parent is not None:
        import peft

        trained = folder_of(plan.parent, settings)
        base = base._replace(model=peft.PeftModel.from_pretrained(base.model, str(trained), is_trainable=True))
    parameters = sum(one.numel() for one in base.model.parameters())
    checkpoints = work / "checkpoints"
    size = 12 * parameters if plan.recipe.lora is None else parameters // 2
    made = trainer(plan.recipe, base, rows, checkpoints, [reporter(work, watch, size)])
    made.remove_callback(PrinterCallback)
    learning = sum(one.numel() for one in made.model.parameters() if one.requires_grad)
    check(need(base.model.config, parameters, learning, plan.recipe, free_memory()))
    began = time.monotonic()
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    try:
        made.train(resume_from_checkpoint=last)
    except OSError as error:
        raise TrainingFailed(f"the training stopped: {error.strerror}", where=str(work)) from None
    made.save_model(str(work))
    card = _card(plan, base, made, rows, work, time.monotonic() - began)
    card = _back(card, plan, base, made, rows, work, settings)
    shutil.rmtree(checkpoints, ignore_errors=True)
    work.rename(folder_of(plan.name, settings))
    write_card(card, settings)
    Ledger.open(settings).append("adapter", {"what": "trained", "card": card.model_dump(mode="json")})
    return card


def _card(plan: Plan, base: Base, made: Any, rows: list[Any], work: Path, seconds: float) -> AdapterCard:
    steps = {row["step"]: row for row in map(json.loads, (work / "progress.jsonl").read_text().splitlines())}
    losses = [row["loss"] for row in steps.values() if row["loss"] is not None]
    rates = sorted(row["tokens"] for row in steps.values() if row["tokens"])
    part = max(1, len(losses) // 10)
    versions = {name: metadata.version(name) for name in PACKAGES} | {"osler": __version__}
    return AdapterCard(
        name=plan.name,
        stage=plan.recipe.stage,
        base=plan.base,
        base_digest=base.weights.digest,
        parent=plan.parent,
        recipe=plan.recipe.model_dump(mode="json"),
        data=plan.data,
        versions=versions,
        steps=int(made.state.global_step),
        rows=len(rows),
        seconds=round(seconds, 1),
        losses=(sum(losses[:part]) / part, sum(losses[-part:]) / part),
        tokens_per_second=rates[len(rates) // 2] if rates else None,
        licence=plan.licence,
        made=now(),
    )


def _alone(model: Any, plan: Plan, base: Base, prompts: list[Any], settings: Settings) -> Any:
    from osler.adaptation.serving import agreement

    with model.disable_adapter():
        return agreement(model, base, plan.base, prompts, settings)


def _back(
    card: AdapterCard, plan: Plan, base: Base, made: Any, rows: list[Any], work: Path, settings: Settings
) -> AdapterCard:
    """The card with the file that serves and its agreement with torch. Raises TrainingFailed where they don't agree."""
    from osler.adaptation.serving import agreement, prompts_for, write_lora, write_whole

    if plan.recipe.stage == "reward":
        return card
    model = made.accelerator.unwrap_model(made.model, keep_fp32_wrapper=False).eval()
    name = "model.gguf" if plan.recipe.lora is None else "adapter.gguf"
    if plan.recipe.lora is None:
        write_whole(model.state_dict(), base, work / name)
        spec, served = f"gguf:{work / name}", settings
    else:
        write_lora(model, base, work / name)
        models = settings.models.model_copy(update={"adapter": str(work / name)})
        spec, served = plan.base, settings.model_copy(update={"models": models})
    prompts = prompts_for(rows)
    found = agreement(model, base, spec, prompts, served)
    if (
        plan.recipe.lora is not None
        and not found.holds()
        and not found.holds(_alone(model, plan, base, prompts, settings))
    ):
        said = f"the runtime and torch disagree after the way back: {found}"
        raise TrainingFailed(said, where=str(work), hint="Nothing was registered.")
    path = work / name
    return card.model_copy(
        update={
            "file": name,
            "digest": file_digest(path, settings.home),
            "size": path.stat().st_size,
            "agreement": {key: round(value, 4) for key, value in found._asdict().items()},
        }
    )
