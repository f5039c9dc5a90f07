"""Orders the passages found for a query: by words and meaning together, by their agreement, by where the words stand.

1. Over all candidates BM25 and exact cosine are standardised and summed.
2. A passage whose nearest neighbours score well gains (the cluster hypothesis; Diaz 2005, Regularizing ad hoc
   retrieval scores).
3. The best `TOP` are ordered by a linear model of features of both scores and of the text, fitted by
   `benchmarks/ranking_weights.py` for each script a question may be written in.

It knows scores and texts, not the index.
"""

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.text import CJK, has_chinese

Floats = npt.NDArray[np.float32]

BM25_WEIGHT = 0.3
NEIGHBOURS, AGREEMENT = 5, 0.4
NEAR = 0.75  # cosine at which two e5 passages begin to speak of the same
TOP = 100
READ = 1500  # code points of a passage that the features look at
FEATURES = ("words", "meaning", "agreement", "coverage", "pairs", "frequency", "opening", "length")
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_LATIN = re.compile("([a-z0-9]{1,6})[a-z0-9]*")  # the same, twice as fast
STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how if in into is it its list may"
    " more most no not of on or other such than that the their then there these they this to was were what when where"
    " which who whose why will with 的 了 是 吗 呢 我 有 在 和 怎 么 什 如 何 请 问".split()
)


def standardise(scores: Floats) -> Floats:
    """Zero mean and unit variance along the first axis; all zero where the scores don't differ."""
    if not len(scores):
        return scores
    spread = scores.std(axis=0)
    flat: Floats = np.where(spread > 1e-9, (scores - scores.mean(axis=0)) / np.where(spread > 1e-9, spread, 1), 0)
    return flat


def fuse(bm25: Floats, cosine: Floats, weight: float = BM25_WEIGHT) -> Floats:
    """Hybrid scores of n candidates; `bm25` is 0 for a candidate that only its vector found. Shapes (n,) -> (n,)."""
    return weight * standardise(bm25) + (1 - weight) * standardise(cosine)


def agree(scores: Floats, vectors: Floats) -> Floats:
    """Scores (n,) mixed with those of each candidate's nearest neighbours among the candidates; vectors (n, d)."""
    count = min(NEIGHBOURS, len(scores) - 1)
    if count < 1:
        return scores
    near = _cosines(vectors)
    np.fill_diagonal(near, -1)
    neighbours = np.argpartition(-near, count - 1, axis=1)[:, :count]
    weights = np.maximum(np.take_along_axis(near, neighbours, axis=1) - NEAR, 0) + 1e-6
    mean = (weights * scores[neighbours]).sum(axis=1) / weights.sum(axis=1)
    mixed: Floats = (1 - AGREEMENT) * scores + AGREEMENT * mean
    return mixed


def _cosines(vectors: Floats) -> Floats:
    """`vectors @ vectors.T` in blocks too small for BLAS to start threads, which a busy machine makes wait."""
    count, block = len(vectors), 16
    blocks = np.pad(vectors, ((0, -count % block), (0, 0))).reshape(-1, block, vectors.shape[1])
    near: Floats = (blocks[:, None] @ blocks.transpose(0, 2, 1)).transpose(0, 2, 1, 3)
    return near.reshape(len(blocks) * block, -1)[:count, :count]


Passages = Sequence[Mapping[str, Any]]  # of each its `text`, `title` and `section`


def rank(
    query: str, bm25: Floats, vectors: Floats, cosine: Floats, read: Callable[[npt.NDArray[np.intp]], Passages]
) -> Floats:
    """Scores of n candidates, higher is better; those outside the best `TOP` come after them in their former order.

    `read`: gives the passages at some places among the n.
    """
    scores, best, known = described(query, bm25, vectors, cosine, read)
    if not len(best):
        return scores
    judged: Floats = known @ weights("zh" if has_chinese(query) else "en")
    final: Floats = (scores - scores[best].min() + judged.min()).astype(np.float32)
    final[best] = judged
    return final


def described(
    query: str, bm25: Floats, vectors: Floats, cosine: Floats, read: Callable[[npt.NDArray[np.intp]], Passages]
) -> tuple[Floats, npt.NDArray[np.intp], Floats]:
    """Scores after agreement (n), which candidates are the best m, and their standardised `FEATURES` (m, 8)."""
    scores = agree(fuse(bm25, cosine), vectors)
    best = np.argsort(-scores, kind="stable")[:TOP]
    own = (standardise(bm25)[best], standardise(cosine)[best], scores[best])
    known = features(query, read(best))
    return scores, best, standardise(np.column_stack([*own, known]))


def features(query: str, passages: Passages) -> Floats:
    """What the words of n passages say of a query, shape (n, 5): see `FEATURES` after the first three.

    coverage: which of its words, rare ones counting more, the passage or its headings hold; pairs: which of its
    neighbouring words stand beside each other; frequency: how often they come; opening: which come first; length.
    Rarity is that among the passages themselves.
    """
    asked = _tokens(query)
    asked = [token for token in asked if token not in STOP] or asked
    terms, pairs = set(asked), set(pairwise(asked))
    bodies = [_tokens(passage["text"][:READ]) for passage in passages]
    heads = [_tokens(f"{passage['title'] or ''} {passage['section'] or ''}") for passage in passages]
    stands = [[(place, token) for place, token in enumerate(body) if token in terms] for body in bodies]
    counts = [Counter(token for _, token in places) for places in stands]
    beside = [{(a, b) for (i, a), (j, b) in pairwise(places) if j - i <= 2} & pairs for places in stands]
    rare, rare_pairs = _rarity(terms, counts), _rarity(pairs, beside)
    rows = [
        (
            sum(rare[term] for term in counted.keys() | terms.intersection(head)),
            sum(rare_pairs[pair] for pair in near),
            sum(rare[term] * n / (n + 0.3 + 0.9 * len(body) / 150) for term, n in counted.items()),
            sum(rare[term] for term in {token for place, token in places if place < 25}),
            math.log(len(body) + 1),
        )
        for body, head, places, counted, near in zip(bodies, heads, stands, counts, beside, strict=True)
    ]
    return np.array(rows, np.float32).reshape(len(passages), 5)


def _tokens(text: str) -> list[str]:
    """Chinese characters and the first six letters of words: a stem that costs nothing."""
    if text.isascii():
        return _LATIN.findall(text.lower())
    return [word[:6] for word in _WORD.findall(text.lower())]


def _rarity(wanted: set[Any], found: Sequence[Collection[Any]]) -> dict[Any, float]:
    """Inverse document frequency of each wanted item among the passages."""
    seen = Counter(item for items in found for item in items)
    return {item: math.log(1 + (len(found) - seen[item] + 0.5) / (seen[item] + 0.5)) for item in wanted}


@functools.cache
def weights(script: str) -> Floats:
    """The weights of `FEATURES` for questions in this script, as shipped."""
    shipped = json.loads((files("osler.knowledge.library") / "data" / "ranking.json").read_text(encoding="utf-8"))
    return np.array([shipped[script][name] for name in FEATURES], np.float32)
