"""The compiled table of names: the hash of each name's bag of words, sorted, with the terms it may stand for.

A bag has no order, so "pain in the chest" and "chest pain" meet in one row; the order of the name is kept beside it for
the matcher to judge. An Aho-Corasick automaton over words was measured first and is slower to build and larger
(docs/decisions/concepts.md). It does not know texts, and nothing of what a term means.
"""

import functools
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from osler.knowledge.concepts.normal import Word, form, is_abbreviation, read_words, word_list

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 12
# Odd multiplier of the rolling hash that keeps the order of words, modulo 2**64.
BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
# What is true of a name, beside its rank in the bits above.
STRICT_ONLY, CASED, ORDERED, JOINED, LINKED = 1, 2, 4, 8, 16
RANK_SHIFT = 5
_RANK = {"label": 0, "exact": 1, "lay": 1, "abbreviation": 1, "brand": 2, "related": 3, "narrow": 4, "broad": 5}
_ARRAYS = ("keys", "offsets", "entries", "words", "longest")


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


@functools.lru_cache(maxsize=200_000)
def coded(word: str) -> tuple[int, int]:
    """Hashes of a word's loose form (64 bits, odd) and of its strict form (32 bits)."""
    both = form(word)
    loose = int.from_bytes(hashlib.blake2b(both.loose.encode(), digest_size=8).digest(), "little") | 1
    return loose, zlib.crc32(both.strict.encode())


def order_hash(hashes: Iterable[int]) -> int:
    """Upper half of the rolling hash of a word sequence."""
    total = 0
    for one in hashes:
        total = (total * BASE + one) & _MASK
    return total >> 32


class Index:
    """Names compiled to arrays; immutable, safe to share between threads."""

    def __init__(self, arrays: "dict[str, NDArray[Any]]", terms: Sequence[tuple[str, str, str]]) -> None:
        self.arrays = arrays
        self.keys: NDArray[np.uint64] = arrays["keys"]
        self.words: NDArray[np.uint64] = arrays["words"]
        self.longest = int(arrays["longest"][0])
        self.terms = terms

    @classmethod
    def build(cls, names: Iterable[Name]) -> "Index":
        """Compile names; the first name of a term (by code and kind) is its label."""
        import numpy as np

        terms: dict[tuple[str, str], int] = {}
        labels: list[tuple[str, str, str]] = []
        keys: list[int] = []
        entries: list[Entry] = []
        words: set[int] = set()
        longest = 1
        for name in names:
            term = terms.setdefault((name.code, name.kind), len(labels))
            if term == len(labels):
                labels.append((name.code, name.name, name.kind))
            read = read_words(name.name)
            if _usable(name, read):
                hashes = [coded(word.text)[0] for word in read]
                keys.append(sum(hashes) & _MASK)
                entries.append(_entry(term, name, read, hashes))
                words.update(hashes)
                longest = max(longest, len(read))
        hashed = np.array(keys, dtype=np.uint64)
        order = np.argsort(hashed, kind="stable")
        unique, starts = np.unique(hashed[order], return_index=True)
        arrays: dict[str, NDArray[Any]] = {
            "keys": unique,
            "offsets": np.append(starts, len(hashed)).astype(np.uint32),
            "entries": np.array(entries, dtype=np.uint32).reshape(-1, 4)[order],
            "words": np.array(sorted(words), dtype=np.uint64),
            "longest": np.array([longest], dtype=np.uint32),
        }
        return cls(arrays, labels)

    def lookup(self, hashes: "NDArray[np.uint64]") -> "NDArray[np.int64]":
        """Row of each hash in the table, -1 where it isn't a name."""
        return _positions(self.keys, hashes)

    def knows(self, hashes: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
        """Which words occur in any name at all."""
        return _positions(self.words, hashes) >= 0

    def readings(self, row: int) -> list[Entry]:
        """The names of a row."""
        offsets = self.arrays["offsets"]
        return [Entry(*entry) for entry in self.arrays["entries"][offsets[row] : offsets[row + 1]].tolist()]

    def save(self, file: Path, key: str) -> None:
        """Write beside the target and rename, so that a reader sees the whole file or none. `key`: what it was
        built from."""
        import numpy as np

        text = {"key": key, "terms": "\n".join("\t".join(term) for term in self.terms)}
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                coded_text = {name: np.frombuffer(value.encode(), dtype=np.uint8) for name, value in text.items()}
                np.savez_compressed(stream, **self.arrays, **coded_text)  # type: ignore[arg-type, unused-ignore]
            os.replace(temporary, file)
        finally:
            Path(temporary).unlink(missing_ok=True)

    @classmethod
    def load(cls, file: Path, key: str) -> "Index":
        """Read what `save` wrote. Raises OSError, KeyError or BadZipFile for a missing or damaged file, ValueError
        for one built from other names."""
        import numpy as np

        with np.load(file, allow_pickle=False) as data:
            if data["key"].tobytes().decode() != key:
                raise ValueError(f"{file} was built from other names")
            arrays: dict[str, NDArray[Any]] = {name: data[name] for name in _ARRAYS}
            text = data["terms"].tobytes().decode()
        rows = [line.split("\t") for line in text.split("\n")] if text else []
        return cls(arrays, [(code, label, kind) for code, label, kind in rows])


def _positions(table: "NDArray[np.uint64]", hashes: "NDArray[np.uint64]") -> "NDArray[np.int64]":
    import numpy as np

    if not len(table):
        return np.full(len(hashes), -1)
    rows = np.searchsorted(table, hashes)
    rows[rows == len(table)] = 0
    return np.where(table[rows] == hashes, rows, -1)


def _entry(term: int, name: Name, words: list[Word], hashes: list[int]) -> Entry:
    flags = _RANK.get(name.type, 3) << RANK_SHIFT
    if len(words) == 1:
        common = form(words[0].text).strict in word_list("capitals_only") and name.type != "lay"
        flags |= STRICT_ONLY | (CASED if is_abbreviation(name.name) or common else 0)
    if any(word.joins for word in words):
        flags |= JOINED | ORDERED
    if name.kind == "drug" or not name.name.isascii():
        flags |= ORDERED
    if any(word.gap for word in words):
        flags |= LINKED
    return Entry(term, flags, sum(coded(word.text)[1] for word in words) & 0xFFFFFFFF, order_hash(hashes))


def _usable(name: Name, words: list[Word]) -> bool:
    """Whether a name is long enough to mean its term ("10", "S4", "CT-1" and three-letter drug codes aren't)."""
    if not words or len(words) > LONGEST or all(form(word.text).strict.isdigit() for word in words):
        return False
    if name.type == "lay" or not name.name.isascii():
        return True
    single_drug = name.kind == "drug" and len(words) == 1
    if single_drug and form(words[0].text).strict in word_list("no_drug"):
        return False
    return any(sum(map(str.isalpha, word.text)) >= (4 if single_drug else 3) for word in words)
