import re

import pytest
from starlette.testclient import TestClient

from osler.server.access import COOKIE
from osler.server.app import create_app
from osler.settings import load_settings

HOST = {"base_url": "http://127.0.0.1", "headers": {"Accept": "text/html"}}
LONG = "a long enough password"


def opened(home, **more):
    """A server of a home with its machine's user signed in by cookie."""
    app = create_app(load_settings({"home": str(home), **more}, environment={}), "t")
    browser = TestClient(app, **HOST)
    browser.get("/", params={"token": "t"})
    browser.headers["X-CSRF-Token"] = app.state.access.accounts.signed_in(browser.cookies[COOKIE]).csrf
    return app, browser


def test_each_setting_says_its_value_and_whence_it_comes(tmp_path):
    (tmp_path / "osler.toml").write_text('[consult]\nlanguage = "zh"\n')
    environment = {"OSLER_LIBRARY_PASSAGES": "9", "OSLER_API_KEY": "a-key-nobody-sees"}
    app = create_app(load_settings({"home": str(tmp_path), "server.hours": 3}, environment), "t0ken")
    with TestClient(app, **HOST) as client:
        client.headers["Authorization"] = "Bearer t0ken"
        text = client.get("/settings").text
    rows = {
        name: " ".join(cells)
        for name, *cells in re.findall(
            r'<tr><td class="code">([\w.]+)</td><td>(.*?)</td><td class="small">(.*?)</td><td', text
        )
    }
    assert "zh" in rows["consult.language"] and str(tmp_path / "osler.toml") in rows["consult.language"]
    assert "9" in rows["library.passages"] and "OSLER_LIBRARY_PASSAGES" in rows["library.passages"]
    assert "3" in rows["server.hours"] and "flag" in rows["server.hours"]
    assert "default" in rows["server.rate"]
    assert "a-key-nobody-sees" not in text and "t0ken" not in text
    assert not re.search(r"\s(style|on\w+)=", text)


def test_a_kill_switch_acts_at_once_and_outlasts_a_restart(tmp_path):
    app, browser = opened(tmp_path)
    asked = {"question": "What causes scurvy?", "method": "extractive"}
    assert browser.post("/settings/switches/off", data={"capability": ["ask"]}).status_code == 204
    assert browser.post("/ask", data=asked).status_code == 503
    app, browser = opened(tmp_path)
    assert browser.post("/ask", data=asked).status_code == 503, "after a restart"
    newest = app.state.desk.ledger.payload(app.state.desk.ledger.entries(1)[0].id)
    assert newest == {"by": "local", "what": "server.off", "before": [], "set": ["ask"]}
    assert browser.post("/settings/switches/off").status_code == 204
    assert browser.post("/ask", data=asked).status_code == 204
    assert browser.post("/settings/switches/silent", data={"capability": ["ask"]}).status_code == 204
    assert "silent mode" in browser.post("/ask", data=asked).text
    assert browser.post("/settings/switches/off", data={"capability": ["weather"]}).status_code == 400
    assert browser.post("/settings/switches/host", data={"capability": ["ask"]}).status_code == 404


def test_what_the_settings_switch_off_stays_off(tmp_path):
    app, browser = opened(tmp_path, **{"server.off": ("ask",)})
    browser.post("/settings/switches/off", data={"capability": ["consult"]})
    assert set(app.state.desk.settings.server.off) == {"ask", "consult"}
    browser.post("/settings/switches/off")
    assert app.state.desk.settings.server.off == ("ask",)


def test_a_limit_acts_at_once_and_is_taken_back(tmp_path):
    app, browser = opened(tmp_path)
    assert browser.post("/settings/limits/upload", data={"value": "1"}).status_code == 204
    assert browser.post("/consult", data={"text": "a" * 1_100_000}).status_code == 413
    assert browser.post("/settings/limits/upload", data={"value": ""}).status_code == 204
    assert app.state.desk.settings.server.upload == 50
    for bad in ("0", "-1", "many", "1.5"):
        assert browser.post("/settings/limits/rate", data={"value": bad}).status_code == 400, bad
    assert browser.post("/settings/limits/waiting", data={"value": "1"}).status_code == 404


