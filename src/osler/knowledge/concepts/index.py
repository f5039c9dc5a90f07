"""The compiled table of names: a 64-bit hash of each word sequence, sorted, with the terms it may stand for.

A name of n words is found by the rolling hash of a window of n words, for all windows at once with numpy. An
Aho-Corasick automaton over words was measured first and is slower to build and larger (docs/decisions/concepts.md).
It does not know texts, and nothing of what a term means.
"""

import functools
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from osler.knowledge.concepts.normal import Word, form, is_abbreviation, read_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 12
# Odd multiplier of the rolling hash, modulo 2**64.
BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
JOIN = 0x5BD1E9955BD1E995
STRICT_ONLY, CASED, NEEDS_GAP, TURNED = 1, 2, 4, 8
_RANK = {"label": 0, "exact": 1, "lay": 1, "abbreviation": 1, "brand": 2, "related": 3, "narrow": 4, "broad": 5}
# Single words that name a term and are far more often plain English, or too short to trust: capitals only.
_COMMON = frozenset(
    "all an and aid aids ad am as at ax bad ban bat be big bit bed cad can cat cap cd chip cop cope cp cs dad did die "
    "do dot ed ear end er fat fan far fit for gap get go had ham has hat he her hip hit ho hot how id if in ip is it "
    "its job key kid lab lad lap led let lid lip lot low mad man map mass mat may me men met mid ms my nail nap no not "
    "now odd of off old on one or our out pa pad pan par past pat ped pen per pet pi pin pit pm pop pot pre pt put ran "
    "rap rash raw red rib run sad sap saw see set she sit six so son spa sun tag tan tap tea ten the tic tie time tip "
    "to toe tom too top two up us use van war was way we well wet who why will with yes you age arm back body face "
    "foot hand head heart leg skin test type today note plan rest stop water air".split()
)

# Everyday or laboratory words among the names of drugs, beside those that the graph leaves out.
_NOT_DRUGS = frozenset(
    "alcohol hemoglobin opioid opiate tobacco enzyme protein vitamin antibody antigen steroid".split()
)


class Name(NamedTuple):
    """One name of a term. `kind`: its vocabulary; `type` as in the graph, or `lay` for this room's own list."""

    code: str
    name: str
    kind: str
    type: str = "exact"


# One reading of a word sequence: row of the term, flags and rank, hash of the strict forms, where it was turned.
Entry = tuple[int, int, int, int]


def word_hash(loose: str) -> int:
    return int.from_bytes(hashlib.blake2b(loose.encode(), digest_size=8).digest(), "little") | 1


def strict_hash(words: Iterable[str]) -> int:
    return zlib.crc32(" ".join(words).encode())


def sequence_hash(hashes: Iterable[int]) -> int:
    total = 0
    for one in hashes:
        total = (total * BASE + one) & _MASK
    return total


