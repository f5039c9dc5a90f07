"""Shortest specific chains between two nodes: two searches that meet in the middle, around hubs, in a fixed order.

It prefers chains through things few others are linked with; what a chain means is for the reader to judge.
"""

import math
from itertools import pairwise, product

import numpy as np

from osler.knowledge.graph.edges import EdgeTable
from osler.knowledge.graph.nouns import KINDS, RELATIONS, VOCABULARY, Edge, Path

_FOLLOWED = np.array([relation not in VOCABULARY["unfollowed"] for relation in RELATIONS])
_HUB = 700  # an inner node with more links than this is too general to be passed through
_DISEASE = KINDS.index("disease")
_STEP = 20.0  # cost of one more edge, above what any difference in specificity amounts to

Chain = tuple[int, ...]


def find_paths(table: EdgeTable, start: int, goal: int, limit: int, max_length: int) -> list[Path]:
    """Up to `limit` chains of at most `max_length` edges, by length, then specificity, then identifiers."""
    if start == goal or limit < 1 or max_length < 1:
        return []
    forward: list[dict[int, list[Chain]]] = [{start: [(start,)]}]
    backward: list[dict[int, list[Chain]]] = [{goal: [(goal,)]}]
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
    return [
        Path(tuple(table.ids[p] for p in chain), tuple(_link(table, a, b) for a, b in pairwise(chain)), found[chain])
        for chain in best
    ]


def _grow(table: EdgeTable, front: dict[int, list[Chain]]) -> dict[int, list[Chain]]:
    """Chains one edge longer, by their last node. Hubs are reached, but not passed."""
    grown: dict[int, list[Chain]] = {}
    for position, chains in front.items():
        rows = table.rows(position, "both")
        if len(chains[0]) > 1 and len(rows) > _HUB:
            continue
        rows = rows[_FOLLOWED[table.relation[rows]]]
        ends = np.where(table.subject[rows] == position, table.object[rows], table.subject[rows])
        for other in np.unique(ends).tolist():
            extended = [(*chain, other) for chain in chains if other not in chain]
            if extended:
                grown.setdefault(other, []).extend(extended)
    return grown


def _cost(table: EdgeTable, chain: Chain) -> float:
    """_STEP an edge, plus how common its inner findings, genes and classes are, plus how rare each finding is in its
    disease. A disease that much is known of is not a general thing, so diseases cost nothing."""
    kinds = table.pack.array("node_kind")
    inner = [p for p in chain[1:-1] if kinds[p] != _DISEASE]
    general = sum(math.log1p(len(table.incoming.of(p))) for p in inner) / max(1, len(inner))
    rarity = sum(_rarity(table, a, b) for a, b in pairwise(chain)) / (len(chain) - 1)
    return round(_STEP * (len(chain) - 1) + general + rarity, 6)


def _rarity(table: EdgeTable, a: int, b: int) -> float:
    """1 - the highest frequency among the rows between two nodes, counts of few patients drawn to one half."""
    edges = [edge for edge in _between(table, a, b) if edge.relation == "has_phenotype"]
    return min((1 - _shrunk(edge) for edge in edges), default=0.0)


def _shrunk(edge: Edge) -> float:
    count, slash, total = (edge.frequency_text or "").partition("/")
    if slash:
        return (int(count) + 1) / (int(total) + 2)
    return 0.5 if edge.frequency is None else edge.frequency


def _link(table: EdgeTable, a: int, b: int) -> Edge:
    """The edge between two neighbours that says most: the highest frequency, then a publication, then by order."""
    edges = _between(table, a, b)
    return min(edges, key=lambda e: (-_shrunk(e), not (e.reference or "").startswith("PMID"), edges.index(e)))


def _between(table: EdgeTable, a: int, b: int) -> list[Edge]:
    rows: list[int] = []
    for subject, target in ((a, b), (b, a)):
        found = table.outgoing.of(subject)
        rows += found[(table.object[found] == target) & _FOLLOWED[table.relation[found]]].tolist()
    return [table.edge(row) for row in rows]
