"""SMART App Launch against an EHR of the tests' own, which holds to the rules: its forged answers, and its keys."""

import json
import logging
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from test_fhir_door import PATIENT, bundle, consulted, outcome, parameters, taken, valid

from osler.server.app import create_app
from osler.settings import load_settings

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PASSWORD, SECRET = "a long enough password", "the-ehrs-access-token"


def hashed(text):
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()


class Ehr:
    """A FHIR server with its authorisation server. `about`, `claims`, `told`: put into what it says; `codes`: those it
    gave, with the request of each, good once; `keys`: of the client, by which assertions are checked."""

    def __init__(self):
        routes = [
            Route("/fhir/.well-known/smart-configuration", self.describe),
            Route("/.well-known/openid-configuration", self.describe),
            Route("/jwks", self.jwks),
            Route("/token", self.token, methods=["POST"]),
            Route("/fhir/{path:path}", self.read),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        self.base = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        self.reset()

    def reset(self):
        self.about, self.claims, self.told, self.codes, self.used, self.asked = {}, {}, {}, {}, set(), []
        self.key, self.keys, self.patient, self.broken, self.granted = KEY, [], PATIENT, (), set()

    def describe(self, request):
        names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "jwks"}
        about = {name: f"{self.base}/{path}" for name, path in names.items()}
        more = {"issuer": self.base, "code_challenge_methods_supported": ["S256"], "grant_types_supported": ["x"]}
        return JSONResponse({**about, **more, **self.about})

    def jwks(self, request):
        key = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return JSONResponse({"keys": [key | {"kid": "k", "use": "sig", "alg": "ES256"}]})

    def authorise(self, location):
        """What its page does with an authorisation request: a code, if the request is as SMART asks."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.base}/auth?")
        assert asked["response_type"] == "code" and asked["aud"] == f"{self.base}/fhir"
        assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
        assert ("launch" in asked["scope"].split()) == ("launch" in asked)
        assert ("launch/patient" in asked["scope"].split()) == ("launch" not in asked)
        code = f"code-{secrets.token_hex(8)}"
        self.codes[code] = asked
        return asked, code

    async def token(self, request):
        form = dict(await request.form())
        if form["grant_type"] == "client_credentials" or "client_assertion" in form:
            try:
                header = jwt.get_unverified_header(form["client_assertion"])
                public = next(key for key in self.keys if key["kid"] == header["kid"])
                said = jwt.decode(
                    form["client_assertion"], jwt.PyJWK(public), [public["alg"]], audience=f"{self.base}/token"
                )
                assert said["iss"] == said["sub"] == "osler" and said["exp"] - time.time() <= 300
                assert said["jti"] not in self.used and header["typ"] == "JWT"
                self.used.add(said["jti"])
            except Exception as error:
                return JSONResponse({"error": "invalid_client", "error_description": str(error)}, 401)
        told = {"access_token": SECRET, "token_type": "Bearer", "expires_in": 300}
        if form["grant_type"] == "client_credentials":
            self.granted.add(form["scope"])
            return JSONResponse({**told, "scope": form["scope"]})
        asked = self.codes.pop(form["code"], None)
        if asked is None or hashed(form.get("code_verifier", "")) != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.base, "aud": "osler", "iat": now, "exp": now + 60, "nonce": asked["nonce"], "sub": "u"}
        identity = jwt.encode(claims | self.claims, self.key, "ES256", {"kid": "k"})
        told |= {"scope": "patient/*.rs launch openid", "patient": "p1", "id_token": identity, **self.told}
        return JSONResponse({name: value for name, value in told.items() if value is not None})

    def read(self, request):
        path = request.path_params["path"]
        self.asked.append(path)
        if request.headers.get("authorization") != f"Bearer {SECRET}" or path.split("/")[0] in self.broken:
            return JSONResponse({"resourceType": "OperationOutcome"}, 401)
        if path.startswith("Patient/"):
            return JSONResponse(self.patient)
        drugs = [taken("Warfarin"), taken("Aspirin")] if path == "MedicationStatement" else []
        return JSONResponse({**bundle(*drugs), "type": "searchset"})


@pytest.fixture(scope="module")
def server():
    made = Ehr()
    yield made
    made.server.should_exit = True
    made.thread.join(10)


@pytest.fixture
def ehr(server):
    server.reset()
    return server


def served(ehr, home, app, **more):
    """One of the room's servers with its knowledge, which need not be loaded again."""
    made = create_app(load_settings({"home": str(home), "smart.fhir": (f"{ehr.base}/fhir",), **more}), "token")
    made.state.desk.resources = app.state.desk.resources
    return made


