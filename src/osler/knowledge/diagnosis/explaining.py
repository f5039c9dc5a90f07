"""`explain`: each score of a ranking as the sum of what each finding adds, with the rows that say so.

An observed finding contributes its evidence for the disease and its relatives, and its part in the reverse match, less
the mean of both over all diseases: for, if positive, else against. An excluded one takes from the diseases that have it
and is not listed where it takes nothing; so with the patient's sex and age and how common a disease is. Nothing is left
over.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from osler.knowledge.diagnosis.commonness import LABELS
from osler.knowledge.diagnosis.index import Floats, Ints, Lists, sublists
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.ranking import X_LINKED_RECESSIVE, Patient, Ranker, load_ranker
from osler.knowledge.diagnosis.scoring import Scores, View, gain, largest
from osler.knowledge.graph import Edge, Graph
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
        _explained(ranker, scores, ranker.place[disease.id], disease, said)
        if scores.seen.ranked[ranker.place[disease.id]]
        else disease
        for disease in ranked
    ]


def _explained(ranker: Ranker, scores: Scores, place: int, disease: RankedDisease, said: Ints) -> RankedDisease:
    graph, seen = ranker.graph, scores.seen
    terms, shares, _ = seen.annotations(place)
    above = sublists(seen.whole.ancestors, terms)
    found = []
    for term, value in zip(scores.observed.tolist(), scores.parts[:, place].tolist(), strict=True):
        rows = _rows(ranker, seen, place, _matched(seen, term, terms, shares, above))
        if seen.borrowed[place] >= RELATIVE:
            rows += _rows_of_relative(ranker, seen, place, term)
        found.append(_contribution(graph, graph.ids[term], value, rows))
    for term, value in zip(scores.excluded.tolist(), scores.against[:, place].tolist(), strict=True):
        if value < 0:
            narrower = [t for k, t in enumerate(terms.tolist()) if term in above.of(k)]
            found.append(_contribution(graph, graph.ids[term], value, _rows(ranker, seen, place, narrower)))
    for code, values in scores.about.items():
        if values[place]:
            found.append(_about(ranker, disease.id, code, float(values[place])))
    return disease.model_copy(update={
        "score": float(scores.total[place]),
        "for_": sorted((c for c in found if c.score > 0), key=lambda c: (-c.score, c.code)),
        "against": sorted((c for c in found if c.score <= 0), key=lambda c: (c.score, c.code)),
        "missing": _missing(graph, scores, terms, shares, above, said) if len(terms) else [],
    })  # fmt: skip


def _about(ranker: Ranker, disease: str, code: str, value: float) -> Contribution:
    """What a disease gets for its inheritance and the patient's sex, or by its profile."""
    if code == X_LINKED_RECESSIVE:
        edges = ranker.graph.edges(disease, "has_inheritance")
        rows = [_row(ranker.graph, edge) for edge in edges if edge.object == code]
        return _contribution(ranker.graph, code, value, rows)
    said, reference = ranker.commonness.said(code, ranker.place[disease])
    row = Row(disease=disease, term=code, frequency=said, reference=reference)
    return Contribution(code=code, label=LABELS[code].format(said), score=value, rows=[row])


def _contribution(graph: Graph, code: str, value: float, rows: list[Row]) -> Contribution:
    return Contribution(code=code, label=graph.label(code), score=value, rows=rows[:ROWS])


def _rows(ranker: Ranker, seen: View, place: int, matched: Sequence[int]) -> list[Row]:
    """The rows of one disease that name the matched findings, in their order."""
    rows: dict[int, list[Row]] = {}
    for number in seen.whole.annotations_of.of(place).tolist():
        term = int(seen.whole.term[number])
        if number not in seen.removed and term in matched:
            edge = ranker.graph.table.edge(int(seen.whole.edges[number]))
            rows.setdefault(term, []).append(_row(ranker.graph, edge))
    return [row for term in matched for row in rows.get(term, [])]


def _rows_of_relative(ranker: Ranker, seen: View, place: int, term: int) -> list[Row]:
    """The row of the relative that has the finding itself with the largest share."""
    best: tuple[float, int] | None = None
    matrix = seen.whole.matrix
    holders = matrix.carried.of(term)
    shares = dict(zip(holders.tolist(), matrix.carried_share[matrix.carried.span(term)].tolist(), strict=True))
    for other in ranker.relatives.of(place):
        share = shares.get(other, 0.0)
        if share > 0 and other not in seen.changed and (best is None or (share, -other) > best):
            best = (share, -other)
    if best is None:
        return []
    terms, parts, _ = seen.annotations(-best[1])
    above = sublists(seen.whole.ancestors, terms)
    return _rows(ranker, seen, -best[1], _matched(seen, term, terms, parts, above))[:1]


def _matched(seen: View, finding: int, terms: Ints, shares: Floats, above: Lists) -> list[int]:
    """The annotated terms behind the best match of a finding; none where they match in the root only."""
    if not len(terms):
        return []
    lineage = seen.whole.asked.of(finding)
    values = np.full(seen.whole.terms, -np.inf)
    values[lineage] = gain(seen, finding, lineage)
    best = (0.5 * np.log(shares) + largest(values, above)).max()
    values[seen.information <= ROOT_INFORMATION] = -np.inf
    matched = terms[0.5 * np.log(shares) + largest(values, above) > best - 1e-6].tolist()
    return sorted(matched, key=lambda t: (t != finding, t))


def _row(graph: Graph, edge: Edge) -> Row:
    written = edge.frequency_text or ""
    return Row(
        disease=edge.stated_for or edge.subject,
        term=edge.object,
        frequency=(graph.label(written).lower() if written.startswith("HP:") else written) or None,
        reference=edge.reference,
    )


def _missing(
    graph: Graph, scores: Scores, terms: Ints, shares: Floats, above: Lists, said: Ints
) -> list[MissingFinding]:
    """Usual findings of the disease of which the case says nothing, by share x information."""
    told = np.isin(terms, scores.seen.whole.ancestors.gather(scores.observed)[0])
    narrower = np.logical_or.reduceat(np.isin(above.items, said), above.bounds[:-1])
    weights = shares * scores.seen.information[terms]
    found = []
    for place in np.flatnonzero((shares >= USUAL) & ~told & ~narrower).tolist():
        code = graph.ids[int(terms[place])]
        found.append(MissingFinding(code=code, label=graph.label(code), weight=float(weights[place])))
    return sorted(found, key=lambda m: (-m.weight, m.code))[:MISSING]
