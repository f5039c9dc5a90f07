"""Merging of equal parts: one measurement sent twice is one measurement, and both places are remembered.

Two parts are one when they are the same thing (code, time, value) and agree wherever both speak. It never decides
between two that differ.
"""

from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import TypeVar

from osler.record.case import Allergy, Condition, Document, Encounter, Medication, Observation, Part, Procedure

P = TypeVar("P", bound=Part)
_PLACE = frozenset(("source", "start", "end", "duplicates", "id"))
_UNKNOWN: tuple[object, ...] = (None, [])
# What must be equal, beside the codes of those that have some, for two parts to be one.
_SAME = {
    Observation: attrgetter("label", "time", "value", "unit", "text"),
    Condition: attrgetter("label", "onset", "status", "verification"),
    Medication: attrgetter("label", "started", "status", "dose"),
    Allergy: attrgetter("label", "status"),
    Procedure: attrgetter("label", "kind", "started", "status"),
    Encounter: attrgetter("label", "kind", "started", "ended"),
    Document: attrgetter("text", "title", "time"),
}


def merge(parts: Sequence[P]) -> list[P]:
    """The parts (of one type) in order, equal ones merged into the first: its gaps are filled, `duplicates` names the
    others."""
    merged: list[P] = []
    places: dict[Hashable, list[int]] = {}
    for part in parts:
        # The label counts beside the codes: records exist that give one code to everything.
        same = places.setdefault(_SAME[type(part)](part), [])
        for place in same:
            if _codes(merged[place]) == _codes(part) and _agree(merged[place], part):
                merged[place] = _joined(merged[place], part)
                break
        else:
            same.append(len(merged))
            merged.append(part)
    return merged


def _codes(part: Part) -> set[tuple[str | None, str]]:
    return {(code.system, code.code) for code in getattr(part, "codes", ()) if code.code}


def _agree(first: Part, second: Part) -> bool:
    if first.source == second.source:
        return False
    return all(
        name in _PLACE or value in _UNKNOWN or (other := getattr(second, name)) in _UNKNOWN or value == other
        for name, value in first
        if name not in ("codes", "value_codes")
    )


def _joined(first: P, second: P) -> P:
    update = {
        name: getattr(second, name)
        for name, value in first
        if name not in _PLACE and value in _UNKNOWN and getattr(second, name) not in _UNKNOWN
    }
    sources = [source for source in (second.source, *second.duplicates) if source != first.source]
    update["duplicates"] = list(dict.fromkeys([*first.duplicates, *sources]))
    return first.model_copy(update=update)
