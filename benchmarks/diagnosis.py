"""Ranking of published rare-disease cases, with the case's own publication taken out of the annotations first.

python benchmarks/diagnosis.py --cases phenopackets_dev.jsonl.gz [--every N]   prints the table of diagnosis.md
"""

import argparse
import gzip
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.diagnosis import load_ranker, prepare
from osler.knowledge.diagnosis.index import Matrix, distinct, sublists
from osler.knowledge.diagnosis.scoring import View, score, shared_information, view

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = np.array([], dtype=np.int64)
RESAMPLES = 2000


def lr_bma(seen: View, observed: Ints, excluded: Ints) -> Floats:
    return score(seen, observed, NONE, NONE).total


def lr_bma_excluded(seen: View, observed: Ints, excluded: Ints) -> Floats:
    return score(seen, observed, excluded, NONE).total


def resnik_bma(seen: View, observed: Ints, excluded: Ints) -> Floats:
    """Mean of the best matches both ways, each match the information of the most specific common ancestor."""
    return _patched(seen, observed, _resnik)


def tf_idf_cosine(seen: View, observed: Ints, excluded: Ints) -> Floats:
    """Cosine of the term sets with their ancestors, each term weighing its information."""
    return _patched(seen, observed, _cosine)


METHODS: dict[str, Callable[[View, Ints, Ints], Floats]] = {
    "lr_bma": lr_bma,
    "lr_bma, excluded findings at a tenth (`rank`)": lr_bma_excluded,
    "Resnik BMA": resnik_bma,
    "tf-idf cosine": tf_idf_cosine,
}


def _patched(seen: View, observed: Ints, part: Callable[[View, Matrix, Ints], Floats]) -> Floats:
    values = part(seen, seen.whole.matrix, observed)
    if seen.matrix is not None:
        values[seen.changed] = part(seen, seen.matrix, observed)
    return np.where(seen.heard, values, -np.inf)


def _resnik(seen: View, matrix: Matrix, observed: Ints) -> Floats:
    forward = np.zeros(matrix.size)
    for term in observed.tolist():
        best = np.zeros(matrix.size)
        above = seen.whole.ancestors.of(term)
        for ancestor in above[np.argsort(seen.information[above], kind="stable")].tolist():
            best[matrix.carried.of(ancestor)] = seen.information[ancestor]
        forward += best
    if not len(matrix.direct.items):
        return forward
    terms = distinct(matrix.direct.items)
    shared = np.zeros(seen.whole.terms)
    shared[terms] = shared_information(seen, observed, sublists(seen.whole.ancestors, terms))
    counts = np.diff(matrix.direct.bounds)
    owner = np.repeat(np.arange(matrix.size), counts)
    reverse = np.bincount(owner, shared[matrix.direct.items], matrix.size) / np.maximum(counts, 1)
    return forward / len(observed) + reverse


_norms: dict[int, Floats] = {}


def _cosine(seen: View, matrix: Matrix, observed: Ints) -> Floats:
    above, _ = seen.whole.ancestors.gather(observed)
    product = np.zeros(matrix.size)
    for ancestor in distinct(above).tolist():
        product[matrix.carried.of(ancestor)] += seen.information[ancestor] ** 2
    norm = _norms.get(id(matrix)) if matrix is seen.whole.matrix else None
    if norm is None:
        terms = np.repeat(np.arange(seen.whole.terms), np.diff(matrix.carried.bounds))
        norm = np.sqrt(np.bincount(matrix.carried.items, seen.information[terms] ** 2, matrix.size))
        if matrix is seen.whole.matrix:
            _norms[id(matrix)] = norm
    cosine: Floats = product / np.maximum(norm, 1e-9)
    return cosine