@pytest.fixture(scope="module")
def hospital(server, app, tmp_path_factory):
    """A server of Osler with two accounts and one EHR."""
    made = served(server, tmp_path_factory.mktemp("hospital"), app)
    for name, roles in (("doc", ["clinician"]), ("porter", [])):
        made.state.access.accounts.add(name, roles, PASSWORD)
    return made


@pytest.fixture
def browser(ehr, hospital):
    """A clinician's, who is signed in."""
    headers = {"Accept": "text/html"}
    with TestClient(hospital, base_url="http://127.0.0.1", headers=headers, follow_redirects=False) as made:
        sign_in(made, "doc")
        yield made


def sign_in(browser, name):
    accounts = browser.app.state.access.accounts
    who = next(one for one in accounts.list() if one.id == name)
    browser.cookies.set("osler_session", accounts.sign_in(who, 1))


def launched(browser, ehr, **params):
    there = browser.get("/smart/launch", params={"iss": f"{ehr.base}/fhir", "launch": "xyz", **params})
    assert there.status_code == 303, there.text
    return ehr.authorise(there.headers["location"])


def came_back(browser, asked, code, **more):
    """Through the page that leads on, as a browser goes."""
    told = browser.get("/smart/callback", params={"state": asked["state"], "code": code, **more})
    assert told.status_code == 200 and "/smart/open?" in told.text
    return browser.get("/smart/open", params={"state": asked["state"], "code": code, **more})


@pytest.mark.parametrize("launch", ["xyz", None])
def test_a_patient_of_the_ehr_is_opened(browser, ehr, launch, caplog):
    caplog.set_level(logging.DEBUG)
    asked, code = launched(browser, ehr, launch=launch)
    assert asked["redirect_uri"] == "http://127.0.0.1/smart/callback"
    told = came_back(browser, asked, code)
    assert told.status_code in (303, 307), told.text
    assert "Warfarin" in browser.get(told.headers["location"]).text
    id = told.headers["location"].rsplit("/", 1)[1]
    ledger = browser.app.state.desk.ledger
    assert [one.who for one in ledger.accesses("p1") if one.what == id] == ["doc"]
    assert ledger.payload(id)["output"]["alerts"] and "Patient/p1" in ehr.asked
    kept = json.dumps([ledger.payload(entry.id) for entry in ledger.entries(None)]) + caplog.text
    assert SECRET not in kept and code not in json.dumps([ledger.payload(e.id) for e in ledger.entries(None)])
    assert asked["state"] not in browser.app.state.round_trips
    again = browser.get("/smart/open", params={"state": asked["state"], "code": code})
    assert again.status_code == 401, "a state is good once"


def test_what_could_not_be_read_is_said(browser, ehr):
    ehr.broken = ("AllergyIntolerance",)
    told = came_back(browser, *launched(browser, ehr))
    assert told.status_code == 200 and "allergies" in told.text and "/consult/c-" in told.text


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"aud": "another"}, {"iss": "http://127.0.0.1:1"}, {"nonce": "x"}, {"nonce": None}]
)
def test_a_wrong_identity_opens_nothing(browser, ehr, claims):
    ehr.claims = claims
    assert came_back(browser, *launched(browser, ehr)).status_code == 401
    assert "Patient/p1" not in ehr.asked


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"id_token": None}, 401), ({"access_token": None}, 401), ({"token_type": "mac"}, 401), ({"patient": 1}, 403),
        ({"patient": "../p2"}, 403), ({"patient": ["p1"]}, 403), ({"patient": "p2"}, 502), ({"scope": ""}, 502),
        ({"expires_in": "soon"}, 401), ({"expires_in": 0}, 502),
    ],
)  # fmt: skip
def test_a_wrong_token_opens_nothing(browser, ehr, told, status):
    ehr.told = told
    assert came_back(browser, *launched(browser, ehr)).status_code == status


