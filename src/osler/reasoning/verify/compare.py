"""Statement terms aligned with evidence terms by the company they keep, and where the aligned ones disagree.

An amount, a side or a negation only conflicts with the one that stands in the same slot: the slot is found by how many
of the statement's other terms stand near it. It does not decide the verdict.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from osler.reasoning.verify.quantities import equal, same_dimension
from osler.reasoning.verify.terms import Term

SAME_CLAUSE = 0.8  # a companion in the same claim counts 1
SAME_SENTENCE, NEXT_SENTENCE, ELSEWHERE = 0.6, 0.35, 0.1
FAR = 0.5  # of a rival's affinity: an equal number below it belongs to something else
LONELY = 0.5  # affinity where the evidence has no other word of the statement
OTHER_CLAUSE = 0.5  # weight of a companion in another clause of the statement


class Aligned(NamedTuple):
    """A statement term with its best match in the evidence and its best rival (same slot, other value).

    `affinity`, `rival_affinity`: 0 to 1, the share of the statement's other terms that stand near.
    """

    term: Term
    match: Term | None
    affinity: float
    rival: Term | None
    rival_affinity: float


def agrees(a: Term, b: Term) -> bool:
    """Whether two terms say the same thing, negation aside."""
    if a.quantity is not None or b.quantity is not None:
        return a.quantity is not None and b.quantity is not None and equal(a.quantity, b.quantity)
    return not a.keys.isdisjoint(b.keys) and not rivals(a, b)


def rivals(a: Term, b: Term) -> bool:
    """Whether two terms fill the same slot with different values."""
    if a.quantity is not None or b.quantity is not None:
        if a.quantity is None or b.quantity is None:
            return False
        return same_dimension(a.quantity, b.quantity) and not equal(a.quantity, b.quantity)
    if not a.axes or not b.axes:
        return False
    mine, theirs = dict(a.axes), dict(b.axes)
    shared = mine.keys() & theirs.keys()
    return bool(shared) and all(mine[axis] != theirs[axis] for axis in shared)


def align(statement: Sequence[Term], evidence: Sequence[Term]) -> list[Aligned]:
    """Each statement term with its best match and best rival."""
    matches = [[other for other in evidence if agrees(term, other)] for term in statement]
    stated = [term for term in statement if term.quantity is not None]
    return [
        _best(
            index,
            statement,
            matches,
            [
                other
                for other in evidence
                if rivals(statement[index], other) and not any(agrees(term, other) for term in stated)
            ],
        )
        for index in range(len(statement))
    ]


def _best(index: int, statement: Sequence[Term], matches: Sequence[list[Term]], against: Sequence[Term]) -> Aligned:
    term = statement[index]
    company = [
        (_pull(term, other) * other.weight / (1 + 0.5 * math.log(max(1, len(matches[i])))), matches[i])
        for i, other in enumerate(statement)
        if i != index and other.position != term.position
    ]
    total = sum(weight for weight, _ in company)

    def affinity(candidate: Term) -> float:
        if not total:
            return 1.0  # a statement of one word has one slot
        if not any(found for _, found in company):
            return LONELY
        near = (weight * max((_near(candidate, other) for other in found), default=0.0) for weight, found in company)
        return sum(near) / total

    match = _highest([(affinity(item), item) for item in matches[index]])
    rival = _highest([(affinity(item), item) for item in against])
    return Aligned(term, match[1], match[0], rival[1], rival[0])


def _highest(found: Sequence[tuple[float, Term]]) -> tuple[float, Term | None]:
    return max(found, key=lambda item: (item[0], -item[1].position), default=(0.0, None))


def _pull(term: Term, other: Term) -> float:
    """How much `other` says about the slot of `term`: more, the nearer it stands in the statement."""
    clause = 1.0 if term.clause == other.clause else OTHER_CLAUSE
    return clause / (1.0 + 0.1 * abs(term.position - other.position))


def _near(candidate: Term, other: Term) -> float:
    apart = abs(candidate.sentence - other.sentence)
    if candidate is other:
        return 0.0
    if apart == 0:
        if candidate.claim == other.claim:
            base = 1.0
        else:
            base = SAME_CLAUSE if candidate.clause == other.clause else SAME_SENTENCE
        return base / (1.0 + 0.02 * abs(candidate.position - other.position))
    return NEXT_SENTENCE if apart == 1 and other.sentence < candidate.sentence else ELSEWHERE
