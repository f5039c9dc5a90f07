"""What may not be learned: identifiers of people, what was there before, and items of a test.

Near-duplicates by MinHash (Broder 1997) over runs of five words; test items by a common run of 13 words, and by
the embedder for short ones that share most of their words. None of it is a proof of cleanliness.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.bench.leak import N, texts_of
from osler.bench.tasks import tasks
from osler.privacy.detect import find_identifiers
from osler.text import words

# Kinds that name a person or a record by themselves. Dates, ages and places of public texts are no one's.
PERSONAL = {"SSN", "MRN", "PHONE", "FAX", "EMAIL", "ID", "ACCOUNT", "LICENSE", "NAME"}
SURE = 0.97  # of a name, which is all that the tagger alone says; the other kinds have forms
SHINGLE, HASHES, BANDS, ALIKE = 5, 64, 16, 0.8
SHORT, OVERLAP, NEAR = 40, 0.5, 0.95  # words of a short question, share of its words in common, cosine


def identifiers(text: str) -> list[str]:
    """The kinds of identifiers of people in a text."""
    found = find_identifiers(text)
    return sorted({one.type for one in found if one.type in PERSONAL and (one.type != "NAME" or one.score >= SURE)})


class Duplicates:
    """Says of one text after another whether one like it (Jaccard of about 0.8 or more) was there before."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        self._a = random.integers(0, 1 << 64, HASHES, dtype=np.uint64) | np.uint64(1)  # multiply and shift, mod 2^64
        self._b = random.integers(0, 1 << 64, HASHES, dtype=np.uint64)
        self._bands: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in range(BANDS)]
        self._kept: list[npt.NDArray[np.uint64]] = []

    def seen(self, text: str) -> bool:
        """True for a near-duplicate; else the text is remembered."""
        sketch = self._sketch(text)
        rows = HASHES // BANDS
        keys = [sketch[k * rows : (k + 1) * rows].tobytes() for k in range(BANDS)]
        candidates = {other for band, key in zip(self._bands, keys, strict=True) for other in band.get(key, ())}
        if any(float((self._kept[other] == sketch).mean()) >= ALIKE for other in candidates):
            return True
        for band, key in zip(self._bands, keys, strict=True):
            band[key].append(len(self._kept))
        self._kept.append(sketch)
        return False

    def _sketch(self, text: str) -> npt.NDArray[np.uint64]:
        tokens = words(text.lower())
        runs = {" ".join(tokens[k : k + SHINGLE]) for k in range(max(1, len(tokens) - SHINGLE + 1))}
        hashed = np.array([_hash(run) for run in runs], dtype=np.uint64)
        made: npt.NDArray[np.uint64] = ((hashed[:, None] * self._a + self._b) >> np.uint64(32)).min(axis=0)
        return made


class Tests(NamedTuple):
    """Items of the bench that don't train. `runs`: hashes of 13 words; `short`: questions by their rarest words."""

    sets: list[str]
    runs: set[int]
    questions: list[str]
    short: dict[str, list[int]]
    embed: Callable[[Sequence[str]], npt.NDArray[np.float32]]

    def leaks(self, question: str, text: str) -> bool:
        """Whether a row shares a run with an item, or asks the same in other words."""
        tokens = words(text.lower())
        if any(_hash(" ".join(tokens[k : k + N])) in self.runs for k in range(len(tokens) - N + 1)):
            return True
        asked = words(question.lower())
        if not 3 <= len(asked) <= SHORT:
            return False
        mine = set(asked)
        near = {place for word in mine for place in self.short.get(word, ())}
        close = [place for place in near if _overlap(mine, self.questions[place]) >= OVERLAP]
        if not close:
            return False
        vectors = self.embed([question, *(self.questions[place] for place in close)])
        return bool((vectors[1:] @ vectors[0] >= NEAR).any())


def tests(data: Path | None, embed: Callable[[Sequence[str]], npt.NDArray[np.float32]]) -> Tests:
    """Every task's items that are not of its training part. `data`: the bench's folder; None: none are known."""
    sets, runs, questions = list[str](), set[int](), list[str]()
    for name, task in sorted(tasks().items()) if data else ():
        assert data is not None
        if not (data / task.path).exists():
            continue
        sets.append(name)
        for item in task.items(data, "all"):
            if task.part(item) == "train":
                continue
            value: Mapping[str, Any] = item._asdict() if hasattr(item, "_asdict") else vars(item)
            tokens = words(" ".join(texts_of(value)).lower())
            runs.update(_hash(" ".join(tokens[k : k + N])) for k in range(len(tokens) - N + 1))
            question = value.get("question") or value.get("request")
            if isinstance(question, str) and 3 <= len(words(question)) <= SHORT:
                questions.append(question)
    return Tests(sets, runs, questions, _by_rare_words(questions), embed)


def _by_rare_words(questions: Sequence[str]) -> dict[str, list[int]]:
    """Each question under its two rarest words."""
    counts: dict[str, int] = defaultdict(int)
    split = [set(words(question.lower())) for question in questions]
    for mine in split:
        for word in mine:
            counts[word] += 1
    found: dict[str, list[int]] = defaultdict(list)
    for place, mine in enumerate(split):
        for word in sorted(mine, key=lambda one: (counts[one], one))[:2]:
            found[word].append(place)
    return found


def _overlap(mine: Iterable[str], other: str) -> float:
    mine, theirs = set(mine), set(words(other.lower()))
    return len(mine & theirs) / len(mine | theirs)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
