"""The compiled table of names: the hash of each name's bag of words, sorted, with the terms it may stand for.

A bag has no order, so "pain in the chest" and "chest pain" meet in one row; the order of the name is kept beside it for
the matcher to judge. An Aho-Corasick automaton over words was measured first and is slower to build and larger
(docs/decisions/concepts.md). It does not know texts, and nothing of what a term means.
"""

import functools
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.concepts.normal import Code, coded, hashed, read_words, strict, word_list
from osler.models.files import write_atomically

LONGEST = 16
# Odd multiplier of the rolling hash that keeps the order of words, modulo 2**64.
BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
# What is true of a name, beside its rank in the bits above.
STRICT_ONLY, CASED, ORDERED, JOINED, LINKED = 1, 2, 4, 8, 16
RANK_SHIFT = 5
_RANK = {"label": 0, "lay": 0, "exact": 1, "abbreviation": 1, "brand": 2, "related": 3, "narrow": 4, "broad": 5}
_ARRAYS = ("keys", "offsets", "entries", "words", "longest", "typos", "typo_of", "meant")
# Words of this length may have one edit, though not in the first letter or a prefix ("hypo-", "hyper-").
LONG_WORD = 9


class Name(NamedTuple):
    """One name of a term. `kind`: its vocabulary; `type` as in the graph, or `lay` for this room's own list."""

    code: str
    name: str
    kind: str
    type: str = "exact"


class Entry(NamedTuple):
    """One name in a row: the row of its term, flags and rank, hash of its strict forms, hash of its order."""

    term: int
    flags: int
    strict: int
    order: int


def spelled(codes: Sequence[Code]) -> tuple[int, int]:
    """The hash of the strict forms of some words in any order, and that of the order of their loose forms."""
    order = 0
    for code in codes:
        order = (order * BASE + code.loose) & _MASK
    return sum(code.strict for code in codes) & 0xFFFFFFFF, order >> 32


class Index:
    """Names compiled to arrays; immutable, safe to share between threads. `terms`: code, label and kind of each."""

    def __init__(self, arrays: dict[str, NDArray[Any]], terms: Sequence[tuple[str, str, str]]) -> None:
        self.arrays = arrays
        self.terms = terms
        self.longest = int(arrays["longest"][0])

    @classmethod
    def build(cls, names: Iterable[Name]) -> "Index":
        """Compile names; the first name of a term (by code and kind) is its label."""
        terms: dict[tuple[str, str], tuple[int, str]] = {}
        keys: list[int] = []
        entries: list[Entry] = []
        seen: set[str] = set()
        longest = 1
        for name in names:
            term, _ = terms.setdefault((name.code, name.kind), (len(terms), name.name))
            words, between = read_words(name.name)
            if _usable(name, words):
                codes = [coded(word) for word in words]
                keys.append(sum(code.loose for code in codes) & _MASK)
                entries.append(Entry(term, _flags(name, words, between), *spelled(codes)))
                seen.update(words)
                longest = max(longest, len(words))
        unique, row = np.unique(np.array(keys, dtype=np.uint64), return_inverse=True)
        arrays: dict[str, NDArray[Any]] = {
            "keys": unique,
            "offsets": np.append(0, np.cumsum(np.bincount(row, minlength=len(unique)))).astype(np.uint32),
            "entries": np.array(entries, dtype=np.uint32).reshape(-1, 4)[np.argsort(row, kind="stable")],
            "words": np.array(sorted({coded(word).loose for word in seen}), dtype=np.uint64),
            "longest": np.array([longest], dtype=np.uint32),
            **_typos(seen),
        }
        return cls(arrays, [(code, label, kind) for (code, kind), (_, label) in terms.items()])

    def lookup(self, hashes: NDArray[np.uint64], table: str = "keys") -> NDArray[np.int64]:
        """Row of each hash in a table (`words`: those that occur in any name), -1 where it isn't in it."""
        known = self.arrays[table]
        if not len(known):
            return np.full(len(hashes), -1)
        rows = np.searchsorted(known, hashes)
        rows[rows == len(known)] = 0
        return np.where(known[rows] == hashes, rows, -1)

    @functools.cached_property
    def vocabulary(self) -> frozenset[int]:
        """The words that occur in any name at all, by the hash of their loose form."""
        return frozenset(self.arrays["words"].tolist())

    def meant(self, word: str) -> Code | None:
        """The one long word of a name that is one edit from a strict form, if there is exactly one."""
        if not _long(word):
            return None
        rows = self.lookup(np.array(_edits(word), dtype=np.uint64), "typos")
        found = self.arrays["meant"][np.unique(self.arrays["typo_of"][rows[rows >= 0]])]
        return Code(*found[0].tolist()) if len(np.unique(found[:, 0])) == 1 else None

    def readings(self, row: int) -> list[Entry]:
        """The names of a row."""
        first, last = self.arrays["offsets"][row : row + 2]
        return [Entry(*entry) for entry in self.arrays["entries"][first:last].tolist()]

    def save(self, file: Path, key: str) -> None:
        """Write atomically what `load` reads. `key`: what the index was built from."""
        text = {"key": key, "terms": "\n".join("\t".join(term) for term in self.terms)}
        stored = self.arrays | {name: np.frombuffer(value.encode(), dtype=np.uint8) for name, value in text.items()}
        stream = io.BytesIO()
        np.savez_compressed(stream, **stored)  # type: ignore[arg-type, unused-ignore]
        write_atomically(file, stream.getvalue())

    @classmethod
    def load(cls, file: Path, key: str) -> "Index":
        """Read what `save` wrote. Raises OSError, KeyError or BadZipFile for a missing or damaged file, ValueError
        for one built from other names."""
        with np.load(file, allow_pickle=False) as data:
            if data["key"].tobytes().decode() != key:
                raise ValueError(f"{file} was built from other names")
            arrays: dict[str, NDArray[Any]] = {name: data[name] for name in _ARRAYS}
            text = data["terms"].tobytes().decode()
        rows = [line.split("\t") for line in text.split("\n")] if text else []
        return cls(arrays, [(code, label, kind) for code, label, kind in rows])


