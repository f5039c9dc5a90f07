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
from osler.record.case import Case, Code, Condition, Medication, Observation, Patient, Procedure, Sex
from osler.record.merge import merge
from osler.record.omissions import Omissions
from osler.record.source import malformed
from osler.record.times import age_at, days_of, moment, newest
from osler.text import language_of

DIAGNOSIS = "diagnosis"
KEYS = frozenset(("subject", "phenotypicFeatures", "metaData", "diseases", "interpretations"))
_SEXES: dict[str, Sex] = {"MALE": "male", "FEMALE": "female", "OTHER_SEX": "other", "UNKNOWN_SEX": "unknown"}
# HPO onset terms in the order of life, with the days after birth at which each begins.
ONSETS = {
    "HP:0030674": -280.0,  # antenatal
    "HP:0011460": -280.0,  # embryonal
    "HP:0011461": -210.0,  # fetal
    "HP:0003577": 0.0,  # congenital
    "HP:0003623": 0.0,  # neonatal
    "HP:0003593": 28.0,  # infantile
    "HP:0011463": 365.25,  # childhood
    "HP:0003621": 1826.25,  # juvenile
    "HP:0003581": 5844.0,  # adult
    "HP:0011462": 5844.0,  # young adult
    "HP:0003596": 14610.0,  # middle age
    "HP:0003584": 21915.0,  # late
}
_CURIE = re.compile(r"[A-Za-z][\w.]*:\S+")


