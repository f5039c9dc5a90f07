"""Published rare-disease cases as HPO terms (Phenopacket Store, Danis et al. 2025): where does the right disease stand?

The rows of a case's own publication are taken out of the graph before it is ranked. No constant of the ranking may be
chosen on all of it: `splits.fold` cuts it by disease for that; here every case reports.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.bench.statistics import mean_interval
from osler.bench.task import Bench, Figure, Method, Reply, Task, rows
from osler.bench.written import BESIDE, figure

DEPTHS = (1, 5, 10)


class Item(NamedTuple):
    """`group`: the disease. `references`: the case's own publications."""

    id: str
    group: str
    observed: list[str]
    excluded: list[str]
    sex: str | None
    references: list[str]


class Diagnosis(Task):
    name = "diagnosis"
    about = "rare-disease cases, their own publication taken out; all cases are the report part"
    path = "knowledge/phenopackets_dev.jsonl.gz"
    licence = "BSD-3-Clause"
    headline = "top-10"
    prompts = DEPTHS

    def part(self, item: Item) -> str:
        return "report"

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            yield Item(row["case_id"], row["mondo"], row["observed"], row["excluded"], row["sex"], row["pmid"])

    def methods(self) -> dict[str, Method]:
        return {"osler": Method("osler", "the ranking of `osler diagnose`", model=False)}

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return dict(bench.resources.graph.versions)

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        from osler.knowledge.diagnosis.ranking import Patient, load_ranker

        ranker, replies = load_ranker(), []
        for item in items:
            began = time.perf_counter()
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
            seconds = round(time.perf_counter() - began, 4)
            replies.append(Reply(item.id, item.group, best, {**hits, **rank, **chance}, why=why, seconds=seconds))
        return replies

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        metrics = (*(f"top-{depth}" for depth in DEPTHS), "reciprocal rank")
        found = [figure(metric, replies, f"{metric}, micro") for metric in (self.headline, *metrics)]
        return [found[0], *(row for row in found[1:] if row.metric != found[0].metric), *_macro(metrics, replies)]


def _macro(metrics: Sequence[str], replies: Sequence[Reply]) -> list[Figure]:
    """Means of the diseases' means; `n` counts diseases."""
    made = []
    for metric in metrics:
        by_disease: dict[str, list[float]] = {}
        for reply in replies:
            by_disease.setdefault(reply.group, []).append(reply.scores[metric])
        means = [float(np.mean(values)) for values in by_disease.values()]
        made.append(Figure(f"{metric}, macro by disease", float(np.mean(means)), mean_interval(means), len(means)))
    return made


TASK = Diagnosis()
