"""The edge table: rows of the sources, reachable from their subject and from their object.

It works on positions; identifiers and texts are looked up only for the edges that are handed out.
"""

import functools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.graph.nouns import EDGE_TEXTS, HIERARCHY, RELATIONS, Direction, Edge
from osler.knowledge.graph.store import Array, Pack

Ints = NDArray[np.int64]


class Lists(NamedTuple):
    """Lists of integers end to end: list n is `items[bounds[n] : bounds[n + 1]]`."""

    bounds: Ints
    items: Ints

    def span(self, n: int) -> slice:
        """Where list n is, in `items` and in arrays parallel to it."""
        return slice(self.bounds[n], self.bounds[n + 1])

    def of(self, n: int) -> Ints:
        return self.items[self.span(n)]

    def gather(self, which: Ints) -> tuple[Ints, Ints]:
        """The items of many lists end to end, and for each the place in `which` of its list."""
        counts = self.bounds[which + 1] - self.bounds[which]
        owner = np.repeat(np.arange(len(which)), counts)
        begin = np.repeat(self.bounds[which] - (np.cumsum(counts) - counts), counts)
        return self.items[begin + np.arange(len(owner))], owner


def lists(owner: Ints, items: Ints, size: int) -> Lists:
    """`Lists` from pairs already sorted by owner."""
    return Lists(np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))]), items)


class EdgeTable:
    """`subject`, `relation` and `object` are parallel arrays sorted by subject, relation, object."""

    def __init__(self, pack: Pack, ids: list[str]) -> None:
        self.pack = pack
        self.ids = ids

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
    def outgoing(self) -> Lists:
        """The rows of each subject."""
        bounds = np.concatenate([[0], np.cumsum(self.pack.array("edge_count"), dtype=np.int64)])
        return Lists(bounds, np.arange(bounds[-1]))

    @functools.cached_property
    def incoming(self) -> Lists:
        """The rows of each object."""
        return lists(self.object, np.argsort(self.object, kind="stable"), len(self.ids))

    def rows(self, position: int, direction: Direction) -> Ints:
        """Row numbers of the edges at a node."""
        ways = {"out": (self.outgoing,), "in": (self.incoming,), "both": (self.outgoing, self.incoming)}[direction]
        return np.concatenate([way.of(position) for way in ways])

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
            self.ids[int(np.searchsorted(self.outgoing.bounds, row, side="right")) - 1],
            RELATIONS[self.relation[row]],
            self.ids[self.object[row]],
            self.pack.header["sources"][self.pack.array("edge_source")[row]]["name"],
            None if share != share else share,
            *(self.pack.strings(f"{t}_table")[self.pack.array(f"edge_{t}")[row]] or None for t in EDGE_TEXTS),
        )

    @functools.lru_cache(maxsize=32768)  # noqa: B019  (one table a process, and it lives as long)
    def ancestors(self, position: int) -> frozenset[int]:
        """Positions of all broader terms, itself included; cycles between merged sources are harmless."""
        upward = [RELATIONS.index(relation) for relation in HIERARCHY]
        seen, front = {position}, [position]
        while front:
            rows = np.concatenate([self.outgoing.of(p) for p in front])
            above = self.object[rows[np.isin(self.relation[rows], upward)]].tolist()
            front = [p for p in dict.fromkeys(above) if p not in seen]
            seen.update(front)
        return frozenset(seen)
