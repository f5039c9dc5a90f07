"""Reads FHIR R4 (bundle, list, lines or one resource) into a Case.

Every part names its place, `Bundle.entry[12].resource` and below. Two patients are refused. Other FHIR versions are
read as far as their shapes map to R4. It knows no terminology: codes stay as they are.
"""

from functools import partial
from typing import TypeVar

import msgspec

from osler.errors import InputError
from osler.record.case import (
    Allergy,
    Case,
    Condition,
    Document,
    Encounter,
    Medication,
    Observation,
    Part,
    Patient,
    Procedure,
)
from osler.record.fhir_bundle import Item, References, items_of, settle
from osler.record.fhir_documents import TEXTS, documents_of
from osler.record.fhir_parts import BUILDERS, PREGNANCY_STATUS, Place, pregnancy
from osler.record.fhir_patient import one_patient
from osler.record.merge import merge
from osler.record.omissions import Omissions
from osler.record.source import Shape, malformed
from osler.record.times import age_at, newest
from osler.text import language_of

P = TypeVar("P", bound=Part)
_SUPPORT = ("Medication", "Binary")  # read only where something refers to them
_UNPLANNED = ("planned", "preparation", "not-done", "cancelled", "draft")


def read_fhir(data: bytes, digest: str, name: str, shape: Shape = "json") -> Case:
    """The Case of FHIR JSON in UTF-8.

    Raises InputError for malformed JSON (line and column), for an input without clinical content, and for two
    patients (both paths).
    """
    omissions = Omissions()
    items = settle(_items(data, name, shape, omissions), omissions)
    references = References(items)
    wanted = [item for item in items if item.value is not None and not _in_error(item, omissions)]
    patient, elsewhere = one_patient(wanted, references, omissions, name)
    parts: list[Part] = []
    for item in wanted:
        place = Place(item.path, item.kind, partial(references.find, item), omissions)
        if item.kind == "Patient" or item.kind in _SUPPORT or item.path in elsewhere:
            continue
        built = [*BUILDERS[item.kind](item.value, place)] if item.kind in BUILDERS else []
        if item.kind in TEXTS or item.value.text or item.value.note:
            built += documents_of(item.value, place)
        parts += (
            [part.model_copy(update={"duplicates": [*item.duplicates]}) for part in built] if item.duplicates else built
        )
    for item in wanted:
        if item.kind in _SUPPORT and item.path not in references.used:
            omissions.group(f"{item.path}({item.kind})", "nothing that was read refers to it")
        for index, inner in enumerate(getattr(item.value, "contained", ())):
            path, kind = f"{item.path}.contained[{index}]", inner.get("resourceType")
            if path not in references.used and not (kind == "Observation" and item.kind == "DiagnosticReport"):
                omissions.group(f"{path}({kind})", "contained resource that nothing read refers to")
    if not parts and not any(item.kind == "Patient" for item in wanted):
        raise InputError(_nothing(omissions), where=name, hint="Osler reads FHIR R4 JSON.")
    return _case(parts, patient, omissions, digest)


def _nothing(omissions: Omissions) -> str:
    rows = omissions.rows()
    first = f" First of {len(rows)}: {rows[0].path}: {rows[0].reason}." if rows else ""
    return f"nothing in this FHIR input could be read.{first}"


def _items(data: bytes, name: str, shape: Shape, omissions: Omissions) -> list[Item]:
    try:
        if shape == "ndjson":
            items: list[Item] = []
            for number, line in enumerate(data.split(b"\n"), start=1):
                if line.strip():
                    try:
                        items += items_of(line, f"line[{number}]", omissions)
                    except (msgspec.DecodeError, RecursionError):
                        malformed(line, name, number)
            return items
        if data.lstrip()[:1] == b"[":
            listed = msgspec.json.decode(data, type=list[msgspec.Raw])
            return [item for index, raw in enumerate(listed) for item in items_of(raw, f"[{index}]", omissions)]
        return [*items_of(data, "", omissions)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        malformed(data, name)


def _in_error(item: Item, omissions: Omissions) -> bool:
    status = getattr(item.value, "status", None)
    verification = getattr(item.value, "verification_status", None)
    codes = [coding.code for coding in verification.coding] if verification else []
    if "entered-in-error" in (status, getattr(item.value, "doc_status", None), *codes):
        omissions.add(item.path, f"{item.kind} was entered in error: dropped")
        return True
    return False


def _case(parts: list[Part], patient: Patient, omissions: Omissions, digest: str) -> Case:
    def of(kind: type[P]) -> list[P]:
        return merge([part for part in parts if isinstance(part, kind)])

    conditions, observations, documents = of(Condition), of(Observation), of(Document)
    medications, procedures, encounters = of(Medication), of(Procedure), of(Encounter)
    allergies = of(Allergy)
    times: list[str | None] = [observation.time for observation in observations]
    times += [time for one in conditions for time in (one.onset, one.abatement, one.recorded)]
    times += [one.started for one in medications] + [one.recorded for one in allergies]
    for happened in (procedures, encounters):
        for one in happened:
            if one.status not in _UNPLANNED:
                times += [one.started, one.ended if one.status in ("finished", "completed") else None]
    times += [document.time for document in documents]
    reference = newest([time for time in times if time])
    age, doubt = age_at(patient.birth_date, reference) if patient.birth_date and reference else (None, None)
    if doubt:
        omissions.add(f"{patient.source}.birthDate", doubt)
    pregnant = _pregnant(observations)
    words = [part.label for part in conditions] + [part.label for part in observations]
    words += [part.label for part in medications] + [document.text for document in documents]
    return Case(
        kind="fhir",
        digest=digest,
        language=language_of(" ".join(dict.fromkeys(words))),
        patient=patient.model_copy(update={"age": age, "pregnant": pregnant}),
        reference_time=reference,
        conditions=conditions,
        medications=medications,
        allergies=allergies,
        observations=observations,
        procedures=procedures,
        encounters=encounters,
        documents=documents,
        unread=omissions.rows(),
    )


def _pregnant(observations: list[Observation]) -> bool | None:
    asked = [one for one in observations if any(code.code == PREGNANCY_STATUS for code in one.codes)]
    last = newest([one.time for one in asked if one.time])
    return next((pregnancy(one.value_codes) for one in asked if one.time == last), None)
