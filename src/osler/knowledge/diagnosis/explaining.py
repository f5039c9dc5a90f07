"""`explain`: each score of a ranking as the sum of what each finding adds, with the rows that say so.

A finding's contribution is its own evidence for the disease plus its part in the reverse match (each annotation of
the disease is credited to the finding it has most information in common with; equal ones share it), both less their
mean over all diseases. Positive contributions are for, negative against. Nothing is left over.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from osler.knowledge.diagnosis.index import Index
from osler.knowledge.diagnosis.ranking import Ranker, Scored, load_ranker
from osler.knowledge.diagnosis.rows import Floats, Ints
from osler.knowledge.diagnosis.scoring import REVERSE, constant
from osler.nouns import Contribution, MissingFinding, RankedDisease, Row

USUAL = 0.3  # share of patients from which on a finding is usual: not mentioned, it is missing
ROOT_INFORMATION = 0.1  # nats; a term that nearly every disease has says nothing
ROWS = 6  # rows shown a contribution


def explain(
    ranked: Sequence[RankedDisease],
    observed: Sequence[str],
    excluded: Sequence[str] = (),
    exclude_references: Iterable[str] = (),
    missing: int = 8,
    ranker: Ranker | None = None,
) -> list[RankedDisease]:
    """The ranked diseases with `for`, `against` and `missing` filled; the contributions of each sum to its score.

    Give the same findings as to `rank`. Raises KeyError for a disease that the ranker has no rows of.
    """
    ranker = ranker or load_ranker()
    places = [ranker.place[disease.id] for disease in ranked]
    scored = ranker.score(observed, excluded, exclude_references, places)
    if scored is None:
        return list(ranked)
    return [_explained(ranker, scored, column, disease, missing) for column, disease in enumerate(ranked)]


def _explained(ranker: Ranker, scored: Scored, column: int, disease: RankedDisease, missing: int) -> RankedDisease:
    place, seen, scores = ranker.place[disease.id], scored.seen, scored.scores
    matrix, held = seen.whole.matrix, place
    if seen.matrix is not None and place in seen.changed:
        matrix, held = seen.matrix, int(np.searchsorted(seen.changed, place))
    low, high = matrix.direct.bounds[held : held + 2]
    terms, shares = matrix.direct.items[low:high], matrix.direct_share[low:high]
    credit = REVERSE * _reverse_credit(scored, terms, matrix.weight[low:high])
    parts = scores.forward[:, column] + credit - scores.reverse_mean / len(scored.observed)
    found = []
    for term, part in zip(scored.observed.tolist(), parts.tolist(), strict=True):
        found.append(_contribution(ranker, scored, place, term, part, _matched_terms(scored, terms, shares, term)))
    for term, part in zip(scored.excluded.tolist(), scores.against[:, column].tolist(), strict=True):
        narrower = [t for t in terms.tolist() if term in seen.whole.ancestors.of(t)]
        found.append(_contribution(ranker, scored, place, term, part, narrower))
    return disease.model_copy(update={
        "score": float(scores.total[place]),
        "for_": sorted((c for c in found if c.score > 0), key=lambda c: (-c.score, c.code)),
        "against": sorted((c for c in found if c.score <= 0), key=lambda c: (c.score, c.code)),
        "missing": _missing(ranker, scored, terms, shares)[:missing],
    })  # fmt: skip


def _reverse_credit(scored: Scored, terms: Ints, weights: Floats) -> Floats:
    """For each observed finding the sum of weight x shared information of the annotations credited to it."""
    index, information = scored.seen.whole, scored.seen.information
    above = [set(index.ancestors.of(q).tolist()) for q in scored.observed.tolist()]
    credit = np.zeros(len(above))
    for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
        own = index.ancestors.of(term).tolist()
        common = np.array([max((information[a] for a in own if a in q), default=0.0) for q in above])
        best = common == common.max()
        credit[best] += weight * common.max() / best.sum()
    return credit


def _matched_terms(scored: Scored, terms: Ints, shares: Floats, finding: int) -> list[int]:
    """The disease's annotated terms behind the best match of a finding; none where they match in the root only."""
    seen = scored.seen
    lineages = [set(seen.whole.ancestors.of(t).tolist()) for t in terms.tolist()]
    best, matched = -np.inf, list[int]()
    for ancestor in seen.whole.ancestors.of(finding).tolist():
        narrower = [k for k, lineage in enumerate(lineages) if ancestor in lineage]
        if not narrower:
            continue
        largest = shares[narrower].max()
        value = 0.5 * np.log(largest) + constant(seen, finding, ancestor)
        if value > best:
            best = value
            specific = seen.information[ancestor] > ROOT_INFORMATION
            matched = [int(terms[k]) for k in narrower if shares[k] >= largest - 1e-6] if specific else []
    return sorted(matched, key=lambda t: (t != finding, t))


def _contribution(
    ranker: Ranker, scored: Scored, place: int, term: int, score: float, matched: Sequence[int]
) -> Contribution:
    index = ranker.index
    numbers = index.rows_of.of(place)
    left_out = scored.seen.removed
    rows = []
    for match in matched:
        for number in numbers[index.rows.term[numbers] == match].tolist():
            if number not in left_out:
                rows.append(_row(index, number))
    code = ranker.graph.ids[term]
    return Contribution(code=code, label=ranker.graph.label(code), score=score, rows=rows[:ROWS])


def _row(index: Index, number: int) -> Row:
    rows = index.rows
    frequency = rows.frequencies[rows.frequency[number]]
    return Row(
        disease=rows.names[rows.stated_for[number]],
        term=index.graph.ids[int(rows.term[number])],
        frequency=(index.graph.label(frequency).lower() if frequency.startswith("HP:") else frequency) or None,
        reference=rows.references[rows.reference[number]] or None,
    )


def _missing(ranker: Ranker, scored: Scored, terms: Ints, shares: Floats) -> list[MissingFinding]:
    """Usual findings of the disease of which the case says nothing, by share x information."""
    index = ranker.index
    told = {a for q in scored.observed.tolist() for a in index.ancestors.of(q).tolist()}
    present, absent = set(scored.observed.tolist()), set(scored.excluded.tolist())
    found = []
    for term, share in zip(terms.tolist(), shares.tolist(), strict=True):
        above = set(index.ancestors.of(term).tolist())
        if share >= USUAL and term not in told and not above & (present | absent):
            code = ranker.graph.ids[term]
            weight = share * float(scored.seen.information[term])
            found.append(MissingFinding(code=code, label=ranker.graph.label(code), weight=weight))
    return sorted(found, key=lambda m: (-m.weight, m.code))
