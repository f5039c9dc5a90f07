"""What a training says while it runs: a line a step in `progress.jsonl`, the same for whoever watches, and a stop where
the loss is no number or the disk is full. It does not know stages.
"""

import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from osler.errors import OslerError

SPARE = 2  # checkpoints that must fit on the disk, at the least, so that a save can't fail half-way


class Step(NamedTuple):
    """`tokens`: a second, null where the stage doesn't count them; `left`: seconds."""

    step: int
    steps: int
    loss: float | None
    tokens: float | None
    left: float


class TrainingFailed(OslerError):
    """Training stopped; what was learned up to the last checkpoint is kept."""

    kind = "training"
    exit_code = 1


def reporter(folder: Path, watch: Callable[[Step], None], checkpoint: int) -> Any:
    """A callback of transformers' Trainer. `checkpoint`: bytes of one."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.began = self.last = time.monotonic()
            self.first: int | None = None
            self.tokens = 0.0

        def on_step_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            if self.first is None:
                self.first, self.began, self.last = state.global_step, time.monotonic(), time.monotonic()
            if state.global_step % args.save_steps == 0 and shutil.disk_usage(folder).free < SPARE * checkpoint:
                hint = "Free some space and give the same command again: it goes on where it stood."
                raise TrainingFailed("the disk is full", where=str(folder), hint=hint)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **more: Any) -> None:
            logs = logs or {}
            loss, now = logs.get("loss"), time.monotonic()
            if loss is None:
                return
            if not math.isfinite(loss) or not math.isfinite(float(logs.get("grad_norm", 0))):
                said = f"the loss of step {state.global_step} is {loss}"
                hint = "Make training.learning_rate smaller, or look at the data for empty answers."
                raise TrainingFailed(said, where=str(folder), hint=hint)
            seen = float(logs.get("num_tokens", 0))
            rate = (seen - self.tokens) / (now - self.last) if seen else None
            done = state.global_step - (self.first or 0)
            left = (now - self.began) / max(1, done) * (state.max_steps - state.global_step)
            self.tokens, self.last = seen, now
            step = Step(state.global_step, state.max_steps, loss, rate, left)
            with (folder / "progress.jsonl").open("a", encoding="utf-8") as out:
                out.write(json.dumps(step._asdict()) + "\n")
            watch(step)

    return Reporter()
