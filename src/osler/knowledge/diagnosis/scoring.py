"""How well each disease explains the findings of a case, in parts by finding (docs/how-diagnosis-works.md).

For finding q and disease d the evidence is the log of a likelihood ratio: over the ancestors a of q,
r = max F(d,a)^1/2 / bg(a) * e^(-SPECIFICITY (IC(q) - IC(a))), mixed with the mean r of the relatives of d, the more
the less is written of d: log(FLOOR + (1 - b) r + b r_relatives), averaged over findings, those that say nearly the
same sharing their weight (`spread`). To this comes REVERSE times the share-weighted mean over the findings of d of the
information it shares with the case (Resnik 1995), mixed likewise. Each finding's part is centred on its mean over
diseases, so 0 is what a disease picked blindly would get. Excluded findings take a little from the diseases that have
them; what else is known of the patient comes in as `about`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.diagnosis.index import Background, Floats, Index, Matrix, background, distinct
from osler.knowledge.diagnosis.relatives import Relatives
from osler.knowledge.graph.edges import Ints, Lists

SPECIFICITY = 0.5  # weight of the information lost when a finding is matched by a broader one
FLOOR = 0.1  # likelihood ratio of a finding that nothing in the disease or its relatives accounts for
OVERLAP = 1.5  # power of the likeness of two findings (Lin 1998) by which they share their weight
OWN_ROWS = 15.0  # findings written of a disease at which its own profile weighs as much as its relatives'
TOLD = 8.0  # findings written of a relative at which it counts half
REVERSE = 0.45  # weight of how much of the disease the case shows
EXCLUDED = 0.02  # weight of an excluded finding: shown, but case reports list absences selectively
SURE = 0.95  # no published share makes a finding certain in the next patient

Asked = TypeVar("Asked")


class View(NamedTuple):
    """The annotations in force for one case: all but the `removed`. The `changed` diseases have a matrix of what they
    have left; `log_share` and `information` are corrected; `rows`: findings written of each disease; `weight`: what it
    counts for its relatives; `kin`: the weights of its relatives added up; `borrowed`: their share in its profile;
    `ranked`: diseases with rows, their own or a relative's."""

    whole: Index
    relatives: Relatives
    removed: frozenset[int]
    changed: Ints
    matrix: Matrix | None
    log_share: Floats
    information: Floats
    rows: Floats
    weight: Floats
    kin: Floats
    borrowed: Floats
    ranked: NDArray[np.bool_]

    def annotations(self, place: int) -> tuple[Ints, Floats, Floats]:
        """Terms of one disease with their shares and weights."""
        matrix = self.whole.matrix
        if self.matrix is not None and place in self.changed:
            matrix, place = self.matrix, int(np.searchsorted(self.changed, place))
        which = matrix.direct.span(place)
        return matrix.direct.items[which], matrix.direct_share[which], matrix.weight[which]

    def mixed(self, values: Floats) -> Floats:
        """Values of diseases, each drawn to the weighted mean of its relatives."""
        share = self.borrowed / np.where(self.kin > 0, self.kin, 1.0)
        mixed: Floats = (1 - self.borrowed) * values + share * self.relatives.others(self.weight * values)
        return mixed


def view(index: Index, relatives: Relatives, removed: Ints) -> View:
    """What is left when the annotations numbered `removed` had never been written."""
    back, left, changed = index.background, None, distinct(index.owner[removed])
    rows = np.diff(index.matrix.direct.bounds).astype(np.float64)
    if len(changed):
        numbers, owner = index.annotations_of.gather(changed)
        stay = ~np.isin(numbers, removed)
        left = index.build(numbers[stay], owner[stay], len(changed))
        old, new = background(index.build(numbers, owner, len(changed))), background(left)
        back = Background(
            back.expected - old.expected + new.expected,
            back.holders - old.holders + new.holders,
            back.diseases - old.diseases + new.diseases,
        )
        rows[changed] = np.diff(left.direct.bounds)
    weight = rows / (rows + TOLD)
    kin = relatives.others(weight)
    borrowed = np.where(kin > 0, OWN_ROWS / (OWN_ROWS + rows), 0.0)
    return View(
        index, relatives, frozenset(removed.tolist()), changed, left, np.log(back.share()), back.information(), rows,
        weight, kin, borrowed, (rows > 0) | (kin > 0),
    )  # fmt: skip


class Scores(NamedTuple):
    """A case scored against every disease: `total`, -inf for those that can't be ranked.

    If asked for, also in parts by disease: `parts`, one row an observed finding, each centred; `against`, one row an
    excluded finding, none above 0. These and `about` sum to the total of a disease.
    """

    seen: View
    observed: Ints
    excluded: Ints
    total: Floats
    parts: Floats
    against: Floats
    about: Mapping[str, Floats]


