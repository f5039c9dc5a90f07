"""A deterministic stand-in for the embedder: hashed words. It knows nothing of meaning."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osler.text import words


class Info(NamedTuple):
    spec: str
    digest: str
    dimension: int


class HashedWords:
    """Each word adds to one of 64 places: texts that share words are near each other."""

    def __init__(self, digest: str = "hashed-words-digest") -> None:
        self.info = Info("hashed-words", digest, 64)
        self.embedded = 0

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += len(texts)
        vectors = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words(text) or ["-"]:
                vectors[row, int(hashlib.sha256(word.encode()).hexdigest(), 16) % 64] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
