"""Small FHIR resources that the tests put together."""

import json
from typing import Any

from osler.record import Case, read

Json = dict[str, Any]
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1980-05-17",
    "identifier": [{"system": "urn:hospital", "value": "17"}],
}


def concept(text: str, code: str | None = None, system: str = "http://loinc.org") -> Json:
    return {"text": text, "coding": [{"system": system, "code": code, "display": text}] if code else []}


def observation(**fields: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": concept("Potassium", "2823-3"),
        "effectiveDateTime": "2020-03-01T10:00:00+08:00",
        "valueQuantity": {"value": 5.9, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        **fields,
    }


def condition(**fields: Any) -> Json:
    return {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p1"},
        "code": concept("Asthma", "195967001", "http://snomed.info/sct"),
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "onsetDateTime": "2001-02-03",
        **fields,
    }


def bundle(*resources: Json, urls: dict[int, str] | None = None, kind: str = "collection") -> bytes:
    entries = [
        {"resource": one, **({"fullUrl": urls[index]} if urls and index in urls else {})}
        for index, one in enumerate(resources)
    ]
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()


def read_bundle(*resources: Json, **options: Any) -> Case:
    return read(bundle(*resources, **options), name="bundle.json")


def reasons(case: Case) -> dict[str, str]:
    return {row.path: row.reason for row in case.unread}
