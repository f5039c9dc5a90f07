"""Progress on standard error for what takes over a second: rate and time left, silent where nobody watches.

It does not know what is being done.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from osler.reasoning.resources import Resources

Report = Callable[[int, int], None]


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """A callback `report(done, total)` that draws a bar on a terminal, from its first call on; silent elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
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

    def report(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        bar.stop()


def prepare(resources: Resources) -> None:
    """Open the library: its first use in a home unpacks the starter, under a bar."""
    with progress("Unpacking the starter library") as report:
        resources.open_library(report)
