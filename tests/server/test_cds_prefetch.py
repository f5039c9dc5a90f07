"""What the prefetch left out is read from the client's FHIR server: here a small one on this machine."""

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cds import NONE, PATIENT, bundle, cards, order, post
from starlette.testclient import TestClient

from osler.server.app import create_app
from osler.settings import load_settings

SECRET = "the-clients-token"
SCOPES = "patient/*.read"


class Fhir(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        kind = self.path.split("?")[0].rsplit("/", 1)[-1]
        if self.headers["Authorization"] != f"Bearer {SECRET}" or "Cookie" in self.headers:
            return self.answer(401, {"resourceType": "OperationOutcome"})
        if kind in self.server.faults:
            return self.server.faults[kind](self)
        drugs = bundle(order("m1", "Warfarin", "active"))
        return self.answer(200, {"p1": PATIENT, "MedicationRequest": drugs}.get(kind, bundle()))

    def answer(self, code, content, **headers):
        self.send_response(code)
        self.send_header("Set-Cookie", "session=1")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def fhir():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fhir)
    server.asked, server.faults = [], {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.base = f"http://127.0.0.1:{server.server_port}/fhir"
    yield server
    server.shutdown()


@pytest.fixture
def ehr(tmp_path, fhir):
    settings = load_settings({"home": str(tmp_path), "cds.fhir": (fhir.base,), "cds.timeout": 1.0})
    return TestClient(create_app(settings, "t"), base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"})


def access(fhir, **more):
    token = {"access_token": SECRET, "token_type": "Bearer", "expires_in": 300, "scope": SCOPES, "subject": "osler"}
    return {"fhirServer": more.pop("base", fhir.base), "fhirAuthorization": token | more}


def test_what_was_not_prefetched_is_read(ehr, fhir, caplog):
    with caplog.at_level(logging.DEBUG):
        [card] = cards(post(ehr, "order-sign", None, [order("d1", "Aspirin")], **access(fhir)))
    assert "Warfarin" in card["summary"]
    assert "/fhir/Patient/p1" in fhir.asked and "/fhir/AllergyIntolerance?patient=p1" in fhir.asked
    kept = [ehr.app.state.desk.ledger.payload(one.id) for one in ehr.app.state.desk.ledger.entries(5)]
    assert SECRET not in json.dumps(kept) + caplog.text
    fhir.asked.clear()
    assert cards(post(ehr, "order-sign", NONE, [order("d1", "Aspirin")], **access(fhir))) == [] and fhir.asked == []
    given = {"patient": PATIENT, "allergies": None, "statements": None}
    assert cards(post(ehr, "order-sign", given, [order("d1", "Aspirin")], **access(fhir)))
    assert fhir.asked == ["/fhir/MedicationRequest?patient=p1&status=active"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base": "http://127.0.0.1:1/fhir"}, "settings"),
        ({"base": "https://evil.example/fhir"}, "settings"),
        ({"base": "file:///etc/passwd"}, "settings"),
        ({"base": "http://user@127.0.0.1/fhir"}, "settings"),
        ({"scope": "user/Patient.read user/Observation.rs launch"}, "token may not read it"),
        ({"scope": "patient/*.cud"}, "token may not read it"),
        ({"expires_in": 0}, "expired"),
        ({"access_token": "another"}, "could not be read"),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_said(ehr, fhir, change, said):
    drafts = [order("d1", "Aspirin"), order("d2", "Warfarin")]
    told = cards(post(ehr, "order-sign", {"patient": PATIENT}, drafts, **access(fhir, **change)))
    assert said in told[-1]["detail"] and "Aspirin" in told[0]["summary"]
    assert change == {"access_token": "another"} or fhir.asked == []
    assert post(ehr, "patient-view", **access(fhir, **change)).status_code in (200, 412)


def test_a_server_that_fails_in_part(ehr, fhir):
    fhir.faults = {
        "AllergyIntolerance": lambda it: it.answer(500, b"x"),
        "MedicationStatement": lambda it: it.answer(200, b"[1,"),
        "Condition": lambda it: it.answer(302, b"", Location="http://127.0.0.1:1/elsewhere"),
        "Observation": lambda it: (time.sleep(3), it.answer(200, bundle())),
    }
    post(ehr, "patient-view", NONE)  # what is loaded at first is not timed
    began = time.monotonic()
    [card] = cards(post(ehr, "patient-view", **access(fhir)))
    assert time.monotonic() - began < 2.9
    for part in ("allergies", "medication statements", "conditions", "observations"):
        assert f"{part}: could not be read" in card["detail"]
    assert "medication orders:" not in card["detail"]


def test_a_server_without_token_is_not_read(ehr, fhir):
    assert post(ehr, "patient-view", fhirServer=fhir.base).status_code == 412 and fhir.asked == []
    told = post(ehr, "patient-view", fhirAuthorization=access(fhir)["fhirAuthorization"])
    assert told.status_code == 400 and told.json()["where"] == "fhirServer"


def test_another_patient_of_the_server_is_refused(ehr, fhir):
    fhir.faults = {"p1": lambda it: it.answer(200, {**PATIENT, "id": "p2"})}
    assert post(ehr, "patient-view", **access(fhir)).status_code == 400
