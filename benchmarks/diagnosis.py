"""Ranking of diseases: published rare-disease cases with their own publication taken out first, and common diseases.

python benchmarks/diagnosis.py --cases phenopackets_dev.jsonl.gz [--every N] [--tune]
python benchmarks/diagnosis.py --osce agentclinic_medqa.jsonl.gz [--part report]

The first prints the tables on rare diseases (`--tune`: constants chosen in four folds by disease, judged on the fifth),
the second those on cases told in words: the OSCE cases and tests/sets/vignettes.jsonl, by way of the recogniser.
"""

import argparse
import gzip
import json
import platform
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.diagnosis import load_ranker, prepare, scoring
from osler.knowledge.diagnosis.index import Matrix
from osler.knowledge.diagnosis.population import sharpness, softmax
from osler.knowledge.diagnosis.ranking import Patient, Ranker
from osler.knowledge.diagnosis.relatives import Relatives, of_groups
from osler.knowledge.diagnosis.scoring import View, score, shared_information, view
from osler.splits import fold, split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NONE = np.array([], dtype=np.int64)
RESAMPLES = 2000
FOLDS = 5
# One constant at a time is moved from where `scoring` has it.
GRID: tuple[tuple[str, float], ...] = (
    ("OWN_ROWS", 10.0), ("OWN_ROWS", 20.0), ("FLOOR", 0.3), ("SPECIFICITY", 0.35), ("OVERLAP", 0.75),
    ("OVERLAP", 3.0), ("REVERSE", 0.3), ("REVERSE", 0.6), ("EXCLUDED", 0.0),
)  # fmt: skip
VIGNETTES = Path(__file__).parents[1] / "tests/sets/vignettes.jsonl"


class Asked(NamedTuple):
    """A case as graph positions."""

    observed: Ints
    excluded: Ints
    sex: str | None
    references: list[str]
    age: str | None = None
    general: bool = False


Method = Callable[[Asked], Floats]


def seen_by(ranker: Ranker, relatives: Relatives, asked: Asked) -> View:
    return view(ranker.index, relatives, ranker.index.citations.citing(asked.references))


def as_shipped(ranker: Ranker, relatives: Relatives) -> Method:
    def method(asked: Asked) -> Floats:
        seen = seen_by(ranker, relatives, asked)
        about = ranker.about(Patient(asked.sex, asked.age, asked.general), len(asked.observed), asked.references)
        return score(seen, asked.observed, asked.excluded, about).total

    return method


def lr_bma(ranker: Ranker, relatives: Relatives) -> Method:
    """The baseline: per finding the maximum over its ancestors a of 1/2 log F - log bg - 1/4 (IC(q) - IC(a)), then
    log(1 + e^x), averaged, plus half the frequency-weighted reverse Resnik."""

    def method(asked: Asked) -> Floats:
        with constants(SPECIFICITY=0.25):
            seen = seen_by(ranker, relatives, asked)
            parts = [np.log1p(np.exp(scoring._both(seen, scoring._match, t))) for t in asked.observed.tolist()]
            back = scoring._both(seen, scoring._reverse, shared_information(seen, asked.observed))
        return np.where(seen.rows > 0, np.mean(parts, axis=0) + 0.5 * back, -np.inf)

    return method


def resnik_bma(ranker: Ranker, relatives: Relatives) -> Method:
    """Mean of the best matches both ways, each match the information of the most specific common ancestor."""
    return lambda asked: _patched(seen_by(ranker, relatives, asked), asked.observed, _resnik)


def methods() -> dict[str, Method]:
    """By name; the baseline first. Baseline and peers read the HPO annotations, as they were published."""
    ranker = load_ranker()
    graph, index = ranker.graph, ranker.index
    sources = np.array([source.name for source in graph.sources])[graph.pack.array("edge_source")[index.edges]]
    hpoa = Ranker(graph, index.edges[sources == "hpoa"])
    alone = of_groups(len(index.diseases), NONE, NONE)
    return {
        "lr_bma (baseline), HPO annotations": lr_bma(hpoa, alone),
        "Resnik BMA, HPO annotations": resnik_bma(hpoa, alone),
        "lr_bma with all rows": lr_bma(ranker, alone),
        "`rank` without relatives": as_shipped(ranker, alone),
        "`rank` on HPO annotations": as_shipped(hpoa, ranker.relatives),
        "`rank`": as_shipped(ranker, ranker.relatives),
    }


