"""How well each disease explains the findings of a case: the score "lr_bma" in its parts (docs/decisions/graph.md).

For finding q and disease d, over the ancestors a of q: x = max [ 1/2 log F(d,a) - log bg(a) - 1/4 (IC(q) - IC(a)) ],
and the evidence is log(1 + e^x), averaged over findings; plus half the share-weighted mean over the findings of d of
the information it has in common with the case (Resnik 1995). Both are centred on their mean over diseases, so 0 is what
a disease picked blindly would get. Excluded findings then take a tenth of log(1 - 0.95 F), averaged likewise, from the
diseases that have them and leave the others alone.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.diagnosis.index import Background, Floats, Index, Ints, Lists, Matrix, background, distinct

SPECIFICITY = 0.25  # weight of the information lost when a finding is matched by a broader one
REVERSE = 0.5  # weight of how much of the disease the case shows
EXCLUDED = 0.1  # weight of an excluded finding: shown, but case reports list absences selectively
SURE = 0.95  # no published share makes a finding certain in the next patient

Asked = TypeVar("Asked")


class View(NamedTuple):
    """The annotations in force for one case: all but the `removed`. The `changed` diseases have a matrix of what they
    have left; `log_share` and `information` are corrected; `heard`: diseases that still have rows."""

    whole: Index
    removed: frozenset[int]
    changed: Ints
    matrix: Matrix | None
    log_share: Floats
    information: Floats
    heard: NDArray[np.bool_]

    def annotations(self, place: int) -> tuple[Ints, Floats, Floats]:
        """Terms of one disease with their shares and weights."""
        matrix = self.whole.matrix
        if self.matrix is not None and place in self.changed:
            matrix, place = self.matrix, int(np.searchsorted(self.changed, place))
        which = matrix.direct.span(place)
        return matrix.direct.items[which], matrix.direct_share[which], matrix.weight[which]


def view(index: Index, removed: Ints) -> View:
    """What is left when the annotations numbered `removed` had never been written."""
    back, left, changed = index.background, None, distinct(index.owner[removed])
    heard = np.ones(len(index.diseases), dtype=bool)
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
        heard[changed[np.diff(left.direct.bounds) == 0]] = False
    return View(index, frozenset(removed.tolist()), changed, left, np.log(back.share()), back.information(), heard)


class Scores(NamedTuple):
    """A case scored against every disease (`total`, -inf for those without rows), and its parts for k diseases.

    `forward`: by observed finding, (k), centred; `against`: by excluded finding, (k), none above 0; `reverse_mean`:
    what the reverse part was centred by. `observed` and `excluded` are graph positions.
    """

    seen: View
    observed: Ints
    excluded: Ints
    total: Floats
    forward: list[Floats]
    against: list[Floats]
    reverse_mean: float


def score(seen: View, observed: Ints, excluded: Ints, places: Ints) -> Scores:
    """Score all diseases; `places` are those whose parts are kept. `observed` is not empty."""
    total, count = np.zeros(seen.whole.matrix.size), len(observed)
    forward, against = [], []
    for term in observed.tolist():
        part = np.log1p(np.exp(_both(seen, _match, term))) / count
        part -= part[seen.heard].mean()
        total += part
        forward.append(part[places])
    for term in excluded.tolist():
        part = _both(seen, _exclusion, term) / count
        total += part
        against.append(part[places])
    reverse = REVERSE * _both(seen, _reverse, observed)
    mean = float(reverse[seen.heard].mean())
    total += reverse - mean
    return Scores(seen, observed, excluded, np.where(seen.heard, total, -np.inf), forward, against, mean)


def _both(seen: View, part: Callable[[View, Matrix, Asked], Floats], asked: Asked) -> Floats:
    """A part of the score for all diseases, those with removed rows from what they have left."""
    values = part(seen, seen.whole.matrix, asked)
    if seen.matrix is not None:
        values[seen.changed] = part(seen, seen.matrix, asked)
    return values


def _match(seen: View, matrix: Matrix, term: int) -> Floats:
    """x of one finding for every disease, -inf where the disease has none of its ancestors."""
    best = np.full(matrix.size, -np.inf)
    lineage = seen.whole.ancestors.of(term)
    for ancestor, add in zip(lineage.tolist(), gain(seen, term, lineage).tolist(), strict=True):
        held = matrix.carried.span(ancestor)
        np.maximum.at(best, matrix.carried.items[held], matrix.half_log[held] + add)
    return best


def gain(seen: View, term: int, ancestors: Ints) -> Floats:
    """For each ancestor of a finding the part of x that does not depend on the disease."""
    lost = seen.information[term] - seen.information[ancestors]
    constant: Floats = -seen.log_share[ancestors] - SPECIFICITY * lost
    return constant


def _exclusion(seen: View, matrix: Matrix, term: int) -> Floats:
    penalty = np.zeros(matrix.size)
    penalty[matrix.carried.of(term)] = EXCLUDED * np.log1p(-SURE * matrix.carried_share[matrix.carried.span(term)])
    return penalty


def _reverse(seen: View, matrix: Matrix, observed: Ints) -> Floats:
    if not len(matrix.weight):
        return np.zeros(matrix.size)
    shared = np.zeros(seen.whole.terms)
    shared[matrix.terms] = shared_information(seen, observed, matrix.above)
    return np.bincount(matrix.owner, matrix.weight * shared[matrix.direct.items], matrix.size).astype(np.float64)


def shared_information(seen: View, observed: Ints, ancestors: Lists) -> Floats:
    """For each term, given its ancestors: the information of the most specific one that an observed finding has too."""
    above, _ = seen.whole.ancestors.gather(observed)
    common = np.zeros(seen.whole.terms)
    common[above] = seen.information[above]
    return largest(common, ancestors)


def largest(values: Floats, ancestors: Lists) -> Floats:
    """For each term, given its ancestors, the largest of their values."""
    return np.maximum.reduceat(values[ancestors.items], ancestors.bounds[:-1])
