import pytest
from starlette.testclient import TestClient

from osler.privacy.spans import Span
from osler.server.app import create_app
from osler.server.review_pages import Keeping, Vault, open_database
from osler.settings import load_settings

TEXT = "Seen by Dr Moss at Hill House <b>."


@pytest.fixture
def served(tmp_path):
    settings = load_settings({"home": str(tmp_path)})
    store = Keeping(open_database(settings), Vault(settings.home / "keys"))
    spans = [Span(start=11, end=15, type="NAME", score=0.5), Span(start=19, end=29, type="NAME", score=0.6)]
    ids = store.queue(TEXT, spans, "p1")
    app = create_app(settings, "t")
    accounts = app.state.access.accounts
    with TestClient(app, base_url="http://127.0.0.1", headers={"Accept": "text/html"}) as client:

        def as_(role):
            token = accounts.sign_in(accounts.add(role, [role], "a long enough password"), 1, program=True)
            client.headers["Authorization"] = f"Bearer {token}"
            return client

        yield app, as_, store, ids


def test_a_span_is_confirmed_corrected_or_rejected(served):
    app, as_, store, (first, second) = served
    client = as_("privacy-officer")
    shown = client.get("/review").text
    assert "<mark>Moss</mark>" in shown and "&lt;b&gt;" in shown and "2 wait" in shown
    assert shown.count("<h2>Document") == 1, "both are of one document"
    assert client.post(f"/review/{first}", data={"state": "rejected"}).status_code == 200
    assert client.post(f"/review/{second}", data={"state": "confirmed", "type": "HOSPITAL"}).status_code == 200
    assert store.rejected() == ("Moss",)
    assert [(one.type, one.text) for one in store.reviews("confirmed")] == [("HOSPITAL", "Hill House")]
    assert "Nothing waits" in client.get("/review").text
    kept = [(one.kind, app.state.desk.ledger.payload(one.id)) for one in reversed(app.state.desk.ledger.entries())]
    assert [kind for kind, _ in kept] == ["access", "review", "review"], "the sight, then each decision"
    assert kept[-1][1] == {"by": "privacy-officer", "what": second, "state": "confirmed", "type": "HOSPITAL"}


def test_what_can_not_be_decided_is_refused(served):
    _, as_, _, (first, _) = served
    client = as_("administrator")
    assert client.post("/review/none", data={"state": "rejected"}).status_code == 400
    for data in ({"state": "waiting"}, {}, {"state": "confirmed", "type": "PET"}):
        assert client.post(f"/review/{first}", data=data).status_code == 422
    client.post(f"/review/{first}", data={"state": "confirmed"})
    assert client.post(f"/review/{first}", data={"state": "rejected"}).status_code == 400, "it was decided"


@pytest.mark.parametrize("role", ["clinician", "educator", "researcher"])
def test_others_see_none_of_it(served, role):
    _, as_, store, ids = served
    client = as_(role)
    assert client.get("/review").status_code == 403 and "Moss" not in client.get("/review").text
    assert client.post(f"/review/{ids[0]}", data={"state": "rejected"}).status_code == 403
    assert len(store.reviews()) == 2
