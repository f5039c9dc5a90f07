"""The pages of reports: drafted from what a form gave, read with sources, taken along as files."""

import io
import json
import re

import docx
import pytest

HTML = {"Accept": "text/html"}
NOTE = "A man of 54 with chest pain since this morning. He takes warfarin and aspirin. No fever. BP 150/90."


def drafted(client, **given):
    told = client.post("/reports", data={"kind": "visit-note", "text": NOTE, **given}, headers=HTML)
    assert told.status_code == 204, told.text
    return told.headers["HX-Redirect"]


def test_a_draft_is_read_with_its_sources(client):
    address = drafted(client)
    shown = client.get(address, headers=HTML).text
    for part in ("Visit note", "chest pain", "Draft, not signed", "warfarin", "For professional review"):
        assert part in shown, part
    cited = re.search(r'hx-get="(/reports/\S+/evidence/[^"]+)"', shown)[1].replace("&amp;", "&")
    assert "<mark>" in client.get(cited, headers=HTML).text
    assert address in client.get("/reports", headers=HTML).text


def test_a_draft_is_taken_along_as_a_file(client):
    address = drafted(client, kind="referral")
    word = client.get(f"{address}/file.docx")
    assert "attachment" in word.headers["content-disposition"]
    assert any("chest pain" in line.text for line in docx.Document(io.BytesIO(word.content)).paragraphs)
    assert json.loads(client.get(f"{address}/file.json").content)["kind"] == "referral"
    assert client.get(f"{address}/file.md").text.startswith("# ")
    assert client.get(f"{address}/file.exe", headers=HTML).status_code == 404


def test_what_is_said_of_a_sentence_is_kept(client, app):
    address = drafted(client)
    report = client.get(f"/api/v1{address}").json()
    sentence = next(part["statements"][0]["text"] for part in report["sections"] if part["statements"])
    said = {"trace_id": report["trace_id"], "statement": sentence, "verdict": "right"}
    assert client.post("/feedback", data=said, headers=HTML).status_code == 200
    assert app.state.desk.ledger.entries(1)[0].kind == "feedback"


@pytest.mark.parametrize(("given", "status"), [({"kind": "sonnet"}, 400), ({"text": " "}, 400), ({"sample": "x"}, 404)])
def test_what_no_report_can_be_made_of_is_refused(client, given, status):
    assert (
        client.post("/reports", data={"kind": "visit-note", "text": NOTE, **given}, headers=HTML).status_code == status
    )


def test_a_report_is_no_consult_and_no_answer(client):
    report = drafted(client)
    assert client.get(report.replace("/reports/", "/consult/"), headers=HTML).status_code == 404
    assert client.get(report.replace("/reports/", "/ask/"), headers=HTML).status_code == 404


def test_a_draft_is_changed_signed_and_amended(client, app):
    address = drafted(client)
    id = address.rsplit("/", 1)[1]
    for given in ({"statement": "No fever.", "text": "No fever today."}, {"section": "plan", "text": "Admit."}):
        assert client.post(f"{address}/change", data=given, headers=HTML).status_code == 204
    shown = client.get(address, headers=HTML).text
    assert "No fever today." in shown and "Edited, not signed" in shown and "not taken from the record" in shown
    empty = {"statement": "No fever today.", "text": " "}
    assert client.post(f"{address}/change", data=empty, headers=HTML).status_code == 400
    assert client.post(f"{address}/sign", headers=HTML).status_code == 204
    shown = client.get(address, headers=HTML).text
    assert "Signed" in shown and re.search(r"\b[0-9a-f]{64}\b", shown) and '/sign"' not in shown
    assert client.post(f"{address}/sign", headers=HTML).status_code == 400
    change = {"statement": "Admit.", "what": "remove", "reason": "sent home"}
    assert client.post(f"{address}/change", data=change | {"reason": ""}, headers=HTML).status_code == 400
    assert client.post(f"{address}/change", data=change, headers=HTML).status_code == 204
    told = client.get(f"/api/v1/reports/{id}/versions").json()["versions"]
    assert [one["status"] for one in told] == ["draft", "edited", "edited", "signed", "amended"]
    assert client.get(f"/api/v1/reports/{id}").json()["status"] == "amended"
    found = client.get(f"/fhir/Composition/{id}").json()
    assert found["status"] == "amended" and "Admit." not in json.dumps(found)
    assert client.get(f"{address}/file.pdf").content.startswith(b"%PDF")


def test_reports_are_signed_over_the_door_for_programs(client):
    id = drafted(client).rsplit("/", 1)[1]
    changes = {"changes": [{"section": "plan", "text": "Admit."}]}
    assert client.post(f"/api/v1/reports/{id}/edits", json=changes).json()["status"] == "edited"
    assert client.post(f"/api/v1/reports/{id}/signature").json()["status"] == "signed"
    assert client.post(f"/api/v1/reports/{id}/edits", json=changes).status_code == 400
    made = client.post(f"/api/v1/reports/{id}/amendments", json=changes | {"reason": "later"})
    assert made.status_code == 201 and made.json()["status"] == "amended"
