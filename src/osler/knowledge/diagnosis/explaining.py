"""`explain`: each score of a ranking as the sum of what each finding adds, with the rows that say so.

An observed finding contributes its evidence for the disease and its relatives, and its part in the reverse match, less
the mean of both over all diseases: for, if positive, else against. An excluded one takes from the diseases that have it
and is not listed where it takes nothing; so with the patient's sex and age and how common a disease is. Nothing is left
over.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from osler.knowledge.diagnosis.index import Floats, sublists
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.ranking import X_LINKED_RECESSIVE, Patient, Ranker, load_ranker
from osler.knowledge.diagnosis.scoring import Scores, View, gain, largest
from osler.knowledge.graph import Edge, Graph
from osler.knowledge.graph.edges import Ints, Lists
from osler.nouns import Contribution, MissingFinding, RankedDisease, Row

USUAL = 0.3  # share of patients from which on a finding is usual: not mentioned, it is missing
ROOT_INFORMATION = 0.1  # nats; a term that nearly every disease has says nothing
ROWS = 6  # rows shown a contribution
MISSING = 8  # missing findings shown a disease
RELATIVE = 0.05  # share of relatives in a finding's evidence from which on a row of theirs is shown


def explain(
    ranked: Sequence[RankedDisease],
    observed: Sequence[str],
    excluded: Sequence[str] = (),
    exclude_references: Iterable[str] = (),
    sex: str | None = None,
    age: str | None = None,
    general: bool = False,
) -> list[RankedDisease]:
    """The ranked diseases with `for`, `against` and `missing` filled; the contributions of each sum to its score.

    Give the same findings, references, sex, age and `general` as to `rank`. A disease of which neither it nor a
    relative has rows apart from the excluded references comes back as it is; raises KeyError for one that the graph
    gives no findings.
    """
    ranker = load_ranker()
    scores = ranker.score(observed, excluded, exclude_references, Patient(sex, age, general), parts=True)
    if scores is None:
        return list(ranked)
    said = ranker.positions(prepare(ranker.graph, [*observed, *excluded]).observed)  # contradictory ones too
    return [
        _explained(ranker, scores, disease, said) if scores.seen.ranked[ranker.place[disease.id]] else disease
        for disease in ranked
    ]


class Held(NamedTuple):
    """What is written of one disease in the rows in force: its terms, ascending, their shares and their ancestors."""

    place: int
    terms: Ints
    shares: Floats
    above: Lists


def _held(seen: View, place: int) -> Held:
    terms, shares, _ = seen.annotations(place)
    return Held(place, terms, shares, sublists(seen.whole.ancestors, terms))


def _explained(ranker: Ranker, scores: Scores, disease: RankedDisease, said: Ints) -> RankedDisease:
    graph, seen, place = ranker.graph, scores.seen, ranker.place[disease.id]
    held = _held(seen, place)
    found: list[Contribution] = []

    def add(code: str, value: float, rows: list[Row], label: str = "") -> None:
        found.append(Contribution(code=code, label=label or graph.label(code), score=value, rows=rows[:ROWS]))

    for term, value in zip(scores.observed.tolist(), scores.parts[:, place].tolist(), strict=True):
        rows = _rows(ranker, seen, held, _matched(seen, term, held))
        if seen.borrowed[place] >= RELATIVE:
            rows += _rows_of_relative(ranker, seen, place, term)
        add(graph.ids[term], value, rows)
    for term, value in zip(scores.excluded.tolist(), scores.against[:, place].tolist(), strict=True):
        if value < 0:
            narrower = [t for k, t in enumerate(held.terms.tolist()) if term in held.above.of(k)]
            add(graph.ids[term], value, _rows(ranker, seen, held, narrower))
    for code, values in scores.about.items():
        if not values[place]:
            continue
        if code == X_LINKED_RECESSIVE:
            edges = graph.edges(disease.id, "has_inheritance")
            add(code, float(values[place]), [_row(graph, edge) for edge in edges if edge.object == code])
        else:
            label, told, reference = ranker.commonness.said(code, place)
            row = Row(disease=disease.id, term=code, frequency=told, reference=reference)
            add(code, float(values[place]), [row], label)
    return disease.model_copy(update={
        "score": float(scores.total[place]),
        "for_": sorted((c for c in found if c.score > 0), key=lambda c: (-c.score, c.code)),
        "against": sorted((c for c in found if c.score <= 0), key=lambda c: (c.score, c.code)),
        "missing": _missing(graph, scores, held, said) if len(held.terms) else [],
    })  # fmt: skip


def _rows(ranker: Ranker, seen: View, held: Held, matched: Sequence[int]) -> list[Row]:
    """The rows of one disease that name the matched findings, in their order."""
    whole, numbers = seen.whole, seen.whole.annotations_of.of(held.place).tolist()
    named = [(matched.index(term), n) for n in numbers if n not in seen.removed and (term := whole.term[n]) in matched]
    return [_row(ranker.graph, ranker.graph.table.edge(int(whole.edges[number]))) for _, number in sorted(named)]


def _rows_of_relative(ranker: Ranker, seen: View, place: int, term: int) -> list[Row]:
    """The row of the relative that has the finding itself with the largest share."""
    matrix = seen.whole.matrix
    shares = np.zeros(matrix.size)
    shares[matrix.carried.of(term)] = matrix.carried_share[matrix.carried.span(term)]
    shares[seen.changed] = 0.0
    best = max(ranker.relatives.of(place), key=shares.__getitem__, default=None)
    if best is None or not shares[best]:
        return []
    held = _held(seen, best)
    return _rows(ranker, seen, held, _matched(seen, term, held))[:1]


def _matched(seen: View, finding: int, held: Held) -> list[int]:
    """The annotated terms behind the best match of a finding; none where they match in the root only."""
    if not len(held.terms):
        return []
    lineage = seen.whole.asked.of(finding)
    values = np.full(seen.whole.terms, -np.inf)
    values[lineage] = gain(seen, finding, lineage)
    best = (0.5 * np.log(held.shares) + largest(values, held.above)).max()
    values[seen.information <= ROOT_INFORMATION] = -np.inf
    matched = held.terms[0.5 * np.log(held.shares) + largest(values, held.above) > best - 1e-6].tolist()
    return sorted(matched, key=lambda t: (t != finding, t))


def _row(graph: Graph, edge: Edge) -> Row:
    written = edge.frequency_text or ""
    return Row(
        disease=edge.stated_for or edge.subject,
        term=edge.object,
        frequency=(graph.label(written).lower() if written.startswith("HP:") else written) or None,
        reference=edge.reference,
    )


def _missing(graph: Graph, scores: Scores, held: Held, said: Ints) -> list[MissingFinding]:
    """Usual findings of the disease of which the case says nothing, by share x information."""
    told = np.isin(held.terms, scores.seen.whole.ancestors.gather(scores.observed)[0])
    narrower = np.logical_or.reduceat(np.isin(held.above.items, said), held.above.bounds[:-1])
    usual = np.flatnonzero((held.shares >= USUAL) & ~told & ~narrower)
    weights = held.shares * scores.seen.information[held.terms]
    codes = [(graph.ids[held.terms[k]], float(weights[k])) for k in usual.tolist()]
    found = [MissingFinding(code=code, label=graph.label(code), weight=weight) for code, weight in codes]
    return sorted(found, key=lambda m: (-m.weight, m.code))[:MISSING]
