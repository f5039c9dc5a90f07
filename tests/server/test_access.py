import pytest
from starlette.testclient import TestClient

from osler.server.access import COOKIE
from osler.server.accounts import Accounts
from osler.server.app import create_app
from osler.settings import load_settings

HOST = {"base_url": "http://127.0.0.1"}


@pytest.mark.parametrize("path", ["/api/v1/consults", "/api/v1/ledger/x", "/metrics", "/consult"])
def test_nothing_is_open_to_a_stranger(stranger, path):
    assert stranger.get(path).status_code == 401
    assert stranger.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil:80", "[::2]"])
def test_another_name_is_refused(client, name):
    assert client.get("/healthz", headers={"Host": name}).status_code == 421


def test_pages_of_other_sites_may_not_write(client):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/api/v1/concepts", json={"text": "a"}, headers=headers).status_code == 403
    ours = {"Origin": "http://localhost:8350"}
    assert client.post("/api/v1/concepts", json={"text": "a"}, headers=ours).status_code == 200


def test_the_link_opens_a_browser_once(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path)}))
    token = app.state.access.token
    with TestClient(app, **HOST) as browser:
        assert browser.get("/", params={"token": "wrong"}, follow_redirects=False).headers["location"] == "/sign-in"
        opened = browser.get("/", params={"token": token}, follow_redirects=False)
        assert opened.headers["location"] == "/" and "HttpOnly" in opened.headers["set-cookie"]
        assert browser.get("/consult").status_code == 200
        assert browser.post("/api/v1/concepts", json={"text": "a"}).status_code == 403, "no CSRF token"
        csrf = app.state.access.accounts.signed_in(browser.cookies[COOKIE]).csrf
        told = browser.post("/api/v1/concepts", json={"text": "a"}, headers={"X-CSRF-Token": csrf})
        assert told.status_code == 200
    with TestClient(app, **HOST) as second:
        second.get("/", params={"token": token})
        assert second.get("/consult").status_code == 401


def test_no_account_sees_anothers_patient(tmp_path):
    settings = load_settings({"home": str(tmp_path)})
    app = create_app(settings, "token")
    accounts = Accounts(settings)
    secrets = {}
    for name, roles in (("a", ["clinician"]), ("b", ["clinician"]), ("p", ["privacy-officer"]), ("e", ["researcher"])):
        secrets[name] = accounts.sign_in(accounts.add(name, roles, "a long enough password"), 1, program=True)

    def as_(name):
        return {"Authorization": f"Bearer {secrets[name]}"}

    with TestClient(app, **HOST) as client:
        assert client.get("/api/v1/consults", headers={"Authorization": "Bearer token"}).status_code == 401
        made = client.post("/api/v1/consults", json={"text": "Fever."}, headers=as_("a")).json()["trace_id"]
        for path in (f"/api/v1/consults/{made}", f"/api/v1/ledger/{made}"):
            codes = [client.get(path, headers=as_(name)).status_code for name in "abpe"]
            assert codes == [200, 403, 200, 403]
        assert client.get("/api/v1/consults", headers=as_("b")).json()["items"] == []
        assert client.post(f"/api/v1/ledger/{made}/replay", headers=as_("b")).status_code == 403
        assert client.post(f"/api/v1/consults/{made}/edits", json=[], headers=as_("b")).status_code == 403
        glass = f"/api/v1/records/{made}/break-glass"
        assert client.post(glass, json={"reason": "on call"}, headers=as_("e")).status_code == 403
        assert client.post(glass, json={"reason": " "}, headers=as_("b")).status_code == 422
        assert client.post(glass, json={"reason": "on call"}, headers=as_("b")).status_code == 204
        assert client.get(f"/api/v1/consults/{made}", headers=as_("b")).status_code == 200
        assert client.get("/api/v1/ledger", headers=as_("a")).status_code == 403
        assert client.get("/metrics", headers=as_("a")).status_code == 403
        accounts.disable("b")
        assert client.get("/api/v1/consults", headers=as_("b")).status_code == 401
    kinds = [entry.kind for entry in app.state.desk.ledger.entries(20)]
    assert "break-glass" in kinds and "access" in kinds


def test_switched_off_and_silent_capabilities(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path), "server.off": ("ask",), "server.silent": ("consult",)}), "t")
    with TestClient(app, **HOST, headers={"Authorization": "Bearer t"}) as client:
        assert client.post("/api/v1/answers", json={"question": "What is fever?"}).status_code == 503
        told = client.post("/api/v1/consults", json={"text": "Fever."})
        assert told.status_code == 202 and set(told.json()) == {"trace_id", "silent"}
        assert client.get(f"/api/v1/consults/{told.json()['trace_id']}").status_code == 403
        assert app.state.desk.ledger.payload(told.json()["trace_id"])["output"]["findings"]


def test_too_large_and_too_often(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path), "server.upload": 1, "server.rate": 3}), "t")
    with TestClient(app, **HOST, headers={"Authorization": "Bearer t"}) as client:
        assert client.post("/api/v1/concepts", content=b"x" * 1_000_001).status_code == 413
        chunks = client.post("/api/v1/concepts", content=(b"x" * 500_000 for _ in range(3)))
        assert chunks.status_code in (400, 413)
        codes = [client.get("/healthz").status_code for _ in range(4)]
        assert codes[-1] == 429


def test_passwords(tmp_path):
    accounts = Accounts(load_settings({"home": str(tmp_path)}))
    accounts.add("a", ["clinician"], "a long enough password")
    assert accounts.check("a", "a long enough password").id == "a"
    assert accounts.check("a", "another") is None and accounts.check("nobody", "x") is None


def test_numbers_and_errors_name_no_patient(client, caplog):
    """What is planted in addresses, queries, headers and bodies comes back in no metric, log or error."""
    planted = ["MRN-77815512", "Zebulon Quark", "zebulon.quark@mail.example", "412-55-7815"]
    caplog.set_level("DEBUG")
    for word in planted:
        for path in (
            f"/api/v1/consults/{word}",
            f"/api/v1/{word}",
            f"/{word}",
            f"/graph?q={word}",
            f"/fhir/Patient/{word}",
        ):
            client.get(path, headers={"X-Request-Id": word, "User-Agent": word})
        client.post("/api/v1/consults", json={"text": f"{word} has fever."})
        client.post("/api/v1/consults", content=f'{{"text": "{word}"', headers={"Content-Type": "application/json"})
        client.post("/api/v1/consults", json={"text": 1, word: word})
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    said = "\n".join([client.get("/metrics").text, *logged])
    assert "osler_requests_total" in said
    assert [word for word in planted if word in said or word.split()[0] in said] == []
