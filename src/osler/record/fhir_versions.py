"""Shapes of other FHIR versions (DSTU2, STU3, R5) turned into R4, so that what they say is read and not turned round.

Sources: HL7's R2/R3/R5 difference pages of the resources. Only what Osler reads is mapped; the rest stays and is
reported by the type check. It changes copies, never the input.
"""

from typing import Any

# Elements with another name: {R4 type: {old name: R4 name}}.
_RENAMED = {
    "Condition": {"patient": "subject", "dateRecorded": "recordedDate", "assertedDate": "recordedDate"},
    "AllergyIntolerance": {"substance": "code", "recordedDate": "recordedDate", "assertedDate": "recordedDate"},
    "MedicationRequest": {"patient": "subject", "dateWritten": "authoredOn"},
    "MedicationStatement": {"patient": "subject"},
    "MedicationDispense": {"patient": "subject"},
    "MedicationAdministration": {
        "patient": "subject",
        "effectiveTimeDateTime": "effectiveDateTime",
        "effectiveTimePeriod": "effectivePeriod",
        "occurenceDateTime": "effectiveDateTime",
        "occurencePeriod": "effectivePeriod",
    },
    "Encounter": {"patient": "subject", "actualPeriod": "period"},
    "Procedure": {"occurrenceDateTime": "performedDateTime", "occurrencePeriod": "performedPeriod"},
    "Immunization": {"date": "occurrenceDateTime"},
    "DiagnosticReport": {"codedDiagnosis": "conclusionCode"},
    "DocumentReference": {"indexed": "date"},
}
_TYPES = {
    "MedicationOrder": "MedicationRequest",
    "MedicationPrescription": "MedicationRequest",
    "MedicationUsage": "MedicationStatement",
}
# Negations that older versions keep in an element of their own: {element: status of R4}.
_NEGATIONS = {
    "wasNotTaken": "not-taken",
    "wasNotGiven": "not-done",
    "notGiven": "not-done",
    "notPerformed": "not-done",
    "notDone": "not-done",
}
_LISTS = ("category", "interpretation")
_ALLERGY_STATUS = {  # DSTU2 has one status where R4 has two: (clinical, verification)
    "active": ("active", None),
    "unconfirmed": (None, "unconfirmed"),
    "confirmed": ("active", "confirmed"),
    "inactive": ("inactive", None),
    "resolved": ("resolved", None),
    "refuted": (None, "refuted"),
    "entered-in-error": (None, "entered-in-error"),
}
_CRITICALITY = {"CRITL": "low", "CRITH": "high", "CRITU": "unable-to-assess"}
OLD_NAMES = {
    kind: frozenset(names)
    | _NEGATIONS.keys()
    | {"taken", "medication", *(("status",) if kind == "AllergyIntolerance" else ())}
    for kind, names in _RENAMED.items()
}


def current_type(kind: str) -> str:
    """The R4 name of a resource type."""
    return _TYPES.get(kind, kind)


def to_r4(kind: str, resource: dict[str, Any]) -> dict[str, Any]:
    """A copy of the resource (of R4 type `kind`) in the shapes of R4, as far as they are known here."""
    new = dict(resource)
    for old, name in _RENAMED.get(kind, {}).items():
        if old in new and old != name and name not in new:
            new[name] = new.pop(old)
    for name in _LISTS:
        if isinstance(new.get(name), dict | str):
            new[name] = [new[name]]
    for name in ("clinicalStatus", "verificationStatus"):
        if isinstance(new.get(name), str):
            new[name] = {"coding": [{"code": new[name]}]}
    for name, status in _NEGATIONS.items():
        if new.pop(name, None) is True:
            new["status"] = status
    if new.get("taken") in ("n", "y", "unk", "na"):
        new["status"] = "not-taken" if new.pop("taken") == "n" else new.get("status")
    _medication(new)
    change = _CHANGES.get(kind)
    if change:
        change(new)
    return new


def _medication(new: dict[str, Any]) -> None:
    reference = new.get("medication")  # R5: a CodeableReference
    if isinstance(reference, dict) and reference.keys() <= {"concept", "reference"}:
        del new["medication"]
        if "concept" in reference:
            new["medicationCodeableConcept"] = reference["concept"]
        if "reference" in reference:
            new["medicationReference"] = reference["reference"]
    for name in ("reasonCodeableConcept", "reasonReference", "reasonForUseCodeableConcept", "reasonForUseReference"):
        if isinstance(new.get(name), dict):
            value = new.pop(name)
            new["reasonReference" if name.endswith("Reference") else "reasonCode"] = [value]
    dosages = new.get("dosageInstruction")
    if isinstance(dosages, list):
        new["dosageInstruction"] = [_dosage(dosage) for dosage in dosages]


def _dosage(dosage: Any) -> Any:
    if not isinstance(dosage, dict) or not ({"doseQuantity", "doseRange"} & dosage.keys()):
        return dosage
    moved = {name: dosage[name] for name in ("doseQuantity", "doseRange") if name in dosage}
    return {**{name: value for name, value in dosage.items() if name not in moved}, "doseAndRate": [moved]}


def _patient(new: dict[str, Any]) -> None:
    names = new.get("name")
    if isinstance(names, list):
        new["name"] = [
            {**name, "family": " ".join(str(part) for part in name["family"])}
            if isinstance(name, dict) and isinstance(name.get("family"), list)
            else name
            for name in names
        ]


def _allergy(new: dict[str, Any]) -> None:
    status = new.get("status")
    if isinstance(status, str) and status in _ALLERGY_STATUS:
        del new["status"]
        for name, code in zip(("clinicalStatus", "verificationStatus"), _ALLERGY_STATUS[status], strict=True):
            if code is not None:
                new.setdefault(name, {"coding": [{"code": code}]})
    if isinstance(new.get("criticality"), str):
        new["criticality"] = _CRITICALITY.get(new["criticality"], new["criticality"])


def _encounter(new: dict[str, Any]) -> None:
    value = new.get("class")
    if isinstance(value, str):
        new["class"] = {"code": value}
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):  # R5: concepts
        codings = value[0].get("coding")
        new["class"] = codings[0] if isinstance(codings, list) and codings else value[0]
    reason = new.get("reason")
    if isinstance(reason, list) and all(isinstance(one, dict) and "value" not in one for one in reason):
        new["reasonCode"] = new.pop("reason")


_CHANGES = {"Patient": _patient, "AllergyIntolerance": _allergy, "Encounter": _encounter}
