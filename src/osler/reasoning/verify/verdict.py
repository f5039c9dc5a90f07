"""The verdict on a statement: what its evidence covers, what it contradicts, and the reasons in words."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.nouns import Evidence, Verdict
from osler.reasoning.verify.compare import Aligned, align
from osler.reasoning.verify.conflicts import conflicts
from osler.reasoning.verify.terms import initialisms, read
from osler.text import sentences, words


class Verification(NamedTuple):
    """`score`: share of the statement's content that the evidence covers, 0 to 1. `reasons`: what decided."""

    verdict: Verdict
    reasons: list[str]
    score: float


COVERED = 0.72
PARTLY = 0.45
ABOUT = 0.4  # coverage below which evidence is about something else and contradicts nothing


def verify(statement: str, evidence: Sequence[Evidence], embedder: Any = None) -> Verification:
    """The verdict on `statement` by `evidence` alone.

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
    aligned = align(said.terms, known.terms)
    score = round(_coverage(aligned), 3)
    against = conflicts(statement, text, said, known, aligned)
    disputed = {id(conflict.term) for conflict in against}
    about = _coverage([item for item in aligned if id(item.term) not in disputed])
    if against and (about >= ABOUT or any(conflict.framed for conflict in against)):
        return Verification("contradicted", [conflict.reason for conflict in against], score)
    missing = [item.term for item in aligned if item.match is None]
    reasons = [f"not in the evidence: {', '.join(dict.fromkeys(t.word for t in missing))}"] if missing else []
    if _half_true(aligned):
        return Verification("partial", reasons, score)
    if score >= COVERED and not any(term.quantity for term in missing):
        return Verification("supported", reasons, score)
    return Verification("unsupported", reasons, score)


def _half_true(aligned: Sequence[Aligned]) -> bool:
    """Whether one part of the statement, split where parts are joined, is covered and the rest is not."""
    for cut in range(1, len(aligned)):
        joined = aligned[cut - 1].term.claim != aligned[cut].term.claim
        for part, rest in ((aligned[:cut], aligned[cut:]), (aligned[cut:], aligned[:cut])):
            weight = sum(item.term.weight for item in part)
            if sum(item.term.weight for item in rest if item.match is None) < 0.8:
                continue
            high, low = _coverage(part), _coverage(rest)
            if high >= (0.75 if joined else 0.95) and low <= (0.55 if joined else 0.3):
                if weight >= (1.2 if joined else 2.4) and len(part) >= (2 if joined else 3):
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
