"""The audit of privacy: how many identifiers a text keeps that Osler sends to a model, and what an adapter memorised.

The second is read from the adapter's card, where `osler adapt memorised` put it: only who has the training data can
measure it.
"""

from osler.bench.runner import run
from osler.bench.task import Progress
from osler.models.adapters import AdapterCard, read_card
from osler.nouns import Measurement
from osler.settings import Settings

TASKS = ("deid_asq_phi", "deid_presidio")
MISSING = "what a model memorised of its training data (that needs the data; for an adapter: `osler adapt memorised`)"


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """The rows of the bench's de-identification tasks (Osler's own, whatever is audited), and an adapter's memory."""
    rows = [row for name in TASKS for row in run(name, settings, limit=limit, progress=progress).measurements]
    return rows + (_memory(read_card(model.removeprefix("adapter:"), settings)) if model.startswith("adapter:") else [])


def _memory(card: AdapterCard) -> list[Measurement]:
    return [
        Measurement(
            task="memorised",
            model=f"adapter:{card.name}",
            method=None,
            metric=row["what"],
            value=row["after"],
            interval=row["interval"],
            n=row["n"],
            baseline={"before": row["before"]},
            split="train",
            versions=card.versions,
            seconds=0.0,
        )
        for row in (card.memorised or {"rows": []})["rows"]
    ]
