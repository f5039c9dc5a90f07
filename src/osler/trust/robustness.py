"""The audit of robustness: do small changes that should not matter turn a model's answers, and do those that should?"""

from osler.bench.runner import run
from osler.bench.task import Bench, Progress
from osler.bench.tasks import find_task
from osler.nouns import Measurement
from osler.settings import Settings
from osler.trust.audit import TASKS, audited, configured, table
from osler.trust.rules import of_bench
from osler.trust.variants import changes

TRAPS = ("medhalt_fake", "medsafety")  # false premises; requests to be refused, and harmless ones that look alike


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """The rows of all changes over the tasks' report parts. Where no task is named, also what the model does with false
    premises and unsafe requests, and what Osler's own rules find in changed texts. Raises what the runner raises."""
    mine = configured(settings, model)
    bench, every = Bench(mine), list(changes().values())
    audits = [audited(name, every, bench, method, limit=limit, progress=progress) for name in tasks or TASKS]
    if tasks:
        return table(audits)
    rows = table([*audits, *of_bench(bench, limit)])
    for name in TRAPS:
        fits = method if method in find_task(name).methods() else None
        rows += run(name, mine, fits, limit=limit, progress=progress).measurements
    return rows