def test_another_key_and_another_patient_open_nothing(browser, ehr):
    before = len(browser.app.state.desk.ledger.entries(None))
    ehr.key = OTHER
    assert came_back(browser, *launched(browser, ehr)).status_code == 401
    ehr.key, ehr.patient = KEY, {**PATIENT, "id": "p2"}
    assert came_back(browser, *launched(browser, ehr)).status_code == 502
    assert len(browser.app.state.desk.ledger.entries(None)) == before


def test_forged_returns_open_nothing(browser, ehr):
    asked, code = launched(browser, ehr)
    assert came_back(browser, {"state": "made-up"}, code).status_code == 401
    assert came_back(browser, asked, "another").status_code == 401
    asked, code = launched(browser, ehr)
    ehr.codes[code]["code_challenge"] = hashed("of another client")
    assert came_back(browser, asked, code).status_code == 401, "the verifier is not the challenge's"
    asked, code = launched(browser, ehr)
    assert came_back(browser, asked, "", error="access_denied").status_code == 401
    asked, code = launched(browser, ehr)
    browser.cookies.delete("osler_oidc")
    assert came_back(browser, asked, code).status_code == 401, "another browser"


def test_a_code_is_good_once(browser, ehr):
    asked, code = launched(browser, ehr)
    assert came_back(browser, asked, code).status_code in (303, 307)
    second, _ = launched(browser, ehr)
    assert came_back(browser, second, code).status_code == 401


def test_only_one_who_may_consult_opens_a_patient(browser, ehr):
    asked, code = launched(browser, ehr)
    browser.cookies.delete("osler_session")
    assert came_back(browser, asked, code).status_code == 401
    sign_in(browser, "porter")
    assert came_back(browser, asked, code).status_code == 403
    sign_in(browser, "doc")
    assert came_back(browser, asked, code).status_code in (303, 307), "the launch was not used up"


def test_only_servers_of_the_settings_may_launch(browser, ehr):
    for iss in (
        "http://127.0.0.1:1/fhir",
        f"{ehr.base}/fhirx",
        f"{ehr.base}/fhir/../x",
        "",
        "x",
        "http://[",
        "file:///etc",
    ):
        told = browser.get("/smart/launch", params={"iss": iss or "none", "launch": "x"})
        assert told.status_code == 403, iss
    assert ehr.asked == []


@pytest.mark.parametrize(
    ("about", "status"),
    [
        ({"token_endpoint": "https://192.0.2.1/token"}, 403), ({"jwks_uri": "https://192.0.2.1/jwks"}, 403),
        ({"authorization_endpoint": "https://192.0.2.1/auth"}, 403), ({"token_endpoint": "http://192.0.2.1/t"}, 502),
        ({"token_endpoint": 1}, 502), ({"code_challenge_methods_supported": ["plain"]}, 502),
        ({"code_challenge_methods_supported": []}, 502), ({"code_challenge_methods_supported": None}, 502),
    ],
)  # fmt: skip
def test_egress_and_pkce_are_asked_for(browser, ehr, about, status):
    ehr.about = about
    told = browser.get("/smart/launch", params={"iss": f"{ehr.base}/fhir", "launch": "x"})
    assert told.status_code == status
    if "PKCE" not in told.text:
        return
    assert "S256" in told.text


def test_an_ehr_elsewhere_needs_the_egress_gate(ehr, tmp_path):
    given = {"home": str(tmp_path), "smart.fhir": ("https://192.0.2.1/fhir", "http://192.0.2.2/fhir")}
    with TestClient(create_app(load_settings(given), "t"), base_url="http://127.0.0.1") as client:
        told = client.get("/smart/launch", params={"iss": "https://192.0.2.1/fhir"})
        assert told.status_code == 403 and "egress" in told.text
        assert "https" in client.get("/smart/launch", params={"iss": "http://192.0.2.2/fhir"}).json()["detail"]