def ranks_of(cases: list[dict[str, Any]], own_paper: bool) -> tuple[dict[str, Floats], dict[str, float]]:
    """Rank of the right disease by method (inf: not ranked; ties in the worst place), and CPU ms a case."""
    ranker = load_ranker()
    ranks: dict[str, list[float]] = {name: [] for name in METHODS}
    spent = dict.fromkeys(METHODS, 0.0)
    for case in cases:
        query = prepare(ranker.graph, case["observed"], case["excluded"])
        observed = np.array(sorted(ranker.graph.position(i) or 0 for i in query.observed), dtype=np.int64)
        excluded = np.array(sorted(ranker.graph.position(i) or 0 for i in query.excluded), dtype=np.int64)
        right = ranker.place.get(ranker.graph.canonical(case["mondo"]) or "")
        for name, method in METHODS.items():
            begin = time.process_time()
            seen = view(ranker.index, NONE if own_paper else ranker.index.rows_with(case["pmid"]))
            total = method(seen, observed, excluded)
            spent[name] += time.process_time() - begin
            found = right is not None and total[right] > -np.inf
            ranks[name].append(float(np.count_nonzero(total >= total[right])) if found else np.inf)
    return {n: np.array(r) for n, r in ranks.items()}, {n: 1000 * s / len(cases) for n, s in spent.items()}


def by_disease(hits: Floats, groups: Ints) -> tuple[Floats, Floats]:
    """Hits and cases of each disease."""
    return np.bincount(groups, hits).astype(np.float64), np.bincount(groups).astype(np.float64)


def interval(values: list[float]) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def bootstrap(hits: Floats, cases: Floats, macro: bool, draws: Ints) -> list[float]:
    """The figure in resamples of diseases."""
    if macro:
        return [float((hits / cases)[draw].mean()) for draw in draws]
    return [float(hits[draw].sum() / cases[draw].sum()) for draw in draws]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    arguments = parser.parse_args()
    with gzip.open(arguments.cases, "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file][:: arguments.every]
    names = sorted({case["mondo"] for case in cases})
    groups = np.array([names.index(case["mondo"]) for case in cases])
    draws = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    ranker = load_ranker()
    versions = {name: ranker.graph.versions[name] for name in ("hpo", "hpoa", "mondo")}
    print(f"n = {len(cases)} cases, {len(names)} diseases; {len(ranker.disease_ids)} diseases ranked.")
    print(f"Knowledge {versions}; Python {platform.python_version()}, numpy {np.__version__}.\n")
    measured: dict[str, Floats] = {}
    for title, own_paper in (
        ("leave-one-publication-out", False),
        ("naive: CONTAMINATED by the cases' own papers", True),
    ):
        ranks, spent = ranks_of(cases, own_paper)
        print(f"**{title}**\n")
        print("| method | micro top-1 | micro top-10 | macro top-1 | macro top-10 | not ranked | CPU ms/case |")
        print("|---|---|---|---|---|---|---|")
        for name in METHODS:
            cells = []
            for macro in (False, True):
                for depth in (1, 10):
                    hits, sizes = by_disease((ranks[name] <= depth).astype(np.float64), groups)
                    value = (hits / sizes).mean() if macro else hits.sum() / sizes.sum()
                    cells.append(f"{100 * value:.1f} {interval(bootstrap(hits, sizes, macro, draws))}")
            lost = int(np.isinf(ranks[name]).sum())
            print(f"| {name} | {' | '.join(cells)} | {lost} | {spent[name]:.1f} |")
        print()
        measured = measured or ranks
    print("**Paired differences to lr_bma, leave-one-publication-out, macro, points**\n")
    print("| method | top-1 | top-10 |\n|---|---|---|")
    for name in list(METHODS)[1:]:
        cells = []
        for depth in (1, 10):
            gain = (measured["lr_bma"] <= depth).astype(np.float64) - (measured[name] <= depth)
            hits, sizes = by_disease(gain, groups)
            cells.append(f"{100 * (hits / sizes).mean():+.1f} {interval(bootstrap(hits, sizes, True, draws))}")
        print(f"| lr_bma - {name} | {' | '.join(cells)} |")
    rank_time = []
    for case in cases[:: max(1, len(cases) // 300)]:
        begin = time.process_time()
        ranker.rank(case["observed"], case["excluded"], case["pmid"])
        rank_time.append(1000 * (time.process_time() - begin))
    median, tail = np.percentile(rank_time, [50, 95])
    print(f"\n`rank` with its top 100 as nouns, n = {len(rank_time)}: median {median:.1f}, p95 {tail:.1f} CPU ms.")


if __name__ == "__main__":
    main()
