"""The verdict on a statement: what its evidence covers, what it contradicts, and the reasons in words."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from osler.nouns import Evidence, Verdict
from osler.reasoning.verify.compare import Aligned, align
from osler.reasoning.verify.conflicts import conflicts
from osler.reasoning.verify.terms import initialisms, read
from osler.text import sentences, words

if TYPE_CHECKING:
    from osler.models.embedder import Embedder


class Verification(NamedTuple):
    """`score`: share of the statement's content that the evidence covers, 0 to 1. `reasons`: what decided."""

    verdict: Verdict
    reasons: list[str]
    score: float


COVERED = 0.64  # coverage from which a statement is supported
PARTLY = 0.45  # coverage from which an embedder's word counts
ALIKE = 0.95  # cosine (e5-small) from which a sentence says the same, where no rare word or number is missing
BARE = 0.7  # weight that the missing half of a half-true statement has at least
RARE = 1.25  # weight from which a missing word keeps a statement from being supported
ABOUT = 0.4  # coverage below which evidence is about something else and contradicts nothing


class _Half(NamedTuple):
    """What a true half needs: its coverage, the other half's, its weight and its number of terms."""

    covered: float
    bare: float
    weight: float
    terms: int


_JOINED, _UNBROKEN = _Half(0.75, 0.55, 1.2, 2), _Half(0.95, 0.3, 2.4, 3)


def verify(statement: str, evidence: Sequence[Evidence], embedder: "Embedder | None" = None) -> Verification:
    """The verdict on `statement` by `evidence` alone. With an `embedder` a close paraphrase may be supported too.

    A statement that stands verbatim in its evidence is always supported. No evidence: unsupported.
    """
    texts = [item.text for item in evidence]
    if any(verbatim(statement, text) for text in texts):
        return Verification("supported", ["stands word for word in the evidence"], 1.0)
    text = "\n".join(texts)
    short = initialisms(statement, text) | initialisms(text, statement)
    said, known = read(statement, short), read(text, short)
    if not said.terms or not known.terms:
        return Verification("unsupported", ["there is nothing to compare"], 0.0)
    aligned = _without_moves(align(said.terms, known.terms))
    score = round(_coverage(aligned), 3)
    against = conflicts(statement, text, said, known, aligned)
    disputed = {id(conflict.term) for conflict in against if not conflict.denied}
    rest = [item for item in aligned if id(item.term) not in disputed]
    about = _coverage(rest) if sum(item.term.weight for item in rest) >= 0.6 else 1.0
    if against and (about >= ABOUT or any(conflict.framed for conflict in against)):
        return Verification("contradicted", [conflict.reason for conflict in against], score)
    missing = [item.term for item in aligned if item.match is None]
    reasons = [f"not in the evidence: {', '.join(dict.fromkeys(t.word for t in missing))}"] if missing else []
    if _half_true(aligned):
        return Verification("partial", reasons, score)
    whole = not any(term.quantity or term.weight >= RARE for term in missing)
    if whole and (score >= COVERED or (embedder and score >= PARTLY and _alike(statement, texts, embedder))):
        return Verification("supported", reasons, score)
    return Verification("unsupported", reasons, score)


def _without_moves(aligned: list[Aligned]) -> list[Aligned]:
    """`fell from 12.9 to 10.2` is said by the two numbers: the word for the change need not be found."""
    if sum(item.match is not None and item.term.quantity is not None for item in aligned) < 2:
        return aligned
    return [item for item in aligned if item.match or item.rival or "amount" not in dict(item.term.axes)]


def _alike(statement: str, texts: Sequence[str], embedder: "Embedder") -> bool:
    found = [text[start:end] for text in texts for start, end in sentences(text)]
    vectors = embedder.embed_queries([statement, *found])
    return bool((vectors[1:] @ vectors[0]).max() >= ALIKE)


def _half_true(aligned: Sequence[Aligned]) -> bool:
    """Whether one part of the statement, split where parts are joined, is covered and the rest is not."""
    for cut in range(1, len(aligned)):
        joined = aligned[cut - 1].term.claim != aligned[cut].term.claim
        for part, rest in ((aligned[:cut], aligned[cut:]), (aligned[cut:], aligned[:cut])):
            weight = sum(item.term.weight for item in part)
            if sum(item.term.weight for item in rest if item.match is None) < BARE:
                continue
            if not joined and part[0] is not aligned[0]:
                continue  # what it is said of is missing: nothing is half true
            least = _JOINED if joined else _UNBROKEN
            if (
                _coverage(part) >= least.covered
                and _coverage(rest) <= least.bare
                and weight >= least.weight
                and len(part) >= least.terms
            ):
                return True
    return False


def verbatim(statement: str, text: str) -> bool:
    """Whether the statement is one or more whole sentences of the text, punctuation and case aside."""
    wanted = " ".join(words(statement))
    if not wanted:
        return False
    parts = [" ".join(words(text[start:end])) for start, end in sentences(text)]
    whole = "\x1f" + "\x1f".join(parts) + "\x1f"
    return re.search("\x1f" + re.escape(wanted).replace(r"\ ", "[ \x1f]") + "\x1f", whole) is not None


def _coverage(aligned: Sequence[Aligned]) -> float:
    total = sum(item.term.weight for item in aligned)
    if not total:
        return 1.0
    return sum(item.term.weight for item in aligned if item.match is not None) / total
