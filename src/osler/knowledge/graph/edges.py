"""The edge table: rows of the sources, reachable from their subject and from their object.

It works on positions; identifiers and texts are looked up only for the edges that are handed out.
"""

import functools
from collections.abc import Iterable

import numpy as np

from osler.knowledge.graph.nouns import EDGE_TEXTS, HIERARCHY, RELATIONS, Direction, Edge
from osler.knowledge.graph.store import Array, Pack

_HIERARCHY = tuple(RELATIONS.index(relation) for relation in HIERARCHY)


class EdgeTable:
    """`subject`, `relation` and `object` are parallel arrays sorted by subject, relation, object."""

    def __init__(self, pack: Pack, ids: list[str]) -> None:
        self.pack = pack
        self.ids = ids

    @functools.cached_property
    def bounds(self) -> Array:
        """Rows of subject n are bounds[n] to bounds[n + 1]."""
        return np.concatenate([[0], np.cumsum(self.pack.array("edge_count"), dtype=np.int64)])

    @functools.cached_property
    def subject(self) -> Array:
        return np.repeat(np.arange(len(self.ids), dtype=np.uint32), self.pack.array("edge_count"))

    @property
    def relation(self) -> Array:
        return self.pack.array("edge_relation")

    @property
    def object(self) -> Array:
        return self.pack.array("edge_object")

    @functools.cached_property
    def incoming(self) -> tuple[Array, Array]:
        """(order, bounds): rows with object n are order[bounds[n] : bounds[n + 1]]."""
        order = np.argsort(self.object, kind="stable").astype(np.uint32)
        counts = np.bincount(self.object, minlength=len(self.ids))
        return order, np.concatenate([[0], np.cumsum(counts)])

    def rows(self, position: int, direction: Direction) -> Array:
        """Row numbers of the edges at a node."""
        out = np.arange(self.bounds[position], self.bounds[position + 1])
        if direction == "out":
            return out
        order, bounds = self.incoming
        into = order[bounds[position] : bounds[position + 1]].astype(np.int64)
        return into if direction == "in" else np.concatenate([out, into])

    def edges(self, position: int, relations: Iterable[str] | None, direction: Direction) -> list[Edge]:
        rows = self.rows(position, direction)
        if relations is not None:
            wanted = [RELATIONS.index(relation) for relation in relations if relation in RELATIONS]
            rows = rows[np.isin(self.relation[rows], wanted)]
        return [self.edge(row) for row in np.sort(rows).tolist()]

    def edge(self, row: int) -> Edge:
        """One row with its texts."""
        share = float(self.pack.array("frequency_value")[self.pack.array("edge_frequency")[row]])
        return Edge(
            self.ids[int(np.searchsorted(self.bounds, row, side="right")) - 1],
            RELATIONS[self.relation[row]],
            self.ids[self.object[row]],
            self.pack.header["sources"][self.pack.array("edge_source")[row]]["name"],
            None if share != share else share,
            *(self.pack.strings(f"{t}_table")[self.pack.array(f"edge_{t}")[row]] or None for t in EDGE_TEXTS),
        )

    @functools.lru_cache(maxsize=32768)  # noqa: B019  (one table a process, and it lives as long)
    def ancestors(self, position: int) -> frozenset[int]:
        """Positions of all broader terms, itself included; cycles between merged sources are harmless."""
        seen, front = {position}, [position]
        while front:
            rows = np.concatenate([np.arange(self.bounds[p], self.bounds[p + 1]) for p in front])
            above = self.object[rows[np.isin(self.relation[rows], _HIERARCHY)]].tolist()
            front = [p for p in dict.fromkeys(above) if p not in seen]
            seen.update(front)
        return frozenset(seen)
