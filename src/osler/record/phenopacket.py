"""Reads a GA4GH phenopacket (v2 JSON, camelCase or snake_case; v1 where its shapes are equal) into a Case.

Diseases and interpretations become conditions of category "diagnosis", apart from the findings: they are the answer,
which a ranker must not see. Source: GA4GH Phenopacket Schema 2.0.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from osler.errors import InputError
from osler.nouns import Finding
from osler.record.case import Case, Code, Condition, Medication, Observation, Part, Patient, Procedure
from osler.record.merge import assemble
from osler.record.node import Node, root
from osler.record.omissions import Omissions, anywhere
from osler.record.source import parse
from osler.record.tables import table
from osler.record.times import days_of, moment, reference_time

DIAGNOSIS = "diagnosis"
_TABLE = table("phenopacket")
_UNDERSCORE = re.compile(r"(?<!^)_+(\w)")
_CURIE = re.compile(r"[A-Za-z][\w.]*:\S+")


def read_phenopacket(data: bytes, digest: str, name: str) -> Case:
    """The Case of phenopacket JSON in UTF-8.

    Raises InputError for malformed JSON (line and column), for a Family or Cohort, and for a packet that holds
    neither a subject nor a feature.
    """
    content = _camel(parse(data, name))
    if not isinstance(content, dict):
        raise InputError("a phenopacket is a JSON object", where=name)
    for wrapper, what in _TABLE["wrappers"].items():
        if wrapper in content:
            said = f"this is a {what} of phenopackets"
            raise InputError(said, where=f"{name}: {wrapper}", hint="Give one person's phenopacket.")
    if content.keys().isdisjoint(_TABLE["keys"]):
        said = "this JSON is no phenopacket: it has neither subject nor phenotypicFeatures"
        raise InputError(said, where=name, hint="Osler reads FHIR R4 JSON and GA4GH phenopackets v2.")
    omissions = Omissions()
    packet = root(msgspec.json.encode(content), "", omissions)
    found = list(_findings(packet))
    parts = list(_parts(packet))
    subject = packet.node("subject")
    met = reference_time([(subject.path, _time(subject.node("timeAtLastEncounter"), "timestamp"))], omissions)
    patient = _patient(subject)
    packet.asked.update(("id", "metaData", "@type"))
    for path in packet.unused():
        omissions.group(anywhere(path), "element not used")
    onsets = [onset for finding, onset in found if onset and finding.status == "present"]
    known = {"reference_time": met, "findings": [finding for finding, _ in found]}
    return assemble("phenopacket", digest, patient, parts, omissions, onset=_earliest(onsets), **known)


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_UNDERSCORE.sub(lambda match: match[1].upper(), name): _camel(one) for name, one in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value


def _earliest(onsets: list[str]) -> str | None:
    lengths = {onset: days_of(onset) for onset in onsets}
    days = {onset: _TABLE["onsets"].get(onset, float("inf")) if n is None else n for onset, n in lengths.items()}
    return min(onsets, key=days.__getitem__, default=None)


def _patient(subject: Node) -> Patient:
    written = subject.text("sex")
    if written and written not in _TABLE["sex"]:
        subject.omit("sex", f"unknown code {written!r}: read as not known")
    species = _term(subject, "taxonomy")
    if species.code and species.code != "NCBITaxon:9606":
        subject.omit("taxonomy", f"the subject is no human ({species.display}): Osler's knowledge is of people")
    birth = _time(subject, "dateOfBirth")
    return Patient(
        source="subject",
        id=subject.text("id"),
        identifiers=subject.texts("alternateIds"),
        sex=_TABLE["sex"].get(written),
        birth_date=birth.split("T")[0] if birth else None,
        age=_age(subject.node("timeAtLastEncounter", "age", "ageAtCollection")),
        deceased=_TABLE["vital_status"].get(subject.node("vitalStatus").text("status")),
    )


def _term(holder: Node, name: str) -> Code:
    """The code of an ontology class, its id in place of a missing label; empty, with a report, if the id is none."""
    term = holder.node(name)
    code, label = (term.text("id") or "").strip(), (term.text("label") or "").strip()
    if _CURIE.fullmatch(code):
        return Code(system=code.split(":", 1)[0], code=code, display=label or code)
    if term:
        term.omit("id", f"{code!r} is no identifier of the form PREFIX:ID")
    return Code()


def _named(holder: Node, name: str) -> dict[str, Any] | None:
    """`source`, `label` and `codes` of the part that an ontology class names."""
    code = _term(holder, name)
    return {"source": holder.path, "label": code.display, "codes": [code]} if code.code else None


def _time(holder: Node, name: str) -> str | None:
    written = holder.text(name)
    if written is not None and moment(written) is None:
        holder.omit(name, f"{written!r} is no date or time")
        return None
    return written


def _age(element: Node) -> str | None:
    """ISO 8601 duration or HPO onset term of a time element (v2) or age (v1)."""
    if element.has("age"):
        age = element.node("age") if bytes(element.content["age"]).startswith(b"{") else element
        written = age.text("iso8601duration", "age")
        if written is not None and days_of(written) is not None:
            return written
        age.omit("", f"{written!r} is no ISO 8601 duration")
    term = _term(element, "ontologyClass").code
    if element and not (term or element.has("age") or element.has("timestamp")):
        element.omit("", "holds no age and no term of onset that can be read")
    return term


def _is_absent(holder: Node) -> bool | None:
    """Whether it is excluded (in v1: negated); null and a report where that is neither true nor false.

    A word in place of true must not turn an absent finding into a present one.
    """
    name, raw = holder.first(("excluded", "negated"))
    if raw is not None and bytes(raw) not in (b"true", b"false"):
        holder.omit(name, "is neither true nor false: not used")
        return None
    return raw is not None and bytes(raw) == b"true"


def _findings(packet: Node) -> Iterator[tuple[Finding, str | None]]:
    """Findings, each with its onset."""
    for feature in packet.nodes("phenotypicFeatures"):
        if not feature.has("type"):
            feature.omit("", "feature without a type")
        code, absent = _term(feature, "type"), _is_absent(feature)
        if code.code is None or absent is None:
            continue
        feature.asked.add("evidence")
        finding = Finding(
            code=code.code,
            label=code.display or "",
            status="absent" if absent else "present",
            time="historical" if feature.has("resolution") else "current",
            text=feature.text("description") or None,
            source=feature.path,
        )
        yield finding, _age(feature.node("onset")) or _term(feature, "classOfOnset").code


def _parts(packet: Node) -> Iterator[Part]:
    for disease in packet.nodes("diseases"):
        named, absent, onset = _named(disease, "term"), _is_absent(disease), _age(disease.node("onset"))
        if named and absent is not None:
            yield Condition(**named, category=DIAGNOSIS, verification="refuted" if absent else None, onset=onset)
    for one in packet.nodes("interpretations"):
        one.asked.update(("id", "progressStatus"))
        if named := _named(one.node("diagnosis"), "disease"):
            yield Condition(**named, category=DIAGNOSIS)
    for one in packet.nodes("measurements"):
        yield from _measured(one)
    for one in packet.nodes("medicalActions"):
        yield from _treatment(one)
        procedure = one.node("procedure")
        if named := _named(procedure, "code"):
            yield Procedure(**named, started=_time(procedure.node("performed"), "timestamp"))


def _measured(one: Node) -> Iterator[Observation]:
    value, time = one.node("value"), _time(one.node("timeObserved"), "timestamp")
    if named := _named(one, "assay"):
        if quantity := value.node("quantity"):
            yield Observation(**named, **_quantity(quantity), time=time)
        elif (answer := _term(value, "ontologyClass")).code:
            yield Observation(**named, text=answer.display, value_codes=[answer], time=time)
        elif not one.has("complexValue"):
            one.omit("value", "measurement without a value that can be read")
        for typed in one.node("complexValue").nodes("typedQuantities"):
            if (component := _named(typed, "type")) and (quantity := typed.node("quantity")):
                yield Observation(**component, **_quantity(quantity), time=time)


def _quantity(quantity: Node) -> dict[str, Any]:
    # UCUM:mg/dL carries its unit in the id; other vocabularies name it.
    term, limits = _term(quantity, "unit"), quantity.node("referenceRange")
    unit = (term.code or "").removeprefix("UCUM:") if term.system == "UCUM" else term.display
    limits.asked.add("unit")
    return {"value": quantity.number("value"), "unit": unit, "low": limits.number("low"), "high": limits.number("high")}


def _treatment(action: Node) -> Iterator[Medication]:
    treatment, target = action.node("treatment"), _term(action, "treatmentTarget")
    if named := _named(treatment, "agent"):
        intervals = [one.node("interval") for one in treatment.nodes("doseIntervals")]
        yield Medication(
            **named,
            route=_term(treatment, "routeOfAdministration").display,
            reason=target.display,
            started=min(filter(None, [_time(one, "start") for one in intervals]), default=None),
            ended=max(filter(None, [_time(one, "end") for one in intervals]), default=None),
        )
