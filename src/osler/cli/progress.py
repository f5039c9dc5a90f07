"""Progress on standard error for what takes over a second: rate and time left, silent where nobody watches.

It does not know what is being done.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from osler.reasoning.resources import Resources

Report = Callable[..., None]


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """A callback `report(done, total, said)` that draws a bar on a terminal, from its first call on; else silent."""
    if not sys.stderr.isatty():
        yield lambda done, total, said="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Task as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Bar) -> Text:
            return Text(f"{task.speed:,.3g}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=None)

    def report(done: int, total: int, said: str = "") -> None:
        bar.start()
        bar.update(task, completed=done, total=total, description=said or title)

    try:
        yield report
    finally:
        bar.stop()


@contextmanager
def steps(title: str) -> Iterator[Callable[[Any], None]]:
    """The same for the steps of a training: with its loss, and tokens a second."""
    with progress(title) as report:

        def watch(step: Any) -> None:
            rate = f", {step.tokens:,.0f} tokens/s" if step.tokens else ""
            report(step.step, step.steps, f"{title}: loss {step.loss:.3f}{rate}")

        yield watch


def prepare(resources: Resources) -> None:
    """Open the library: its first use in a home unpacks the starter, under a bar."""
    with progress("Unpacking the starter library") as report:
        resources.open_library(report)
