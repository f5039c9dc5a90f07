"""Sign-in through a small OpenID server of the tests' own, with its wrong tokens and forged returns."""

import threading
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from osler.server.app import create_app
from osler.settings import load_settings

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


class Server:
    """`claims`: put into the identity token. `key`: signs it. It checks the code verifier itself."""

    def __init__(self):
        self.claims, self.key, self.asked = {}, KEY, {}
        routes = [
            Route("/.well-known/openid-configuration", self.about),
            Route("/keys", self.keys),
            Route("/token", self.token, methods=["POST"]),
        ]
        self.server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="warning"))
        threading.Thread(target=self.server.run, daemon=True).start()
        while not self.server.started:
            time.sleep(0.02)
        self.issuer = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def about(self, request):
        names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in names.items()})

    def keys(self, request):
        key = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return JSONResponse({"keys": [key | {"kid": "k", "use": "sig", "alg": "ES256"}]})

    async def token(self, request):
        form = await request.form()
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != self.asked["code_challenge"][0] or form["code"] != "good":
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        base = {"iss": self.issuer, "aud": "osler", "iat": now, "exp": now + 60, "nonce": self.asked["nonce"][0]}
        said = base | {"preferred_username": "doc", "name": "Doc", "roles": ["physician"]} | self.claims
        return JSONResponse({"id_token": jwt.encode(said, self.key, "ES256", {"kid": "k"})})


@pytest.fixture(scope="module")
def hospital():
    made = Server()
    yield made
    made.server.should_exit = True


@pytest.fixture
def browser(hospital, tmp_path):
    hospital.claims, hospital.key = {}, KEY
    given = {"oidc.issuer": hospital.issuer, "oidc.roles": ("physician=clinician",), "home": str(tmp_path)}
    app = create_app(load_settings(given), "token")
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as made:
        yield made


def began(browser, hospital):
    there = browser.get("/oidc/start")
    assert there.status_code == 303
    hospital.asked = parse_qs(urlsplit(there.headers["location"]).query)
    return hospital.asked["state"][0]


def test_a_clinician_comes_in_and_the_token_no_longer_opens(browser, hospital):
    state = began(browser, hospital)
    assert browser.get("/oidc/callback", params={"state": state, "code": "good"}).status_code == 200
    assert browser.get("/consult").status_code == 200
    assert browser.get("/api/v1/consults", headers={"Authorization": "Bearer token"}).status_code == 401
    again = browser.get("/oidc/callback", params={"state": state, "code": "good"})
    assert again.status_code == 401, "a state is good once"
    accounts = browser.app.state.access.accounts
    assert [(item.id, item.roles) for item in accounts.list()] == [("doc", ["clinician"])]
    accounts.disable("doc")
    assert browser.get("/consult").status_code == 401
    state = began(browser, hospital)
    assert browser.get("/oidc/callback", params={"state": state, "code": "good"}).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"iss": "http://127.0.0.1:1"},
        {"exp": 1},
        {"nonce": "x"},
        {"roles": ["porter"]},
        {"roles": None},
        {"preferred_username": ""},
    ],
)
def test_wrong_tokens_do_not_open(browser, hospital, claims):
    hospital.claims = claims
    state = began(browser, hospital)
    assert browser.get("/oidc/callback", params={"state": state, "code": "good"}).status_code in (401, 403)
    assert browser.get("/consult").status_code == 401


def test_forged_returns_do_not_open(browser, hospital):
    state = began(browser, hospital)
    assert browser.get("/oidc/callback", params={"state": "made-up", "code": "good"}).status_code == 401
    assert browser.get("/oidc/callback", params={"state": state, "code": "bad"}).status_code == 401
    state = began(browser, hospital)
    hospital.key = OTHER
    assert browser.get("/oidc/callback", params={"state": state, "code": "good"}).status_code == 401
    hospital.key = KEY
    state = began(browser, hospital)
    browser.cookies.clear()
    assert browser.get("/oidc/callback", params={"state": state, "code": "good"}).status_code == 401, "another browser"
