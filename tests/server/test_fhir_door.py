"""The FHIR door: valid resources, searches as HL7 has them, and nobody sees another's."""

import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from fhir_check import check_resolves, references, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from osler.server.accounts import Accounts
from osler.server.app import create_app
from osler.settings import load_settings

NOTE = "A tall man with lens dislocation and a dilated aortic root. No cough."
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1990-01-01"}
TYPES = ("DiagnosticReport", "Composition", "DocumentReference", "AuditEvent", "Provenance", "GuidanceResponse")
PAGE = Path(__file__).parents[2] / "docs" / "fhir.md"


def taken(drug, patient="p1"):
    about = {"subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {"text": drug}}
    return {"resourceType": "MedicationStatement", "status": "active", **about}


def document(text, patient="p1"):
    attachment = {"contentType": "text/plain", "data": b64encode(text.encode()).decode()}
    about = {"subject": {"reference": f"Patient/{patient}"}, "content": [{"attachment": attachment}]}
    return {"resourceType": "DocumentReference", "status": "current", **about}


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def parameters(*resources, notes=()):
    given = [{"name": "record", "resource": one} for one in resources]
    given += [{"name": "note", "valueString": note} for note in notes]
    return {"resourceType": "Parameters", "parameter": given}


def outcome(told, status, code=None):
    assert told.status_code == status, told.text
    assert told.headers["content-type"] == "application/fhir+json"
    document = valid(told.json())
    assert document["resourceType"] == "OperationOutcome"
    assert code is None or document["issue"][0]["code"] == code
    return document["issue"][0]["diagnostics"]


def consulted(client, body, path="/fhir/$consult"):
    told = client.post(path, json=body)
    assert told.status_code == 200, told.text
    assert told.headers["content-type"] == "application/fhir+json"
    check_resolves(valid(told.json()))
    return {one["resource"]["resourceType"]: one["resource"] for one in told.json()["entry"]}


@pytest.fixture(scope="module")
def made(app):
    """What a consult on a record with everything in it gave."""
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer a-token-for-tests"}) as client:
        return consulted(client, bundle(PATIENT, taken("Warfarin"), taken("Aspirin"), document(NOTE)))


def test_metadata_says_what_is_served_to_everybody(stranger, client):
    told = stranger.get("/fhir/metadata")
    assert told.status_code == 200 and told.headers["content-type"] == "application/fhir+json"
    rest = valid(told.json())["rest"][0]
    assert told.json()["fhirVersion"] == "4.0.1" and "extension" not in rest["security"]
    for one in rest["resource"]:
        codes = {each["code"] for each in one["interaction"]}
        if one["type"] == "OperationDefinition":
            continue
        found = client.get(f"/fhir/{one['type']}")
        assert found.status_code == (200 if "search-type" in codes else 404)
        for parameter in one.get("searchParam", []):
            value = {"date": "2026", "token": "x", "reference": "Patient/x"}[parameter["type"]]
            strict = {"Prefer": "handling=strict"}
            told = client.get(f"/fhir/{one['type']}", params={parameter["name"]: value}, headers=strict)
            assert told.status_code == 200 and parameter["name"] in told.json()["link"][0]["url"]
    assert {one["type"] for one in rest["resource"] if "searchParam" in one} == set(TYPES)
    definition = rest["operation"][0]["definition"].removeprefix("http://127.0.0.1")
    assert valid(client.get(definition).json())["code"] == "consult"
    outcome(stranger.get("/fhir/DiagnosticReport"), 401, "login")
    outcome(stranger.get("/fhir/.well-known/smart-configuration"), 404)


def test_a_consult_speaks_fhir(made):
    assert set(made) == {*TYPES, "Patient", "ClinicalImpression", "DetectedIssue"}
    report, issue, guide = made["DiagnosticReport"], made["DetectedIssue"], made["GuidanceResponse"]
    assert report["status"] == "partial" and "For professional review" in report["conclusion"]
    codes = [coding["code"] for one in report["conclusionCode"] for coding in one.get("coding", [])]
    assert "MONDO:0007947" in codes and {"HP:0001083", "HP:0002616"} <= set(codes)
    assert "HP:0012735" not in codes, "what is absent is no conclusion"
    assert "not a diagnosis" in report["conclusionCode"][0]["text"]
    assert issue["severity"] == "high" and issue["code"]["coding"][0]["code"] == "DRG"
    assert {one["display"] for one in issue["implicated"]} == {"Warfarin", "Aspirin"}
    named = [one["valueReference"]["reference"] for one in guide["contained"][0]["parameter"]]
    assert f"DiagnosticReport/{report['id']}" in named and f"DetectedIssue/{issue['id']}" in named
    trace = {"system": "urn:osler:ledger", "value": report["id"]}
    assert trace in report["identifier"] and guide["requestIdentifier"] == trace
    assert made["ClinicalImpression"]["finding"][0]["basis"].startswith("For: ")
    assert {one.get("reference") for one in made["Provenance"]["target"]} >= {f"DiagnosticReport/{report['id']}"}
    assert made["Patient"]["birthDate"] == "1990-01-01" and "name" not in made["Patient"]
    titles = [section["title"] for section in made["Composition"]["section"]]
    assert titles[0] == "Answer" and "Drug safety" in titles and "Not checked" in titles


def test_what_was_made_can_be_read_again(client, made):
    for type, one in made.items():
        told = client.get(f"/fhir/{type}/{one['id']}")
        assert told.status_code == 200 and told.json() == one
        assert told.headers["etag"] == 'W/"1"' and told.headers["last-modified"].endswith("GMT")
        assert client.get(f"/fhir/{type}/{one['id']}/_history/1").json() == one
        outcome(client.get(f"/fhir/{type}/{one['id']}/_history/2"), 404, "not-found")
        outcome(client.get(f"/fhir/{type}/c-none"), 404, "not-found")
        for local in references(one):
            assert local.startswith("#") or client.get(f"/fhir/{local}").status_code == 200
    outcome(client.get("/fhir/Observation"), 404)
    outcome(client.get("/fhir/Observation/1"), 404, "not-found")
    outcome(client.get("/fhir/DetectedIssue"), 404)
    outcome(client.delete(f"/fhir/DiagnosticReport/{one['id']}"), 405, "not-supported")


@pytest.mark.parametrize("type", TYPES)
def test_every_type_is_found_by_patient(client, made, type):
    for name in ("p1", "Patient/p1", "http://127.0.0.1/fhir/Patient/p1", "nobody,p1"):
        told = valid(client.get(f"/fhir/{type}", params={"patient": name, "_id": made[type]["id"]}).json())
        assert told["total"] == 1 and told["entry"][0]["resource"] == made[type]
    nobody = valid(client.get(f"/fhir/{type}?patient=nobody").json())
    assert nobody["total"] == 0 and "entry" not in nobody
    posted = client.post(f"/fhir/{type}/_search", data={"_id": made[type]["id"]}).json()
    assert [one["resource"] for one in posted["entry"]] == [made[type]]


def test_answers_are_found_too(client):
    asked = client.post("/api/v1/answers", json={"question": "What causes scurvy?"}).json()
    for type in ("GuidanceResponse", "Composition", "DocumentReference", "Provenance", "AuditEvent"):
        one = valid(client.get(f"/fhir/{type}/{asked['trace_id']}").json())
        assert "subject" not in one
    outcome(client.get(f"/fhir/DiagnosticReport/{asked['trace_id']}"), 404)
    url = client.get(f"/fhir/DocumentReference/{asked['trace_id']}").json()["content"][0]["attachment"]["url"]
    assert client.get(url).json()["question"] == "What causes scurvy?"


def test_pages_lead_to_all_and_to_each_once(client):
    ids = [
        consulted(client, parameters(notes=[text]))["DiagnosticReport"]["id"] for text in ("Fever.", "Rash.", "咳嗽。")
    ]
    seen, url = [], "/fhir/DiagnosticReport?_count=2&unknown=1"
    while url:
        page = valid(client.get(url).json())
        assert len(page["entry"]) <= 2
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert "unknown" not in links["self"]
        url = links.get("next")
    assert seen[:3] == ids[::-1] and len(set(seen)) == len(seen) == page["total"]
    for query in ("_summary=count", "_count=0"):
        counted = valid(client.get(f"/fhir/DiagnosticReport?{query}").json())
        assert counted["total"] == len(seen) and "entry" not in counted


@pytest.mark.parametrize("name", ["date", "_lastUpdated"])
def test_dates_have_prefixes_and_precision(client, made, name):
    report = made["DiagnosticReport"]
    moment = report["issued"]
    year = int(moment[:4])
    true = [moment, moment[:4], moment[:7], moment[:10], f"ge{moment}", f"le{moment}", f"gt{year - 1}", f"lt{year + 1}",
            f"ne{year - 1}", f"sa{year - 1}-12-31", f"eb{year + 1}-01-01", moment[:19] + "Z", moment[:16] + "+00:00",
            f"{year - 1},{year}"]  # fmt: skip
    false = [f"{year - 1}", f"gt{moment}", f"lt{moment}", f"ne{moment[:10]}", f"gt{moment[:10]}", f"sa{moment[:7]}"]
    for value in true + false:
        told = client.get("/fhir/DiagnosticReport", params={name: value, "_id": report["id"]})
        assert told.json()["total"] == (value in true), value
    both = {"_id": report["id"], name: [f"gt{year - 1}", f"lt{year}"]}
    assert client.get("/fhir/DiagnosticReport", params=both).json()["total"] == 0
    for wrong in ("yesterday", "2026-13", "2026-02-30", "ap2026", "9999", "2026-1-1", "ge"):
        outcome(client.get("/fhir/DiagnosticReport", params={name: wrong}), 400, "invalid")


def test_what_is_not_known_is_left_out_or_refused(client):
    strict = {"Prefer": "return=minimal; handling=strict"}
    assert client.get("/fhir/Composition?status=final").status_code == 200
    assert "status" in outcome(client.get("/fhir/Composition?status=final", headers=strict), 400)
    outcome(client.get("/fhir/Composition?date:missing=true"), 400)
    outcome(client.get("/fhir/Composition?_count=-1"), 400)
    assert client.get("/fhir/Composition?subject:Patient=p1").status_code == 200


@pytest.mark.parametrize(("accept", "format", "status"), [
    ("application/fhir+json", None, 200), ("application/json;q=0.9, text/html", None, 200), ("*/*", None, 200),
    ("application/fhir+xml", None, 406), ("text/html", None, 406), ("text/html", "json", 200),
    ("*/*", "xml", 406), ("*/*", "application/fhir+json", 200), ("*/*", "text/turtle", 406),
])  # fmt: skip
def test_one_format_is_written(client, accept, format, status):
    params = {"_format": format} if format else {}
    told = client.get("/fhir/metadata", headers={"Accept": accept}, params=params)
    assert told.status_code == status
    if status == 406:
        outcome(told, 406, "not-supported")


def test_what_consult_takes_and_refuses(client):
    whole = consulted(client, document(NOTE))
    assert whole["Patient"]["id"] == "p1" and "DetectedIssue" not in whole
    note = consulted(client, parameters(notes=[NOTE]))
    assert note["Patient"]["id"] == note["DiagnosticReport"]["id"], "nobody is named: the trace stands for them"
    assert client.get(f"/fhir/DiagnosticReport?patient={note['Patient']['id']}").json()["total"] == 1
    mixed = consulted(client, parameters(PATIENT, taken("Warfarin"), notes=["She takes aspirin."]))
    assert mixed["Patient"]["id"] == "p1"
    chinese = consulted(client, parameters(notes=["患者发热、咳嗽三天。"]))
    assert (
        chinese["DiagnosticReport"]["language"] == "zh"
        and "供专业人员审阅" in chinese["DiagnosticReport"]["conclusion"]
    )
    for body, words in (
        (None, "no record"), (parameters(), "no record"), (parameters(notes=[" "]), "no record"), ([], "resourceType"),
        ({"resourceType": "Parameters", "parameter": [{"name": "x"}]}, "parameter[0]"),
        ({"resourceType": "Parameters", "parameter": 1}, "parameter[0]"),
        (bundle(PATIENT, taken("Warfarin", "p2")), ""), (bundle(), ""), ({"resourceType": "Nothing"}, ""),
    ):  # fmt: skip
        told = client.post("/fhir/$consult", json=body) if body is not None else client.post("/fhir/$consult")
        assert words in outcome(told, 400), body
    headers = {"Content-Type": "application/fhir+json"}
    outcome(client.post("/fhir/$consult", content="{", headers=headers), 400)
    deep = '{"resourceType": "Bundle", "entry": ' + "[" * 100_000 + "]" * 100_000 + "}"
    outcome(client.post("/fhir/$consult", content=deep, headers=headers), 400)
    outcome(client.post("/fhir/$consult", content="<Bundle/>", headers={"Content-Type": "application/fhir+xml"}), 415)
    outcome(client.get("/fhir/$consult"), 404)


def test_on_a_patient_the_record_must_be_theirs(client):
    path = "/fhir/Patient/p1/$consult"
    assert consulted(client, bundle(PATIENT, document(NOTE)), path)["Patient"]["id"] == "p1"
    assert consulted(client, parameters(notes=[NOTE]), path)["Patient"]["id"] == "p1"
    assert "another patient" in outcome(client.post("/fhir/Patient/p2/$consult", json=bundle(PATIENT)), 400)
    outcome(client.post(path, json=bundle(document(NOTE, "p2"))), 400)
    assert "key" in outcome(client.post(path), 400), "no EHR is named in the settings"


def test_no_account_sees_anothers(tmp_path):
    given = load_settings({"home": str(tmp_path)})
    app, accounts, secrets = create_app(given, "t"), Accounts(given), {}
    for name, roles in (
        ("a", ["clinician"]),
        ("b", ["clinician"]),
        ("p", ["privacy-officer"]),
        ("d", ["administrator"]),
    ):
        secrets[name] = accounts.sign_in(accounts.add(name, roles, "a long enough password"), 1, program=True)
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def asked(who, path, **more):
            return client.request(
                "POST" if more else "GET", path, headers={"Authorization": f"Bearer {secrets[who]}"}, **more
            )

        outcome(asked("p", "/fhir/$consult", json=parameters(notes=["Fever."])), 403, "forbidden")
        told = asked("a", "/fhir/$consult", json=bundle(PATIENT, document("Fever."))).json()
        id = next(
            one["resource"]["id"] for one in told["entry"] if one["resource"]["resourceType"] == "DiagnosticReport"
        )
        assert app.state.desk.ledger.accesses("p1")[-1].who == "a"
        for type in TYPES:
            found = {who: asked(who, f"/fhir/{type}?_id={id}").json()["total"] for who in "abpd"}
            assert found == {"a": 1, "b": 0, "p": 1, "d": int(type == "AuditEvent")}
            assert asked("a", f"/fhir/{type}/{id}").status_code == asked("p", f"/fhir/{type}/{id}").status_code == 200
            outcome(asked("b", f"/fhir/{type}/{id}"), 403, "forbidden")
        seen = [(one.who, one.kind) for one in app.state.desk.ledger.accesses("p1")]
        assert ("p", "access") in seen and not any(who in ("b", "d") for who, _ in seen)
        outcome(asked("b", "/fhir/Patient/p1"), 404)
        broken = asked("b", f"/api/v1/records/{id}/break-glass", json={"reason": "on call"})
        assert broken.status_code == 204 and asked("b", f"/fhir/DiagnosticReport?_id={id}").json()["total"] == 1
        app.state.desk.ledger.erase("p1", "p", "asked")
        outcome(asked("a", f"/fhir/DiagnosticReport/{id}"), 410, "deleted")
        assert asked("a", f"/fhir/DiagnosticReport?_id={id}").json()["total"] == 0
        assert valid(asked("a", f"/fhir/AuditEvent/{id}").json())["outcome"] == "0", "that it was made stays known"


def test_silent_answers_are_shown_to_nobody(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path), "server.silent": ("consult",)}), "t")
    with TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}) as client:
        outcome(client.post("/fhir/$consult", json=parameters(notes=["Fever."])), 403)
        assert client.get("/fhir/DiagnosticReport").json()["total"] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([*TYPES, "Patient", "Nothing", "%00", "..."]),
    st.lists(
        st.tuples(
            st.sampled_from(["_id", "patient", "date", "_count", "_before", "_lastUpdated", "_summary", "date:not"]),
            st.one_of(
                st.text(max_size=30),
                st.sampled_from(["9" * 30, "-1", "ge0000", "9999-12-31", "2026-11-23T24:00Z", "2026-11-23T23:59:60Z",
                                 "Patient/" + "x" * 70, ",", "\x00", "0001-01-01T00:00+14:00", "a|b", "²"]),
            ),
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_odd_searches_are_no_fault_of_the_server(client, type, pairs):
    told = client.get(f"/fhir/{type}", params=pairs)
    assert told.status_code < 500
    valid(told.json())
    assert client.get(f"/fhir/{type}/{quote((pairs or [('', 'a')])[0][1], safe='')}x").status_code < 500


def test_the_page_says_what_can_be_sent(client):
    """Every request of docs/fhir.md, in order."""
    blocks = re.findall(r"```http\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        head, _, body = block.partition("\n\n")
        method, path = head.splitlines()[0].split()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        told = client.request(method, path, headers=headers, content=body.strip() or None)
        assert told.status_code == 200, block
        valid(told.json())


@pytest.mark.parametrize(("kind", "code"), [("visit-note", "11506-3"), ("handover", None)])
def test_a_report_is_a_composition(client, kind, code):
    made = client.post("/api/v1/reports", json={"kind": kind, "text": NOTE + " She takes warfarin & <b>aspirin</b>."})
    report, id = made.json(), made.json()["trace_id"]
    document = valid(client.get(f"/fhir/Composition/{id}").json())
    assert [coding["code"] for coding in document["type"].get("coding", [])] == ([code] if code else [])
    assert document["status"] == "preliminary" and document["type"]["text"] == report["title"]
    told = " ".join(section["text"]["div"] for section in document["section"])
    assert "lens dislocation" in told and "<b>" not in told
    assert [part["title"] for part in report["sections"]] == [
        section["title"] for section in document["section"] if section["title"] != "Not in this report"
    ]
    for type in ("DocumentReference", "Provenance", "AuditEvent"):
        valid(client.get(f"/fhir/{type}/{id}").json())
    assert valid(client.get(f"/fhir/{document['subject']['reference']}").json())["resourceType"] == "Patient"
    outcome(client.get(f"/fhir/GuidanceResponse/{id}"), 404, "not-found")
