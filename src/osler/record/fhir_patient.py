"""Whose record it is: the one patient of a FHIR input, and the refusal of two.

Mixing two people's records is the worst error a reader can make, so doubt refuses. It does not match people by name.
"""

from typing import Any

import orjson

from osler.errors import InputError
from osler.record import fhir_types as r4
from osler.record.case import Patient
from osler.record.fhir_bundle import Item, References, identifiers_of
from osler.record.fhir_codes import GENDER, bound
from osler.record.fhir_parts import Place
from osler.record.omissions import Omissions

_OTHERS = ("Group", "Device", "Location", "Practitioner", "Organization", "Substance", "Medication", "Specimen")


def one_patient(items: list[Item], references: References, omissions: Omissions, name: str) -> tuple[Patient, set[str]]:
    """The patient, and the paths of resources that speak of somebody or something else.

    Raises InputError naming both places if the resources belong to two patients.
    """
    patients = [item for item in items if item.kind == "Patient"]
    first = patients[0] if patients else None
    same = [first] if first else []
    for other in patients[1:]:
        if first is None or not _same_person(first, other):
            _refuse(name, patients[0].path, other.path)
        omissions.add(other.path, f"the same patient as {patients[0].path}: merged, its further details are not read")
        same.append(other)
    known = {item.path for item in same}
    elsewhere: set[str] = set()
    subject: tuple[str, str] | None = None  # (key, path) of a patient that is referred to but not in the input
    seen: set[str] = set()  # addresses that were found to be this patient's
    for item in items:
        if item.kind in ("Patient", "Medication", "Binary"):
            continue
        reference, field = _subject(item)
        if item.kind == "Observation" and item.value.focus:
            omissions.add(f"{item.path}.focus", "was observed on something else than the patient: not read")
            elsewhere.add(item.path)
            continue
        if reference is None:
            omissions.group(f"{item.path}({item.kind}).subject", "names no patient: read as the patient's own")
            continue
        if reference.reference in seen:
            continue
        key = _key(reference, item, references)
        if key is None or key in known:
            if reference.reference and ":" in reference.reference:
                seen.add(reference.reference)
            continue
        if key.startswith("other:"):
            omissions.add(f"{item.path}.{field}", f"is about a {key.removeprefix('other:')}, not the patient: not read")
            elsewhere.add(item.path)
        elif first is not None and not _may_be(first, key):
            _refuse(name, first.path, f"{item.path}.{field} ({reference.reference or key})")
        elif first is None and subject is not None and not _same_address(subject[0], key):
            _refuse(name, f"{subject[1]} ({subject[0]})", f"{item.path}.{field} ({key})")
        elif subject is None:
            subject = key, f"{item.path}.{field}"
    if first is not None:
        return _read(first, [item.path for item in same[1:]], omissions), elsewhere
    if subject is None:
        return Patient(source=items[0].path if items else "(root)"), elsewhere
    contained = subject[0].startswith("{")
    identity = subject[0].split("/")[-1] if not contained and not subject[0].startswith("identifier:") else None
    return Patient(source=subject[1], id=identity), elsewhere


def _subject(item: Item) -> tuple[r4.Reference | None, str]:
    patient = getattr(item.value, "patient", None)
    return (patient, "patient") if patient else (getattr(item.value, "subject", None), "subject")


def _key(reference: r4.Reference, item: Item, references: References) -> str | None:
    # A path of the input, an address outside it, the content of a contained patient, or `other:TYPE`.
    address = reference.reference
    if not address:
        given = reference.identifier
        return f"identifier:{given.system}|{given.value}" if given and given.system and given.value else None
    found = references.find(item, address)
    if found is not None and address.startswith("#"):
        inner = next(one for one in item.value.contained if one.get("id") == address[1:])
        content = {name: value for name, value in inner.items() if name != "id"}
        return (
            orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
            if found.kind == "Patient"
            else f"other:{found.kind}"
        )
    if found is not None:
        return found.path if found.kind == "Patient" else f"other:{found.kind}"
    parts = address.split("/_history/")[0].split("/")
    if len(parts) > 1 and parts[-2] in _OTHERS:
        return f"other:{parts[-2]}"
    return "/".join(parts)


def _may_be(patient: Item, key: str) -> bool:
    own = identifiers_of(patient.value)
    if key.startswith("identifier:"):
        system, _, value = key.removeprefix("identifier:").partition("|")
        return (system, value) in own or all(system != one for one, _ in own)
    if key.startswith("{"):
        return bool(set(own) & set(identifiers_of(r4.fit(orjson.loads(key), r4.Patient, "", Omissions()))))
    # A patient that is being created has no address yet; whatever else is referred to must be this one.
    return patient.id is None and patient.url is None


def _same_address(first: str, second: str) -> bool:
    if first == second:
        return True
    short, long = sorted((first, second), key=len)
    return ":" not in short and long.endswith(f"/{short}")


def _same_person(first: Item, other: Item) -> bool:
    shared = set(identifiers_of(first.value)) & set(identifiers_of(other.value))
    agree = all(
        getattr(first.value, field) is None or getattr(other.value, field) in (None, getattr(first.value, field))
        for field in ("gender", "birth_date")
    )
    return bool(shared) and agree


def _refuse(name: str, first: str, second: str) -> Any:
    raise InputError(
        f"two patients in one input: {first} and {second}", where=name, hint="Give one patient's record at a time."
    )


def _read(item: Item, duplicates: list[str], omissions: Omissions) -> Patient:
    value: r4.Patient = item.value
    place = Place(item.path, item.kind, lambda _: None, omissions)
    names = sorted(value.name, key=lambda one: one.use in ("old", "nickname", "maiden"))
    deceased = place.time(value.deceased_date_time, "deceasedDateTime")
    return Patient(
        source=item.path,
        duplicates=[*item.duplicates, *duplicates],
        id=value.id,
        identifiers=[f"{system}|{number}" for system, number in dict.fromkeys(identifiers_of(value))],
        name=next((written for one in names if (written := _name(one))), None),
        sex=bound(value.gender, GENDER, f"{item.path}.gender", omissions),
        birth_date=place.time(value.birth_date, "birthDate"),
        deceased=deceased if deceased is not None else value.deceased_boolean,
    )


def _name(name: r4.HumanName) -> str | None:
    return name.text or " ".join([*name.given, *([name.family] if name.family else [])]) or None
