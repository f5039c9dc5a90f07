"""From parts to a Case: equal parts are merged, the record is dated, the patient's age counted.

Two parts are one when they are the same thing (code, time, value) and agree wherever both speak; both places are
remembered. It never decides between two that differ.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from osler.record.case import (
    Allergy,
    Case,
    CaseKind,
    Condition,
    Document,
    Encounter,
    Medication,
    Observation,
    Part,
    Patient,
    Procedure,
)
from osler.record.omissions import Omissions
from osler.record.times import age_at, reference_time
from osler.text import language_of

P = TypeVar("P", bound=Part)


class _Kind(NamedTuple):
    """`field` of the Case; `same`: what must be equal, beside the codes of those that have some, for two parts to be
    one; `times` at which a part says that something was so."""

    field: str
    same: str
    times: str


_KINDS: dict[type[Part], _Kind] = {
    Observation: _Kind("observations", "label time value unit text", "time"),
    Document: _Kind("documents", "text title time", "time"),
    Condition: _Kind("conditions", "label onset status verification", "onset abatement recorded"),
    Medication: _Kind("medications", "label started status dose", "started"),
    Allergy: _Kind("allergies", "label status", "recorded"),
    Procedure: _Kind("procedures", "label kind started status", "started ended"),
    Encounter: _Kind("encounters", "label kind started ended", "started ended"),
}
_SAME = {kind: attrgetter(*row.same.split()) for kind, row in _KINDS.items()}
_PLACE = frozenset(("source", "start", "end", "duplicates", "id"))
_UNKNOWN: tuple[object, ...] = (None, [])
_UNPLANNED = ("planned", "preparation", "not-done", "cancelled", "draft")


def assemble(
    kind: CaseKind, digest: str, patient: Patient, parts: Iterable[Part], omissions: Omissions, **known: Any
) -> Case:
    """The Case of what a reader found. `known`: its further fields; a reference time among them goes before the newest
    time of the parts, an age of the patient before the one counted from the birth date."""
    sorted_parts: dict[type[Part], list[Any]] = {one: [] for one in _KINDS}
    for part in parts:
        sorted_parts[type(part)].append(part)
    merged = {one: merge(some) for one, some in sorted_parts.items()}
    reference = known.pop("reference_time", None) or reference_time(_dated(merged), omissions)
    if patient.age is None and patient.birth_date and reference:
        age, doubt = age_at(patient.birth_date, reference)
        patient = patient.model_copy(update={"age": age})
        if doubt:
            omissions.add(f"{patient.source}.{'dateOfBirth' if kind == 'phenopacket' else 'birthDate'}", doubt)
    words = [part.label for one in (Observation, Condition, Medication, Allergy) for part in merged[one]]
    words += [document.text for document in merged[Document]] + [one.label for one in known.get("findings", ())]
    return Case(
        kind=kind,
        digest=digest,
        language=language_of(" ".join(dict.fromkeys(words))),
        patient=patient,
        reference_time=reference,
        unread=omissions.rows(),
        **{row.field: merged[one] for one, row in _KINDS.items()},
        **known,
    )


def _dated(merged: dict[type[Part], list[Any]]) -> Iterator[tuple[str, str | None]]:
    for kind, row in _KINDS.items():
        happens = kind in (Procedure, Encounter)
        for part in merged[kind]:
            if not happens or part.status not in _UNPLANNED:
                for name in row.times.split():
                    if name != "ended" or part.status in ("finished", "completed"):
                        yield part.source, getattr(part, name)


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