@contextmanager
def constants(**values: float) -> Iterator[None]:
    """`scoring` with other constants for a while."""
    kept = {name: getattr(scoring, name) for name in values}
    try:
        for name, value in values.items():
            setattr(scoring, name, value)
        yield
    finally:
        for name, value in kept.items():
            setattr(scoring, name, value)


def _patched(seen: View, observed: Ints, part: Callable[[View, Matrix, Ints], Floats]) -> Floats:
    values = part(seen, seen.whole.matrix, observed)
    if seen.matrix is not None:
        values[seen.changed] = part(seen, seen.matrix, observed)
    return np.where(seen.rows > 0, values, -np.inf)


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
    shared = shared_information(seen, observed)
    counts = np.diff(matrix.direct.bounds)
    owner = np.repeat(np.arange(matrix.size), counts)
    reverse = np.bincount(owner, shared[matrix.direct.items], matrix.size) / np.maximum(counts, 1)
    return forward / len(observed) + reverse


# --- rare diseases: published cases --------------------------------------------------------------------------


def asked_of(case: dict[str, Any], own_paper: bool) -> Asked:
    ranker = load_ranker()
    query = prepare(ranker.graph, case["observed"], case["excluded"])
    references = [] if own_paper else case["pmid"]
    return Asked(ranker.positions(query.observed), ranker.positions(query.excluded), case["sex"], references)


def place_of(total: Floats, right: int | None) -> float:
    """Rank of the right disease (inf: not ranked; ties in the worst place)."""
    found = right is not None and total[right] > -np.inf
    return float(np.count_nonzero(total >= total[right])) if found else np.inf


