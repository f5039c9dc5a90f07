"""The audit of robustness: do small changes that should not matter turn a model's answers, and do those that should?"""

from osler.bench.task import Bench, Progress
from osler.nouns import Measurement
from osler.settings import Settings
from osler.trust.audit import TASKS, audited, configured, table
from osler.trust.variants import changes


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """The rows of all changes over the tasks' report parts. Raises what the bench's runner raises."""
    bench = Bench(configured(settings, model))
    every = list(changes().values())
    return table([audited(name, every, bench, method, limit=limit, progress=progress) for name in tasks or TASKS])
