"""Where evidence says otherwise: another number, side or direction, the opposite, swapped roles, another name.

Each finder returns reasons in words, none if the evidence does not speak against the statement. It gives no verdict.
"""

import difflib
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from osler.reasoning.verify.compare import Aligned, agrees
from osler.reasoning.verify.terms import PRONOUN, Reading, Term, lexicon, normalise, stem, weight
from osler.text import has_chinese, sentences, words

SLOT = 0.45  # affinity from which two terms stand in the same slot
STATED, SAID = 0.8, 0.92  # of a rival's affinity: from there a number, or a word, stands in the slot itself
DENIED = 0.3  # the same where one side denies
SPECIFIC = 0.75  # weight from which a term says something of its own
NAMED = 1.0  # weight from which a term may be what a statement is about


class Conflict(NamedTuple):
    """`reason` in words. `framed`: the words around it are the same, so little else need be covered.

    `term`: the statement's term it is about. `denied`: that term stands in the evidence, with the other polarity.
    """

    reason: str
    framed: bool
    term: Term | None = None
    denied: bool = False


def conflicts(
    statement: str, evidence: str, said: Reading, known: Reading, aligned: Sequence[Aligned]
) -> list[Conflict]:
    """All reasons why the evidence contradicts the statement. `said`, `known`: both texts as read."""
    if _contained(statement, evidence):
        return []
    swap = _swapped(normalise(statement), evidence)
    found = [Conflict(f"the evidence compares the other way round: {swap}", True)] if swap else []
    for item in aligned:
        if not swap and (reason := _rival(item, aligned)):
            found.append(Conflict(reason, False, item.term))
        elif reason := _denied(item, said, known):
            found.append(Conflict(reason, False, item.term, denied=True))
    found += [Conflict(reason, True) for reason in _edited(statement, evidence)]
    found += [Conflict(reason, True) for reason in _replaced(statement, evidence, aligned)]
    found += [Conflict(reason, True) for reason in _warned(statement, evidence, said, known)]
    found += [Conflict(reason, True) for reason in _dosed(aligned, said.terms, known.terms)]
    return found or _elsewhere(said, known)


def _rival(item: Aligned, aligned: Sequence[Aligned]) -> str | None:
    """Another value in the slot, unless the stated value stands there too or the subject is another one."""
    term, rival = item.term, item.rival
    if rival is None or item.rival_affinity < SLOT:
        return None
    if item.affinity >= (STATED if term.quantity else SAID) * item.rival_affinity:
        return None
    if term.quantity is not None and term.quantity.dimension == "name" and item.match is not None:
        return None  # `syndrome 2` is spoken of, beside `syndrome 1`
    if term.quantity is None and term.negated != rival.negated:
        return None  # `does not rise` against `falls`: no contradiction
    subject = next((other for other in aligned if other.term.weight >= NAMED and other.term.quantity is None), None)
    if subject is not None and subject.match is None and not subject.term.axes:
        return None
    return f"the evidence says {rival.word} where the statement says {term.word}"


def _denied(item: Aligned, said: Reading, known: Reading) -> str | None:
    """A term denied on one side only, in clauses of which only that side's holds a negation and none an exception."""
    term, match = item.term, item.match
    if match is None or term.quantity is not None or item.affinity < DENIED or term.negated == match.negated:
        return None
    if any(other.negated != term.negated and agrees(other, term) for other in said.terms):
        return None
    if match.claim in known.excepting or term.claim in said.excepting:
        return None
    if term.negated:
        if match.clause in known.denying or _denied_elsewhere(term, said, known):
            return None
    elif term.clause in said.denying:
        return None
    return f"the evidence says {_polarity(match)} where the statement says {_polarity(term)}"


def _denied_elsewhere(term: Term, said: Reading, known: Reading) -> bool:
    """Whether a denying clause of the evidence speaks of what the statement's clause speaks of."""
    mine = [other for other in said.terms if other.clause == term.clause and other.weight >= 0.6]
    theirs = [other for other in known.terms if other.clause in known.denying]
    return any(agrees(a, b) for a in mine for b in theirs)


def _polarity(term: Term) -> str:
    return f"not {term.word}" if term.negated else term.word


def _warned(statement: str, evidence: str, said: Reading, known: Reading) -> list[str]:
    """The evidence warns against what the statement allows, in a sentence that has all else the statement says."""
    allowed = lexicon().permissions.search(statement)
    if allowed is None or lexicon().warnings.search(statement) or said.denying:
        return []
    rest = [term for term in said.terms if term.word not in allowed.group().lower()]
    whole = sum(term.weight for term in rest)
    for number, (start, end) in enumerate(sentences(evidence)):
        warning = lexicon().warnings.search(evidence[start:end])
        if warning is None or not whole:
            continue
        there = [term for term in known.terms if term.sentence == number]
        enough = 0.4 if PRONOUN.match(evidence[start:end]) else 0.75
        if sum(term.weight for term in rest if any(agrees(term, other) for other in there)) >= enough * whole:
            return [f"the evidence says {warning.group()} where the statement says {allowed.group()}"]
    return []


