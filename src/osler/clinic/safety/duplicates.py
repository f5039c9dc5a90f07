"""Duplicate therapy: one drug in two entries of the medication list, or two drugs of one class that isn't combined.

It does not know doses, so a planned split of one drug over two products looks like a duplicate: the alert says so.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from osler.clinic.safety.drugs import Classes, Drug


class Duplicate(NamedTuple):
    """`entries`: positions of the medications; `shared`: the class, None for the same drug."""

    drugs: tuple[Drug, ...]
    shared: str | None


def duplicates(entries: Mapping[str, Sequence[Drug]], classes: Classes) -> list[Duplicate]:
    """`entries`: the drugs of each current medication by its label; the same label twice is one medication."""
    found: list[Duplicate] = []
    together = {frozenset(pair) for drugs in entries.values() for pair in itertools.combinations(drugs, 2)}
    every = list(dict.fromkeys(drug for drugs in entries.values() for drug in drugs))
    for drug in every:
        if sum(drug in drugs for drugs in entries.values()) > 1:
            found.append(Duplicate((drug,), None))
    for name in sorted(classes.duplicate):
        members = [drug for drug in every if drug.id in classes.members[name]]
        pairs = [pair for pair in itertools.combinations(members, 2) if frozenset(pair) not in together]
        if pairs:
            found.append(Duplicate(tuple(dict.fromkeys(drug for pair in pairs for drug in pair)), name))
    return found
