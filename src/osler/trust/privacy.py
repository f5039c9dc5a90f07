"""The audit of privacy that needs no training data: how many identifiers a text keeps that Osler sends to a model."""

from osler.bench.runner import run
from osler.bench.task import Progress
from osler.nouns import Measurement
from osler.settings import Settings

TASKS = ("deid_asq_phi", "deid_presidio")
MISSING = "whether the model has memorised its training data: that needs the data (canaries, membership inference)"


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """The rows of the bench's de-identification tasks: of Osler's rules, whichever model is audited."""
    return [row for name in TASKS for row in run(name, settings, limit=limit, progress=progress).measurements]
