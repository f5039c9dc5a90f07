"""SMART App Launch 2: a patient of an EHR opened in the workbench, the back-end service, and who may use `/fhir`.

What is asked of an EHR passes the egress gate; its tokens live as long as the request that needs them.
"""

import functools
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from osler.errors import InputError
from osler.nouns import Principal
from osler.privacy.egress import Gate, parse
from osler.server import oidc
from osler.server.access import capability, signed_in
from osler.server.api import CLINICAL, desk_of
from osler.server.cds_cards import CDS
from osler.server.cds_clients import base_of
from osler.server.cds_prefetch import Gathered, collected, gather, outgoing
from osler.server.cds_shapes import Authorization, Call
from osler.server.consult_pages import make_consult
from osler.server.fhir_shapes import ID
from osler.server.look import language_of, page
from osler.server.problems import Refused
from osler.server.work import working
from osler.settings import Cds, Oidc, Settings

router = APIRouter(prefix="/smart", include_in_schema=False)
EXTENSION = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SERVICE = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}
BY_KEY = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PUBLIC = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}  # of a key, as RFC 7638 lists them
_SCOPE = re.compile(r"(?:user|system)/(\*|\w+)\.(\*|read|write|c?r?u?d?s?)")
_OLD = {"*": "cruds", "read": "rs", "write": "cud"}


# --- a client of an EHR


@router.get("/launch")
def begin(request: Request, iss: str = "", launch: str | None = None) -> Response:
    """From an EHR with its `launch`, or from anywhere without one: to the EHR's authorisation server."""
    settings = desk_of(request).settings
    iss = iss or next(iter(settings.smart.fhir), "")
    about = server_of(settings, iss, (*oidc.ENDPOINTS, "jwks_uri"))
    if "S256" not in (about.get("code_challenge_methods_supported") or ()):
        raise Refused(502, "the authorisation server knows no PKCE with S256")
    scope = f"{'launch' if launch else 'launch/patient'} {settings.smart.scopes}"
    asked = {"client_id": settings.smart.client, "redirect_uri": back(request), "scope": scope, "aud": iss}
    asked |= {"launch": launch} if launch else {}
    return oidc.sent(request, about["authorization_endpoint"], router.prefix, asked, iss)


@router.get("/callback")
def callback(request: Request) -> Response:
    """Back from there. A page leads on: a strict cookie is not sent on a way that began at another site."""
    return page(
        request, "launched", to=f"{router.prefix}/open?{urlencode(request.query_params.multi_items())}", lines=[]
    )


@router.get("/open", dependencies=[CLINICAL, capability("consult"), working()])
def open_patient(
    request: Request, who: Annotated[Principal, Depends(signed_in)], state: str = "", code: str = "", error: str = ""
) -> Response:
    """Consult on the patient that the launch is about, and show what came out."""
    begun, settings = oidc.came_back(request, state, code, error), desk_of(request).settings
    about = server_of(settings, begun.at, (*oidc.ENDPOINTS, "jwks_uri"))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back(request)}
    told, access = exchanged(settings, about, {**form, "code_verifier": begun.verifier})
    if "openid" in settings.smart.scopes.split():
        oidc.claims(str(told.get("id_token")), about, settings.smart.client, begun.nonce)
    if not isinstance(patient := told.get("patient"), str) or not ID.fullmatch(patient):
        raise Refused(403, "the launch names no patient")
    found = record_of(settings, begun.at, access, patient)
    id = make_consult(request, who, collected(found.entries), f"Patient/{patient} of {begun.at}", "fhir", [])
    lines = told_missing(found, language_of(request))
    return page(request, "launched", to=f"/consult/{id}", lines=lines) if lines else RedirectResponse(f"/consult/{id}")


@router.get("/jwks.json")
def keys(request: Request) -> Response:
    """The public key that this client's assertions are signed with."""
    file = desk_of(request).settings.smart.key
    return JSONResponse({"keys": [signing_key(file)[2]] if file else []})