def test_accounts_are_made_changed_and_shut_out(tmp_path):
    app, browser = opened(tmp_path)
    accounts = app.state.access.accounts
    first = browser.post("/settings/accounts", data={"name": "c", "role": "clinician", "password": LONG})
    assert first.status_code == 409, "the first account must be one that administers"
    assert (
        browser.post("/settings/accounts", data={"name": "m", "role": "administrator", "password": LONG}).status_code
        == 204
    )
    assert browser.get("/settings").status_code == 401, "the token opens no more"
    browser.headers["Authorization"] = f"Bearer {accounts.sign_in(accounts.check('m', LONG), 1, program=True)}"
    for bad in ({"password": "short"}, {"role": "king"}, {"role": ()}, {"password": ""}, {"name": "local"}):
        told = browser.post("/settings/accounts", data={"name": "c", "role": "clinician", "password": LONG, **bad})
        assert told.status_code == 400, bad
    assert (
        browser.post(
            "/settings/accounts", data={"name": "c", "role": "clinician", "password": LONG, "shown": "Dr C"}
        ).status_code
        == 204
    )
    token = accounts.sign_in(accounts.check("c", LONG), 1, program=True)
    assert browser.post("/settings/accounts", data={"name": "c", "role": ["clinician", "educator"]}).status_code == 204
    assert accounts.check("c", LONG).roles == ["clinician", "educator"] and accounts.check("c", LONG).name == "Dr C"
    assert accounts.signed_in(token), "new roles end no sign-in"
    assert (
        browser.post("/settings/accounts", data={"name": "c", "role": "clinician", "password": LONG + "2"}).status_code
        == 204
    )
    assert accounts.signed_in(token) is None and accounts.check("c", LONG) is None
    assert browser.post("/settings/accounts/m/disable").status_code == 409, "somebody must be left"
    assert browser.post("/settings/accounts/c/disable").status_code == 204
    assert accounts.check("c", LONG + "2") is None and "Let in again" in browser.get("/settings").text
    accounts.sign_in(accounts.list()[0], 1)
    hash = accounts.sign_ins()[0].hash
    assert browser.post(f"/settings/sign-ins/{hash}/end").status_code == 204
    assert browser.post(f"/settings/sign-ins/{hash}/end").status_code == 404
    kept = [app.state.desk.ledger.payload(one.id) for one in app.state.desk.ledger.entries(None)]
    assert {"account m", "account c"} <= {one["what"] for one in kept} and LONG not in str(kept)


@pytest.mark.parametrize("role", ["clinician", "educator", "researcher", "privacy-officer"])
def test_only_administrators_change_settings(tmp_path, role):
    app, _ = opened(tmp_path)
    accounts = app.state.access.accounts
    accounts.add("m", ["administrator"], LONG)
    token = accounts.sign_in(accounts.add("u", [role], LONG), 1, program=True)
    with TestClient(app, **HOST) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        shown = client.get("/settings")
        assert (
            shown.status_code == 200
            and "an administrator changes them" in shown.text
            and "<form hx-post" not in shown.text
        )
        for path in ("switches/off", "limits/rate", "accounts", "accounts/m/disable", "sign-ins/x/end"):
            told = client.post(f"/settings/{path}", data={"name": "u", "role": "administrator", "capability": "ask"})
            assert told.status_code == 403, path
    assert not app.state.desk.settings.server.off


def test_a_change_needs_the_token_of_the_page(tmp_path):
    app, browser = opened(tmp_path)
    del browser.headers["X-CSRF-Token"]
    for path in (
        "/settings/switches/off",
        "/settings/accounts",
        "/settings/limits/rate",
        "/review/x",
        "/ledger/x/glass",
    ):
        data = {"capability": "ask", "name": "x", "role": "administrator", "password": LONG, "state": "rejected"}
        assert browser.post(path, data=data).status_code == 403, path
    assert not app.state.access.accounts.any() and not app.state.desk.ledger.entries()
