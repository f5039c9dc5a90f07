"""A recipe of training: one TOML file a stage, in `recipes/` or of the user's own, with all that may be changed.

It does not know how a stage is trained (`stages.py`).
"""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osler.errors import InputError

Stage = Literal["pretrain", "instruct", "reward", "prefer", "grpo"]
# What a stage learns from: rows of `osler adapt data`.
LEARNS: dict[str, str] = {
    "pretrain": "plain",
    "instruct": "instruction",
    "reward": "preference",
    "prefer": "preference",
    "grpo": "instruction",
}


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(Part):
    """Low-rank adaptation (Hu et al. 2021) of the named linear layers."""

    rank: int = Field(default=16, ge=1, le=512)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Training(Part):
    """`length`: tokens of a row at most. `accumulate`: batches of `batch` rows behind one step of the optimiser."""

    epochs: float = Field(default=1, gt=0)
    steps: int = Field(default=-1, ge=-1, description="steps of the optimiser; -1: as many as the epochs have")
    learning_rate: float = Field(default=2e-4, gt=0)
    batch: int = Field(default=4, ge=1)
    accumulate: int = Field(default=1, ge=1)
    length: int = Field(default=512, ge=16)
    warmup: float = Field(default=0.03, ge=0, le=1)
    seed: int = Field(default=0, ge=0)
    balance: bool = Field(default=False, description="rows of rare short answers repeated until all are as frequent")
    keep_every: int = Field(default=50, ge=1, description="steps between two checkpoints")


class Recipe(Part):
    """`lora` null: all weights are trained. `beta`: strength of the tie to the model as it was (DPO, GRPO);
    `answers`, `longest`: answers drawn for a question and their tokens (GRPO)."""

    stage: Stage
    about: str
    lora: Lora | None = Lora()
    training: Training = Training()
    beta: float = Field(default=0.1, ge=0)
    answers: int = Field(default=4, ge=2)
    longest: int = Field(default=128, ge=1)


def recipes() -> dict[str, Recipe]:
    """The shipped recipes by name."""
    found = sorted(files("osler.adaptation").joinpath("recipes").iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): _read(file.read_text("utf-8"), file.name)
        for file in found
        if file.name.endswith(".toml")
    }


def read_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """A shipped recipe by name or a user's file, with `changes` as KEY=VALUE (`training.epochs=2`, `lora=none`).

    Raises InputError naming the recipe and the key that is none.
    """
    path = Path(name)
    own = path.suffix == ".toml" and path.is_file()
    made = _read(path.read_text(encoding="utf-8"), str(path)) if own else recipes().get(name)
    if made is None:
        raise InputError(f"no recipe {name!r}", hint=f"Known: {', '.join(recipes())}; or a TOML file.")
    table = made.model_dump()
    for change in changes:
        key, found, value = change.partition("=")
        section, _, field = key.rpartition(".")
        place = table.get(section) if section else table
        if not found or not isinstance(place, dict) or field not in place:
            raise InputError(f"{change!r} changes nothing of a recipe", hint="For example training.epochs=2.")
        place[field] = None if value == "none" else value
    return _valid(table, name)


def _read(text: str, where: str) -> Recipe:
    try:
        return _valid(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=where) from None


def _valid(table: dict[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=where) from None
