"""What the pages of the graph show of a concept: its neighbours by relation, and those that its drawings hold.

It decides nothing and says no words: `pages/parts/graph_picture.html` draws.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from osler.knowledge.graph import Edge
from osler.knowledge.graph.nouns import RELATIONS

DRAWN = 14  # neighbours of a drawing
LETTER = 7.2  # pixels; a Chinese character is two


class Neighbour(NamedTuple):
    """A concept beside another, with every edge of one relation between them and the highest frequency given."""

    id: str
    label: str
    edges: list[Edge]
    frequency: float | None


class Group(NamedTuple):
    """`relation` has a "^" before it where the neighbours are its subjects."""

    relation: str
    neighbours: list[Neighbour]


def grouped(id: str, edges: Iterable[Edge], label: Callable[[str], str]) -> list[Group]:
    """The edges at a concept by relation, those of one neighbour together; what is said to be most frequent first."""
    found: dict[tuple[int, str], dict[str, list[Edge]]] = {}
    for edge in edges:
        outward = edge.subject == id
        key = RELATIONS.index(edge.relation), edge.relation if outward else f"^{edge.relation}"
        found.setdefault(key, {}).setdefault(edge.object if outward else edge.subject, []).append(edge)
    made = []
    for (_, relation), others in sorted(found.items()):
        for rows in others.values():
            rows.sort(key=lambda edge: -1 if edge.frequency is None else edge.frequency, reverse=True)
        neighbours = [Neighbour(other, label(other), rows, rows[0].frequency) for other, rows in others.items()]
        neighbours.sort(key=lambda one: (one.frequency is None, -(one.frequency or 0), -len(one.edges), one.label))
        made.append(Group(relation, neighbours))
    return made


def nearest(groups: list[Group]) -> list[Group]:
    """What to draw: the first neighbour of each relation, then the second of each, until the drawing is full."""
    turns = sorted((place, n) for n, group in enumerate(groups) for place in range(min(DRAWN, len(group.neighbours))))
    taken = [sum(n == mine for _, mine in turns[:DRAWN]) for n in range(len(groups))]
    return [Group(group.relation, group.neighbours[:most]) for group, most in zip(groups, taken, strict=True) if most]


def lines(groups: list[Group]) -> list[tuple[str, Neighbour | None]]:
    """A drawing's lines: the relation, then each of its neighbours."""
    return [(group.relation, one) for group in groups for one in (None, *group.neighbours)]


def cut(text: str, room: float) -> str:
    """As much of a text as fits into so many pixels."""
    width = 0.0
    for n, letter in enumerate(text):
        width += LETTER * (2 if unicodedata.east_asian_width(letter) in "WF" else 1)
        if width > room:
            return text[: n - 1].rstrip() + "…"
    return text
