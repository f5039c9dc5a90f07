"""Names: when two are the same (`key` folds case, plural, spelling, punctuation and order), and which nodes bear one.

It does not read sentences; finding names inside text is the matcher's work.
"""

import difflib
import functools
import re
import unicodedata
import zlib

import numpy as np

from osler.knowledge.graph.nouns import FLAG_OBSOLETE, NAME_TYPES, VOCABULARY
from osler.knowledge.graph.store import Pack
from osler.text import CJK, has_chinese

# Which node is meant when several bear the name: what a clinician most likely writes about comes first.
_KIND_ORDER = (0, 0, 3, 2, 4, 5)  # phenotype and disease, then drug, gene, heading, modifier
_CUTOFF = 0.84

_WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+", re.UNICODE)
_POSSESSIVE = re.compile(r"['’]s\b")
_SPELLING = [(re.compile(pattern), other) for pattern, other in VOCABULARY["spelling"]]


@functools.lru_cache(maxsize=65536)
def fold_word(word: str) -> str:
    """One lower-case word without its plural ending and in one spelling."""
    if not word.isascii() or len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for pattern, other in _SPELLING:
        word = pattern.sub(other, word)
    return word


def fold_words(name: str) -> list[str]:
    """The folded words of `name` in order; a run of Chinese characters is one word."""
    text = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", name)).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character))
    return [fold_word(word) for word in _WORD.findall(text)]


def key(name: str) -> str:
    """Equal for names that differ only in case, plural, spelling, accents, punctuation or word order.

    >>> key("Tumours, Malignant") == key("malignant tumor")
    True
    """
    return " ".join(sorted(fold_words(name)))


def key_hash(name: str) -> int:
    """CRC-32 of the key, for a compact sorted index; candidates are compared by `key` itself."""
    return zlib.crc32(key(name).encode())


class NameIndex:
    """From a name to nodes: equal names by hash, then labels with the same words, then close spellings."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def of(self, position: int) -> list[tuple[str, str, bool]]:
        """(name, type, is Chinese) of a node, its English label not included."""
        low, high = np.searchsorted(self._pack.array("name_node"), [position, position + 1])
        types, zh = self._pack.array("name_type"), self._pack.array("name_zh")
        names = self._pack.strings("name")
        return [(names[i], NAME_TYPES[types[i]], bool(zh[i])) for i in range(low, high)]

    def search(self, text: str, limit: int) -> list[int]:
        """Positions of nodes, best first."""
        if not key(text) or limit < 1:
            return []
        found = self.equal(text)
        if len(found) < limit:
            found += [p for p in self._containing(text, limit) if p not in found]
        return (found or self._close(text, limit))[:limit]

    def equal(self, text: str) -> list[int]:
        """Positions of the nodes of this very name, best first."""
        hashes, places = self._pack.array("lookup_hash"), self._pack.array("lookup_place")
        low, high = np.searchsorted(hashes, [key_hash(text), key_hash(text) + 1])
        labels, names = self._pack.strings("node_label"), self._pack.strings("name")
        nodes, types, kinds = (self._pack.array(a) for a in ("name_node", "name_type", "node_kind"))
        ranked: dict[int, tuple[int, ...]] = {}
        for place in places[low:high].tolist():
            row = place - len(labels)
            name, node, kind = (labels[place], place, 0) if row < 0 else (names[row], int(nodes[row]), int(types[row]))
            if key(name) == key(text):
                rank = (int(fold_words(name) != fold_words(text)), kind, _KIND_ORDER[kinds[node]], node)
                ranked[node] = min(ranked.get(node, rank), rank)
        return sorted(ranked, key=ranked.__getitem__)

    @functools.cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        """Labels in lower case, and Chinese labels, each empty where the node has none or is obsolete."""
        labels, flags = self._pack.strings("node_label"), self._pack.array("node_flag").tolist()
        english = ["" if f & FLAG_OBSOLETE else label.lower() for label, f in zip(labels, flags, strict=True)]
        chinese = [""] * len(english)
        nodes, names = self._pack.array("name_node"), self._pack.strings("name")
        for row in np.flatnonzero(self._pack.array("name_zh")).tolist():
            chinese[int(nodes[row])] = names[row]
        return english, chinese

    def _containing(self, text: str, limit: int) -> list[int]:
        chinese = has_chinese(text)
        words = [text.strip()] if chinese else [w for w in text.lower().split() if len(w) > 2 or w.isdigit()]
        lines = self._lines[int(chinese)] if words else []
        found = [(len(line), n) for n, line in enumerate(lines) if line and all(word in line for word in words)]
        return [n for _, n in sorted(found)[:limit]]

    def _close(self, text: str, limit: int) -> list[int]:
        wanted = text.lower().strip()
        if has_chinese(text) or len(wanted) < 5:
            return []
        pool: dict[str, int] = {}
        for n, line in enumerate(self._lines[0]):
            if line[:1] == wanted[0] and abs(len(line) - len(wanted)) <= 3:
                pool.setdefault(line, n)
        return [pool[line] for line in difflib.get_close_matches(wanted, pool, limit, _CUTOFF)]


def nearest_identifiers(identifier: str, ids: list[str]) -> list[str]:
    """Known identifiers of the same prefix and nearly the same digits, for error messages."""
    prefix, colon, digits = identifier.strip().upper().partition(":")
    pool = [i for i in ids if i.upper().startswith(f"{prefix}:{digits[:4]}")] if colon else []
    return difflib.get_close_matches(identifier.strip(), pool[:4000], 3, 0.85)
