import gzip
import json
import uuid
from pathlib import Path

import pytest
from cds import NONE, PATIENT, allergy, body, bundle, cards, order, post
from starlette.testclient import TestClient

from osler.server.accounts import Accounts
from osler.server.app import create_app
from osler.settings import load_settings

NOTES = Path(__file__).parents[3] / "shared" / "data" / "notes"
SERVICES = ("patient-view", "order-select", "order-sign", "encounter-discharge")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(load_settings({"home": str(tmp_path_factory.mktemp("cds"))}), "t")


@pytest.fixture(scope="module")
def ehr(app):
    return TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"})


def test_discovery_is_open_and_names_what_to_prefetch(app):
    told = TestClient(app, base_url="http://127.0.0.1").get("/cds-services")
    services = told.json()["services"]
    assert told.status_code == 200 and [one["hook"] for one in services] == list(SERVICES)
    for one in services:
        assert set(one) == {"hook", "title", "description", "id", "prefetch", "usageRequirements"}
        assert one["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert all(
            query.startswith("Patient/") or "patient={{context.patientId}}" in query
            for query in one["prefetch"].values()
        )


def test_an_order_against_what_is_taken(ehr):
    record = {**NONE, "medications": bundle(order("m1", "Warfarin 5 MG Oral Tablet", "active"))}
    drafts = [order("d1", "Aspirin 81 MG Oral Tablet"), order("d2", "Cetirizine 10 MG Oral Tablet")]
    [card] = [
        one for one in cards(post(ehr, "order-sign", record, drafts)) if one["source"]["topic"]["code"] != "coverage"
    ]
    assert card["indicator"] == "warning" and "Warfarin" in card["summary"] and card["overrideReasons"]
    assert [one["actions"][0]["resourceId"] for one in card["suggestions"]] == ["MedicationRequest/d1"]
    assert "Warfarin 5 MG Oral Tablet" in card["detail"] and "FDA label" in card["source"]["label"]
    assert "cetirizine" not in card["detail"].lower()


def test_an_order_in_chinese(ehr):
    record = {**NONE, "medications": bundle(order("m1", "华法林钠片 2.5mg", "active"))}
    [card] = cards(post(ehr, "order-sign", record, [order("d1", "阿司匹林肠溶片 100mg")]))
    assert (
        "华法林" in card["summary"]
        and card["summary"].startswith("相互作用（严重）")
        and card["suggestions"][0]["label"] == "删除阿司匹林肠溶片 100mg的医嘱"
    )
    assert card["overrideReasons"][0]["display"] == "获益大于风险"


def test_an_allergy_stops_an_order(ehr):
    record = {**NONE, "allergies": bundle(allergy("Penicillin G", criticality="high"))}
    told = cards(post(ehr, "order-sign", record, [order("d1", "Penicillin V Potassium 500 MG Oral Tablet")]))
    card = next(one for one in told if one["source"]["topic"]["code"] == "allergy")
    assert card["indicator"] in ("critical", "warning") and card["suggestions"]


def test_only_the_selected_order_is_told_of(ehr):
    record = {**NONE, "medications": bundle(order("m1", "Warfarin", "active"))}
    drafts = [order("d1", "Aspirin"), order("d2", "Acetaminophen 325 MG Oral Tablet")]
    first = cards(post(ehr, "order-select", record, drafts, selections=["MedicationRequest/d1"]))
    second = cards(post(ehr, "order-select", record, drafts, selections=["MedicationRequest/d2"]))
    assert any("Aspirin" in card["summary"] for card in first)
    assert not any("Aspirin" in card["summary"] for card in second)


def test_two_drafts_against_each_other_with_each_pair_once(ehr):
    drafts = [order("d1", "Ibuprofen 400 MG"), order("d2", "Naproxen 500 MG"), order("d3", "Ibuprofen 400 MG")]
    told = cards(post(ehr, "order-sign", NONE, drafts))
    pairs = [frozenset(card["summary"].split(":")[0].split(" with ")) for card in told]
    assert len(pairs) == len(set(pairs)) and told
    assert not any("isRecommended" in one for card in told for one in card.get("suggestions", []))


def test_a_drug_that_is_taken_already(ehr):
    record = {**NONE, "medications": bundle(order("m1", "Ibuprofen 400 MG Oral Tablet", "active"))}
    record["statements"] = bundle(
        {**order("s1", "Ibuprofen 400 MG Oral Tablet", "active"), "resourceType": "MedicationStatement"}
    )
    [card] = cards(post(ehr, "order-sign", record, [order("d1", "Ibuprofen 400 MG Oral Tablet")]))
    assert card["source"]["topic"]["code"] == "duplicate" and card["indicator"] == "info"
    assert cards(post(ehr, "encounter-discharge", record)) == []


