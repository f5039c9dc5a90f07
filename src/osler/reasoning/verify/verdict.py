"""The verdict on a statement: what its evidence covers, what it contradicts, and the reasons in words."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.nouns import Evidence, Verdict
from osler.reasoning.verify.compare import Aligned, align
from osler.reasoning.verify.terms import Term, terms
from osler.text import sentences, words


class Verification(NamedTuple):
    """`score`: share of the statement's content that the evidence covers, 0 to 1. `reasons`: what decided."""

    verdict: Verdict
    reasons: list[str]
    score: float


COVERED = 0.72
PARTLY = 0.45
SLOT = 0.45


def verify(statement: str, evidence: Sequence[Evidence], embedder: Any = None) -> Verification:
    """The verdict on `statement` by `evidence` alone.

    A statement that stands verbatim in its evidence is always supported. No evidence: unsupported.
    """
    texts = [item.text for item in evidence]
    if any(verbatim(statement, text) for text in texts):
        return Verification("supported", ["stands word for word in the evidence"], 1.0)
    said, known = terms(statement), terms("\n".join(texts))
    if not said or not known:
        return Verification("unsupported", ["there is nothing to compare"], 0.0)
    aligned = align(said, known)
    score = _coverage(aligned)
    conflicts = [reason for item in aligned if (reason := _conflict(item))]
    if conflicts and score >= 0.4:
        return Verification("contradicted", conflicts, score)
    missing = [item.term.word for item in aligned if item.match is None and item.term.weight >= 0.5]
    reasons = [f"not in the evidence: {', '.join(dict.fromkeys(missing))}"] if missing else []
    if score >= COVERED:
        return Verification("supported", reasons, score)
    return Verification("partial" if score >= PARTLY else "unsupported", reasons, score)


def verbatim(statement: str, text: str) -> bool:
    """Whether the statement is one or more whole sentences of the text, punctuation and case aside."""
    wanted = " ".join(words(statement))
    if not wanted:
        return False
    parts = [" ".join(words(text[start:end])) for start, end in sentences(text)]
    whole = "\x1f" + "\x1f".join(parts) + "\x1f"
    return re.search("\x1f" + re.escape(wanted).replace(r"\ ", "[ \x1f]") + "\x1f", whole) is not None


def _coverage(aligned: Sequence[Aligned]) -> float:
    total = sum(item.term.weight for item in aligned) or 1.0
    return sum(item.term.weight for item in aligned if item.match is not None) / total


def _conflict(item: Aligned) -> str | None:
    term, match, rival = item.term, item.match, item.rival
    if rival is not None and item.rival_affinity >= SLOT and item.rival_affinity > item.affinity + 0.02:
        flipped = (
            term.negated != rival.negated and len({value for _, value in (*term.axes, *rival.axes)} - {"+", "-"}) == 0
        )
        if not flipped or term.quantity is not None:
            return f"the evidence says {rival.word} where the statement says {term.word}"
    if match is not None and item.affinity >= SLOT and term.negated != match.negated and term.quantity is None:
        said, found = _polarity(term), _polarity(match)
        return f"the evidence says {found} where the statement says {said}"
    return None


def _polarity(term: Term) -> str:
    return f"not {term.word}" if term.negated else term.word
