"""The sentences of passages that answer a question, word for word. It writes nothing and needs no language model.

Score: the question's rarer words in the sentence (weights from the candidates, after BM25), the embedder's cosine of
the sentence and of the heading above it to the question, and the passage's rank. Chosen by maximal marginal
relevance (Carbonell and Goldstein, SIGIR 1998).
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from osler.nouns import Evidence
from osler.reasoning.commands import is_command
from osler.reasoning.resources import Run
from osler.reasoning.verify.terms import Term, terms
from osler.text import has_chinese, sentences, words

EMBEDDED = 32  # sentences that get a vector: those with the most of the question's words
WORDS, COSINE, HEADING, RANK = 0.35, 0.35, 0.2, 0.1  # parts of a sentence's score
NEW = 0.3  # weight of novelty against the sentences already chosen
E5_FLOOR = 0.75  # cosine of unrelated texts under e5-small: what lies above it is meaning
SHORTEST, LONGEST = 5, 70  # words
LEANING = 0.15  # off the score of a sentence that leans on the one before
_LIST_MARK = re.compile(r"^(?:[-*•·–]|\d{1,2}[.)])\s+")
# Rows of a table or list run together.
_TABULAR = re.compile(r" [-|•] .* [-|•] |\b\d+/\d+\b.*\b\d+/\d+\b|approximate number of patients", re.I)
_DANGLING = re.compile(
    r"(?:it|this|that|these|those|they|he|she|such|both|however|therefore|thus|also|in addition|moreover|but|and|or|"
    r"for example|for instance|as a result|then|here|there)\b|[它此该这那其]|因此|但是?|同时|另外|例如",
    re.I,
)
# "In anaphylaxis, it is given ..." names everything but what is given.
_UNNAMED = re.compile(
    r"(?:in|for|with|during|at|after|before|if|when|since)\b[^,.]{1,60}, (?:it|they|this|these)\b", re.I
)
_POINTING = re.compile(
    r"\b(?:figure|table|box|chapter|section|click|see also|this (?:page|chapter|section)|"
    r"(?:the )?following (?:\w+ )?(?:list|table|terms|resources|links|organizations))\b|"
    r"(?:listed|described|shown) below\b|[见如]图",
    re.I,
)


class Sentence(NamedTuple):
    """A sentence of `evidence`, verbatim. `words`: share of the question's weight it has; `cosine` above the floor."""

    text: str
    evidence: Evidence
    score: float
    words: float
    cosine: float


def best_sentences(query: str, evidence: Sequence[Evidence], run: Run, n: int) -> list[Sentence]:
    """Up to `n` sentences of `evidence` (best passage first) that say most about `query`, best first."""
    return diverse(score_sentences(query, evidence, run), n)


def score_sentences(query: str, evidence: Sequence[Evidence], run: Run) -> list[Sentence]:
    """All sentences that can stand alone, best first."""
    pool: dict[str, tuple[Evidence, int]] = {}
    for rank, item in enumerate(evidence):
        for start, end in sentences(item.text):
            text = _LIST_MARK.sub("", item.text[start:end])
            if _stands_alone(text):
                pool.setdefault(text, (item, rank))
    if not pool:
        return []
    texts = list(pool)
    coverage = _coverage(terms(query), [_with_title(text, pool[text][0]) for text in texts])
    order = sorted(range(len(texts)), key=lambda i: (-coverage[i] + 0.01 * pool[texts[i]][1], i))[:EMBEDDED]
    headings = {heading(item): 0.0 for item in evidence}
    cosines = _cosines(query, [*headings, *(texts[i] for i in order)], run)
    headings = dict(zip(headings, cosines, strict=False))
    scored = []
    for i, cosine in zip(order, cosines[len(headings) :], strict=True):
        text = texts[i]
        item, rank = pool[text]
        score = WORDS * coverage[i] + COSINE * cosine + HEADING * headings[heading(item)] + RANK / (1 + rank)
        if _DANGLING.match(text):
            score -= LEANING
        scored.append(Sentence(text, item, round(score, 4), round(coverage[i], 4), round(cosine, 4)))
    return sorted(scored, key=lambda item: (-item.score, item.text))


def heading(item: Evidence) -> str:
    """Title and section above a passage."""
    return f"{item.source.title or ''}: {item.source.section or ''}"


def _stands_alone(text: str) -> bool:
    """A full, informative sentence: no heading, no question, no pointer to a figure."""
    unfit = _POINTING.search(text) or _TABULAR.search(text) or _UNNAMED.match(text)
    if text.endswith(("?", "？", ":", "：")) or unfit or is_command(text):
        return False
    if has_chinese(text):
        return 6 <= len(text) <= 200
    return text.endswith((".", "!", ".”", '."', ".)")) and SHORTEST <= len(words(text)) <= LONGEST


def _with_title(text: str, item: Evidence) -> frozenset[str]:
    """What the sentence speaks of: its own terms and those of the title and section above it."""
    return frozenset(key for term in terms(f"{text}\n{heading(item)}") for key in _keys(term))


def _keys(term: Term) -> frozenset[str]:
    return term.keys or frozenset({term.word})


def _coverage(asked: Sequence[Term], held: Sequence[frozenset[str]]) -> list[float]:
    """Share of the question's weight in each sentence; a term weighs by its rarity among the sentences."""
    frequency = Counter(index for keys in held for index, term in enumerate(asked) if not _keys(term).isdisjoint(keys))
    weights = [term.weight * math.log(1 + len(held) / (0.5 + frequency[index])) for index, term in enumerate(asked)]
    total = sum(weights) or 1.0
    return [
        sum(weight for term, weight in zip(asked, weights, strict=True) if not _keys(term).isdisjoint(keys)) / total
        for keys in held
    ]


def _cosines(query: str, texts: Sequence[str], run: Run) -> list[float]:
    """Cosine of each text to the query, stretched so that unrelated is about 0 and equal is 1."""
    embedder = run.resources.embedder
    vectors = embedder.embed_passages(list(texts)) @ embedder.embed_queries([query])[0]
    return [float(np.clip((value - E5_FLOOR) / (1 - E5_FLOOR), 0.0, 1.0)) for value in vectors]


def diverse(scored: Sequence[Sentence], n: int) -> list[Sentence]:
    """Up to `n` sentences by maximal marginal relevance, best first."""
    chosen: list[Sentence] = []
    left = list(scored)
    while left and len(chosen) < n:
        best = max(
            left, key=lambda item: (1 - NEW) * item.score - NEW * max((_overlap(item, c) for c in chosen), default=0)
        )
        chosen.append(best)
        left.remove(best)
    return chosen


def _overlap(a: Sentence, b: Sentence) -> float:
    first, second = set(words(a.text)), set(words(b.text))
    return len(first & second) / max(1, min(len(first), len(second)))
