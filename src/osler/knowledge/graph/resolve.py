"""From a name to the nodes that bear it: equal names by hash, then labels with the same words, then close spellings.

It does not read sentences; finding names inside text is the matcher's work.
"""

import difflib
import functools

import numpy as np

from osler.knowledge.graph.names import fold_words, key, key_hash
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, NAME_TYPES
from osler.knowledge.graph.store import Pack
from osler.text import has_chinese

# Which node is meant when several bear the name: what a clinician most likely writes about comes first.
_KIND_ORDER = (0, 0, 3, 2, 4, 5)  # phenotype and disease, then drug, gene, heading, modifier
_CUTOFF = 0.84


class NameIndex:
    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def of(self, position: int) -> list[tuple[str, str, bool]]:
        """(name, type, is Chinese) of a node, its English label not included."""
        nodes = self._pack.array("name_node")
        low, high = np.searchsorted(nodes, [position, position + 1])
        types, zh = self._pack.array("name_type"), self._pack.array("name_zh")
        names = self._pack.strings("name")
        return [(names[i], NAME_TYPES[types[i]], bool(zh[i])) for i in range(low, high)]

    def search(self, text: str, limit: int) -> list[int]:
        """Positions of nodes, best first."""
        if not key(text) or limit < 1:
            return []
        found = self._equal(text)
        if len(found) < limit:
            found += [p for p in self._containing(text, limit) if p not in found]
        if not found:
            found = self._close(text, limit)
        return found[:limit]

    def _equal(self, text: str) -> list[int]:
        hashes, places = self._pack.array("lookup_hash"), self._pack.array("lookup_place")
        wanted = key_hash(text)
        low, high = np.searchsorted(hashes, [wanted, wanted + 1])
        labels, names = self._pack.strings("node_label"), self._pack.strings("name")
        nodes, types, kinds = (self._pack.array(a) for a in ("name_node", "name_type", "node_kind"))
        ranked: dict[int, tuple[int, ...]] = {}
        folded, words = key(text), fold_words(text)
        for place in places[low:high].tolist():
            row = place - len(labels)
            name, node, kind = (labels[place], place, 0) if row < 0 else (names[row], int(nodes[row]), int(types[row]))
            if key(name) == folded:
                rank = (int(fold_words(name) != words), kind, _KIND_ORDER[kinds[node]], node)
                ranked[node] = min(ranked.get(node, rank), rank)
        return sorted(ranked, key=ranked.__getitem__)

    @functools.cached_property
    def _lines(self) -> tuple[list[str], list[str]]:
        """Labels in lower case, and Chinese labels, each empty where the node has none or is obsolete."""
        flags = self._pack.array("node_flag").tolist()
        english = [
            "" if f & FLAG_OBSOLETE else label.lower()
            for label, f in zip(self._pack.strings("node_label"), flags, strict=True)
        ]
        chinese = [""] * len(english)
        names = self._pack.strings("name")
        for row in np.flatnonzero(self._pack.array("name_zh")).tolist():
            chinese[int(self._pack.array("name_node")[row])] = names[row]
        return english, chinese

    def _containing(self, text: str, limit: int) -> list[int]:
        chinese = has_chinese(text)
        words = (
            [text.strip()] if chinese else [word for word in text.lower().split() if len(word) > 2 or word.isdigit()]
        )
        if not words:
            return []
        lines = self._lines[int(chinese)]
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


def nearest_identifiers(identifier: str, ids: list[str], limit: int = 3) -> list[str]:
    """Known identifiers of the same prefix and nearly the same digits, for error messages."""
    prefix, colon, digits = identifier.strip().upper().partition(":")
    if not colon:
        return []
    pool = [i for i in ids if i.upper().startswith(f"{prefix}:{digits[:4]}")]
    return difflib.get_close_matches(identifier.strip(), pool[:4000], limit, 0.85)
