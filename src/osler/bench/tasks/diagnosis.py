"""Published rare-disease cases as HPO terms (Phenopacket Store, Danis et al. 2025): where does the right disease stand?

The rows of a case's own publication are taken out of the graph before it is ranked. No constant of the ranking may be
chosen on all of it: `splits.fold` cuts it by disease for that; here every case reports.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.bench.figures import BESIDE, Figure, Reply, figure
from osler.bench.task import Bench, Task, rows
from osler.knowledge.diagnosis.ranking import Patient, load_ranker
from osler.statistics import mean_interval

DEPTHS = (1, 5, 10)
METRICS = ("top-1", "top-5", "top-10", "reciprocal rank")


class Item(NamedTuple):
    """`group`: the disease. `references`: the case's own publications."""

    id: str
    group: str
    observed: list[str]
    excluded: list[str]
    sex: str | None
    references: list[str]


class Kind(Task):
    prompts = DEPTHS

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            yield Item(row["case_id"], row["mondo"], row["observed"], row["excluded"], row["sex"], row["pmid"])

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        ranker = load_ranker()
        scores = ranker.score(item.observed, item.excluded, item.references, Patient(item.sex))
        right = ranker.place.get(ranker.graph.canonical(item.group) or "")
        why: str | None = "no finding can be used"
        place, best = None, None
        if scores is not None:
            total = scores.total
            best = [ranker.disease_ids[k] for k in np.argsort(-total, kind="stable")[:10].tolist()]
            ranked = right is not None and total[right] > -np.inf
            place = int(np.count_nonzero(total >= total[right])) if ranked else None  # ties count as worse
            why = None if ranked else "the disease is not ranked"
        hits = {f"top-{depth}": float(place is not None and place <= depth) for depth in DEPTHS}
        chance = {f"random{BESIDE}top-{depth}": depth / len(ranker.disease_ids) for depth in DEPTHS}
        rank = {"reciprocal rank": 1 / place if place else 0.0}
        return self.reply(item, best, scores={**hits, **rank, **chance}, why=why)

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        first = sorted(METRICS, key=lambda metric: metric != self.headline)
        micro = [figure(metric, replies, f"{metric}, micro") for metric in first]
        return [*micro, *(_macro(metric, replies) for metric in METRICS)]


def _macro(metric: str, replies: Sequence[Reply]) -> Figure:
    """The mean of the diseases' means; `n` counts diseases."""
    by_disease: dict[str, list[float]] = {}
    for reply in replies:
        by_disease.setdefault(reply.group, []).append(reply.scores[metric])
    means = [float(np.mean(values)) for values in by_disease.values()]
    return Figure(f"{metric}, macro by disease", float(np.mean(means)), mean_interval(means), len(means))
