"""The bench's tasks by name. Each is a TOML file of this folder that says what it is.

A set of questions says which field is what (`choice.QuestionSet`); every other task names its kind, the module of this
folder that reads, poses and scores.
"""

import functools
import importlib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from osler.bench.choice import QuestionSet
from osler.bench.task import Task
from osler.errors import InputError


@functools.cache
def tasks() -> dict[str, Task]:
    """Every task, by name."""
    texts = [file.read_text(encoding="utf-8") for file in files(__name__).iterdir() if file.name.endswith(".toml")]
    found = [_task(tomllib.loads(text)) for text in texts]
    return {task.name: task for task in sorted(found, key=lambda task: task.name)}


def _task(keys: dict[str, Any]) -> Task:
    if "kind" not in keys:
        return QuestionSet(keys)
    made: Task = importlib.import_module(f"{__name__}.{keys.pop('kind')}").Kind(keys)
    return made


def find_task(name: str) -> Task:
    """The task of a name, or of a user's task file (YAML or JSON Lines). Raises InputError naming the known ones."""
    if name.endswith((".yaml", ".yml", ".jsonl", ".jsonl.gz")):
        from osler.bench.own import own_task

        return own_task(Path(name))
    if name not in tasks():
        raise InputError(f"unknown task {name!r}", hint=f"Known: {', '.join(tasks())}.")
    return tasks()[name]
