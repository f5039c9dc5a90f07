"""Joins the two rankings of a query, by words and by meaning, into one. It knows scores, not texts.

The recipe: over the union of both candidate lists every candidate has an exact cosine; both scores are
standardised over the union and summed with fixed weights.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BM25_WEIGHT = 0.4
COSINE_WEIGHT = 0.6
RRF_K = 60

Vector = npt.NDArray[np.float32]


def standardise(scores: Vector) -> Vector:
    """Zero mean and unit variance; all zero where the scores don't differ."""
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)


def fuse(bm25: Vector, cosine: Vector, weight: float = BM25_WEIGHT) -> Vector:
    """Hybrid scores of n candidates; `bm25` is 0 for a candidate that only its vector found. Shapes (n,) -> (n,)."""
    return weight * standardise(bm25) + (1 - weight) * standardise(cosine)


def reciprocal_rank(rankings: Sequence[Sequence[str]], k: int = RRF_K) -> list[tuple[str, float]]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the peer in `benchmarks/retrieval.py`."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, 1):
            scores[name] = scores.get(name, 0.0) + 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
