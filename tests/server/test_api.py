import base64
import json

NOTE = "A tall man of 30 with lens dislocation and a dilated aortic root. No cough."


def test_a_consult_is_made_found_edited_and_replayed(client):
    made = client.post("/api/v1/consults", json={"text": NOTE})
    assert made.status_code == 201
    document = made.json()
    assert document["differential"][0]["label"].lower().startswith(("marfan", "ectopia", "loeys", "homocystinuria"))
    again = client.get(made.headers["location"])
    assert again.json() == document
    assert document["trace_id"] in [item["id"] for item in client.get("/api/v1/consults").json()["items"]]
    lens = document["findings"][0]
    edited = client.post(f"/api/v1/consults/{document['trace_id']}/edits", json=[{"code": lens["code"]}])
    assert edited.status_code == 201 and lens["code"] not in [item["code"] for item in edited.json()["findings"]]
    replayed = client.post(f"/api/v1/ledger/{edited.json()['trace_id']}/replay").json()
    assert replayed["same"] is True


def test_a_key_makes_an_answer_once(client):
    body = {"text": base64.b64encode(b"").decode() + NOTE}
    first = client.post("/api/v1/consults", json=body, headers={"Idempotency-Key": "k1"})
    second = client.post("/api/v1/consults", json=body, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, second.status_code) == (201, 200) and first.json() == second.json()
    other = client.post("/api/v1/consults", json={"text": "Fever."}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422 and other.json()["where"] == "Idempotency-Key"


def test_lists_have_pages(client):
    for text in ("Fever.", "Cough.", "Rash."):
        client.post("/api/v1/consults", json={"text": text})
    first = client.get("/api/v1/consults", params={"limit": 2}).json()
    rest = client.get("/api/v1/consults", params={"limit": 2, "cursor": first["next"]}).json()
    assert len(first["items"]) == 2 and not {item["id"] for item in first["items"]} & {i["id"] for i in rest["items"]}


def test_an_answer_comes_in_events_too(client):
    asked = {"question": "What causes scurvy?"}
    whole = client.post("/api/v1/answers", json=asked).json()
    assert whole["statements"] and whole["evidence"]
    told = client.post("/api/v1/answers", json=asked, headers={"Accept": "text/event-stream"})
    events = [part.split("\n") for part in told.text.strip().split("\n\n")]
    assert [name for name, _ in events] == ["event: statement"] * len(whole["statements"]) + ["event: answer"]
    assert json.loads(events[-1][1].removeprefix("data: "))["statements"] == whole["statements"]


def test_a_report_is_drafted_and_found_again(client):
    known = [kind["name"] for kind in client.get("/api/v1/report-kinds").json()["kinds"]]
    assert {"visit-note", "discharge-summary", "referral", "patient-summary", "radiology", "handover"} <= set(known)
    made = client.post("/api/v1/reports", json={"kind": "visit-note", "text": NOTE, "name": "note.txt"})
    report = made.json()
    said = [statement for part in report["sections"] for statement in part["statements"]]
    assert made.status_code == 201 and said and all(statement["evidence"] for statement in said)
    assert client.get(made.headers["location"]).json() == report
    assert [item["id"] for item in client.get("/api/v1/reports").json()["items"]] == [report["trace_id"]]
    told = client.post("/api/v1/reports", json={"kind": "sonnet", "text": NOTE})
    assert told.status_code == 400 and told.json()["where"] == "kind" and "visit-note" in told.json()["detail"]
    assert client.get(f"/fhir/DocumentReference/{report['trace_id']}").status_code in (200, 404)


def test_a_text_loses_its_identifiers(client, app):
    newest = app.state.desk.ledger.entries(1)
    note = "Mr. John Whitfield, MRN 4411927, seen 2021-03-04, phone (617) 555-0142."
    masked = client.post("/api/v1/deidentify", json={"text": note}).json()
    for told in ("Whitfield", "4411927", "555-0142"):
        assert told not in masked["text"]
    assert {"type", "start", "end"} <= masked["spans"][0].keys()
    told = client.post("/api/v1/deidentify", json={"text": note, "policy": "/etc/passwd"})
    assert told.status_code == 400 and told.json()["where"] == "policy"
    assert app.state.desk.ledger.entries(1) == newest  # nothing of it is kept


def test_feedback_is_kept_of_statements_that_were_made(client, app):
    made = client.post("/api/v1/answers", json={"question": "What causes scurvy?"}).json()
    said = {"trace_id": made["trace_id"], "statement": made["statements"][0]["text"], "verdict": "wrong", "reason": "r"}
    assert client.post("/api/v1/feedback", json=said).json()["reviewer_role"] == "clinician"
    newest = app.state.desk.ledger.entries(1)[0]
    assert app.state.desk.ledger.payload(newest.id)["feedback"]["verdict"] == "wrong"
    assert client.post("/api/v1/feedback", json={**said, "statement": "Nothing of it."}).status_code == 400


def test_problems_name_their_place(client):
    for body, place in (({}, None), ({"text": "a", "base64": "b"}, None), ({"base64": "%"}, "base64")):
        told = client.post("/api/v1/consults", json=body)
        assert told.status_code == 400 and told.headers["content-type"] == "application/problem+json"
        assert told.json().get("where") == place
    told = client.post("/api/v1/consults", json={"text": 1})
    assert told.status_code == 422 and told.json()["where"] == "body.text"
    answer = client.post("/api/v1/answers", json={"question": "What causes scurvy?"}).json()["trace_id"]
    for unknown in ("consults/c-none", f"consults/{answer}", f"reports/{answer}", "ledger/c-none", "graph/nodes/HP:9"):
        told = client.get(f"/api/v1/{unknown}")
        assert told.status_code == 404 and told.json()["title"] == "Not found", unknown
    assert client.post("/api/v1/diagnoses", json={"observed": ["HP:9999999"]}).status_code in (200, 400)
    assert client.get("/api/v1/nothing").json()["status"] == 404


def test_the_smaller_doors_answer(client):
    found = client.post("/api/v1/concepts", json={"text": "No fever."}).json()["findings"]
    assert found[0]["status"] == "absent"
    ranked = client.post("/api/v1/diagnoses", json={"observed": ["HP:0001083", "HP:0002616"]}).json()
    assert ranked["ranked"][0]["for"] and ranked["next_questions"]
    assert client.get("/api/v1/search", params={"q": "scurvy"}).json()["results"]
    assert client.get("/api/v1/graph/nodes", params={"q": "Marfan syndrome"}).json()["nodes"]
    assert client.get("/api/v1/calculators").json()["calculators"]
    assert client.get("/api/v1/ledger/verify").json()["valid"] is True
    assert "/api/v1/consults" in client.get("/api/v1/openapi.json").json()["paths"]
