"""The virtual patient in the browser: chosen, asked, examined, marked; one's own only."""

import re

import pytest

from osler.education.patient.sittings import CASES
from osler.nouns import Principal

HTML = {"Accept": "text/html"}


def begun(client, case="en-chest-pain"):
    made = client.post("/learn/patients", data={"case": case}, headers=HTML)
    assert made.status_code == 204, made.text
    return made.headers["HX-Redirect"]


def test_an_interview_is_led_and_marked(client, app):
    address = begun(client)
    assert "pain in my chest" in client.get(address, headers=HTML).text
    said = client.post(f"{address}/turns", data={"line": "When did it start?"}, headers=HTML).text
    assert "two hours ago" in said
    kept = client.get(address, headers=HTML).text
    assert "two hours ago" in kept and "myocardial infarction" not in kept
    done = client.post(f"{address}/end", data={"differential": "Heart attack\nGERD", "plan": "ECG"}, headers=HTML)
    assert done.status_code == 204
    shown = client.get(address, headers=HTML).text
    assert "myocardial infarction" in shown and "Never asked for" in shown and "Bits" in shown
    score = re.search(r"<h2>Score ([\d.]+) / ([\d.]+)</h2>", shown)
    assert 10 <= float(score[1]) <= float(score[2])
    entry = app.state.desk.ledger.entries(1)[0]
    assert entry.kind == "patient" and entry.id in shown
    assert client.post(f"{address}/turns", data={"line": "Any fever?"}, headers=HTML).status_code == 409
    assert address in client.get("/learn/patients", headers=HTML).text


def test_a_case_of_ones_own(client):
    form = (CASES / "zh-cough.toml").read_bytes()
    made = client.post("/learn/patients", files={"file": ("mine.toml", form)}, headers=HTML)
    assert made.status_code == 204, made.text
    assert 'lang="zh"' in client.get(made.headers["HX-Redirect"], headers=HTML).text
    broken = client.post("/learn/patients", files={"file": ("mine.toml", b"age = ")}, headers=HTML)
    assert broken.status_code == 400


@pytest.mark.parametrize(("given", "status"), [({"case": "../secret"}, 404), ({"case": ""}, 404)])
def test_a_case_that_there_is_not(client, given, status):
    assert client.post("/learn/patients", data=given, headers=HTML).status_code == status


def test_another_learners_interview_is_not_there(client, app):
    from osler.education.patient import Interview, read_script
    from osler.education.patient.sittings import begin

    settings = app.state.desk.settings
    theirs = begin(settings, Principal(id="another").id, Interview(script=read_script(CASES / "en-cough.toml")))
    assert client.get(f"/learn/patients/{theirs}", headers=HTML).status_code == 400
    assert client.post(f"{begun(client)}/turns", data={"line": " "}, headers=HTML).status_code == 422