def score(
    seen: View,
    observed: Ints,
    excluded: Ints,
    about: Mapping[str, Floats] | None = None,
    parts: bool = False,
) -> Scores:
    """Score all diseases. `observed` is not empty; `about`: by code, what each disease gets for the patient's sex and
    the like."""
    size, count, about = seen.whole.matrix.size, len(observed), about or {}
    against = np.zeros((len(excluded), size))
    for row, term in zip(against, excluded.tolist(), strict=True):
        row += _both(seen, _exclusion, term) / count
    total: Floats = sum(about.values(), against.sum(axis=0))
    kept, weights = [], spread(seen, observed)
    shared = credited(seen, observed) if parts else shared_information(seen, observed)[None]
    back = [REVERSE * seen.mixed(_both(seen, _reverse, row)) for row in shared]
    for number, term in enumerate(observed.tolist()):
        part = weights[number] * np.log(FLOOR + seen.mixed(np.exp(_both(seen, _match, term))))
        if parts:
            part += back[number]
            kept.append(part - part[seen.ranked].mean())
        total += part - part[seen.ranked].mean()
    if not parts:
        total += back[0] - back[0][seen.ranked].mean()
    total = np.where(seen.ranked, total, -np.inf)
    return Scores(seen, observed, excluded, total, np.array(kept), against, about)


def spread(seen: View, observed: Ints) -> Floats:
    """The weight of each finding: 1 over the sum of its likenesses to all, in all 1. The likeness of two is twice the
    information of the most specific term above both by the sum of their own (Lin 1998), to the power OVERLAP."""
    above, owner = seen.whole.ancestors.gather(observed)
    terms, column = np.unique(above, return_inverse=True)
    under = np.zeros((len(observed), len(terms)), dtype=np.float32)
    under[owner, column] = seen.information[above]
    own, alike = seen.information[observed], np.ones(len(observed))
    for place in range(len(observed)):
        common = under[:, under[place] > 0].max(axis=1, initial=0.0)
        likeness = (2 * common / np.maximum(own + own[place], 1e-9)) ** OVERLAP
        likeness[place] = 1.0
        alike[place] = likeness.sum()
    weights: Floats = (1 / alike) / (1 / alike).sum()
    return weights


def _both(seen: View, part: Callable[[View, Matrix, Asked], Floats], asked: Asked) -> Floats:
    """A part of the score for all diseases, those with removed rows from what they have left."""
    values = part(seen, seen.whole.matrix, asked)
    if seen.matrix is not None:
        values[seen.changed] = part(seen, seen.matrix, asked)
    return values


def _match(seen: View, matrix: Matrix, term: int) -> Floats:
    """log r of one finding for every disease, -inf where the disease has none of its ancestors."""
    best = np.full(matrix.size, -np.inf)
    lineage = seen.whole.asked.of(term)
    for ancestor, add in zip(lineage.tolist(), gain(seen, term, lineage).tolist(), strict=True):
        held = matrix.carried.span(ancestor)
        np.maximum.at(best, matrix.carried.items[held], matrix.half_log[held] + add)
    return best


def gain(seen: View, term: int, ancestors: Ints) -> Floats:
    """For each ancestor of a finding the part of log r that does not depend on the disease."""
    lost = seen.information[term] - seen.information[ancestors]
    constant: Floats = -seen.log_share[ancestors] - SPECIFICITY * lost
    return constant


def _exclusion(seen: View, matrix: Matrix, term: int) -> Floats:
    penalty = np.zeros(matrix.size)
    penalty[matrix.carried.of(term)] = EXCLUDED * np.log1p(-SURE * matrix.carried_share[matrix.carried.span(term)])
    return penalty


def _reverse(seen: View, matrix: Matrix, shared: Floats) -> Floats:
    """The share-weighted mean over the findings of each disease of what they share with the case."""
    return np.bincount(matrix.owner, matrix.weight * shared[matrix.direct.items], matrix.size).astype(np.float64)


def shared_information(seen: View, observed: Ints) -> Floats:
    """For each term that any disease has: the information of the most specific ancestor it shares with a finding."""
    above, _ = seen.whole.asked.gather(observed)
    common = np.zeros(seen.whole.terms)
    common[above] = seen.information[above]
    shared = np.zeros(seen.whole.terms)
    shared[seen.whole.matrix.terms] = largest(common, seen.whole.matrix.above)
    return shared


def credited(seen: View, observed: Ints) -> Floats:
    """`shared_information` by finding: credited to the one that shares most, equal ones sharing it."""
    single = np.array([shared_information(seen, observed[k : k + 1]) for k in range(len(observed))])
    best = single == single.max(axis=0)
    credit: Floats = best * (single.max(axis=0) / best.sum(axis=0))
    return credit


def largest(values: Floats, ancestors: Lists) -> Floats:
    """For each term, given its ancestors, the largest of their values."""
    return np.maximum.reduceat(values[ancestors.items], ancestors.bounds[:-1])
