"""Whose record it is: the one patient of a FHIR input, and the refusal of two.

Mixing two people's records is the worst error a reader can make, so doubt refuses. It does not match people by name.
"""

import re
from typing import NoReturn, cast
from urllib.parse import parse_qsl

from osler.errors import InputError
from osler.record.case import Patient
from osler.record.fhir_items import Item, identifiers_of
from osler.record.fhir_parts import parts_of
from osler.record.node import NULL, Node

_OTHERS = ("Group", "Device", "Location", "Practitioner", "Organization", "Substance", "Medication", "Specimen")


def one_patient(items: list[Item], name: str) -> tuple[Patient, set[str]]:
    """The patient, and the paths of resources that speak of somebody or something else.

    Raises InputError naming both places if the resources belong to two patients.
    """
    people = [item for item in items if item.kind == "Patient"]
    for other in people[1:]:
        if not _same_person(people[0], other):
            _refuse(name, people[0].path, other.path)
        other.omit("", f"the same patient as {people[0].path}: merged, its further details are not read")
    elsewhere: set[str] = set()
    mine: set[tuple[bytes, str]] = set()  # references, with the server they were written on, that are the patient's
    outside: tuple[str, str] | None = None  # (address, path) of a patient that is not in the input
    shown: tuple[str, str] | None = None  # the same of one that is given by name only
    for item in items:
        if item.kind in ("Patient", "Medication", "Binary"):
            continue
        raw = item.first(("patient", "subject"))[1]
        reference = bytes(raw or b""), item.url.rsplit("/", 2)[0] if item.url.startswith("http") else ""
        if "focus" not in item.content and reference in mine:
            continue
        subject = item.node("patient", "subject")
        found, address = item.find(subject), _address(subject)
        thing = found.kind if found else "".join((address or "").split("/")[-2:-1])
        if item.has("focus"):
            item.omit("focus", "was observed on something else than the patient: not read")
            elsewhere.add(item.path)
        elif not subject:
            item.count("subject", "names no patient: read as the patient's own")
        elif (found is not None and found.kind != "Patient") or thing in _OTHERS:
            subject.omit("", f"is about a {thing}, not the patient: not read")
            elsewhere.add(item.path)
        else:
            if found is not None:
                if not people and outside is None:
                    people = [found]
                elif found not in people and not (people and _same_person(people[0], found)):
                    _refuse(name, people[0].path if people else str(outside), f"{subject.path} ({found.path})")
            elif address is not None:
                if people and not _may_be(people[0], address):
                    _refuse(name, people[0].path, f"{subject.path} ({address})")
                if outside is not None and not _same_address(outside[0], address):
                    _refuse(name, f"{outside[1]} ({outside[0]})", f"{subject.path} ({address})")
                outside = outside or (address, subject.path)
            elif words := " ".join(sorted(re.findall(r"\w+", (subject.text("display") or "").lower()))):
                if not people and shown is not None and shown[0] != words:
                    _refuse(name, f"{shown[1]} ({shown[0]})", f"{subject.path} ({words})")
                shown = shown or (words, subject.path)
            if not (address or "").startswith("#"):
                mine.add(reference)
    if people:
        patient = cast(Patient, next(parts_of(people[0])))
        duplicates = [*patient.duplicates, *(other.path for other in people[1:])]
        return patient.model_copy(update={"duplicates": duplicates}), elsewhere
    if outside is None:
        return Patient(source=items[0].path if items else "(root)"), elsewhere
    address, path = outside
    return Patient(source=path, id=None if "|" in address else address.split("/")[-1]), elsewhere


def _address(reference: Node) -> str | None:
    """Where a reference points to, or `system|value` of one that gives an identifier only."""
    if written := reference.text("reference"):
        asked = dict(parse_qsl(written.partition("?")[2])).get("identifier")  # Patient?identifier=system|value
        return asked or written.split("/_history/")[0]
    return next((f"{system}|{value}" for system, value in identifiers_of(reference)), None)


def _may_be(patient: Item, address: str) -> bool:
    system, bar, value = address.partition("|")
    if bar:
        own = identifiers_of(patient)
        return (system, value) in own or all(system != one for one, _ in own)
    # A patient that is being created has no address yet; whatever else is referred to must be this one.
    return patient.id is None and not patient.url


def _same_address(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return first == second or (":" not in short and long.endswith(f"/{short}"))


def _same_person(first: Item, other: Item) -> bool:
    if first.owner and other.owner and first.content | {"id": NULL} == other.content | {"id": NULL}:
        return True  # one contained copy of the patient in each resource
    for field in ("gender", "birthDate"):
        mine, theirs = first.text(field), other.text(field)
        if mine is not None and theirs is not None and mine != theirs:
            return False
    return bool(set(identifiers_of(first)) & set(identifiers_of(other)))


def _refuse(name: str, first: str, second: str) -> NoReturn:
    said = f"two patients in one input: {first} and {second}"
    raise InputError(said, where=name, hint="Give one patient's record at a time.")
