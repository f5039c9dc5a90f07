"""What a small language model makes of each word in its place: chances of every kind of identifier.

It is e5-small with its upper layers fine-tuned on marked word pieces (scripts/train_deid_reader.py). It sees about a
hundred words either side and no rule; `tagger` sees the forms, and `detect` weighs the two.
"""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osler.encoder import WEIGHTS, Branch, tokenizer

WINDOW = 160  # word pieces read at once, as in training
MARGIN = 24  # of these at each edge are left to the neighbouring window
_BEGIN, _END = 0, 2


@functools.cache
def _branch() -> Branch:
    return Branch(WEIGHTS / "reader")


def probabilities(text: str, starts: Sequence[int], ends: Sequence[int]) -> NDArray[np.float32]:
    """(tokens, kinds) for the tokens of `text` at `starts` and `ends`; the first kind is none.

    The kinds are the tagger's, in its order. A token that no word piece touches is none.
    """
    encoding = tokenizer().encode(text, add_special_tokens=False)
    pieces = _pieces(tuple(encoding.ids))
    found = np.zeros((len(starts), pieces.shape[1]), np.float32)
    parts = np.zeros(len(starts), np.float32)
    token = 0
    for (start, end), row in zip(encoding.offsets, pieces, strict=True):
        while token < len(starts) and ends[token] <= start:
            token += 1
        at = token
        while at < len(starts) and starts[at] < end:
            found[at] += row
            parts[at] += 1
            at += 1
    found[parts == 0, 0] = 1
    found /= np.maximum(parts, 1)[:, None]
    return found


@functools.lru_cache(maxsize=512)  # cells of a table, and a text that is found in and then masked
def _pieces(ids: tuple[int, ...]) -> NDArray[np.float32]:
    """(pieces, kinds): each piece is judged in the window where it stands furthest from an edge."""
    step = WINDOW - 2 * MARGIN
    rows = []
    for first in range(0, max(1, len(ids) - 2 * MARGIN), step):
        last = first + WINDOW >= len(ids)
        window = _branch().run([_BEGIN, *ids[first : first + WINDOW], _END])[1:-1]
        rows.append(window[MARGIN if first else 0 : None if last else WINDOW - MARGIN])
        if last:
            break
    return np.concatenate(rows)
