"""What an aligned statement and its evidence show: how much is covered, what is missing, what speaks against it.

It gives no verdict.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from osler.reasoning.verify.alignment import NAMED, Aligned, crossing, opposite
from osler.reasoning.verify.lexicon import lexicon, stem, weight
from osler.reasoning.verify.terms import DRUGS, Reading, Term
from osler.text import has_chinese

SLOT = 0.45  # affinity from which two terms stand in the same slot
ALONE = 0.3  # the same where the stated value stands nowhere
STATED, SAID = 0.8, 0.92  # of a rival's affinity: from there a number, or a word, stands in the slot itself
DENIED = 0.3  # affinity in a slot where one side denies
CROSSED = 0.15  # crossing from which two names stand in each other's place
SPECIFIC = 0.75  # weight from which a term says something of its own


class Signals(NamedTuple):
    """`closeness`: share of the statement's weight that stands in one sentence of the evidence. `against`: why the
    evidence says otherwise. `barred`: why the statement must not be called supported; `lacking`: those that hold in any
    wording."""

    closeness: float
    against: list[str]
    barred: list[str]
    lacking: list[str]


def signals(said: Reading, known: Reading, aligned: Sequence[Aligned]) -> Signals:
    """The signals of a statement read as `said` over evidence read as `known`."""
    total = sum(item.term.weight for item in aligned) or 1.0
    held = Counter[int]()
    for item in aligned:
        for number in {place.sentence for place in (*item.places, *filter(None, [item.rival]))}:
            held[number] += item.term.weight  # type: ignore[assignment]
    missing = [item for item in aligned if item.match is None]
    met = [item for item in aligned if item.match is not None and item.term.quantity is None]
    doubted = [item for item in met if not item.term.doubtful and all(place.doubtful for place in item.places)]
    strangers = [
        item for item in met if item.match and item.match.who != item.term.who and item.match.who and item.term.who
    ]
    contained = _contained(said, known)
    against = [] if contained else _against(said, known, aligned)
    lacking = [f"{i.term.word} is not in the evidence" for i in missing if i.term.quantity or _drug(i.term)]
    barred = [f"the evidence doubts {item.term.word}" for item in doubted]
    if not contained:
        barred += [f"{i.term.word} stands nearer to something else" for i in aligned if i.affinity < _nearer(i)]
        barred += [f"the evidence says {item.term.word} of someone else" for item in strangers]
        barred += ["two names stand in each other's place"] * (crossing(aligned) > CROSSED)
    return Signals(max(held.values(), default=0.0) / total, against, barred + lacking + against, lacking)


def _nearer(item: Aligned) -> float:
    """The affinity that a term must have where another value stands in reach: a number all of it, a word nearly."""
    return item.rival_affinity if item.term.quantity else SAID * item.rival_affinity


def _drug(term: Term) -> bool:
    return term.concept is not None and term.concept.startswith(DRUGS)


def _against(said: Reading, known: Reading, aligned: Sequence[Aligned]) -> list[str]:
    """Why the evidence says otherwise."""
    reasons = (_rival(item, aligned) or _denied(item, said, known) for item in aligned)
    return [*filter(None, reasons), *_edited(said, known, aligned)]


def _rival(item: Aligned, aligned: Sequence[Aligned]) -> str | None:
    """Another value in the slot, unless the stated value stands there too or the subject is another one."""
    term, rival = item.term, item.rival
    if rival is None or item.rival_affinity < (SLOT if item.match else ALONE):
        return None
    if item.affinity >= (STATED if term.quantity else SAID) * item.rival_affinity:
        return None
    if term.quantity is None and term.negated != rival.negated:
        return None  # `does not rise` against `falls`: no contradiction
    subject = next((other for other in aligned if other.term.weight >= NAMED and other.term.quantity is None), None)
    if subject is not None and subject.match is None and not subject.term.axes:
        return None
    if _drug(term) and sum(i.match is not None and i.term.claim == term.claim for i in aligned) < 2:
        return None  # another drug is one where the rest of the claim is met
    return f"the evidence says {rival.word} where the statement says {term.word}"


def _denied(item: Aligned, said: Reading, known: Reading) -> str | None:
    """A term denied on one side only, in clauses of which only that side's holds a negation and none an exception."""
    term, match = item.term, item.match
    if match is None or term.quantity is not None or term.negated == match.negated:
        return None
    mine, theirs = (f"{'not ' * one.negated}{one.word}" for one in (term, match))
    same = [place for place in item.places if term.concept and place.who and place.concept in term.keys]
    if same and all(place.negated != term.negated for place in same):
        return f"the evidence says {theirs} where the statement says {mine}"
    if item.affinity < DENIED:
        return None
    if match.claim in known.excepting or term.claim in said.excepting:
        return None
    if (term.negated and match.clause in known.denying) or (not term.negated and term.clause in said.denying):
        return None
    return f"the evidence says {theirs} where the statement says {mine}"


def _contained(said: Reading, known: Reading) -> bool:
    """Whether a sentence of the evidence has the statement's words in one run with no negation right before it."""
    run = [word for line in said.lines for word in line]
    for line in known.lines:
        for place in range(len(line) - len(run) + 1):
            if line[place] == run[0] and line[place : place + len(run)] == run:
                return len(run) >= 4 and not lexicon().negation.intersection(line[max(0, place - 4) : place])
    return False


NEAR = 0.75  # share of the statement's words that stand in one sentence in the same order
_SMALL = frozenset("of in with by to and or = for on at than not".split())


def _edited(said: Reading, known: Reading, aligned: Sequence[Aligned]) -> list[str]:
    """A sentence of the evidence with a negation put in or out, a word made its opposite, or a name made another."""
    run = [word for line in said.lines for word in line]
    cues, axes = lexicon().negation, lexicon().stem_axes
    strange = {stem(item.term.word) for item in aligned if item.match is None and item.term.quantity is None}
    for line in known.lines if len(run) >= 4 else []:
        if sum(word in line for word in run) < NEAR * (len(run) - 5):
            continue  # too few words in common, in whatever order
        matcher = difflib.SequenceMatcher(None, line, run, autojunk=False)
        same = [block for block in matcher.get_matching_blocks() if block.size]
        for tag, a, b, c, d in matcher.get_opcodes():
            old, new = line[a:b], run[c:d]
            if tag == "equal" or len(old) > 5 or len(new) > 5:
                continue
            if not same or sum(block.size for block in same) < NEAR * (len(run) - len(new)):
                continue
            what = f"the evidence says {' '.join(old) or 'it'} where the statement says {' '.join(new) or 'it'}"
            inside = same[0].a < b and a < same[-1].a + same[-1].size
            if inside and sum(word in cues for word in old) % 2 != sum(word in cues for word in new) % 2:
                return [what]
            if any(opposite(axes.get(x, ()), axes.get(y, ())) for x in old for y in new):
                return [what]
            named = [word for word in old if word not in run and _specific(word)]
            other = [word for word in new if word in strange and _specific(word)]
            unshared = not any(word in line for word in new if word not in _SMALL)
            if other and named and unshared and len(named) >= len(old) - 2:
                return [what]
    return []


def _specific(word: str) -> bool:
    return has_chinese(word) or (len(word) > 2 and weight(word) >= SPECIFIC)