def ranks_of(
    cases: list[dict[str, Any]], own_paper: bool, chosen: dict[str, Method]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Rank of the right disease and CPU ms a case, by method."""
    ranker = load_ranker()
    ranks: dict[str, list[float]] = {name: [] for name in chosen}
    spent = dict.fromkeys(chosen, 0.0)
    for case in cases:
        asked = asked_of(case, own_paper)
        right = ranker.place.get(ranker.graph.canonical(case["mondo"]) or "")
        for name, method in chosen.items():
            begin = time.process_time()
            total = method(asked)
            spent[name] += time.process_time() - begin
            ranks[name].append(place_of(total, right))
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


def cells_of(ranks: Floats, groups: Ints, draws: Ints) -> list[str]:
    cells = []
    for macro in (False, True):
        for depth in (1, 10):
            hits, sizes = by_disease((ranks <= depth).astype(np.float64), groups)
            value = (hits / sizes).mean() if macro else hits.sum() / sizes.sum()
            cells.append(f"{100 * value:.1f} {interval(bootstrap(hits, sizes, macro, draws))}")
    return cells


def paired(first: Floats, second: Floats, groups: Ints, draws: Ints) -> str:
    cells = []
    for depth in (1, 10):
        gain = (first <= depth).astype(np.float64) - (second <= depth)
        hits, sizes = by_disease(gain, groups)
        cells.append(f"{100 * (hits / sizes).mean():+.1f} {interval(bootstrap(hits, sizes, True, draws))}")
    return " | ".join(cells)


def rare(cases: list[dict[str, Any]], tune: bool) -> None:
    names = sorted({case["mondo"] for case in cases})
    groups = np.array([names.index(case["mondo"]) for case in cases])
    draws = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    ranker = load_ranker()
    versions = {name: ranker.graph.versions[name] for name in ("hpo", "hpoa", "mondo", "medquad")}
    print(f"n = {len(cases)} cases, {len(names)} diseases; {len(ranker.disease_ids)} diseases ranked.")
    print(f"Knowledge {versions}; Python {platform.python_version()}, numpy {np.__version__}.\n")
    if tune:
        tuned(cases, groups, draws)
        return
    chosen = methods()
    baseline = next(iter(chosen))
    measured: dict[str, Floats] = {}
    for title, own_paper in (
        ("leave-one-publication-out", False),
        ("naive: CONTAMINATED by the cases' own papers", True),
    ):
        if own_paper:
            chosen = {name: chosen[name] for name in (baseline, "`rank`")}
        ranks, spent = ranks_of(cases, own_paper, chosen)
        print(f"**{title}**\n")
        print("| method | micro top-1 | micro top-10 | macro top-1 | macro top-10 | not ranked | CPU ms/case |")
        print("|---|---|---|---|---|---|---|")
        for name in chosen:
            lost = int(np.isinf(ranks[name]).sum())
            print(f"| {name} | {' | '.join(cells_of(ranks[name], groups, draws))} | {lost} | {spent[name]:.1f} |")
        print(flush=True)
        measured = measured or ranks
    print("**Paired differences to the baseline, leave-one-publication-out, macro, points**\n")
    print("| method | top-1 | top-10 |\n|---|---|---|")
    for name in list(measured)[1:]:
        print(f"| {name} | {paired(measured[name], measured[baseline], groups, draws)} |")
    # An article of 2016 to 2018 can't have been written from a paper that came later.
    late = np.array([min(int(p.rpartition(":")[2]) for p in case["pmid"]) >= 29_500_000 for case in cases])
    _, few = np.unique(groups[late], return_inverse=True)
    again = np.random.default_rng(0).integers(0, few.max() + 1, (RESAMPLES, few.max() + 1))
    print(
        f"\nThe same, {late.sum()} cases of {few.max() + 1} diseases published from 2018 on (PMID 29.5 million on):\n"
    )
    print("| method | top-1 | top-10 |\n|---|---|---|")
    for name in list(measured)[-3:]:
        print(f"| {name} | {paired(measured[name][late], measured[baseline][late], few, again)} |")
    rank_time = []
    for case in cases[:: max(1, len(cases) // 300)]:
        begin = time.process_time()
        ranker.rank(case["observed"], case["excluded"], case["pmid"], patient=Patient(case["sex"]))
        rank_time.append(1000 * (time.process_time() - begin))
    median, tail = np.percentile(rank_time, [50, 95])
    print(f"\n`rank` with its top 100 as nouns, n = {len(rank_time)}: median {median:.1f}, p95 {tail:.1f} CPU ms.")


def tuned(cases: list[dict[str, Any]], groups: Ints, draws: Ints) -> None:
    """Constants chosen on four folds by macro mean reciprocal rank, judged on the fifth; then the reliability table."""
    ranker = load_ranker()
    folds = np.array([fold("phenopackets_dev", case["mondo"]) for case in cases])
    weight = 1 / np.bincount(groups)[groups]
    settings: list[dict[str, float]] = [{}, *({name: value} for name, value in GRID)]
    ranks = []
    method = as_shipped(ranker, ranker.relatives)
    for setting in settings:
        with constants(**setting):
            ranks.append(ranks_of(cases, False, {"": method})[0][""])
        print(setting or "as shipped", f"MRR {np.average(1 / ranks[-1], weights=weight):.4f}", flush=True)
    held_out = np.zeros(len(cases))
    for number in range(FOLDS):
        train, test = folds != number, folds == number
        figures = [np.average(1 / r[train], weights=weight[train]) for r in ranks]
        best = int(np.argmax(figures))
        held_out[test] = ranks[best][test]
        print(f"fold {number}: {test.sum()} cases, chosen on the others: {settings[best] or 'as shipped'}")
    baseline = dict(list(methods().items())[:1])
    (before,) = ranks_of(cases, False, baseline)[0].values()
    print("\n| constants | micro top-1 | micro top-10 | macro top-1 | macro top-10 |\n|---|---|---|---|---|")
    rows = (("baseline", before), ("as shipped", ranks[0]), ("chosen in the other four folds", held_out))
    for name, figure in rows:
        print(f"| {name} | {' | '.join(cells_of(figure, groups, draws))} |")
    print(
        f"\nChosen in the other folds less baseline, macro top-1 | top-10: {paired(held_out, before, groups, draws)}\n"
    )
    calibrated(cases, folds, weight)


def calibrated(cases: list[dict[str, Any]], folds: Ints, weight: Floats) -> None:
    """Sharpness of the softmax fitted on four folds, reliability of the first disease's probability on the fifth."""
    ranker = load_ranker()
    method = as_shipped(ranker, ranker.relatives)
    totals, counts, rights = [], [], []
    for case in cases:
        asked = asked_of(case, False)
        totals.append(method(asked).astype(np.float32))
        counts.append(len(asked.observed))
        rights.append(ranker.place.get(ranker.graph.canonical(case["mondo"]) or "", -1))
    grid = [(a, b) for a in (1.2, 1.6, 2.0, 2.4, 2.8, 3.2) for b in (0.15, 0.3, 0.45)]
    loss = np.zeros((len(cases), len(grid)))
    first, hit = np.zeros(len(cases)), np.zeros(len(cases))
    for row, (total, count, right) in enumerate(zip(totals, counts, rights, strict=True)):
        for column, (a, b) in enumerate(grid):
            loss[row, column] = -np.log(max(float(softmax(total, sharpness(count, a, b))[right]), 1e-6))
    for number in range(FOLDS):
        train, test = folds != number, np.flatnonzero(folds == number)
        a, b = grid[int(np.argmin(np.average(loss[train], axis=0, weights=weight[train])))]
        print(f"fold {number}: sharpness {a} * n^{b}")
        for row in test.tolist():
            chances = softmax(totals[row], sharpness(counts[row], a, b))
            first[row], hit[row] = chances.max(), float(int(np.argmax(chances)) == rights[row])
    best = grid[int(np.argmin(np.average(loss, axis=0, weights=weight)))]
    print(f"all folds: {best}; loss {np.average(loss, axis=0, weights=weight).min():.3f} nats\n")
    print("| said of the first disease | cases | mean said | right, weighted by disease |\n|---|---|---|---|")
    edges = [0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.01]
    error = 0.0
    for low, high in pairwise(edges):
        inside = (first >= low) & (first < high)
        if inside.any():
            said, true = (np.average(v[inside], weights=weight[inside]) for v in (first, hit))
            error += weight[inside].sum() / weight.sum() * abs(said - true)
            span = f"{100 * low:.0f}-{min(100, 100 * high):.0f}%"
            print(f"| {span} | {inside.sum()} | {100 * said:.1f}% | {100 * true:.1f}% |")
    print(f"\nExpected calibration error {100 * error:.1f} points.")


# --- common diseases: cases told in words --------------------------------------------------------------------


class Told(NamedTuple):
    text: str
    tests: str
    sex: str | None
    names: tuple[str, ...]
    group: str
    age: str | None = None


def in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ". ".join(f"{name.replace('_', ' ')}: {in_words(inner)}" for name, inner in value.items())
    return ", ".join(map(in_words, value)) if isinstance(value, list) else str(value)


def osce_cases(path: Path, part: str) -> list[Told]:
    """History and examination as the patient's and examiner's sheets have them; objective and diagnosis are not read.
    Cases of one diagnosis belong together, so that a vignette told twice stays in one part."""
    told = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            osce = row["OSCE_Examination"]
            name = osce["Correct_Diagnosis"]
            if split("agentclinic_medqa", name.casefold()) == part:
                seen = [osce["Patient_Actor"], osce["Physical_Examination_Findings"]]
                sex = "female" if "female" in in_words(osce["Patient_Actor"]["Demographics"]).lower() else "male"
                told.append(Told(". ".join(map(in_words, seen)), in_words(osce["Test_Results"]), sex, (name,), name))
    return told


def vignettes(part: str) -> list[Told]:
    with VIGNETTES.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Told(row["text"], "", row["sex"], (row["diagnosis"], *row["accept"]), row["diagnosis"], row["age"])
        for row in rows
        if split("vignettes", row["diagnosis"]) == part
    ]


