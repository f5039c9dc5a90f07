"""What a training will need of memory, estimated before it starts, and whether the machine has it.

A rough upper estimate for decoder models (weights, gradients, Adam's two moments, activations that are kept for the way
back, and the logits, which weigh most with a small model); it knows no kernel's own buffers.
"""

from typing import Any, NamedTuple

from osler.adaptation.recipe import Recipe
from osler.errors import InputError

FLOAT = 4  # bytes


class Need(NamedTuple):
    """Bytes."""

    weights: int
    training: int
    activations: int
    free: int

    @property
    def whole(self) -> int:
        return self.weights + self.training + self.activations


def need(config: Any, parameters: int, trained: int, recipe: Recipe, free: int) -> Need:
    """`config`: of transformers; `parameters` and `trained`: numbers of weights, and of those that are trained."""
    tokens = recipe.training.batch * recipe.training.length
    # Two sequences a pair, and the tied model's passes as well; a group of answers a question.
    many = {"prefer": 4, "reward": 2, "grpo": 2}.get(recipe.stage, 1)
    layer = 14 * config.hidden_size + 3 * config.intermediate_size
    kept = tokens * many * (config.num_hidden_layers * layer + 4 * config.vocab_size)
    kept += recipe.training.batch * many * config.num_attention_heads * recipe.training.length**2 * 2
    return Need(parameters * FLOAT, trained * 4 * FLOAT, kept * FLOAT, free)


def free_memory() -> int:
    """Bytes that a training may take now: of the GPU if there is one, else of the machine."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def check(needed: Need) -> None:
    """Raises InputError if it can't fit."""
    if needed.whole > needed.free:
        said = f"this training needs about {_gigabytes(needed.whole)}, {_gigabytes(needed.free)} are free"
        hint = "Make training.batch or training.length smaller (and training.accumulate larger)."
        raise InputError(said, hint=hint)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
