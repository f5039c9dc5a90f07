"""Statement terms aligned with evidence terms by the company they keep.

An amount, a side or a negation only conflicts with the one that stands in the same slot: the slot is found by how many
of the statement's other terms stand near it. It does not decide the verdict.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from osler.reasoning.verify.quantities import equal, same_dimension
from osler.reasoning.verify.terms import Term

SAME_CLAUSE = 0.8  # a companion in the same claim counts 1
SAME_SENTENCE, NEXT_SENTENCE, ELSEWHERE = 0.6, 0.35, 0.1
LONELY = 0.5  # affinity where the evidence has no other word of the statement
NAMED = 1.0  # weight from which a term may be what a statement is about
OTHER_CLAUSE = 0.5  # weight of a companion in another clause of the statement


class Aligned(NamedTuple):
    """A statement term with its best match in the evidence and its best rival (same slot, other value).

    `affinity`, `rival_affinity`: 0 to 1, the share of the statement's other terms that stand near. `places`: all its
    matches.
    """

    term: Term
    places: list[Term]
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
    return opposite(a.axes, b.axes)


def opposite(a: Sequence[tuple[str, str]], b: Sequence[tuple[str, str]]) -> bool:
    """Whether two words share an axis and differ on every one they share."""
    mine, theirs = dict(a), dict(b)
    shared = mine.keys() & theirs.keys()
    return bool(shared) and all(mine[axis] != theirs[axis] for axis in shared)


def coverage(aligned: Iterable[Aligned]) -> float:
    """Share of the weight that the evidence has; 1 for nothing."""
    total = held = 0.0
    for item in aligned:
        total += item.term.weight
        held += item.term.weight if item.match is not None else 0.0
    return held / total if total else 1.0


def align(statement: Sequence[Term], evidence: Sequence[Term]) -> list[Aligned]:
    """Each statement term with its best match and best rival."""
    by_key: dict[str, list[Term]] = {}
    for other in evidence:
        for key in other.keys:
            by_key.setdefault(key, []).append(other)
    measured = [other for other in evidence if other.quantity is not None]
    # A drug that the statement names too is no rival of another that it names.
    valued = [o for o in evidence if o.axes and not (o.concept and any(agrees(term, o) for term in statement))]
    matches: list[list[Term]] = []
    for term in statement:
        near = measured if term.quantity else {id(o): o for key in term.keys for o in by_key.get(key, ())}.values()
        matches.append([other for other in near if agrees(term, other)])
    stated = [term for term in statement if term.quantity is not None]
    free = [other for other in measured if not any(agrees(term, other) for term in stated)]
    found = []
    for i, term in enumerate(statement):
        named = matches[i] and "drug" in dict(term.axes)  # a drug that the evidence has stands for itself
        pool = [] if named else free if term.quantity else valued
        against = [other for other in pool if rivals(term, other)]
        found.append(_best(i, statement, matches, against))
    return found


def _best(index: int, statement: Sequence[Term], matches: Sequence[list[Term]], against: Sequence[Term]) -> Aligned:
    term = statement[index]
    if not matches[index] and not against:
        return Aligned(term, [], None, 0.0, None, 0.0)
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
    return Aligned(term, matches[index], match[1], match[0], rival[1], rival[0])


def crossing(aligned: Sequence[Aligned]) -> float:
    """How much better two of the statement's names would stand in each other's claims, 0 to 2.

    `A removes bone, B builds it` over `B removes bone, A builds it`: every word is there, in the wrong place.
    """
    named = [item for item in aligned if item.places and (item.term.weight >= NAMED or item.term.axes)]
    worst = 0.0
    for a, b in itertools.combinations(named, 2):
        if a.term.claim == b.term.claim or agrees(a.term, b.term):
            continue
        fits = [_fit(slot, filler, aligned, (a, b)) for slot in (a, b) for filler in (a, b)]
        worst = max(worst, fits[1] + fits[2] - fits[0] - fits[3])
    return worst


def _fit(slot: Aligned, filler: Aligned, aligned: Sequence[Aligned], pair: tuple[Aligned, Aligned]) -> float:
    """How near `filler` stands in the evidence to what the statement says in the claim of `slot`."""
    company = [i for i in aligned if i.term.claim == slot.term.claim and i.places and i not in pair]
    total = sum(item.term.weight for item in company)
    if not total:
        return 0.0
    return max(
        sum(item.term.weight * max(_near(place, other) for other in item.places) for item in company) / total
        for place in filler.places
    )


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
