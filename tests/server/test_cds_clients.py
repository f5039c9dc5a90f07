"""A CDS Hooks conversation with signed tokens of an EHR, and with forged ones."""

import base64
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cds import NONE, body, cards, post
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.testclient import TestClient

from osler.errors import InputError
from osler.server.app import create_app
from osler.settings import load_settings

HERE = "http://127.0.0.1/cds-services/osler-patient-view"
EHR, OTHER = "https://ehr.example/", "https://other.example/"
KEYS = {
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS384": rsa.generate_private_key(65537, 2048),
    "RS256": rsa.generate_private_key(65537, 2048),
}


def public(algorithm, kid, **more):
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm].public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig", **more}


@pytest.fixture(scope="module")
def key_server():
    """Serves a set of keys, which a test may change, and counts how often it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": self.server.held}).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.held, server.asked = [public("ES256", "over-http")], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def ehr(tmp_path_factory, key_server):
    home = tmp_path_factory.mktemp("clients")
    (home / "keys.json").write_text(json.dumps({"keys": [public(name, name) for name in KEYS] + [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
        public("ES384", "encrypts", use="enc"),
    ]}))  # fmt: skip
    jku = f"http://127.0.0.1:{key_server.server_port}/jwks"
    clients = ({"issuer": EHR, "keys": str(home / "keys.json")}, {"issuer": OTHER, "jku": jku})
    app = create_app(load_settings({"home": str(home), "cds.clients": clients}), "the-server-token")
    return TestClient(app, base_url="http://127.0.0.1")


def token(algorithm="ES384", key=None, header=None, **claims):
    now = int(time.time())
    said = {"iss": EHR, "aud": HERE, "exp": now + 300, "iat": now, "jti": str(uuid.uuid4())} | claims
    said = {name: value for name, value in said.items() if value is not None}
    headers = {"kid": algorithm, "typ": "JWT"} | (header or {})
    return jwt.encode(said, KEYS.get(algorithm) if key is None else key, algorithm, headers=headers)


def status(ehr, given, path=HERE):
    told = ehr.post(path, json=body("patient-view", NONE), headers={"Authorization": f"Bearer {given}"})
    if told.status_code == 401:
        assert told.headers["www-authenticate"].startswith("Bearer") and told.json()["where"] == "Authorization"
    return told.status_code


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signed_call_is_answered(ehr, algorithm):
    assert status(ehr, token(algorithm)) == 200
    assert status(ehr, token(algorithm, aud=[HERE, "https://elsewhere.example"], tenant="ward 7")) == 200


def test_a_token_is_good_once(ehr):
    given = token()
    assert [status(ehr, given), status(ehr, given)] == [200, 401]
    assert status(ehr, token(jti="the-same")) == 200
    assert status(ehr, token(jti="the-same", aud=[HERE])) == 401


def test_the_servers_own_token_opens_too_and_nothing_else(ehr):
    assert status(ehr, "the-server-token") == 200
    assert status(ehr, "another") == 401
    assert post(ehr, "patient-view", NONE).status_code == 401
    assert ehr.get("/cds-services").status_code == 200


def test_forged_tokens_are_refused(ehr):
    now = int(time.time())
    as_pem = {"encoding": serialization.Encoding.PEM, "format": serialization.PublicFormat.SubjectPublicKeyInfo}
    pem = KEYS["RS256"].public_key().public_bytes(**as_pem)
    stranger = ec.generate_private_key(ec.SECP384R1())
    head, claims, signature = token().split(".")
    longer = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"exp": now + 9000}
    changed = base64.urlsafe_b64encode(json.dumps(longer).encode()).rstrip(b"=").decode()
    forged = {
        "alg none": jwt.encode(
            jwt.decode(token(), options={"verify_signature": False}), None, "none", {"kid": "ES384", "typ": "JWT"}
        ),
        "signed with the public key": hs256(pem, "RS256"),
        "signed with a shared key": hs256(
            base64.urlsafe_b64decode("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=="), "shared"
        ),
        "another service": token(aud=HERE.replace("patient-view", "order-sign")),
        "another server": token(aud="https://elsewhere.example/cds-services/osler-patient-view"),
        "no audience": token(aud=None),
        "expired": token(exp=now - 60),
        "never ends": token(exp=None),
        "from the future": token(iat=now + 3600),
        "no time": token(iat=None),
        "no number": token(jti=None),
        "unknown issuer": token(iss="https://evil.example/"),
        "no issuer": token(iss=None),
        "another's issuer": token(iss=OTHER, header={"kid": "ES384"}),
        "unknown key": token(header={"kid": "other"}),
        "no key named": jwt.encode(jwt.decode(token(), options={"verify_signature": False}), KEYS["ES384"], "ES384"),
        "a key for something else": token(header={"kid": "encrypts"}),
        "another key": token(key=stranger),
        "a key of another kind": token("ES256", header={"kid": "ES384"}),
        "an address of keys that nobody allowed": token(header={"jku": "https://evil.example/jwks"}),
        "its own key in its header": token(key=stranger, header={"jwk": public("ES384", "ES384")}),
        "another type": token(header={"typ": "at+jwt"}),
        "another algorithm": token("PS256", key=KEYS["RS256"], header={"kid": "RS256"}),
        "another signature": f"{head}.{claims}.{signature[::-1]}",
        "other claims": f"{head}.{changed}.{signature}",
        "no signature": f"{head}.{claims}.",
        "not a token": "a.b.c",
        "endless": token(exp=1e400),
    }
    assert {why: status(ehr, given) for why, given in forged.items()} == dict.fromkeys(forged, 401)


def hs256(secret, kid):
    """A token signed by HMAC; the library would not sign with a public key."""
    import hashlib
    import hmac

    now = int(time.time())
    parts = [{"alg": "HS256", "typ": "JWT", "kid": kid},
             {"iss": EHR, "aud": HERE, "exp": now + 300, "iat": now, "jti": str(uuid.uuid4())}]  # fmt: skip
    signed = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_keys_are_read_from_the_allowed_address_and_kept(ehr, key_server):
    jku = f"http://127.0.0.1:{key_server.server_port}/jwks"
    for header in ({"kid": "over-http", "jku": jku}, {"kid": "over-http"}):
        assert status(ehr, token("ES256", iss=OTHER, header=header)) == 200
    assert status(ehr, token("ES256", iss=OTHER, header={"kid": "over-http", "jku": jku + "/other"})) == 401
    before = key_server.asked
    codes = [status(ehr, token("ES256", iss=OTHER, header={"kid": f"made-up-{n}"})) for n in range(5)]
    assert codes == [401] * 5 and key_server.asked <= before + 1


def test_feedback_needs_a_token_of_its_own(ehr):
    said = {"feedback": [{"card": "x", "outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}]}
    for audience, code in ((HERE, 200), (f"{HERE}/feedback", 200), ("http://127.0.0.1/cds-services", 401)):
        headers = {"Authorization": f"Bearer {token(aud=audience)}"}
        assert ehr.post(f"{HERE}/feedback", json=said, headers=headers).status_code == code


def test_one_clients_cards_are_not_anothers(ehr):
    from cds import order

    drafts = [order("d1", "Warfarin"), order("d2", "Aspirin")]
    path = HERE.replace("patient-view", "order-sign")
    headers = {"Authorization": f"Bearer {token(aud=path)}"}
    [card] = cards(ehr.post(path, json=body("order-sign", NONE, drafts), headers=headers))
    said = {"feedback": [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}]}
    for who, header, code in ((OTHER, {"kid": "over-http"}, 403), (EHR, None, 200)):
        signed = token("ES256", aud=path, iss=who, header=header)
        assert (
            ehr.post(f"{path}/feedback", json=said, headers={"Authorization": f"Bearer {signed}"}).status_code == code
        )


def test_keys_have_a_safe_place(tmp_path):
    for client in (
        {"issuer": EHR},
        {"issuer": EHR, "jku": "http://ehr.example/jwks"},
        {"issuer": EHR, "jku": "file:///etc/x"},
    ):
        with pytest.raises(InputError):
            create_app(load_settings({"home": str(tmp_path), "cds.clients": (client,)}), "t")