def test_a_drug_that_no_source_covers_is_named(ehr):
    reference = {"resourceType": "MedicationRequest", "id": "d2", "status": "draft", "intent": "order"}
    reference |= {"subject": {"reference": "Patient/p1"}, "medicationReference": {"reference": "Medication/9"}}
    [card] = cards(post(ehr, "order-sign", NONE, [order("d1", "Zzyzxamab <b>x</b> [y](http://z)"), reference]))
    assert card["indicator"] == "info" and "Zzyzxamab" in card["summary"] and "MedicationRequest/d2" in card["summary"]
    assert "starter set" in card["detail"] and "suggestions" not in card
    assert r"\<b\>x\</b\> \[y\](http\://z)" in card["detail"]


def test_nothing_worth_an_interruption_is_no_card(ehr):
    record = {**NONE, "medications": bundle(order("m1", "Warfarin", "active"), order("m2", "Zzyzxamab", "active"))}
    assert cards(post(ehr, "order-sign", record, [])) == []
    service = {"resourceType": "ServiceRequest", "id": "s1", "status": "draft", "intent": "order"}
    service |= {"subject": {"reference": "Patient/p1"}, "code": {"text": "Chest X-ray"}}
    assert cards(post(ehr, "order-sign", record, [service])) == []
    assert cards(post(ehr, "patient-view", NONE)) == []


