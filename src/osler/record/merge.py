"""From parts to a Case: equal parts are merged, the record is dated, the patient's age counted.

Two parts are one when they are the same thing (code, time, value) and agree wherever both speak; both places are
remembered. It never decides between two that differ.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from osler.record import case
from osler.record.case import Case, CaseKind, Part, Patient
from osler.record.omissions import Omissions
from osler.record.tables import table
from osler.record.times import age_at, reference_time
from osler.text import language_of

P = TypeVar("P", bound=Part)

_KINDS = table("parts")  # by field of the Case
_FIELDS: dict[type[Part], str] = {getattr(case, row["part"]): field for field, row in _KINDS.items()}
_SAME = {kind: attrgetter(*_KINDS[field]["same"].split()) for kind, field in _FIELDS.items()}
_PLACE = frozenset(("source", "start", "end", "duplicates", "id"))
_UNKNOWN: tuple[object, ...] = (None, [])
_UNPLANNED = ("planned", "preparation", "not-done", "cancelled", "draft")


def assemble(
    kind: CaseKind, digest: str, patient: Patient, parts: Iterable[Part], omissions: Omissions, **known: Any
) -> Case:
    """The Case of what a reader found. `known`: its further fields; a reference time among them goes before the newest
    time of the parts, an age of the patient before the one counted from the birth date."""
    merged: dict[str, list[Any]] = {field: [] for field in _KINDS}
    for part in parts:
        merged[_FIELDS[type(part)]].append(part)
    merged = {field: merge(some) for field, some in merged.items()}
    reference = known.pop("reference_time", None) or reference_time(_dated(merged), omissions)
    if patient.age is None and patient.birth_date and reference:
        age, doubt = age_at(patient.birth_date, reference)
        patient = patient.model_copy(update={"age": age})
        if doubt:
            omissions.add(f"{patient.source}.{'dateOfBirth' if kind == 'phenopacket' else 'birthDate'}", doubt)
    words = [
        part.label for field in ("observations", "conditions", "medications", "allergies") for part in merged[field]
    ]
    words += [document.text for document in merged["documents"]] + [one.label for one in known.get("findings", ())]
    return Case(
        kind=kind,
        digest=digest,
        language=language_of(" ".join(dict.fromkeys(words))),
        patient=patient,
        reference_time=reference,
        unread=omissions.rows(),
        **merged,
        **known,
    )


def _dated(merged: dict[str, list[Any]]) -> Iterator[tuple[str, str | None]]:
    for field, row in _KINDS.items():
        times = row["times"].split()
        for part in merged[field]:
            if field not in ("procedures", "encounters") or part.status not in _UNPLANNED:
                for name in times:
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
            if (joined := _joined(merged[place], part)) is not None:
                merged[place] = joined
                break
        else:
            same.append(len(merged))
            merged.append(part)
    return merged


def _joined(first: P, second: P) -> P | None:
    """Both in one, the gaps of the first filled; null where they have the same place or differ."""
    if first.source == second.source or _codes(first) != _codes(second):
        return None
    update: dict[str, Any] = {}
    for name, value in first:
        other = getattr(second, name)
        if name in _PLACE or other in _UNKNOWN:
            continue
        if value in _UNKNOWN:
            update[name] = other
        elif value != other and name not in ("codes", "value_codes"):
            return None
    sources = [source for source in (second.source, *second.duplicates) if source != first.source]
    return first.model_copy(update={**update, "duplicates": list(dict.fromkeys([*first.duplicates, *sources]))})


def _codes(part: Part) -> set[tuple[str | None, str]]:
    return {(code.system, code.code) for code in getattr(part, "codes", ()) if code.code}
