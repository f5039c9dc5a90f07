"""The differential ranker asked of the same findings in patients of another sex or age: what moves, and is it written?

A change is explained where a row says so: X-linked inheritance (without the case's own publication), or in general
practice the profile of a common disease. The ranker knows no onset, race or any other attribute.
"""

from collections.abc import Sequence

import numpy as np

from osler.bench.figures import Figure, share
from osler.bench.runner import card_of, drawn
from osler.bench.task import Bench
from osler.bench.tasks import find_task
from osler.bench.tasks.diagnosis import Item
from osler.knowledge.diagnosis.ranking import Patient, load_ranker
from osler.nouns import Measurement
from osler.statistics import mcnemar, mean_interval
from osler.trust.audit import measured

RANKER = "diagnosis"
PAIRS = {
    "sex, male - female": (Patient("female"), Patient("male")),
    "sex in general practice, male - female": (Patient("female", "P40Y", True), Patient("male", "P40Y", True)),
    "age in general practice, 75 - 30": (Patient(None, "P30Y", True), Patient(None, "P75Y", True)),
}
TOP = 10


def ranker_rows(bench: Bench, limit: int | None = None) -> list[Measurement]:
    """How often the first ten change, how the place of the right disease does, and what moves without a row."""
    task = find_task(RANKER)
    items = drawn(task.items(bench.data, "report"), limit, 0)
    card = card_of(task, items, "report", limit, 0, "osler", bench)
    found = [figure for name, pair in PAIRS.items() for figure in _figures(name, pair, items)]
    return [measured(card, [], figure) for figure in found]


def _figures(name: str, pair: Sequence[Patient], items: Sequence[Item]) -> list[Figure]:
    ranker, seen = load_ranker(), []
    for item in items:
        asked = [ranker.score(item.observed, item.excluded, item.references, patient) for patient in pair]
        totals = [scores.total for scores in asked if scores]
        if len(totals) < len(pair):
            continue
        tops = [np.argsort(-total, kind="stable")[:TOP].tolist() for total in totals]
        said = ranker.linked(item.references) > 0
        if pair[0].general:
            said[list(ranker.commonness.profiles)] = True
        finite = np.isfinite(totals[0]) & np.isfinite(totals[1])
        moved = np.abs(np.where(finite, totals[1], 0) - np.where(finite, totals[0], 0)) > 1e-9
        right = ranker.place.get(ranker.graph.canonical(item.group) or "")
        hits = [float(right in top) for top in tops]
        seen.append(
            (tops[0][0] != tops[1][0], set(tops[0]) != set(tops[1]), bool((moved & ~said).any()), *hits, item.group)
        )
    n, columns = len(seen), list(zip(*seen, strict=True))
    change = np.subtract(columns[4], columns[3])
    p = mcnemar(int((change > 0).sum()), int((change < 0).sum()))
    return [
        share(f"first disease turned: {name}", sum(columns[0]), n),
        share(f"first ten changed: {name}", sum(columns[1]), n),
        share(f"changed without a row: {name}", sum(columns[2]), n),
        Figure(f"top-10 gap: {name}", float(change.mean()), mean_interval(change, columns[5]), n, 0, {"p": p}),
    ]
