import json
import re

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from osler.ledger.tables import entries_table
from osler.server.app import create_app
from osler.settings import load_settings
from osler.storage import open_database, writing

HTML = {"Accept": "text/html"}
HOST = {"base_url": "http://127.0.0.1", "headers": HTML}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two clinicians and one each of other roles, and an answer of the first clinician: (app, client, its id)."""
    app = create_app(load_settings({"home": str(tmp_path_factory.mktemp("ledger"))}), "token")
    accounts = app.state.access.accounts
    roles = {"a": "clinician", "b": "clinician", "e": "educator", "p": "privacy-officer", "m": "administrator"}
    app.state.secrets = {
        name: accounts.sign_in(accounts.add(name, [role], "a long enough password"), 1, program=True)
        for name, role in roles.items()
    }
    with TestClient(app, **HOST) as client:
        yield app, client, made(client, app, "a", "ask", question="What causes scurvy?", method="extractive")


def as_(app, name):
    return {"Authorization": f"Bearer {app.state.secrets[name]}"}


def made(client, app, name, kind, **given):
    told = client.post(f"/{kind}", data=given, headers=as_(app, name))
    assert told.status_code == 204, told.text
    return told.headers["hx-redirect"].rpartition("/")[2]


def test_an_own_answer_is_found_by_its_words_kind_date_and_id(home):
    app, client, asked = home
    for query in ({"q": "SCURVY"}, {"q": asked}, {"kind": "ask"}, {"since": "2020-01-01"}, {}):
        assert asked in client.get("/ledger", params=query, headers=as_(app, "a")).text, query
    for query in ({"q": "gout"}, {"kind": "erasure"}, {"until": "2020-01-01"}, {"since": "2999-01-01"}):
        shown = client.get("/ledger", params=query, headers=as_(app, "a")).text
        assert asked not in shown and "Nothing fits" in shown, query
    assert client.get("/ledger", params={"since": "yesterday"}, headers=as_(app, "a")).status_code == 400


def test_nothing_of_anothers_is_found(home):
    app, client, asked = home
    for query in ({}, {"q": "scurvy"}, {"q": asked}, {"kind": "ask"}):
        rows = client.get("/ledger", params=query, headers=as_(app, "b")).text
        assert f'href="/ledger/{asked}"' not in rows, query
    links = client.get("/ledger", headers=as_(app, "m")).text
    assert asked in links and "scurvy" not in links, "an administrator sees links, not words"
    assert asked not in client.get("/ledger", params={"q": "scurvy"}, headers=as_(app, "p")).text


def test_a_trace_is_shown_to_its_owner_whole(home):
    app, client, asked = home
    shown = client.get(f"/ledger/{asked}", headers=as_(app, "a")).text
    entry = app.state.desk.ledger.entry(asked)
    for part in ("What causes scurvy?", "extractive", "library:starter", entry.hash, entry.previous, entry.commitment):
        assert part in shown
    assert not re.search(r"\s(style|on\w+)=", shown)
    proof = client.get(f"/ledger/{asked}/proof", headers=as_(app, "a")).text
    assert "The proof holds" in proof
    told = client.get(f"/ledger/{asked}/proof", params={"file": True}, headers=as_(app, "a"))
    assert told.json()["entry"]["id"] == asked and "attachment" in told.headers["content-disposition"]
    kinds = [
        one["resource"]["resourceType"]
        for one in client.get(f"/ledger/{asked}/fhir", headers=as_(app, "a")).json()["entry"]
    ]
    assert kinds == ["AuditEvent", "Provenance"]
    again = client.post(f"/ledger/{asked}/replay", headers=as_(app, "a"))
    assert "The same answer came out" in again.text


def test_another_clinician_needs_a_reason(home):
    app, client, _ = home
    note = made(client, app, "a", "consult", text="Fever and a rash since Monday.")
    doors = [("GET", f"/ledger/{note}{end}") for end in ("", "/proof", "/fhir")] + [("POST", f"/ledger/{note}/replay")]
    for method, path in doors:
        told = client.request(method, path, headers=as_(app, "b"))
        assert told.status_code == 403 and "rash" not in told.text, path
    assert "Break the glass" in client.get(f"/ledger/{note}", headers=as_(app, "b")).text
    assert "Break the glass" not in client.get(f"/ledger/{note}", headers=as_(app, "e")).text
    glass = f"/ledger/{note}/glass"
    assert client.post(glass, data={"reason": " "}, headers=as_(app, "b")).status_code == 422
    assert client.post(glass, data={"reason": "on call"}, headers=as_(app, "e")).status_code == 403
    assert client.post(glass, data={"reason": "on call tonight"}, headers=as_(app, "b")).status_code == 204
    assert "rash since Monday" in client.get(f"/ledger/{note}", headers=as_(app, "b")).text
    seen = client.get(f"/ledger/{note}", headers=as_(app, "a")).text
    assert "on call tonight" in seen and "glass broken" in seen, "its owner reads who saw it and why"


def test_verify_and_export_are_for_overseers(home):
    app, client, _ = home
    for path in ("/ledger/verify", "/ledger/export", "/ledger/export?format=fhir"):
        assert client.get(path, headers=as_(app, "a")).status_code == 403
    assert "Whole." in client.get("/ledger/verify", headers=as_(app, "p")).text
    lines = client.get("/ledger/export", headers=as_(app, "m")).text.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert "scurvy" not in client.get("/ledger/export?format=fhir", headers=as_(app, "m")).text
    assert client.get("/ledger/export?format=xml", headers=as_(app, "m")).status_code == 422
    assert client.get("/ledger/nothing", headers=as_(app, "p")).status_code == 404


def test_erased_and_broken_are_said(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path)}), "t")
    ledger = app.state.desk.ledger
    gone = ledger.append("consult", {"input": {"text": "x"}, "trace": {}, "output": {}, "who": None}, subject="p1")
    ledger.erase("p1", "me", "asked for")
    with TestClient(app, **HOST) as client:
        client.headers["Authorization"] = "Bearer t"
        assert "Erased." in client.get(f"/ledger/{gone.id}").text
        with writing(open_database(app.state.desk.settings)) as connection:
            connection.execute(sa.update(entries_table).where(entries_table.c.seq == 1).values(kind="ask"))
        assert "Broken at entry 1" in client.get("/ledger/verify").text
