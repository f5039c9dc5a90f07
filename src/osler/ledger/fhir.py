"""The chain as FHIR R4: an AuditEvent for each entry, a Provenance for each that was made of something.

Patients stand in it by their keyed hash, entries by id and hash; no content is in it. `data/fhir.toml` names the kinds.
"""

import base64
import tomllib
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any

from osler.ledger.chain import Entry
from osler.ledger.ledger import Erased, Ledger, actor

DICOM, SYSTEM = "http://dicom.nema.org/resources/ontology/DCM", "urn:osler:ledger"
SIGNATURE = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.5",
    "display": "Verification Signature",
}


def bundle(ledger: Ledger) -> dict[str, Any]:
    """A Bundle of kind collection, oldest entry first."""
    resources = [made for entry in reversed(ledger.entries(None)) for made in resources_of(entry, ledger)]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


@cache
def kinds() -> dict[str, dict[str, Any]]:
    """The kinds of entries, and how FHIR calls them."""
    return tomllib.loads(files("osler.ledger").joinpath("data/fhir.toml").read_text(encoding="utf-8"))


def resources_of(entry: Entry, ledger: Ledger) -> list[dict[str, Any]]:
    """The AuditEvent of an entry and, of what was made from something, the Provenance."""
    kind, said, patient = kinds().get(entry.kind, kinds()["default"]), {}, ledger.whose(entry.id)
    with suppress(Erased):
        said = ledger.payload(entry.id)
    patient = said.get("patient") or patient
    code, display = kind["type"]
    who, why = actor(said), said.get("purpose") or said.get("reason")
    about = [
        {
            "what": _named(entry.id),
            "description": entry.hash,
            "detail": [{"type": "commitment", "valueString": entry.commitment}],
        },
        *([{"what": _named(said["what"])}] if said.get("what") else []),
        *([{"what": {"type": "Patient", **_named(patient)}}] if patient else []),
    ]
    made = [
        {
            "resourceType": "AuditEvent",
            "type": {"system": DICOM, "code": code, "display": display},
            "subtype": [{"system": f"{SYSTEM}:kind", "code": entry.kind.replace(" ", "-")}],
            "action": kind["action"],
            "recorded": entry.time,
            "outcome": "0",
            **({"purposeOfEvent": [{"text": why}]} if why else {}),
            "agent": [{"who": {"display": who or "Osler"}, "requestor": bool(who)}],
            "source": {"observer": {"display": "Osler", **_named(entry.key)}},
            "entity": about,
        }
    ]
    if kind.get("provenance"):
        made.append(_provenance(entry, said))
    return made


def _provenance(entry: Entry, said: dict[str, Any]) -> dict[str, Any]:
    """Of an answer: the models that spoke, the library's passages it rests on, and the signature of its entry."""
    trace = said.get("trace", {})
    models = dict.fromkeys(f"{call['model']['spec']} {call['model']['digest']}" for call in trace.get("calls", ()))
    agents = [{"who": {"display": name}} for name in ("Osler", *models)]
    signed = {
        "type": [SIGNATURE],
        "when": entry.time,
        "who": _named(entry.key),
        "sigFormat": "application/octet-stream",
        "data": base64.b64encode(bytes.fromhex(entry.signature)).decode(),
    }
    passages = [id for search in trace.get("searches", ()) for id, _ in search["passages"] if id in trace["evidence"]]
    sources = [{"role": "source", "what": _named(id)} for id in dict.fromkeys(passages)]
    return {
        "resourceType": "Provenance",
        "target": [_named(entry.id)],
        "recorded": entry.time,
        "agent": agents,
        **({"entity": sources} if sources else {}),
        **({"signature": [signed]} if entry.signature else {}),
    }


def _named(id: str) -> dict[str, Any]:
    return {"identifier": {"system": SYSTEM, "value": id}}
