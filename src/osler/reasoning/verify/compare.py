"""Statement terms aligned with evidence terms by the company they keep, and where the aligned ones disagree.

An amount, a side or a negation only conflicts with the one that stands in the same slot: the slot is found by how many
of the statement's other terms stand near it. It does not decide the verdict.
"""

from collections.abc import Sequence
from typing import NamedTuple

from osler.reasoning.verify.quantities import equal, same_dimension
from osler.reasoning.verify.terms import Term

SAME_SENTENCE, NEXT_SENTENCE, ELSEWHERE = 0.8, 0.4, 0.12  # a companion in the same clause counts 1


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
    return not a.keys.isdisjoint(b.keys)


def rivals(a: Term, b: Term) -> bool:
    """Whether two terms fill the same slot with different values."""
    if a.quantity is not None and b.quantity is not None:
        return same_dimension(a.quantity, b.quantity) and not equal(a.quantity, b.quantity)
    if not a.axes or not b.axes:
        return False
    mine, theirs = dict(a.axes), dict(b.axes)
    return any(axis in theirs and theirs[axis] != value for axis, value in mine.items()) and not any(
        theirs.get(axis) == value for axis, value in mine.items()
    )


def align(statement: Sequence[Term], evidence: Sequence[Term]) -> list[Aligned]:
    """Each statement term with its best match and best rival."""
    matches = [[other for other in evidence if agrees(term, other)] for term in statement]
    return [
        _best(index, statement, matches, [other for other in evidence if rivals(statement[index], other)])
        for index in range(len(statement))
    ]


def _best(index: int, statement: Sequence[Term], matches: Sequence[list[Term]], against: Sequence[Term]) -> Aligned:
    term = statement[index]
    company = [(_pull(term, other) * other.weight, matches[i]) for i, other in enumerate(statement) if i != index]
    total = sum(weight for weight, _ in company) or 1.0

    def affinity(candidate: Term) -> float:
        near = (weight * max((_near(candidate, other) for other in found), default=0.0) for weight, found in company)
        return sum(near) / total

    match = max(((affinity(item), -item.position, item) for item in matches[index]), default=None, key=lambda x: x[:2])
    rival = max(((affinity(item), -item.position, item) for item in against), default=None, key=lambda x: x[:2])
    return Aligned(
        term,
        match[2] if match else None,
        match[0] if match else 0.0,
        rival[2] if rival else None,
        rival[0] if rival else 0.0,
    )


def _pull(term: Term, other: Term) -> float:
    """How much `other` says about the slot of `term`: more, the nearer it stands in the statement."""
    return 1.0 / (1.0 + 0.15 * abs(term.position - other.position))


def _near(candidate: Term, other: Term) -> float:
    if candidate is other:
        return 0.0
    apart = abs(candidate.sentence - other.sentence)
    if apart == 0:
        base = 1.0 if candidate.clause == other.clause else SAME_SENTENCE
        return base / (1.0 + 0.02 * abs(candidate.position - other.position))
    return NEXT_SENTENCE if apart == 1 and other.sentence < candidate.sentence else ELSEWHERE
