"""Shortest specific chains between two nodes: two searches that meet in the middle, around hubs, in a fixed order.

It prefers chains through things few others are linked with; what a chain means is for the reader to judge.
"""

import math
from itertools import product

import numpy as np

from osler.knowledge.graph.edges import EdgeTable
from osler.knowledge.graph.nouns import RELATIONS, Edge, Path
from osler.knowledge.graph.store import Array

# Derived, negative and bookkeeping relations explain nothing in a chain.
_AVOIDED = ("not_has_phenotype", "has_inheritance", "has_course", "has_modifier", "gene_has_phenotype")
_FOLLOWED = np.array([relation not in _AVOIDED for relation in RELATIONS])
_HUB = 700  # an inner node with more links than this is too general to be passed through
_STEP = 10.0  # cost of one more edge, above what any difference in specificity amounts to

Chain = tuple[int, ...]


def find_paths(table: EdgeTable, start: int, goal: int, limit: int, max_length: int) -> list[Path]:
    """Up to `limit` chains of at most `max_length` edges, by length, then specificity, then identifiers."""
    if start == goal or limit < 1 or max_length < 1:
        return []
    forward, backward = [{start: [(start,)]}], [{goal: [(goal,)]}]
    found: dict[Chain, float] = {}
    for length in range(1, max_length + 1):
        ahead, behind = (length + 1) // 2, length // 2
        if len(forward) <= ahead:
            forward.append(_grow(table, forward[-1]))
        if len(backward) <= behind:
            backward.append(_grow(table, backward[-1]))
        for middle in forward[ahead].keys() & backward[behind].keys():
            for left, right in product(forward[ahead][middle], backward[behind][middle]):
                chain = left + right[-2::-1]
                if len(set(chain)) == len(chain):
                    found[chain] = _cost(table, chain)
        if len(found) >= limit:
            break
    best = sorted(found, key=lambda chain: (found[chain], [table.ids[p] for p in chain]))[:limit]
    return [_path(table, chain, found[chain]) for chain in best]


def _neighbours(table: EdgeTable, position: int) -> list[int]:
    rows = table.rows(position, "both")
    rows = rows[_FOLLOWED[table.relation[rows]]]
    ends: Array = np.where(table.subject[rows] == position, table.object[rows], table.subject[rows])
    return np.unique(ends).tolist()  # type: ignore[no-any-return]


def _grow(table: EdgeTable, front: dict[int, list[Chain]]) -> dict[int, list[Chain]]:
    """Chains one edge longer, by their last node. Hubs are reached, but not passed."""
    grown: dict[int, list[Chain]] = {}
    for position, chains in front.items():
        inner = len(chains[0]) > 1
        if inner and _degree(table, position) > _HUB:
            continue
        for other in _neighbours(table, position):
            extended = [(*chain, other) for chain in chains if other not in chain]
            if extended:
                grown.setdefault(other, []).extend(extended)
    return grown


def _degree(table: EdgeTable, position: int) -> int:
    _, bounds = table.incoming
    return int(table.bounds[position + 1] - table.bounds[position] + bounds[position + 1] - bounds[position])


def _cost(table: EdgeTable, chain: Chain) -> float:
    inner = chain[1:-1]
    general = sum(math.log1p(_degree(table, p)) for p in inner) / max(1, len(inner))
    return round(_STEP * (len(chain) - 1) + general, 6)


def _path(table: EdgeTable, chain: Chain, cost: float) -> Path:
    edges = tuple(_link(table, a, b) for a, b in zip(chain, chain[1:], strict=False))
    return Path(tuple(table.ids[p] for p in chain), edges, cost)


def _link(table: EdgeTable, a: int, b: int) -> Edge:
    """The best-documented edge between two neighbours: with a frequency, then a publication, then by order."""
    rows = [r for r in table.rows(a, "both").tolist() if {int(table.subject[r]), int(table.object[r])} == {a, b}]
    edges = [table.edge(r) for r in rows if _FOLLOWED[table.relation[r]]]
    return min(edges, key=lambda e: (e.frequency is None, not (e.reference or "").startswith("PMID"), edges.index(e)))
