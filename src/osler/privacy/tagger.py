"""A logistic scorer over token features: which tokens are identifiers, and of which kind.

Each feature is a column of `tokens` at some distance, or two or three such together, hashed into a table of weights
(`data/tagger.npz`, made by `scripts/train_deid.py`). It knows nothing of the text beyond five tokens either side.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.privacy.tokens import COLUMNS, Tokens

BITS = 18
REACH = 5
# Each template: columns with their distance from the token.
TEMPLATES = tuple(
    tuple((COLUMNS.index(name), int(at)) for name, at in (part.split("@") for part in template.split("+")))
    for template in """
    word@-5 word@-4 word@-3 word@-2 word@-1 word@0 word@1 word@2 word@3 word@4 signature@-3 signature@-2
    signature@-1 signature@0 signature@1 signature@2 signature@3 short@-4 short@-2 short@-1 short@0 short@1 short@2
    short@4 suffix@-1 suffix@0 suffix@1 prefix@0 chunk@-1 chunk@0 make@-1 make@0 make@1 label@0 rule@-1 rule@0
    rule@1 cue@0 rule@0+short@0 rule@0+make@0 rule@0+word@-1 cue@0+make@0 word@-1+make@0 label@0+make@0
    rule@0+signature@0 rule@0+rule@1 rule@-1+rule@0 short@-1+short@0 short@0+short@1 word@-1+short@0 short@0+word@1
    word@-2+word@-1 word@1+word@2 word@-1+word@0 word@0+word@1 word@-2+short@0 short@0+word@2 word@-3+short@0
    word@-1+chunk@0 label@0+short@0 cue@0+short@0 rule@0+chunk@0 short@-1+short@0+short@1 word@-1+word@1
    short@-2+short@-1+short@0 short@0+short@1+short@2 place@0+short@0 place@0+short@0+short@1 place@0+signature@0
    word@-2+word@-1+short@0 short@0+word@1+word@2 word@-1+short@0+word@1
    """.split()
)


class Weights(NamedTuple):
    """`table`: (2**BITS, kinds) in steps of `step`; `kinds`: their names, the first is none."""

    table: NDArray[np.int8]
    step: float
    kinds: list[str]


@cache
def weights() -> Weights:
    with files("osler.privacy").joinpath("data/tagger.npz").open("rb") as file:
        stored = np.load(file)
        table = np.zeros((2**BITS, len(stored["kinds"])), dtype=np.int8)
        table[stored["rows"], stored["columns"]] = stored["values"]
        return Weights(table, float(stored["step"]), [str(kind) for kind in stored["kinds"]])


def features(tokens: Tokens) -> NDArray[np.uint32]:
    """(tokens, templates): the row of the table of each feature."""
    return _features(np.pad(tokens.columns, ((0, 0), (REACH, REACH))))


def _features(columns: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Of the tokens that have REACH columns on either side."""
    count = columns.shape[1] - 2 * REACH
    rows = np.empty((len(TEMPLATES), count), dtype=np.uint32)
    for number, template in enumerate(TEMPLATES):
        mixed = np.full(count, (number + 1) * 0x9E3779B1 & 0xFFFFFFFF, dtype=np.uint32)
        for column, at in template:
            mixed ^= columns[column, REACH + at : REACH + at + count]
            mixed *= np.uint32(0x85EBCA6B)
            mixed ^= mixed >> np.uint32(15)
        rows[number] = mixed >> np.uint32(32 - BITS)
    return rows.T


def probabilities(tokens: Tokens) -> NDArray[np.float32]:
    """(tokens, kinds): how likely each token is part of an identifier of each kind."""
    known = weights()
    columns = np.pad(tokens.columns, ((0, 0), (REACH, REACH)))
    count = len(tokens.starts)
    scores = np.empty((count, len(known.kinds)), dtype=np.float32)
    for start in range(0, count, 2048):  # what is gathered at once stays in the cache
        rows = _features(columns[:, start : start + 2048 + 2 * REACH])
        scores[start : start + 2048] = known.table[rows].sum(axis=1, dtype=np.int16)
    scores *= known.step
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