def _dosed(aligned: Sequence[Aligned], said: Sequence[Term], known: Sequence[Term]) -> list[str]:
    """The statement's dose stands in the evidence, but right after another name than the statement's."""
    for name, dose in itertools.pairwise(aligned):
        if name.match is not None or name.term.weight < NAMED or name.term.quantity or dose.match is None:
            continue
        if dose.term.quantity is None or dose.term.quantity.dimension not in ("mass", "volume", "activity"):
            continue
        place = next(index for index, term in enumerate(known) if term is dose.match)
        owner = known[place - 1] if place else None
        if owner is None or owner.quantity or owner.weight < NAMED or owner.sentence != dose.match.sentence:
            continue
        if not any(agrees(term, owner) for term in said):
            return [f"the evidence gives {dose.match.word} of {owner.word}, not of {name.term.word}"]
    return []


def _elsewhere(said: Reading, known: Reading) -> list[Conflict]:
    """The evidence says it of something else: one sentence has all but the subject, and a subject of its own."""
    subject = next((term for term in said.terms if term.weight >= NAMED and term.quantity is None), None)
    if subject is None or not any(agrees(subject, other) for other in known.terms):
        return []
    rest = [term for term in said.terms if term is not subject]
    for number in {term.sentence for term in known.terms}:
        sentence = [term for term in known.terms if term.sentence == number]
        if any(agrees(subject, other) for other in sentence):
            continue
        held = sum(term.weight for term in rest if any(agrees(term, other) for other in sentence))
        if held < 2.0 or len(rest) < 3 or held < 0.8 * sum(term.weight for term in rest):
            continue
        first = min((t.position for t in sentence if any(agrees(t, other) for other in rest)), default=0)
        own = [
            t
            for t in sentence
            if t.weight >= NAMED and not t.quantity and t.position < first and not any(agrees(t, o) for o in said.terms)
        ]
        if own and held > 1.4 * _held_with(subject, rest, known):
            return [Conflict(f"the evidence says it of {own[0].word}, not of {subject.word}", True)]
    return []


def _held_with(subject: Term, rest: Sequence[Term], known: Reading) -> float:
    """The weight of `rest` in the best sentence that names the subject, or the one after it."""
    about = {other.sentence for other in known.terms if agrees(subject, other)}
    held = [
        sum(t.weight for t in rest if any(agrees(t, o) for o in known.terms if o.sentence in (number, number + 1)))
        for number in about
    ]
    return max(held, default=0.0)


def _contained(statement: str, evidence: str) -> bool:
    """Whether a sentence of the evidence has the statement's words in one run with no negation right before it."""
    said = _plain(statement)
    for start, end in sentences(evidence):
        theirs = _plain(evidence[start:end])
        for place in range(len(theirs) - len(said) + 1):
            if theirs[place] == said[0] and theirs[place : place + len(said)] == said:
                return len(said) >= 4 and not lexicon().negation.intersection(theirs[max(0, place - 4) : place])
    return False


_NEAR_VERBATIM = 0.8  # share of the statement's words that stand in one sentence in the same order


def _edited(statement: str, evidence: str) -> list[str]:
    """A sentence of the evidence with a negation put in or taken out, or a word turned into its opposite."""
    said = _plain(statement)
    if len(said) < 4:
        return []
    cues = lexicon().negation
    for start, end in sentences(evidence):
        theirs = _plain(evidence[start:end])
        matcher = difflib.SequenceMatcher(None, theirs, said, autojunk=False)
        blocks = [block for block in matcher.get_matching_blocks() if block.size]
        if sum(block.size for block in blocks) < _NEAR_VERBATIM * len(said):
            continue
        for tag, a, b, c, d in matcher.get_opcodes():
            old, new = theirs[a:b], said[c:d]
            if (
                tag == "equal"
                or len(old) > 3
                or len(new) > 3
                or b <= blocks[0].a
                or a >= blocks[-1].a + blocks[-1].size
            ):
                continue
            if sum(word in cues for word in old) % 2 != sum(word in cues for word in new) % 2:
                return [f"the evidence says {' '.join(old) or 'it'} where the statement says {' '.join(new) or 'it'}"]
            if pair := next(((x, y) for x in old for y in new if _opposite(x, y)), None):
                return [f"the evidence says {pair[0]} where the statement says {pair[1]}"]
    return []


def _plain(text: str) -> list[str]:
    spread = re.sub(r"(\w)n't\b", r"\1 not", text.lower().replace("’", "'")).replace("cannot", "can not")
    return words(spread)


def _opposite(a: str, b: str) -> bool:
    axes = lexicon().axes
    mine, yours = dict(axes.get(a, ())), dict(axes.get(b, ()))
    shared = mine.keys() & yours.keys()
    return bool(shared) and all(mine[axis] != yours[axis] for axis in shared)


_PIVOTS = frozenset(stem(word) for word in "than outweigh exceed precede".split())


