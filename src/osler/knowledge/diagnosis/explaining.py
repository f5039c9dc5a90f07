"""`explain`: each score of a ranking as the sum of what each finding adds, with the rows that say so.

An observed finding contributes its own evidence for the disease plus its part in the reverse match (each annotation of
the disease is credited to the finding it has most information in common with; equal ones share it), both less their
mean over all diseases: for, if positive, else against. An excluded one takes from the diseases that have it and is not
listed where it takes nothing. Nothing is left over.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from osler.knowledge.diagnosis.index import Floats, Ints, Lists, sublists
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.ranking import load_ranker
from osler.knowledge.diagnosis.scoring import REVERSE, Scores, View, gain, largest, shared_information
from osler.knowledge.graph import Edge, Graph
from osler.nouns import Contribution, MissingFinding, RankedDisease, Row

USUAL = 0.3  # share of patients from which on a finding is usual: not mentioned, it is missing
ROOT_INFORMATION = 0.1  # nats; a term that nearly every disease has says nothing
ROWS = 6  # rows shown a contribution
MISSING = 8  # missing findings shown a disease


def explain(
    ranked: Sequence[RankedDisease],
    observed: Sequence[str],
    excluded: Sequence[str] = (),
    exclude_references: Iterable[str] = (),
) -> list[RankedDisease]:
    """The ranked diseases with `for`, `against` and `missing` filled; the contributions of each sum to its score.

    Give the same findings as to `rank`. A disease without rows apart from the excluded references comes back as it is;
    raises KeyError for one that has no rows at all.
    """
    ranker = load_ranker()
    places = [ranker.place[disease.id] for disease in ranked]
    scores = ranker.score(observed, excluded, exclude_references, places)
    if scores is None:
        return list(ranked)
    said = ranker.positions(prepare(ranker.graph, [*observed, *excluded]).observed)  # contradictory ones too
    return [
        _explained(ranker.graph, scores, column, place, disease, said)
        for column, (place, disease) in enumerate(zip(places, ranked, strict=True))
    ]


def _explained(
    graph: Graph, scores: Scores, column: int, place: int, disease: RankedDisease, said: Ints
) -> RankedDisease:
    seen = scores.seen
    terms, shares, weights = seen.annotations(place)
    if not len(terms):
        return disease
    above = sublists(seen.whole.ancestors, terms)
    rows: dict[int, list[int]] = {}
    for number in seen.whole.annotations_of.of(place).tolist():
        if number not in seen.removed:
            rows.setdefault(int(seen.whole.term[number]), []).append(int(seen.whole.edges[number]))

    def contribution(term: int, value: float, matched: Iterable[int]) -> Contribution:
        edges = [graph.table.edge(edge) for match in matched for edge in rows[match]]
        code = graph.ids[term]
        return Contribution(
            code=code, label=graph.label(code), score=value, rows=[_row(graph, edge) for edge in edges[:ROWS]]
        )

    credit = REVERSE * _reverse_credit(scores, above, weights) - scores.reverse_mean / len(scores.observed)
    found = [
        contribution(term, float(part[column] + other), _matched(seen, term, terms, shares, above))
        for term, part, other in zip(scores.observed.tolist(), scores.forward, credit.tolist(), strict=True)
    ]
    for term, part in zip(scores.excluded.tolist(), scores.against, strict=True):
        if part[column] < 0:
            narrower = [t for k, t in enumerate(terms.tolist()) if term in above.of(k)]
            found.append(contribution(term, float(part[column]), narrower))
    return disease.model_copy(update={
        "score": float(scores.total[place]),
        "for_": sorted((c for c in found if c.score > 0), key=lambda c: (-c.score, c.code)),
        "against": sorted((c for c in found if c.score <= 0), key=lambda c: (c.score, c.code)),
        "missing": _missing(graph, scores, terms, shares, above, said),
    })  # fmt: skip


def _reverse_credit(scores: Scores, above: Lists, weights: Floats) -> Floats:
    """For each observed finding the sum of weight x shared information of the annotations credited to it."""
    common = np.array([shared_information(scores.seen, np.array([q]), above) for q in scores.observed])
    best = common == common.max(axis=0)
    credit: Floats = (best / best.sum(axis=0)) @ (weights * common.max(axis=0))
    return credit


def _matched(seen: View, finding: int, terms: Ints, shares: Floats, above: Lists) -> list[int]:
    """The disease's annotated terms behind the best match of a finding; none where they match in the root only."""
    lineage = seen.whole.ancestors.of(finding)
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