class Reader:
    """One phenopacket while it is read: the report, and checked ways to its elements."""

    def __init__(self, packet: dict[str, Any]) -> None:
        self.packet = packet
        self.omissions = Omissions()

    def get(self, holder: dict[str, Any], name: str, kind: type, path: str) -> Any:
        """`holder[name]` if it is of the kind, else null and a report if it is there at all."""
        value = holder.get(name)
        if value is None or (isinstance(value, kind) and not (kind is not bool and isinstance(value, bool))):
            return value
        self.omissions.add(f"{path}.{name}".lstrip("."), f"wrong type: {type(value).__name__}, not {kind.__name__}")
        return None

    def items(
        self, name: str, holder: dict[str, Any] | None = None, path: str = ""
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The objects of a list with their paths."""
        for index, value in enumerate(self.get(holder if holder is not None else self.packet, name, list, path) or []):
            where = f"{path}.{name}[{index}]".lstrip(".")
            if isinstance(value, dict):
                yield where, value
            else:
                self.omissions.add(where, f"wrong type: {type(value).__name__}, not an object")

    def term(self, holder: dict[str, Any], name: str, path: str) -> tuple[str, str] | None:
        """(id, label) of an ontology class; the label of a term without one is its id."""
        value = self.get(holder, name, dict, path)
        if value is None:
            return None
        code, label = value.get("id"), value.get("label")
        if not isinstance(code, str) or not _CURIE.fullmatch(code.strip()):
            self.omissions.add(f"{path}.{name}.id", f"{code!r} is no identifier of the form PREFIX:ID")
            return None
        return code.strip(), label.strip() if isinstance(label, str) and label.strip() else code.strip()

    def unused(self, holder: dict[str, Any], known: set[str], path: str) -> None:
        for name in sorted(holder.keys() - known):
            if holder[name] not in (None, [], {}, ""):
                self.omissions.group(f"{path}.{name}".lstrip("."), "element not used")


def read_phenopacket(data: bytes, digest: str, name: str) -> Case:
    """The Case of phenopacket JSON in UTF-8.

    Raises InputError for malformed JSON (line and column), for a Family or Cohort, and for a packet that holds
    neither a subject nor a feature.
    """
    try:
        packet = _camel(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        malformed(data, name)
    if not isinstance(packet, dict):
        raise InputError("a phenopacket is a JSON object", where=name)
    for wrapper, what in (("proband", "Family"), ("members", "Cohort")):
        if wrapper in packet:
            raise InputError(
                f"this is a {what} of phenopackets", where=f"{name}: {wrapper}", hint="Give one person's phenopacket."
            )
    if not packet.keys() & KEYS:
        raise InputError(
            "this JSON is no phenopacket: it has neither subject nor phenotypicFeatures",
            where=name,
            hint="Osler reads FHIR R4 JSON and GA4GH phenopackets v2.",
        )
    return _case(Reader(packet), digest)


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel_name(name): _camel(inner) for name, inner in value.items()}
    return [_camel(inner) for inner in value] if isinstance(value, list) else value


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest) if first else name


def _case(reader: Reader, digest: str) -> Case:
    packet = reader.packet
    onsets: list[str] = []
    findings = list(_findings(reader, onsets))
    conditions = [*_diseases(reader), *_interpretations(reader)]
    medications, procedures = _actions(reader)
    observations = merge(
        [measured for path, one in reader.items("measurements") for measured in _measurement(reader, path, one)]
    )
    subject = reader.get(packet, "subject", dict, "") or {}
    met = _last_encounter(reader, subject)
    times = [one.time for one in observations if one.time] + [one.started for one in procedures if one.started]
    reference = met if met and moment(met) else newest(times)
    if "biosamples" in packet and (count := len(reader.get(packet, "biosamples", list, "") or [])):
        reader.omissions.group("biosamples[*]", "biosamples are not read", count)
    reader.unused(
        packet,
        {*KEYS, "id", "measurements", "medicalActions", "biosamples", "@type"},
        "",
    )
    if (
        subject.get("taxonomy")
        and (species := reader.term(subject, "taxonomy", "subject"))
        and species[0] != "NCBITaxon:9606"
    ):
        reader.omissions.add(
            "subject.taxonomy", f"the subject is no human ({species[1]}): Osler's knowledge is of people"
        )
    labels = [finding.label for finding in findings] + [one.label for one in conditions]
    return Case(
        kind="phenopacket",
        digest=digest,
        language=language_of(" ".join(labels)),
        patient=_patient(reader, subject, reference),
        reference_time=reference,
        onset=min(onsets, key=_onset_days) if onsets else None,
        conditions=merge(conditions),
        medications=merge(medications),
        observations=observations,
        procedures=merge(procedures),
        findings=findings,
        unread=reader.omissions.rows(),
    )


def _onset_days(onset: str) -> float:
    days = days_of(onset)
    return ONSETS.get(onset, float("inf")) if days is None else days


def _patient(reader: Reader, subject: dict[str, Any], reference: str | None) -> Patient:
    written = reader.get(subject, "sex", str, "subject")
    sex = _SEXES.get(written) if written else None
    if written and sex is None:
        reader.omissions.add("subject.sex", f"unknown code {written!r}: read as not known")
    # v1 has the age itself where v2 has the time element of the last encounter.
    element = reader.get(subject, "timeAtLastEncounter", dict, "subject")
    age = _age(reader, element, "subject.timeAtLastEncounter") if element else _first_version_age(subject)
    birth = _time(reader, subject, "dateOfBirth", "subject")
    birth = birth.split("T")[0] if birth else None
    if age is None and birth and reference:
        age, doubt = age_at(birth, reference)
        if doubt:
            reader.omissions.add("subject.dateOfBirth", doubt)
    vital = reader.get(subject, "vitalStatus", dict, "subject") or {}
    reader.unused(
        subject,
        {"id", "alternateIds", "sex", "timeAtLastEncounter", "dateOfBirth", "vitalStatus", "taxonomy", "age"},
        "subject",
    )
    identifiers = reader.get(subject, "alternateIds", list, "subject") or []
    return Patient(
        source="subject",
        id=reader.get(subject, "id", str, "subject"),
        identifiers=[one for one in identifiers if isinstance(one, str)],
        sex=sex,
        birth_date=birth,
        age=age,
        deceased={"DECEASED": True, "ALIVE": False}.get(str(vital.get("status"))),
    )


def _first_version_age(subject: dict[str, Any]) -> str | None:
    age = subject.get("age") or subject.get("ageAtCollection")
    value = age.get("age") if isinstance(age, dict) else age
    return value if isinstance(value, str) and days_of(value) is not None else None


def _last_encounter(reader: Reader, subject: dict[str, Any]) -> str | None:
    element = reader.get(subject, "timeAtLastEncounter", dict, "subject")
    return _time(reader, element, "timestamp", "subject.timeAtLastEncounter") if element else None


def _time(reader: Reader, holder: dict[str, Any], name: str, path: str) -> str | None:
    written: str | None = reader.get(holder, name, str, path)
    if written is None or moment(written) is not None:
        return written
    reader.omissions.add(f"{path}.{name}", f"{written!r} is no date or time")
    return None


def _age(reader: Reader, element: dict[str, Any], path: str) -> str | None:
    """ISO 8601 duration or HPO onset term of a time element (v2) or age (v1)."""
    age = reader.get(element, "age", dict, path) if not isinstance(element.get("age"), str) else element
    if age is not None:
        written = age.get("iso8601duration") or age.get("age")
        if isinstance(written, str) and days_of(written) is not None:
            return written
        reader.omissions.add(f"{path}.age", f"{written!r} is no ISO 8601 duration")
    if isinstance(element.get("ageRange"), dict):
        reader.omissions.add(f"{path}.ageRange", "a range of ages is not one age: not used")
    elif isinstance(element.get("ontologyClass"), dict) and (term := reader.term(element, "ontologyClass", path)):
        return term[0]
    elif "age" not in element and "timestamp" not in element:
        reader.omissions.add(path, "time element of a kind that is not read")
    return None


def _findings(reader: Reader, onsets: list[str]) -> Iterator[Finding]:
    known = {"type", "excluded", "negated", "onset", "description", "resolution", "severity", "modifiers", "evidence"}
    for path, feature in reader.items("phenotypicFeatures"):
        term = reader.term(feature, "type", path)
        if term is None:
            if "type" not in feature:
                reader.omissions.add(path, "feature without a type")
            continue
        # v1 calls it `negated`; a word in place of true or false must not turn an absent finding into a present one.
        flags = [feature[name] for name in ("excluded", "negated") if feature.get(name) is not None]
        if any(not isinstance(flag, bool) for flag in flags):
            reader.omissions.add(f"{path}.excluded", "is neither true nor false: the feature is not used")
            continue
        absent = any(flags)
        onset = feature.get("onset", feature.get("classOfOnset"))
        if isinstance(onset, dict):
            element = {"ontologyClass": onset} if "id" in onset else onset
            if (age := _age(reader, element, f"{path}.onset")) and not absent:
                onsets.append(age)
        for name in ("severity", "modifiers"):
            if feature.get(name):
                reader.omissions.group(f"{path}.{name}", "findings carry no such detail: not used")
        reader.unused(feature, {*known, "classOfOnset"}, path)
        yield Finding(
            code=term[0],
            label=term[1],
            status="absent" if absent else "present",
            time="historical" if feature.get("resolution") else "current",
            text=reader.get(feature, "description", str, path) or None,
            source=path,
        )


def _diseases(reader: Reader) -> Iterator[Condition]:
    for path, disease in reader.items("diseases"):
        excluded = reader.get(disease, "excluded", bool, path)
        if (term := reader.term(disease, "term", path)) is not None:
            onset = reader.get(disease, "onset", dict, path)
            yield _diagnosis(
                path, term, "refuted" if excluded else None, _age(reader, onset, f"{path}.onset") if onset else None
            )
            reader.unused(disease, {"term", "excluded", "onset"}, path)


def _diagnosis(path: str, term: tuple[str, str], verification: Any = None, onset: str | None = None) -> Condition:
    return Condition(
        source=path,
        label=term[1],
        codes=[_code(term)],
        category=DIAGNOSIS,
        verification=verification,
        onset=onset,
    )


def _code(term: tuple[str, str]) -> Code:
    return Code(system=term[0].split(":", 1)[0], code=term[0], display=term[1] if term[1] != term[0] else None)


def _interpretations(reader: Reader) -> Iterator[Condition]:
    for path, one in reader.items("interpretations"):
        diagnosis = reader.get(one, "diagnosis", dict, path)
        if diagnosis is None:
            continue
        if (term := reader.term(diagnosis, "disease", f"{path}.diagnosis")) is not None:
            yield _diagnosis(f"{path}.diagnosis.disease", term)
        reader.unused(diagnosis, {"disease"}, f"{path}.diagnosis")


def _measurement(reader: Reader, path: str, one: dict[str, Any]) -> Iterator[Observation]:
    assay = reader.term(one, "assay", path)
    if assay is None:
        return
    at = reader.get(one, "timeObserved", dict, path)
    time = _time(reader, at, "timestamp", f"{path}.timeObserved") if at else None
    value = reader.get(one, "value", dict, path) or {}
    complex_value = reader.get(one, "complexValue", dict, path) or {}
    for where, typed in reader.items("typedQuantities", complex_value, f"{path}.complexValue"):
        if (term := reader.term(typed, "type", where)) and isinstance(typed.get("quantity"), dict):
            yield _quantity(reader, where, term, typed["quantity"], time)
    if isinstance(value.get("quantity"), dict):
        yield _quantity(reader, path, assay, value["quantity"], time)
    elif answer := reader.term(value, "ontologyClass", f"{path}.value"):
        yield Observation(
            source=path, label=assay[1], codes=[_code(assay)], text=answer[1], value_codes=[_code(answer)], time=time
        )
    elif not complex_value:
        reader.omissions.add(f"{path}.value", "measurement without a value that can be read")
    reader.unused(one, {"assay", "timeObserved", "value", "complexValue"}, path)


def _quantity(
    reader: Reader, path: str, assay: tuple[str, str], quantity: dict[str, Any], time: str | None
) -> Observation:
    unit = reader.term(quantity, "unit", f"{path}.quantity")
    limits = reader.get(quantity, "referenceRange", dict, f"{path}.quantity") or {}
    number = _number(reader, quantity, "value", f"{path}.quantity")
    return Observation(
        source=path,
        label=assay[1],
        codes=[_code(assay)],
        value=number,
        # UCUM:mg/dL carries its unit in the id; other vocabularies name it.
        unit=(unit[0].removeprefix("UCUM:") if unit[0].startswith("UCUM:") else unit[1]) if unit else None,
        low=_number(reader, limits, "low", f"{path}.quantity.referenceRange"),
        high=_number(reader, limits, "high", f"{path}.quantity.referenceRange"),
        time=time,
    )


def _number(reader: Reader, holder: dict[str, Any], name: str, path: str) -> float | None:
    value = reader.get(holder, name, object, path)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300):
        return None if value is None else float(value)
    reader.omissions.add(f"{path}.{name}", f"{value!r} is no number")
    return None


def _actions(reader: Reader) -> tuple[list[Medication], list[Procedure]]:
    medications: list[Medication] = []
    procedures: list[Procedure] = []
    for path, action in reader.items("medicalActions"):
        treatment = reader.get(action, "treatment", dict, path)
        procedure = reader.get(action, "procedure", dict, path)
        if treatment and (agent := reader.term(treatment, "agent", f"{path}.treatment")):
            medications.append(_treatment(reader, f"{path}.treatment", treatment, agent, action))
        if procedure and (term := reader.term(procedure, "code", f"{path}.procedure")):
            performed = reader.get(procedure, "performed", dict, f"{path}.procedure") or {}
            procedures.append(
                Procedure(
                    source=f"{path}.procedure",
                    label=term[1],
                    codes=[_code(term)],
                    started=_time(reader, performed, "timestamp", f"{path}.procedure.performed"),
                )
            )
        reader.unused(action, {"treatment", "procedure", "treatmentTarget"}, path)
    return medications, procedures


def _treatment(
    reader: Reader, path: str, treatment: dict[str, Any], agent: tuple[str, str], action: dict[str, Any]
) -> Medication:
    route = reader.term(treatment, "routeOfAdministration", path)
    target = reader.term(action, "treatmentTarget", path)
    starts: list[str] = []
    ends: list[str] = []
    for where, interval in reader.items("doseIntervals", treatment, path):
        span = reader.get(interval, "interval", dict, where) or {}
        starts += filter(None, [_time(reader, span, "start", f"{where}.interval")])
        ends += filter(None, [_time(reader, span, "end", f"{where}.interval")])
        reader.unused(interval, {"interval"}, where)
    reader.unused(treatment, {"agent", "routeOfAdministration", "doseIntervals"}, path)
    return Medication(
        source=path,
        label=agent[1],
        codes=[_code(agent)],
        route=route[1] if route else None,
        reason=target[1] if target else None,
        started=min(starts, default=None),
        ended=max(ends, default=None),
    )
