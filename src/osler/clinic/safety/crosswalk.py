"""A user's crosswalk from codes without an open map (RxNorm, SNOMED CT, ...) to identifiers of the graph.

CSV with the columns code, target and label; `code` is the bare code or `system|code`. It ships no map of its own.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.safety import tables
from osler.errors import InputError
from osler.knowledge.graph import Graph
from osler.record.case import Code


class Coded(NamedTuple):
    """`targets`: identifiers of the graph that the codes map to; `unmapped`: the codes that map to none."""

    targets: tuple[str, ...]
    unmapped: tuple[str, ...]


@functools.lru_cache(maxsize=4)
def load_crosswalk(path: str | None) -> dict[str, str]:
    """Code to target. Raises InputError naming file and line for an empty code or target."""
    table: dict[str, str] = {}
    for row in tables.given(path, ("code", "target")) if path else ():
        code, target = row.values["code"], row.values["target"]
        if not code or not target:
            raise InputError("code or target is empty.", where=row.where)
        table[code] = target
    return table


def coded(codes: Sequence[Code], crosswalk: dict[str, str], graph: Graph) -> Coded:
    """What the codes of one entry of the record mean in the graph."""
    targets: list[str] = []
    unmapped: list[str] = []
    for code in codes:
        if not code.code:
            continue
        written = f"{code.system}|{code.code}" if code.system else code.code
        target = crosswalk.get(written) or crosswalk.get(code.code) or f"{code.system}:{code.code}"
        known = graph.canonical(target) or graph.canonical(code.code)
        if known is None:
            unmapped.append(written)
        else:
            targets.append(known)
    return Coded(tuple(dict.fromkeys(targets)), tuple(unmapped))
