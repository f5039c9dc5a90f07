"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as F1: words and word order that two texts share, not what they mean.

A word is a run of Latin letters and digits in lower case, unstemmed, or one Chinese character. ROUGE-L is taken over
the whole text.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from osler.text import CJK

_WORD = re.compile(rf"[a-z0-9]+|[{CJK}]")


def rouge(candidate: str, reference: str) -> dict[str, float]:
    """ROUGE-1, ROUGE-2 and ROUGE-L, each 0 to 1; 0 where a text has no words."""
    said, wanted = _WORD.findall(candidate.lower()), _WORD.findall(reference.lower())
    return {
        "ROUGE-1": _overlap(Counter(said), Counter(wanted)),
        "ROUGE-2": _overlap(Counter(pairwise(said)), Counter(pairwise(wanted))),
        "ROUGE-L": _f1(common_subsequence(said, wanted), len(said), len(wanted)),
    }


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, by bit-parallel rows (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    row = whole = (1 << len(first)) - 1
    for word in second:
        shared = row & places.get(word, 0)
        row = (row + shared | row - shared) & whole
    return len(first) - row.bit_count()


def _overlap(said: Counter[Any], wanted: Counter[Any]) -> float:
    return _f1((said & wanted).total(), said.total(), wanted.total())


def _f1(hits: int, said: int, wanted: int) -> float:
    return 2 * hits / (said + wanted) if said and wanted else 0.0