def _long(word: str) -> bool:
    return len(word) >= LONG_WORD and word.isascii() and word.isalpha()


def _edits(word: str) -> list[int]:
    """Hashes of a word and of what is left when any letter behind its prefix is dropped: two words that share one are
    a replaced, swapped, missing or added letter apart (or a moved one, which is rare)."""
    first = max((len(prefix) for prefix in word_list("prefix") if word.startswith(prefix)), default=1)
    return [hashed(word), *(hashed(word[:at] + word[at + 1 :]) for at in range(first, len(word)))]


def _typos(words: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Edits of the long words of names and what they stand for; those of two unlike words are left out."""
    long = sorted({strict(word): coded(word) for word in words if _long(strict(word))}.items())
    found: dict[int, int] = {}
    for row, (word, code) in enumerate(long):
        for edit in set(_edits(word)):
            other = found.setdefault(edit, row)
            if other < 0 or long[other][1].loose != code.loose:
                found[edit] = -1
    rows = sorted((edit, row) for edit, row in found.items() if row >= 0)
    return {
        "typos": np.array([edit for edit, _ in rows], dtype=np.uint64),
        "typo_of": np.array([row for _, row in rows], dtype=np.uint32),
        "meant": np.array([code for _, code in long], dtype=np.uint64).reshape(-1, 2),
    }


def _flags(name: Name, words: list[str], between: set[str]) -> int:
    flags = _RANK.get(name.type, 3) << RANK_SHIFT
    if len(words) == 1:
        # short and mostly capitals, or plain English far more often: only capitals may match
        abbreviated = len(name.name) <= 6 and sum(map(str.isupper, name.name)) >= 2
        common = strict(words[0]) in word_list("capitals_only") and name.type != "lay"
        flags |= STRICT_ONLY | (CASED if abbreviated or common else 0)
    if "join" in between:
        flags |= JOINED | ORDERED
    if name.kind == "drug" or not name.name.isascii():
        flags |= ORDERED
    return flags | (LINKED if between - {"join"} else 0)


def _usable(name: Name, words: list[str]) -> bool:
    """Whether a name is long enough to mean its term ("10", "S4", "CT-1" and three-letter drug codes aren't)."""
    if not words or len(words) > LONGEST or all(strict(word).isdigit() for word in words):
        return False
    if name.type == "lay" or not name.name.isascii():
        return True
    single_drug = name.kind == "drug" and len(words) == 1
    if single_drug and strict(words[0]) in word_list("no_drug"):
        return False
    return any(sum(map(str.isalpha, word)) >= (4 if single_drug else 3) for word in words)
