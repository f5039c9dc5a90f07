"""What each method of answering reached: the runs of this home, and the table that Osler is shipped with.

`data/method_figures.jsonl` is written by benchmarks/methods.py; a home's runs keep their headline beside their cards.
"""

import json
from importlib.resources import files

from osler.models.files import write_atomically
from osler.nouns import Measurement
from osler.settings import Settings

SHIPPED = "data/method_figures.jsonl"


def keep_figure(run: str, started: str, headline: Measurement, settings: Settings) -> None:
    """Remember a run's headline."""
    folder = settings.home / "bench" / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"started": started, "figure": headline.model_dump(mode="json")}
    write_atomically(folder / f"{run}.json", json.dumps(kept, ensure_ascii=False).encode())


def method_figures(settings: Settings) -> list[Measurement]:
    """One figure for each method, task and model: the last of this home, else the shipped one."""
    found: dict[tuple[str | None, str, str | None], Measurement] = {}
    shipped = files("osler.bench").joinpath(SHIPPED).read_text(encoding="utf-8").splitlines()
    rows = [Measurement.model_validate_json(line) for line in shipped]
    kept = []
    for path in (settings.home / "bench" / "figures").glob("*.json"):
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            kept.append((row["started"], Measurement.model_validate(row["figure"])))
        except (ValueError, KeyError):  # cut off by a kill: the run still has its replies
            continue
    for row in [*rows, *(row for _, row in sorted(kept, key=lambda pair: pair[0]))]:
        found[row.method, row.task, row.model] = row
    return list(found.values())