class Index:
    """Names compiled to arrays; immutable, safe to share between threads."""

    def __init__(self, arrays: dict[str, "NDArray[Any]"], terms: Sequence[tuple[str, str, str]]) -> None:
        self.keys: NDArray[np.uint64] = arrays["keys"]
        self.offsets: NDArray[np.uint32] = arrays["offsets"]
        self.entries: NDArray[np.uint32] = arrays["entries"]
        self.words: NDArray[np.uint64] = arrays["words"]
        self.longest = int(arrays["longest"][0])
        self.terms = terms

    @classmethod
    def build(cls, names: Iterable[Name]) -> "Index":
        """Compile names; the first name of a term (by code and kind) is its label."""
        import numpy as np

        terms: dict[tuple[str, str], int] = {}
        labels: list[tuple[str, str, str]] = []
        lengths, keys, entries = [1], [0], [(0, 0, 0, 0)]
        words: set[int] = set()
        for name in names:
            term = terms.get((name.code, name.kind))
            if term is None:
                term = terms[name.code, name.kind] = len(labels)
                labels.append((name.code, name.name, name.kind))
            for length, key, entry in _readings(term, name):
                lengths.append(length)
                keys.append(key)
                entries.append(entry)
            words.update(JOIN if word.joins else _coded(word.text)[0] for word in read_words(name.name))
        hashes = np.array(keys[1:], dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        unique, starts = np.unique(hashes[order], return_index=True)
        arrays: dict[str, NDArray[Any]] = {
            "keys": unique,
            "offsets": np.append(starts, len(hashes)).astype(np.uint32),
            "entries": np.array(entries[1:], dtype=np.uint32).reshape(-1, 4)[order],
            "words": np.array(sorted(words), dtype=np.uint64),
            "longest": np.array([max(lengths)], dtype=np.uint32),
        }
        return cls(arrays, labels)

    def lookup(self, hashes: "NDArray[np.uint64]") -> "NDArray[np.int64]":
        """Row of each hash in the table, -1 where it isn't a name."""
        return _positions(self.keys, hashes)

    def knows(self, hashes: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
        """Which words occur in any name at all."""
        return _positions(self.words, hashes) >= 0

    def readings(self, row: int) -> Iterator[tuple[int, int, int, int]]:
        """Terms of a row as plain numbers, in the order of `Entry`."""
        yield from self.entries[self.offsets[row] : self.offsets[row + 1]].tolist()

    def save(self, file: Path, key: str) -> None:
        """Write beside the target and rename, so that a reader sees the whole file or none. `key`: what it was
        built from."""
        import numpy as np

        text = "\n".join("\t".join(term) for term in self.terms)
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez_compressed(
                    stream,
                    keys=self.keys,
                    offsets=self.offsets,
                    entries=self.entries,
                    words=self.words,
                    longest=np.array([self.longest], dtype=np.uint32),
                    key=np.frombuffer(key.encode(), dtype=np.uint8),
                    terms=np.frombuffer(text.encode(), dtype=np.uint8),
                )
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
            arrays: dict[str, NDArray[Any]] = {
                name: data[name] for name in ("keys", "offsets", "entries", "words", "longest")
            }
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


@functools.lru_cache(maxsize=100_000)
def _coded(word: str) -> tuple[int, str]:
    both = form(word)
    return word_hash(both.loose), both.strict


def _readings(term: int, name: Name) -> Iterator[tuple[int, int, Entry]]:
    """The name in its own order, and turned around a preposition: "chest pain" is also "pain (in the) chest"."""
    words = read_words(name.name)
    count = len(words)
    joined = any(word.joins for word in words)
    if not count or count > LONGEST or (joined and all(word.joins for word in words)):
        return
    coded = [(JOIN, "&") if word.joins else _coded(word.text) for word in words]
    if all(strict.isdigit() for _, strict in coded):
        return
    if name.type != "lay" and name.name.isascii() and not _trusted(words, name.kind):
        return
    flags = _RANK.get(name.type, 3) << 4
    if count == 1:
        flags |= STRICT_ONLY
        if is_abbreviation(name.name) or (coded[0][1] in _COMMON and name.type != "lay"):
            flags |= CASED
    yield count, sequence_hash(code for code, _ in coded), (term, flags, strict_hash(word for _, word in coded), 0)
    if count == 1 or count > 6 or joined or name.kind == "drug" or not name.name.isascii():
        return
    for cut in range(1, count):
        free = words[cut].gap or (cut == 2 and coded[0][1] in ("type", "stage", "grade"))
        turned = flags | TURNED | (0 if free else NEEDS_GAP)
        moved = coded[cut:] + coded[:cut]
        strict = strict_hash(word for _, word in moved)
        yield count, sequence_hash(code for code, _ in moved), (term, turned, strict, count - cut)


def _trusted(words: list[Word], kind: str) -> bool:
    """Whether a name is long enough to mean its term ("10", "S4", "CT-1" and three-letter drug codes aren't)."""
    shortest = 4 if kind == "drug" and len(words) == 1 else 3
    if kind == "drug" and len(words) == 1 and form(words[0].text).strict in _NOT_DRUGS:
        return False
    return any(sum(character.isalpha() for character in word.text) >= shortest for word in words)
