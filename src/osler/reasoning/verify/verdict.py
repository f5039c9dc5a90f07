"""The verdict on a statement: verbatim, contradicted by a rule with its reason, or what a linear model of them says."""

import functools
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from osler.nouns import Evidence, Verdict
from osler.reasoning.verify.alignment import Aligned, align
from osler.reasoning.verify.lexicon import initialisms
from osler.reasoning.verify.quantities import DATA
from osler.reasoning.verify.signals import Signals, signals
from osler.reasoning.verify.terms import read
from osler.text import has_chinese, sentences, words

CHANCES: tuple[Verdict, ...] = (
    "supported",
    "partial",
    "unsupported",
)  # contradicted is what a rule can give a reason for
SURE = 0.5  # probability below which a statement is not called supported
LEAST = 0.3  # coverage below which nothing is supported


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
    a number or drug that the evidence lacks, or where it has another side, negation or person, never is. No evidence:
    unsupported.
    """
    texts = [item.text for item in evidence]
    if any(verbatim(statement.removeprefix(f"{item.source.title}: "), item.text) for item in evidence):
        return Verification("supported", ["stands word for word in the evidence"], 1.0, True)
    compared = compare(statement, texts)
    if compared is None:
        return Verification("unsupported", ["there is nothing to compare"], 0.0)
    aligned, found = compared
    score = round(found.values["coverage"], 3)
    if found.against:
        return Verification("contradicted", found.against, score, True)
    missing = dict.fromkeys(item.term.word for item in aligned if item.match is None)
    reasons = found.barred + ([f"not in the evidence: {', '.join(missing)}"] if missing else [])
    if has_chinese(statement) != has_chinese("".join(texts)):
        return Verification(_across(compared), reasons, score)
    chances = dict(zip(CHANCES, probabilities(found.values), strict=True))
    if found.barred or score < LEAST or chances["supported"] < SURE:
        del chances["supported"]
    return Verification(max(chances, key=lambda verdict: chances[verdict]), reasons, score, bool(found.barred))


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


@functools.cache
def _model() -> dict[str, list[float]]:
    """Signal -> its weight for each verdict; `bias` too. Made by scripts/train_verifier.py."""
    loaded: dict[str, list[float]] = json.loads((DATA / "model.json").read_text(encoding="utf-8"))["weights"]
    return loaded


def probabilities(values: dict[str, float]) -> list[float]:
    """The chance of each of CHANCES, by multinomial logistic regression."""
    model = _model()
    scores = np.array(model["bias"]) + sum(np.array(model[name]) * value for name, value in values.items())
    chances = np.exp(scores - scores.max())
    return [float(chance) for chance in chances / chances.sum()]


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
