"""Merging of equal parts: one measurement sent twice is one measurement, and both places are remembered.

Two parts are one when they are the same thing (code, time, value) and agree wherever both speak. It never decides
between two that differ.
"""

from collections.abc import Hashable, Sequence
from typing import TypeVar

from osler.record.case import (
    Allergy,
    Code,
    Condition,
    Document,
    Encounter,
    Medication,
    Observation,
    Part,
    Procedure,
)

P = TypeVar("P", bound=Part)
_PLACE = frozenset(("source", "start", "end", "duplicates", "id"))
_UNKNOWN: tuple[object, ...] = (None, [])


def merge(parts: Sequence[P]) -> list[P]:
    """The parts in order, equal ones merged into the first: its gaps are filled, `duplicates` names the others."""
    merged: list[P] = []
    places: dict[Hashable, list[int]] = {}
    for part in parts:
        same = places.setdefault(_key(part), [])
        for place in same:
            if _agree(merged[place], part):
                merged[place] = _joined(merged[place], part)
                break
        else:
            same.append(len(merged))
            merged.append(part)
    return merged


def _key(part: Part) -> Hashable:
    match part:
        case Observation():
            return _name(part.label, part.codes), part.time, part.value, part.unit, part.text
        case Condition():
            return _name(part.label, part.codes), part.onset, part.status, part.verification
        case Medication():
            return _name(part.label, part.codes), part.started, part.status, part.dose
        case Allergy():
            return _name(part.label, part.codes), part.status
        case Procedure():
            return _name(part.label, part.codes), part.kind, part.started, part.status
        case Encounter():
            return part.label, part.kind, part.started, part.ended
        case Document():
            return part.text, part.title, part.time
    return part.source


def _name(label: str, codes: list[Code]) -> Hashable:
    # The label counts beside the codes: records exist that give one code to everything.
    if len(codes) == 1:
        return label, codes[0].system, codes[0].code
    return label, frozenset((code.system, code.code) for code in codes if code.code)


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