def test_severe_things_show_when_a_chart_is_opened(ehr):
    drugs = bundle(order("m1", "Warfarin", "active"), order("m2", "Aspirin", "active"))
    for hook in ("patient-view", "encounter-discharge"):
        [card] = cards(post(ehr, hook, {**NONE, "medications": drugs}))
        assert card["indicator"] == "warning" and "suggestions" not in card
    reading = {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p1"}}
    potassium = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium"}
    reading |= {"code": potassium, "effectiveDateTime": "2026-01-01T10:00:00Z"}
    reading |= {
        "valueQuantity": {"value": 7.4, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    }
    [card] = cards(post(ehr, "patient-view", {**NONE, "observations": bundle(reading)}))
    assert card["source"]["topic"]["code"] == "red-flag" and card["indicator"] in ("critical", "warning")


def test_what_is_missing_is_said(ehr):
    told = post(ehr, "patient-view")
    assert told.status_code == 412 and told.json()["where"] == "prefetch"
    [card] = cards(post(ehr, "patient-view", {"patient": PATIENT}))
    assert card["indicator"] == "info" and "allergies" in card["summary"]
    [card] = cards(post(ehr, "patient-view", dict.fromkeys(NONE)))
    assert "has nothing on it" in card["detail"]
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    [card] = cards(post(ehr, "patient-view", {**NONE, "allergies": failed}))
    assert "allergies: the client reports" in card["detail"]
    page = {**bundle(order("m1", "Warfarin", "active")), "link": [{"relation": "next", "url": "http://x/2"}]}
    [card] = cards(post(ehr, "patient-view", {**NONE, "medications": page}))
    assert "only the first page" in card["detail"]
    drafts = [order("d1", "Warfarin"), order("d2", "Aspirin")]
    told = cards(post(ehr, "order-sign", None, drafts))
    assert "Aspirin" in told[0]["summary"] and "medication" in told[-1]["summary"]


def test_an_order_signed_anew_replaces_the_one_of_the_record(ehr):
    old = {**order("m1", "Warfarin", "active"), "meta": {"versionId": "9", "lastUpdated": "2026-01-01T00:00:00Z"}}
    record = {**NONE, "medications": bundle(old, order("m2", "Aspirin", "active"))}
    assert "Aspirin" in cards(post(ehr, "order-sign", record, [order("m1", "Warfarin", "active")]))[0]["summary"]
    assert cards(post(ehr, "order-sign", record, [order("m1", "Warfarin", "stopped")])) == []


@pytest.mark.parametrize("hook", SERVICES)
def test_each_missing_field_is_named(ehr, hook):
    good = body(hook, NONE, [] if "order" in hook else None, selections=["A/b"] if hook == "order-select" else None)
    for field in [*good, *(f"context.{name}" for name in good["context"])]:
        if field == "prefetch":
            continue
        for value in (None, 7, [], "gone"):
            bad = json.loads(json.dumps(good))
            held, name = (bad["context"], field[8:]) if "." in field else (bad, field)
            held[name] = value
            if value == "gone":
                del held[name]
            told = ehr.post(f"/cds-services/osler-{hook}", json=bad)
            if value == [] and name == "selections":
                assert told.status_code == 200
            elif not (name == "encounterId" and hook != "encounter-discharge" and value in (None, "gone")):
                assert told.status_code == 400 and told.json()["where"] == field, (field, value, told.text)
                assert field in told.json()["detail"]


def test_a_call_that_is_not_hl7s_is_refused(ehr):
    good = body("order-sign", NONE, [order("d1", "Aspirin")])
    bad = [
        ({"hook": "patient-view"}, "hook"),
        ({"hookInstance": "not-a-uuid"}, "hookInstance"),
        ({"prefetch": []}, "prefetch"),
        ({"prefetch": {"patient": "Patient/p1"}}, "prefetch.patient"),
        ({"prefetch": {"patient": {}}}, "prefetch.patient"),
        ({"prefetch": {**NONE, "patient": {**PATIENT, "id": "p2"}}}, "prefetch"),
        ({"fhirAuthorization": {"access_token": "x"}}, "fhirAuthorization.token_type"),
        ({"context": {**good["context"], "draftOrders": PATIENT}}, "context.draftOrders.resourceType"),
        ({"context": {**good["context"], "draftOrders": bundle({"id": "x"})}}, "context.draftOrders.entry.0.resource"),
        ({"context": {**good["context"], "draftOrders": bundle(order("d", "A", patient="p2"))}}, None),
    ]
    for change, place in bad:
        told = ehr.post("/cds-services/osler-order-sign", json=good | change)
        assert told.status_code == 400, (change, told.text)
        assert place is None or told.json()["where"] == place
    assert ehr.post("/cds-services/osler-other", json=good).status_code == 404
    assert ehr.get("/cds-services/osler-order-sign").status_code == 405
    for raw in (b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"hook": NaN}'):
        headers = {"Content-Type": "application/json"}
        assert ehr.post("/cds-services/osler-order-sign", content=raw, headers=headers).status_code == 400


def test_feedback_is_kept_beside_its_consult(ehr, app):
    record = {**NONE, "medications": bundle(order("m1", "Warfarin", "active"))}
    [card] = cards(post(ehr, "order-sign", record, [order("d1", "Aspirin")]))
    when = {"outcomeTimestamp": "2026-01-01T10:05:31.52Z"}
    suggestion = [{"id": card["suggestions"][0]["uuid"]}]
    reason = {"reason": {key: card["overrideReasons"][0][key] for key in ("code", "system")}, "userComment": "我知道"}
    good = [
        {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": suggestion, **when},
        {"card": card["uuid"], "outcome": "overridden", "overrideReason": reason, **when},
        {"card": str(uuid.uuid4()), "outcome": "overridden", **when},
    ]
    assert ehr.post("/cds-services/osler-order-sign/feedback", json={"feedback": good}).status_code == 200
    desk = app.state.desk
    kept = [desk.ledger.payload(one.id) for one in desk.ledger.entries(3)]
    assert [one["outcome"] for one in kept] == ["overridden", "overridden", "accepted"]
    assert kept[0]["consult"] is None and card["links"][0]["url"].endswith(kept[1]["consult"])
    assert kept[1]["overrideReason"] == reason
    bad = [
        ({}, "feedback"),
        ({"feedback": []}, "feedback"),
        ({"feedback": [{**good[1], "card": None}]}, "feedback.0.overridden.card"),
        ({"feedback": [{**good[1], "outcome": "ignored"}]}, "feedback.0"),
        ({"feedback": [{**good[0], "acceptedSuggestions": []}]}, "feedback.0.accepted.acceptedSuggestions"),
        ({"feedback": [{**good[1], "outcomeTimestamp": "yesterday"}]}, "feedback.0.overridden.outcomeTimestamp"),
        ({"feedback": [{**good[1], "outcomeTimestamp": "2026-13-41T10:05:31Z"}]}, None),
        ({"feedback": [{**good[1], "overrideReason": {"reason": {"code": "x"}}}]}, None),
    ]
    for wrong, place in bad:
        told = ehr.post("/cds-services/osler-order-sign/feedback", json=wrong)
        assert told.status_code == 400 and place in (None, told.json()["where"]), told.text
    assert ehr.post("/cds-services/other/feedback", json={"feedback": good}).status_code == 404
    desk.ledger.erase("p1", "officer", "asked for")
    assert ehr.post("/cds-services/osler-order-sign/feedback", json={"feedback": good}).status_code == 410


def test_every_call_is_in_the_ledger_and_can_be_replayed(ehr, app):
    from osler.trust.replay import replay

    drugs = bundle(order("m1", "Warfarin", "active"), order("m2", "Aspirin", "active"))
    [card] = cards(post(ehr, "patient-view", {**NONE, "medications": drugs}))
    trace = card["links"][0]["url"].rsplit("/", 1)[1]
    call, consult = app.state.desk.ledger.entries(2)
    assert (call.kind, consult.kind, consult.id) == ("cds-hooks", "consult", trace)
    kept = app.state.desk.ledger.payload(call.id)
    assert kept["cards"] == [card] and kept["user"] == "Practitioner/1" and kept["shown"] is True
    assert replay(trace, app.state.desk.settings).same
    assert ehr.get(f"/api/v1/consults/{trace}").json()["alerts"]


def test_silent_and_switched_off(tmp_path):
    drafts = [order("d1", "Warfarin"), order("d2", "Aspirin")]
    for name, code in (("silent", 200), ("off", 503)):
        app = create_app(load_settings({"home": str(tmp_path / name), f"server.{name}": ("cds-hooks",)}), "t")
        ehr = TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"})
        told = post(ehr, "order-sign", NONE, drafts)
        assert told.status_code == code and len(ehr.get("/cds-services").json()["services"]) == (
            4 if code == 200 else 0
        )
        if code == 200:
            kept = app.state.desk.ledger.payload(app.state.desk.ledger.entries(1)[0].id)
            assert told.json() == {"cards": []} and kept["cards"] and kept["shown"] is False


def test_only_clinicians_call(app, tmp_path):
    stranger = TestClient(app, base_url="http://127.0.0.1")
    assert post(stranger, "patient-view", NONE).status_code == 401
    settings = load_settings({"home": str(tmp_path)})
    named = create_app(settings, "t")
    accounts = Accounts(settings)
    for role, code in (("researcher", 403), ("clinician", 200)):
        secret = accounts.sign_in(accounts.add(role, [role], "a long enough password"), 1, program=True)
        caller = TestClient(named, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {secret}"})
        assert post(caller, "patient-view", NONE).status_code == code


def test_pages_of_named_origins_may_call(tmp_path):
    origin = "https://ehr.example"
    app = create_app(load_settings({"home": str(tmp_path), "cds.origins": (origin,)}), "t")
    page = TestClient(app, base_url="http://127.0.0.1")
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert (
        page.options("/cds-services/osler-patient-view", headers=ask).headers["access-control-allow-origin"] == origin
    )
    headers = {"Origin": origin, "Authorization": "Bearer t"}
    told = page.post("/cds-services/osler-patient-view", json=body("patient-view", NONE), headers=headers)
    assert told.status_code == 200 and told.headers["access-control-allow-origin"] == origin
    assert page.post("/api/v1/concepts", json={"text": "a"}, headers=headers).status_code == 403
    other = headers | {"Origin": "https://evil.example"}
    assert (
        page.post("/cds-services/osler-patient-view", json=body("patient-view", NONE), headers=other).status_code == 403
    )
    assert "access-control-allow-origin" not in page.get("/api/v1/consults", headers=headers).headers


def records():
    return sorted([*NOTES.glob("synthea_fhir/*.json.gz"), *NOTES.glob("fhir_custom/*.json")])


@pytest.mark.skipif(not records(), reason="the public records are not here")
@pytest.mark.parametrize("path", records(), ids=lambda path: path.name[:20])
def test_public_records_as_prefetch(ehr, path):
    raw = path.read_bytes()
    given = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    people = [one["resource"] for one in given["entry"] if one["resource"]["resourceType"] == "Patient"]
    patient = people[0].get("id", "p1")
    for hook in SERVICES:
        drafts = [order("new-1", "Warfarin"), order("new-2", "布洛芬片")] if "order" in hook else None
        drafts = drafts and [{key: value for key, value in one.items() if key != "subject"} for one in drafts]
        selections = ["MedicationRequest/new-1"] if hook == "order-select" else None
        told = post(ehr, hook, {"all": given}, drafts, patient, selections)
        if len(people) > 1 and told.status_code == 400:
            assert "patient" in told.json()["detail"]
        else:
            cards(told)
