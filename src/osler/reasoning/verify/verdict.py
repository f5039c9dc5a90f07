"""The verdict on a statement: verbatim, contradicted by a rule with its reason, or what a small model reads.

Rules judge what stands in nearly the words of the evidence, where one changed word turns the meaning; the model
(`osler.models.entailment`) judges what is said in other words.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from osler.models.entailment import entailment
from osler.nouns import Evidence, Verdict
from osler.reasoning.verify.alignment import Aligned, align, coverage
from osler.reasoning.verify.lexicon import initialisms
from osler.reasoning.verify.signals import Signals, signals
from osler.reasoning.verify.terms import read
from osler.text import has_chinese, sentences, words

NEAR, SAME = 0.5, 0.9  # closeness from which rules judge a statement, and from which nothing is left to read
SURE = 0.5  # chance below which a statement is called neither supported nor contradicted
READ_WORDS = 170  # words (or Chinese characters) of evidence that the model reads at once


class Verification(NamedTuple):
    """`score`: share of the statement's content that the evidence covers, 0 to 1. `reasons`: what decided. `certain`: a
    rule decided with a reason: word for word, contradicted, or with a number or drug that the evidence lacks."""

    verdict: Verdict
    reasons: list[str]
    score: float
    certain: bool = False


class Comparison(NamedTuple):
    aligned: list[Aligned]
    signals: Signals


def verify(statement: str, evidence: Sequence[Evidence]) -> Verification:
    """The verdict on `statement` by `evidence` alone.

    A statement that stands verbatim in its evidence, its source's title before it or not, is always supported; one with
    a number or drug that the evidence lacks never is. No evidence: unsupported.
    """
    texts = [item.text for item in evidence]
    if any(verbatim(statement.removeprefix(f"{item.source.title}: "), item.text) for item in evidence):
        return Verification("supported", ["stands word for word in the evidence"], 1.0, True)
    compared = compare(statement, texts)
    if compared is None:
        return Verification("unsupported", ["there is nothing to compare"], 0.0)
    aligned, found = compared
    score = round(coverage(aligned), 3)
    across = has_chinese(statement) != has_chinese("".join(texts))
    near = across or found.closeness >= NEAR
    if near and found.against:
        return Verification("contradicted", found.against, score, True)
    missing = dict.fromkeys(item.term.word for item in aligned if item.match is None)
    barred = found.barred if near else found.lacking
    reasons = barred + ([f"not in the evidence: {', '.join(missing)}"] if missing else [])
    if across:
        return Verification(_across(compared), reasons, score)
    if found.closeness >= SAME and not barred:
        return Verification("supported", reasons or ["all of it is in the evidence"], score)
    chances = dict(entailment().chances(statement, _read(statement, texts)))
    if barred or chances["supported"] < SURE:
        del chances["supported"]
    if chances["contradicted"] < SURE:
        del chances["contradicted"]
    verdict = max(chances, key=lambda verdict: chances[verdict])
    return Verification(verdict, reasons or ["read as a whole"], score, bool(barred))


def denied(statement: str, text: str) -> tuple[list[str], float]:
    """Why a text says otherwise than a statement in nearly its words (nothing: it doesn't), and the share of the
    statement's content that it covers. Rules alone: quick."""
    compared = compare(statement, [text])
    if compared is None or compared.signals.closeness < NEAR:
        return [], 0.0
    return compared.signals.against, coverage(compared.aligned)


def compare(statement: str, texts: Sequence[str]) -> Comparison | None:
    """The statement's terms aligned with those of the texts, and their signals; None where either has no terms."""
    text = "\n".join(texts)
    short = tuple(sorted((initialisms(statement, text) | initialisms(text, statement)).items()))
    said, known = read(statement, short, concepts=True), read(text, short, concepts=True)
    if not said.terms or not known.terms:
        return None
    aligned = _without_moves(align(said.terms, known.terms))
    return Comparison(aligned, signals(said, known, aligned))


def _without_moves(aligned: list[Aligned]) -> list[Aligned]:
    """`fell from 12.9 to 10.2` is said by the two numbers: the word for the change need not be found."""
    if sum(item.match is not None and item.term.quantity is not None for item in aligned) < 2:
        return aligned
    return [item for item in aligned if item.match or item.rival or "amount" not in dict(item.term.axes)]


def _read(statement: str, texts: Sequence[str]) -> str:
    """What the model reads of the evidence: all of it, or the sentences that share most with the statement."""
    whole = "\n".join(texts)
    spans = sentences(whole)
    counts = [len(words(whole[start:end])) for start, end in spans]
    if sum(counts) <= READ_WORDS:
        return whole
    said = set(words(statement))
    shared = [
        len(said.intersection(words(whole[start:end]))) / (1 + count) ** 0.5
        for (start, end), count in zip(spans, counts, strict=True)
    ]
    room, kept = READ_WORDS, set[int]()
    for place in sorted(range(len(spans)), key=lambda i: -shared[i]):
        if counts[place] <= room or not kept:
            kept.add(place)
            room -= counts[place]
    return " ".join(whole[spans[i].start : spans[i].end] for i in sorted(kept))


def _across(compared: Comparison) -> Verdict:
    """Chinese over English or the other way round: concepts, numbers and directions can be compared, words can't."""
    anchors = [i for i in compared.aligned if i.term.concept or i.term.quantity or i.term.axes]
    held = {item.term.concept or item.term.word for item in anchors if item.match is not None}
    if compared.signals.barred or not held:
        return "unsupported"
    return "supported" if len(held) >= 2 and all(item.match for item in anchors) else "partial"


def verbatim(statement: str, text: str) -> bool:
    """Whether the statement is one or more whole sentences of the text, punctuation and case aside."""
    wanted = " ".join(words(statement))
    if not wanted:
        return False
    parts = [" ".join(words(text[start:end])) for start, end in sentences(text)]
    whole = "\x1f" + "\x1f".join(parts) + "\x1f"
    return re.search("\x1f" + re.escape(wanted).replace(r"\ ", "[ \x1f]") + "\x1f", whole) is not None
