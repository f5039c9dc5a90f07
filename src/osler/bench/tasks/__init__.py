"""The bench's tasks by name. A task is one file of this folder: its items, what they are and how they are read.

A set of questions is a TOML file (its keys: `choice.QuestionSet`), every other task a module with `TASKS`.
"""

import functools
import importlib
import pkgutil
import tomllib
from importlib.resources import files
from pathlib import Path

from osler.bench.choice import QuestionSet
from osler.bench.task import Task
from osler.errors import InputError


@functools.cache
def tasks() -> dict[str, Task]:
    """Every task, by name."""
    found: list[Task] = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").TASKS
    for file in files(__name__).iterdir():
        if file.name.endswith(".toml"):
            found.append(QuestionSet(tomllib.loads(file.read_text(encoding="utf-8"))))
    return {task.name: task for task in sorted(found, key=lambda task: task.name)}


def find_task(name: str) -> Task:
    """The task of a name, or of a user's task file (YAML or JSON Lines). Raises InputError naming the known ones."""
    if name.endswith((".yaml", ".yml", ".jsonl", ".jsonl.gz")):
        from osler.bench.own import own_task

        return own_task(Path(name))
    if name not in tasks():
        raise InputError(f"unknown task {name!r}", hint=f"Known: {', '.join(tasks())}.")
    return tasks()[name]
