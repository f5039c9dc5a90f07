"""The bench's tasks by name. A task is one file of this folder: its items, what they are and how they are read.

A file holds `TASK`, or `TASKS` where several share all but their data.
"""

import functools
import importlib
import pkgutil
from pathlib import Path

from osler.bench.task import Task
from osler.errors import InputError


@functools.cache
def tasks() -> dict[str, Task]:
    """Every task, by name."""
    found: dict[str, Task] = {}
    for module in pkgutil.iter_modules(__path__):
        made = importlib.import_module(f"{__name__}.{module.name}")
        found |= {task.name: task for task in getattr(made, "TASKS", None) or (made.TASK,)}
    return dict(sorted(found.items()))


def find_task(name: str) -> Task:
    """The task of a name, or of a user's task file (YAML or JSON Lines). Raises InputError naming the known ones."""
    if name.endswith((".yaml", ".yml", ".jsonl", ".jsonl.gz")):
        from osler.bench.own import own_task

        return own_task(Path(name))
    if name not in tasks():
        raise InputError(f"unknown task {name!r}", hint=f"Known: {', '.join(tasks())}.")
    return tasks()[name]
