"""The findings of a case as the ranker can use them, and a note on each that it had to change or leave out.

It does not read text: findings come as identifiers.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from osler.knowledge.graph import Graph


class Query(NamedTuple):
    """Phenotype identifiers, each once, in the order given; `notes` say what was replaced or left out and why."""

    observed: tuple[str, ...]
    excluded: tuple[str, ...]
    notes: tuple[str, ...]


def prepare(graph: Graph, observed: Sequence[str], excluded: Sequence[str] = ()) -> Query:
    """Follow replacements, take the phenotype of a disease's name, drop what is unknown, contradictory or no phenotype.

    A finding given as present and as absent is left out of both. An excluded finding of which a narrower one is
    present is left out too: the narrower one was seen.
    """
    notes: list[str] = []
    present = list(dict.fromkeys(_phenotypes(graph, observed, notes)))
    absent = list(dict.fromkeys(_phenotypes(graph, excluded, notes)))
    both = set(present) & set(absent)
    notes += [f"{i} ({graph.label(i)}) is given as present and as absent: left out." for i in sorted(both)]
    present = [i for i in present if i not in both]
    implied = {a for i in present for a in graph.ancestors(i)}
    overruled = [i for i in absent if i in implied and i not in both]
    notes += [f"{i} ({graph.label(i)}) is excluded, but a narrower finding is present: not used." for i in overruled]
    return Query(tuple(present), tuple(i for i in absent if i not in both and i not in implied), tuple(notes))


def _phenotypes(graph: Graph, identifiers: Iterable[str], notes: list[str]) -> Iterator[str]:
    for identifier in identifiers:
        found = graph.position(identifier)
        if found is None:
            notes.append(f"{identifier} is unknown: left out.")
            continue
        instead = graph.pack.strings("replaced_by")[found]
        if instead:
            notes.append(f"{identifier} is obsolete without an official replacement: {instead} is considered.")
            found = graph.position(instead) or found
        known = graph.ids[found]
        if graph.kind(found) == "phenotype":
            if not instead and known != identifier.strip():
                notes.append(f"{identifier} was replaced by {known} ({graph.label(known)}).")
            yield known
        elif same := graph.edges(known, "same_label"):
            notes.append(f"{identifier} ({graph.label(known)}) is read as the finding {same[0].object}.")
            yield same[0].object
        else:
            notes.append(f"{identifier} ({graph.label(known)}) is no finding: left out.")