def common(sets: dict[str, list[Told]]) -> None:
    """The walk of a consult: the note is read, its findings of the present illness are ranked. An age that the note
    does not give is the set's."""
    from osler.clinic.consult import phenotypes
    from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
    from osler.knowledge.graph.names import key
    from osler.record import read_text

    ranker, recogniser = load_ranker(), load_recogniser(("hpo", "disease"))
    graph, every = ranker.graph, methods()
    rank = every["`rank`"]
    chosen: dict[str, Method] = {
        **{name: every[name] for name in ("lr_bma (baseline), HPO annotations", "lr_bma with all rows", "`rank`")},
        "`rank`, general practice": lambda asked: rank(asked._replace(general=True)),
    }
    called: dict[str, set[str]] = {}
    for identifier, name, _ in graph.names(["disease"]):
        called.setdefault(key(name), set()).add(identifier)
    diseases = load_recogniser(("disease",))
    print("| cases | method | n | named in the graph | ranked | top-1 | top-5 | top-10 |")
    print("|---|---|---|---|---|---|---|---|")
    for title, cases in sets.items():
        known = 0
        ranks: dict[str, list[float]] = {name: [] for name in chosen}
        for case in cases:
            read = read_text(case.text, "note")
            found = findings_of(read, recogniser)
            query = prepare(graph, phenotypes(found, "present"), phenotypes(found, "absent"))
            names = {form for one in case.names for form in (one, re.sub(r" \([A-Z]+\)$", "", one))}  # "... (BPPV)"
            right = {i for one in names for i in called.get(key(one), ())}
            for one in names:  # "heart attack" is known to the recogniser
                right |= {graph.canonical(m.code) or "" for m in diseases.mentions(one) if m.text == one}
            known += bool(right)
            age = read.patient.age or case.age
            asked = Asked(ranker.positions(query.observed), ranker.positions(query.excluded), case.sex, [], age)
            places = [ranker.place[identifier] for identifier in right if identifier in ranker.place]
            for name, method in chosen.items():
                total = method(asked) if places and query.observed else None
                ranks[name].append(np.inf if total is None else min(place_of(total, place) for place in places))
        kinds = sorted({case.group for case in cases})
        groups = np.array([kinds.index(case.group) for case in cases])
        draws = np.random.default_rng(0).integers(0, len(kinds), (RESAMPLES, len(kinds)))
        for name in chosen:
            got = np.array(ranks[name])
            cells = []
            for depth in (1, 5, 10):
                hits, sizes = by_disease((got <= depth).astype(np.float64), groups)
                cells.append(f"{100 * hits.sum() / sizes.sum():.1f} {interval(bootstrap(hits, sizes, False, draws))}")
            counts = f"{len(got)} | {known} | {np.isfinite(got).sum()}"
            print(f"| {title} | {name} | {counts} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--osce", type=Path)
    parser.add_argument("--part", choices=["tune", "report"], default="report")
    arguments = parser.parse_args()
    if arguments.cases:
        with gzip.open(arguments.cases, "rt", encoding="utf-8") as file:
            cases = [json.loads(line) for line in file][:: arguments.every]
        rare(cases, arguments.tune)
    if arguments.osce:
        osce = osce_cases(arguments.osce, arguments.part)
        tested = [case._replace(text=f"{case.text}. {case.tests}") for case in osce]
        common({
            "agentclinic_medqa, history and examination": osce, "the same with test results": tested,
            "vignettes": vignettes(arguments.part),
        })  # fmt: skip


if __name__ == "__main__":
    main()