@pytest.mark.parametrize(("algorithm", "key"), [
    ("RS384", rsa.generate_private_key(65537, 2048)), ("ES384", ec.generate_private_key(ec.SECP384R1())),
])  # fmt: skip
def test_the_back_end_service_reads_a_record(ehr, app, tmp_path, algorithm, key):
    made = served(ehr, tmp_path, app, **{"smart.key": str(pem(tmp_path, key))})
    with TestClient(made, base_url="http://127.0.0.1", headers={"Authorization": "Bearer token"}) as client:
        outcome(client.post("/fhir/Patient/p1/$consult"), 401)
        published = client.get("/smart/jwks.json", headers={"Authorization": ""}).json()["keys"]
        assert [one["alg"] for one in published] == [algorithm] and not {"d", "p", "q"} & set(published[0])
        ehr.keys, ehr.broken = published, ("Condition",)
        told = client.post("/fhir/Patient/p1/$consult", json=parameters())
        found = [one["resource"] for one in valid(told.json())["entry"]]
        assert "conditions" in found[-1]["issue"][0]["diagnostics"]
        assert {"DetectedIssue", "GuidanceResponse"} <= {one["resourceType"] for one in found}
        assert ehr.granted == {"system/*.rs"} and len(ehr.used) == 1
        assert consulted(client, bundle(PATIENT, taken("Warfarin")), "/fhir/Patient/p1/$consult"), "the EHR isn't asked"
        assert len(ehr.used) == 1
        outcome(client.post("/fhir/Patient/p2/$consult"), 502)
        outcome(client.post("/fhir/Patient/a b/$consult"), 404)


def pem(folder, key):
    file = folder / "key.pem"
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(*kinds))
    return file


def test_a_key_that_is_none_is_said(ehr, app, tmp_path):
    for name, key in (("weak", ec.generate_private_key(ec.SECP256R1())), ("none", None)):
        folder = tmp_path / name
        folder.mkdir()
        file = pem(folder, key) if key else folder / "no.pem"
        made = served(ehr, folder, app, **{"smart.key": str(file)})
        with TestClient(made, base_url="http://127.0.0.1", headers={"Authorization": "Bearer token"}) as client:
            assert "smart.key" in outcome(client.post("/fhir/Patient/p1/$consult"), 400)
            assert client.get("/smart/jwks.json").status_code == 400


def test_a_token_of_the_hospitals_server_opens_the_facade(ehr, app, tmp_path):
    more = {"oidc.issuer": ehr.base, "oidc.roles": ("physician=clinician",)}
    with TestClient(served(ehr, tmp_path, app, **more), base_url="http://127.0.0.1") as client:
        about = client.get("/fhir/.well-known/smart-configuration").json()
        assert about["token_endpoint"] == f"{ehr.base}/token" and "S256" in about["code_challenge_methods_supported"]
        security = valid(client.get("/fhir/metadata").json())["rest"][0]["security"]
        assert f"{ehr.base}/token" in json.dumps(security["extension"]) and security["service"]

        def bearer(scope="user/*.cruds", key=KEY, **more):
            now = int(time.time())
            said = {"iss": ehr.base, "aud": "http://127.0.0.1/fhir", "iat": now, "exp": now + 60, "scope": scope}
            said |= {"preferred_username": "doc", "roles": ["physician"], **more}
            return {"Authorization": f"Bearer {jwt.encode(said, key, 'ES256', {'kid': 'k'})}"}

        made = client.post("/fhir/$consult", json=parameters(notes=["Fever."]), headers=bearer())
        assert made.status_code == 200
        reports = "/fhir/DiagnosticReport"
        for scope, status in (
            ("user/*.cruds", 200), ("user/DiagnosticReport.rs", 200), ("system/*.read", 200), ("user/*.r", 403),
            ("patient/*.rs", 403), ("user/Composition.rs", 403), ("user/*.write", 403), ("", 403), ("user/*", 403),
        ):  # fmt: skip
            assert client.get(reports, headers=bearer(scope)).status_code == status, scope
        assert (
            client.post("/fhir/$consult", json=parameters(notes=["a"]), headers=bearer("user/*.rs")).status_code == 403
        )
        assert client.get(reports, headers=bearer(preferred_username="other")).json()["total"] == 0
        for wrong in ({"exp": 1}, {"aud": "http://127.0.0.1"}, {"iss": "x"}, {"key": OTHER}):
            outcome(client.get(reports, headers=bearer(**wrong)), 401, "login")
        outcome(client.get(reports, headers=bearer(roles=["porter"], preferred_username="porter")), 403)
        outcome(client.get(reports, headers={"Authorization": "Bearer a.b.c"}), 401)
        assert client.get("/api/v1/consults", headers=bearer()).status_code == 401, "it is for this door alone"
