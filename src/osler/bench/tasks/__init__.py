"""The bench's tasks by name. A task is one file of this folder: its items, what they are and how they are read."""

import functools
import importlib
import pkgutil

from osler.bench.choice import ChoiceTask
from osler.errors import InputError


@functools.cache
def tasks() -> dict[str, ChoiceTask]:
    """Every task, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        task: ChoiceTask = importlib.import_module(f"{__name__}.{module.name}").TASK
        found[task.name] = task
    return dict(sorted(found.items()))


def find_task(name: str) -> ChoiceTask:
    """The task of a name. Raises InputError naming the known ones."""
    if name not in tasks():
        raise InputError(f"unknown task {name!r}", hint=f"Known: {', '.join(tasks())}.")
    return tasks()[name]
