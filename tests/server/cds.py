"""What the tests of CDS Hooks share: calls as an EHR makes them, and HL7's rules for what comes back."""

import re
import uuid
from urllib.parse import urlsplit

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1950-01-01"}
NONE = {"patient": PATIENT, "conditions": None, "medications": None, "statements": None, "allergies": None,
        "observations": None}  # fmt: skip
CARD = {
    "uuid",
    "summary",
    "detail",
    "indicator",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
}


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def order(id, name, status="draft", patient="p1", **more):
    drug = {"medicationCodeableConcept": {"text": name}, "subject": {"reference": f"Patient/{patient}"}}
    return {"resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order", **drug, **more}


def allergy(name, **more):
    about = {"patient": {"reference": "Patient/p1"}, "code": {"text": name}}
    return {"resourceType": "AllergyIntolerance", "id": "a1", **about, **more}


def body(hook, prefetch=None, drafts=None, patient="p1", selections=None, **more):
    context = {"userId": "Practitioner/1", "patientId": patient}
    context |= {"draftOrders": bundle(*drafts)} if drafts is not None else {}
    context |= {"selections": selections} if selections is not None else {}
    context |= {"encounterId": "e1"} if hook == "encounter-discharge" else {}
    call = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, **more}
    return call | ({"prefetch": prefetch} if prefetch is not None else {})


def post(client, hook, *args, **more):
    return client.post(f"/cds-services/osler-{hook}", json=body(hook, *args, **more))


def cards(told):
    """The cards of an answer, which must be HL7's in every name, length and kind."""
    assert told.status_code == 200, told.text
    document = told.json()
    assert set(document) == {"cards"}
    check_no_empty(document["cards"])
    for card in document["cards"]:
        assert set(card) <= CARD
        assert 0 < len(card["summary"]) < 140 and "\n" not in card["summary"]
        assert card["indicator"] in ("info", "warning", "critical")
        assert uuid.UUID(card["uuid"])
        source = card["source"]
        assert source["label"] and set(source) <= {"label", "url", "icon", "topic"}
        assert "url" not in source or urlsplit(source["url"]).scheme in ("http", "https")
        check_coding(source["topic"])
        for reason in card.get("overrideReasons", []):
            check_coding(reason)
            assert reason["display"]
        for link in card["links"]:
            assert set(link) == {"label", "url", "type"} and link["type"] == "absolute"
            assert urlsplit(link["url"]).netloc
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        check_suggestions(card)
    return document["cards"]


def check_suggestions(card):
    suggestions = card.get("suggestions", [])
    assert card.get("selectionBehavior", "any") in ("at-most-one", "any")
    if card.get("selectionBehavior") == "at-most-one":
        assert sum(one.get("isRecommended", False) for one in suggestions) <= 1
    for one in suggestions:
        assert set(one) <= {"label", "uuid", "isRecommended", "actions"} and one["label"] and uuid.UUID(one["uuid"])
        for action in one["actions"]:
            assert action["description"] and action["type"] in ("create", "update", "delete")
            if action["type"] == "delete":
                assert "resource" not in action and re.fullmatch(r"\w+/[\w\-.]+", action["resourceId"])


def check_coding(coding):
    assert set(coding) <= {"code", "system", "display"} and coding["code"] and coding["system"]


def check_no_empty(value):
    """No null and nothing empty anywhere in a card."""
    if isinstance(value, dict):
        for name, held in value.items():
            assert held not in (None, "", [], {}), name
            check_no_empty(held)
    for held in value if isinstance(value, list) else ():
        check_no_empty(held)