def system_record(request: Request, patient: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The record of a patient as the back-end service reads it, and what could not be read. Raises Refused."""
    settings = desk_of(request).settings
    if not settings.smart.key or len(settings.smart.fhir) != 1:
        raise Refused(400, "give the record: to read it takes `key` and one server in the settings of smart", "record")
    if not ID.fullmatch(patient):
        raise Refused(404, "there is no such patient")
    iss = settings.smart.fhir[0]
    about = server_of(settings, iss, ("token_endpoint",))
    form = {"grant_type": "client_credentials", "scope": settings.smart.system_scopes}
    found = record_of(settings, iss, exchanged(settings, about, form)[1], patient)
    return found.entries, told_missing(found, "en")


def server_of(settings: Settings, iss: str, needed: Sequence[str]) -> dict[str, Any]:
    """What a FHIR server of the settings says of its authorisation server. Raises Refused, EgressBlocked."""
    if not iss or iss.rstrip("/") not in [one.rstrip("/") for one in settings.smart.fhir]:
        raise Refused(403, "this FHIR server is not one that the settings allow", "iss")
    if not ((place := parse(iss)).scheme == "https" or place.loopback):
        raise Refused(403, "a FHIR server is read over https", "iss")
    gate = Gate(settings.egress)
    gate.check(iss)
    about = oidc.described(f"{iss.rstrip('/')}/.well-known/smart-configuration", needed)
    for name in needed:
        gate.check(about[name])
    return about


def exchanged(settings: Settings, about: dict[str, Any], form: dict[str, str]) -> tuple[dict[str, Any], Authorization]:
    """What the token endpoint gives; the client is proven by its key, its secret, or not at all. Raises Refused."""
    smart, endpoint, login = settings.smart, about["token_endpoint"], httpx.Auth()
    if smart.key:
        form |= {"client_assertion_type": BY_KEY, "client_assertion": assertion(smart.key, smart.client, endpoint)}
    elif secret := os.environ.get(smart.secret_variable):
        login = httpx.BasicAuth(smart.client, secret)
    else:
        form["client_id"] = smart.client
    try:
        client = outgoing(parse(endpoint).loopback)
        told = client.post(endpoint, data=form, auth=login, timeout=smart.timeout).raise_for_status().json()
        given = {"expires_in": 60, "scope": "", **told, "subject": smart.client}
        return told, Authorization.model_validate(given)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, RecursionError) as fault:
        raise Refused(401, f"the authorisation server gave no token ({type(fault).__name__})") from None


def record_of(settings: Settings, iss: str, access: Authorization, patient: str) -> Gathered:
    """What an EHR's FHIR server has of a patient. Raises Refused where it gives another, or none."""
    call = Call(hook="patient-view", hook_instance=uuid4(), fhir_server=iss, fhir_authorization=access, context={})
    found = gather(CDS["prefetch"], call, patient, Cds(fhir=(iss,), timeout=settings.smart.timeout))
    people = [one["resource"] for one in found.entries if one["resource"].get("resourceType") == "Patient"]
    if [person.get("id") for person in people] != [patient]:
        raise Refused(502, "the FHIR server did not give the patient that the token is for")
    return found


def told_missing(found: Gathered, language: str) -> list[str]:
    says = CDS[language]
    return [f"{says['parts'][part]}: {says[why]}" for part, why in found.missing.items() if why != "none"]


def back(request: Request) -> str:
    return f"{base_of(request)}{router.prefix}/callback"


def assertion(file: str, client: str, endpoint: str) -> str:
    """That this is the client, for its token endpoint alone, once and now (RFC 7523)."""
    import jwt

    key, algorithm, public = signing_key(file)
    said = {"iss": client, "sub": client, "aud": endpoint, "exp": int(time.time()) + 240, "jti": str(uuid4())}
    return jwt.encode(said, key, algorithm, {"kid": public["kid"]})


@functools.cache
def signing_key(file: str) -> tuple[Any, str, dict[str, Any]]:
    """The private key of a file, its algorithm, and the public half. Raises InputError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm

    try:
        key = load_pem_private_key(Path(file).expanduser().read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError("this is no PEM file of a private key", where="setting smart.key") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        algorithm, jwk = "RS384", RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        algorithm, jwk = "ES384", ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        raise InputError("the key is neither P-384 nor RSA of 2,048 bits or more", where="setting smart.key")
    public = {name: jwk[name] for name in PUBLIC[jwk["kty"]]}
    name = oidc.hashed(json.dumps(public, separators=(",", ":")))
    return key, algorithm, {**public, "use": "sig", "key_ops": ["verify"], "alg": algorithm, "kid": name}


# --- the keeper of `/fhir`


def caller(request: Request) -> Principal:
    """A dependency: who uses `/fhir`, by a token of the hospital's server for it, or by what opens the other doors."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    settings = desk_of(request).settings.oidc
    if not (settings.issuer and scheme.lower() == "bearer" and given.count(".") == 2):
        return signed_in(request)
    said = oidc.claims(given.strip(), _about(settings), f"{base_of(request)}/fhir")
    request.state.scopes = str(said.get("scope", "")).split()
    return oidc.account(request, said)


def check_scope(request: Request, type: str, right: str) -> None:
    """Raises Refused where a token's scopes don't hold a right (of c, r, u, d, s) to a type."""
    scopes = getattr(request.state, "scopes", None)
    found = [match for scope in scopes or () if (match := _SCOPE.fullmatch(scope))]
    if scopes is not None and not any(one[1] in ("*", type) and right in _OLD.get(one[2], one[2]) for one in found):
        raise Refused(403, f"the token's scopes don't hold user/{type}.{right}", "Authorization")


def configuration(request: Request) -> dict[str, Any]:
    """What a client must know of the server whose tokens open `/fhir`. Raises Refused where there is none."""
    about = _about(oidc.configured(request))
    told = ("issuer", "jwks_uri", *oidc.ENDPOINTS, "grant_types_supported", "code_challenge_methods_supported")
    capabilities = ["permission-user", "permission-v1", "permission-v2"]
    return {**{name: about.get(name, []) for name in told}, "capabilities": capabilities}


def security(request: Request) -> dict[str, Any]:
    """How `/fhir` is kept, as a CapabilityStatement says it."""
    settings = desk_of(request).settings.oidc
    kept: dict[str, Any] = {"cors": False, "description": "A bearer token of this server's accounts."}
    if settings.issuer is None:
        return kept
    try:
        about = _about(settings)
    except Refused:  # it is not there now; what it says is left out
        return kept
    places = [("authorize", about[oidc.ENDPOINTS[0]]), ("token", about[oidc.ENDPOINTS[1]])]
    uris = {"url": EXTENSION, "extension": [{"url": name, "valueUri": place} for name, place in places]}
    return {**kept, "service": [{"coding": [SERVICE]}], "extension": [uris]}


@functools.lru_cache(maxsize=4)
def _about(settings: Oidc) -> dict[str, Any]:
    return oidc.discovered(settings)
