"""How well each disease explains the findings of a case: the score "lr_bma" in its parts (docs/decisions/graph.md).

For finding q and disease d, over the ancestors a of q: x = max [ 1/2 log F(d,a) - log bg(a) - 1/4 (IC(q) - IC(a)) ],
and the evidence is log(1 + e^x), averaged over findings; plus half the share-weighted mean over the findings of d of
the information it has in common with the case (Resnik 1995). Excluded findings weigh a tenth of log(1 - 0.95 F).
Every part is centred on its mean over diseases, so 0 is what a disease picked blindly would get.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.diagnosis.index import Background, Index, Lists, Matrix, background, distinct, sublists
from osler.knowledge.diagnosis.rows import Floats, Ints

SPECIFICITY = 0.25  # weight of the information lost when a finding is matched by a broader one
REVERSE = 0.5  # weight of how much of the disease the case shows
EXCLUDED = 0.1  # weight of an excluded finding: shown, but case reports list absences selectively
SURE = 0.95  # no published share makes a finding certain in the next patient


Asked = TypeVar("Asked")


class View(NamedTuple):
    """The rows in force for one case: all but the `removed`. The rows left of the `changed` diseases have a matrix of
    their own; `log_share` and `information` are those of what is left; `heard`: diseases that still have rows."""

    whole: Index
    removed: frozenset[int]
    changed: Ints
    matrix: Matrix | None
    log_share: Floats
    information: Floats
    heard: NDArray[np.bool_]


def view(index: Index, removed: Ints) -> View:
    """What is left when the rows numbered `removed` had never been written."""
    heard = np.ones(len(index.diseases), dtype=bool)
    if not len(removed):
        back = index.background
        return View(index, frozenset(), removed, None, back.log_share(), back.information(), heard)
    changed = distinct(index.row_disease[removed])
    numbers, owner = index.rows_of.gather(changed)
    stay = ~np.isin(numbers, removed)
    left = index.build(index.rows.take(numbers[stay]), owner[stay], len(changed))
    before = index.build(index.rows.take(numbers), owner, len(changed))
    old, new, all_ = background(before, index.terms), background(left, index.terms), index.background
    back = Background(
        all_.expected - old.expected + new.expected,
        all_.holders - old.holders + new.holders,
        all_.diseases - old.diseases + new.diseases,
    )
    heard[changed[np.diff(left.direct.bounds) == 0]] = False
    return View(index, frozenset(removed.tolist()), changed, left, back.log_share(), back.information(), heard)


class Scores(NamedTuple):
    """The score of every disease (-inf for those without rows) and, for the k diseases asked about, its parts.

    `total` (diseases); `forward` (findings, k) and `against` (excluded, k), centred; `reverse_mean`, what the reverse
    part was centred by.
    """

    total: Floats
    forward: Floats
    against: Floats
    reverse_mean: float


def score(seen: View, observed: Ints, excluded: Ints, places: Ints) -> Scores:
    """Score all diseases; `places` are those whose parts are kept. `observed` is not empty."""
    total, count = np.zeros(seen.whole.matrix.size), len(observed)
    forward, against = np.empty((count, len(places))), np.empty((len(excluded), len(places)))
    for row, term in enumerate(observed.tolist()):
        part = np.log1p(np.exp(_both(seen, _match, term))) / count
        part -= part[seen.heard].mean()
        total += part
        forward[row] = part[places]
    for row, term in enumerate(excluded.tolist()):
        part = _both(seen, _exclusion, term) / count
        part -= part[seen.heard].mean()
        total += part
        against[row] = part[places]
    reverse = REVERSE * _both(seen, _reverse, observed)
    mean = float(reverse[seen.heard].mean())
    total += reverse - mean
    return Scores(np.where(seen.heard, total, -np.inf), forward, against, mean)


def _both(seen: View, part: Callable[[View, Matrix, Asked], Floats], asked: Asked) -> Floats:
    """A part of the score for all diseases, those with removed rows from what they have left."""
    values = part(seen, seen.whole.matrix, asked)
    if seen.matrix is not None:
        values[seen.changed] = part(seen, seen.matrix, asked)
    return values


def _match(seen: View, matrix: Matrix, term: int) -> Floats:
    """x of one finding for every disease, -inf where the disease has none of its ancestors."""
    best = np.full(matrix.size, -np.inf)
    for ancestor in seen.whole.ancestors.of(term).tolist():
        add = constant(seen, term, ancestor)
        if ancestor in matrix.dense:
            np.maximum(best, matrix.dense[ancestor] + add, out=best)
            continue
        low, high = matrix.carried.bounds[ancestor : ancestor + 2]
        held = matrix.carried.items[low:high]
        best[held] = np.maximum(best[held], matrix.half_log[low:high] + add)
    return best


def _exclusion(seen: View, matrix: Matrix, term: int) -> Floats:
    penalty = np.zeros(matrix.size)
    low, high = matrix.carried.bounds[term : term + 2]
    penalty[matrix.carried.items[low:high]] = EXCLUDED * np.log1p(-SURE * matrix.carried_share[low:high])
    return penalty


def constant(seen: View, term: int, ancestor: int) -> float:
    """The part of x that does not depend on the disease."""
    lost = seen.information[term] - seen.information[ancestor]
    return float(-seen.log_share[ancestor] - SPECIFICITY * lost)


def shared_information(seen: View, observed: Ints, ancestors: Lists) -> Floats:
    """For each term, given its ancestors: the information of the most specific one that an observed finding has too."""
    common = np.zeros(seen.whole.terms)
    above, _ = seen.whole.ancestors.gather(observed)
    common[above] = seen.information[above]
    return np.maximum.reduceat(common[ancestors.items], ancestors.bounds[:-1])


def _reverse(seen: View, matrix: Matrix, observed: Ints) -> Floats:
    if not len(matrix.weight):
        return np.zeros(matrix.size)
    index, whole = seen.whole, matrix is seen.whole.matrix
    terms = index.used if whole else distinct(matrix.direct.items)
    shared = np.zeros(index.terms)
    ancestors = index.used_ancestors if whole else sublists(index.ancestors, terms)
    shared[terms] = shared_information(seen, observed, ancestors)
    return np.bincount(matrix.owner, matrix.weight * shared[matrix.direct.items], matrix.size).astype(np.float64)