def _swapped(statement: str, evidence: str) -> str | None:
    """`A is larger than B` against `B is larger than A`: what stands on either side of the pivot has changed places."""
    pivot = next((word for word in raw(statement) if word in _PIVOTS), None)
    if pivot is None:
        return None
    left, right = _sides(raw(statement), pivot)
    for start, end in sentences(evidence):
        written = raw(normalise(evidence[start:end]))
        if pivot not in written:
            continue
        before, after = _sides(written, pivot)
        first, second = left - right, right - left
        if first & (after - before) and second & (before - after) and not second & (after - before):
            return f"{' '.join(sorted(first & after))} and {' '.join(sorted(second & before))}"
    return None


def _sides(written: Sequence[str], pivot: str) -> tuple[set[str], set[str]]:
    at = written.index(pivot)
    stop = lexicon().stop
    return {w for w in written[:at] if w not in stop}, {w for w in written[at + 1 :] if w not in stop}


_RAW = re.compile(r"[\u4e00-\u9fff]|[^\W_]+(?:[.\-'][^\W_]+)*|[:=]")
_ARTICLES = frozenset("the a an his her their its this that also".split())
EDGE = "|"


def raw(text: str) -> list[str]:
    """Stems of all words but articles; what links a subject with what is said of it becomes `=`."""
    linking = lexicon().linking
    found = [word for word in _RAW.findall(text.lower()) if word not in _ARTICLES]
    return ["=" if word in linking else stem(word) for word in found]


def _replaced(statement: str, evidence: str, aligned: Sequence[Aligned]) -> list[str]:
    """A name in the statement where the evidence, in the same words around it, has another.

    Up to two words on either side make the frame; the edge of a sentence counts as one.
    """
    strange = {stem(item.term.word) for item in aligned if item.match is None and item.term.quantity is None}
    named = {stem(item.term.word) for item in aligned if item.term.quantity is None and _specific(item.term.word)}
    said = [word for word in _framed(raw(normalise(statement))) if word]
    for start, end in sentences(evidence):
        theirs = _framed(raw(normalise(evidence[start:end])))
        for first, last in _runs(said, set(theirs)):
            run = said[first:last]
            if not named.intersection(run) or _RELATING.intersection(run):
                continue
            absent = all(word in strange or word in _SMALL for word in run)
            if (other := _fills(said, first, last, theirs, absent)) is not None:
                return [f"the evidence says {' '.join(other)} where the statement says {' '.join(run)}"]
    return []


def _specific(word: str) -> bool:
    return has_chinese(word) or (len(word) > 2 and weight(stem(word)) >= SPECIFIC)


_RELATING = frozenset("= with by to for than not".split())  # with one of these a run is more than a name
_SMALL = frozenset("of in with by to and or = for on at".split())


def _framed(words: Sequence[str]) -> list[str]:
    return [EDGE, *words, EDGE]


def _runs(said: Sequence[str], theirs: set[str]) -> list[tuple[int, int]]:
    """Stretches of the statement whose content words the sentence lacks; small words inside belong to them."""
    lacking = [i for i, word in enumerate(said) if word not in theirs and word not in _SMALL]
    if not lacking or lacking[-1] - lacking[0] > 6:
        return []
    return [(lacking[0], lacking[-1] + 1)]


def _fills(said: Sequence[str], first: int, last: int, theirs: Sequence[str], absent: bool) -> list[str] | None:
    """What the sentence has in the frame of the run; None where it has no such frame."""
    left, right = said[max(0, first - 2) : first], said[last : last + 2]
    best: tuple[int, list[str]] = (0, [])
    for start in range(len(theirs)):
        for size in range(1, 7):
            other = list(theirs[start : start + size])
            if len(other) < size or EDGE in other or other[0] in _SMALL or other[-1] in _SMALL:
                continue
            frame = _same(left[::-1], theirs[max(0, start - 2) : start][::-1]) + _same(right, theirs[start + size :])
            new = [word for word in other if word not in said and _specific(word)]
            same = any(_akin(mine, yours) for mine in said[first:last] for yours in other)
            if new and not same and len(new) >= len(other) - 2 and frame > best[0]:
                best = (frame, other)
    rest = [word for i, word in enumerate(said) if not first <= i < last and word not in _SMALL and word != EDGE]
    held = sum(word in theirs for word in rest)
    content = [word for word in rest if word != "="]
    enough = 3 if absent else 4
    if best[0] >= enough and content and held >= 0.75 * len(rest):
        return list(best[1])
    if absent and best[0] >= 2 and len(content) >= 2 and held == len(rest):
        return list(best[1])
    return None


def _akin(a: str, b: str) -> bool:
    """Whether two stems are synonyms, or opposites on one axis: no names that replace each other."""
    groups = lexicon().groups
    return a == b or not groups.get(a, frozenset()).isdisjoint(groups.get(b, frozenset()))


def _same(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words of two frames agree, counted outward from the run until one differs."""
    count = 0
    for mine, yours in zip(a, b, strict=False):
        if mine != yours:
            break
        count += 1
    return count
