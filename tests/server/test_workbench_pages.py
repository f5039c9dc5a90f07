"""The workbench's pages as a browser gets them, without one."""

import re

import pytest
from starlette.testclient import TestClient

from osler.server.access import COOKIE

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def browser(app):
    with TestClient(app, base_url="http://127.0.0.1", headers=HTML) as made:
        made.get("/", params={"token": app.state.access.token})
        csrf = app.state.access.accounts.signed_in(made.cookies[COOKIE]).csrf
        made.headers["X-CSRF-Token"] = csrf
        yield made


def consulted(browser, **given):
    made = browser.post("/consult", data=given)
    assert made.status_code == 204, made.text
    return made.headers["hx-redirect"]


def test_a_consult_is_shown_edited_and_opened(browser):
    where = consulted(browser, text="A tall man of 30 with lens dislocation. No cough. He takes aspirin and ibuprofen.")
    shown = browser.get(where).text
    assert 'class="finding absent"' in shown and "absent" in shown and "Ask next" in shown
    assert "For professional review" in shown and "Drug safety" in shown
    number = re.search(r'finding/(\d+)" class="finding present"', shown)[1]
    card = browser.get(f"{where}/finding/{number}").text
    assert "Reject" in card
    changed = browser.post(f"{where}/edit", data={"action": "reject", "n": number})
    assert changed.status_code == 200 and changed.headers["hx-push-url"] != where and "1 finding edited" in changed.text
    turned = browser.post(f"{where}/edit", data={"action": "turn", "n": number})
    assert turned.text.count("finding absent") == shown.count("finding absent") + 1
    added = browser.post(f"{where}/edit", data={"action": "add", "label": "arachnodactyly"})
    assert "Arachnodactyly" in added.text
    assert browser.post(f"{where}/edit", data={"action": "add", "label": "nonsense xyz"}).status_code == 400
    opened = browser.get(f"{where}/disease/0").text
    assert "Speaks for it" in opened and 'class="chain"' in opened
    code = re.search(rf'hx-get="{where}/disease/0/path/([^"]+)"', opened)[1]
    assert "<b>" in browser.get(f"{where}/disease/0/path/{code}").text
    assert '<option value="Arachnodactyly">' in browser.get("/consult/terms", params={"label": "arachnod"}).text
    cited = re.search(rf'hx-get="({where}/evidence/[^"]+)"', shown)[1].replace("&amp;", "&")
    assert "passage" in browser.get(cited).text
    assert browser.get(f"{where}/disease/99").status_code == 404


def test_an_alert_is_overridden_with_a_reason(browser, app):
    where = consulted(browser, text="She takes warfarin and aspirin.")
    assert "Override this alert" in browser.get(where).text
    done = browser.post(f"{where}/override", data={"alert": 0, "reason": "monitored", "comment": "INR weekly"})
    assert "monitored" in done.text
    assert "Overridden" in browser.get(where).text and "INR weekly" in browser.get(where).text
    newest = app.state.desk.ledger.entries(1)[0]
    assert newest.kind == "override" and app.state.desk.ledger.payload(newest.id)["comment"] == "INR weekly"
    assert browser.post(f"{where}/override", data={"alert": 0, "reason": "bored"}).status_code == 422


def test_samples_and_files_are_read(browser, app):
    for name in app.state.samples:
        assert "What was said" in browser.get(consulted(browser, sample=name)).text
    made = browser.post("/consult", files={"file": ("note.txt", b"Fever and rash.")})
    assert made.status_code == 204
    damaged = browser.post(
        "/consult", files={"file": ("x.pdf", b"%PDF-1.7 nothing")}, headers={"HX-Request": "true", "Accept": "*/*"}
    )
    assert damaged.status_code == 400 and 'role="alert"' in damaged.text and "<html" not in damaged.text
    assert browser.post("/consult", data={"text": " "}).status_code == 400
    for image in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", bytes(128) + b"DICM"):
        refused = browser.post("/consult", files={"file": ("scan", image)})
        assert refused.status_code == 400 and "No vision model is configured" in refused.text


def test_a_row_led_by_no_finding_opens(browser):
    """What is common or fits age and sex also speaks for a disease, and is no node of the graph."""
    where = consulted(browser, sample="chest-pain.zh.txt")
    assert all(browser.get(f"{where}/disease/{n}").status_code == 200 for n in range(10))


def test_a_question_is_answered_and_judged(browser):
    made = browser.post("/ask", data={"question": "What causes scurvy?", "method": "extractive"})
    shown = browser.get(made.headers["hx-redirect"]).text
    assert "vitamin C" in shown and "supported" in shown
    statement = re.search(r'name="statement" value="([^"]+)"', shown)[1]
    trace = re.search(r'name="trace_id" value="([^"]+)"', shown)[1]
    said = {"trace_id": trace, "statement": statement, "verdict": "right"}
    assert browser.post("/feedback", data=said).status_code == 200
    options = browser.post("/ask", data={"question": "Scurvy is caused by lack of", "options": "vitamin C\nvitamin D"})
    assert "vitamin D" in browser.get(options.headers["hx-redirect"]).text


def test_pages_are_safe_to_show(browser):
    where = consulted(browser, text="<script>alert(1)</script> Fever.")
    shown = browser.get(where)
    assert "<script>alert" not in shown.text and "&lt;script&gt;" in shown.text
    assert "script-src 'self'" in shown.headers["content-security-policy"]
    assert not re.search(r"\s(style|on\w+)=", shown.text), "the policy forbids inline style and script"
    assert not re.search(r'(src|href)="(https?:)?//', shown.text)
    assert (
        browser.get("/language/zh", params={"to": "//evil.example"}, follow_redirects=False).headers["location"] == "/"
    )
