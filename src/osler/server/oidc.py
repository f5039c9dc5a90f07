"""Sign-in through a hospital's OpenID Connect server: code flow with PKCE (RFC 7636), identity token checked.

A browser's round trip is bound to it by a cookie, and good once. It keeps no token of that server.
"""

import hashlib
import os
import secrets
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from osler.errors import OslerError
from osler.nouns import Principal
from osler.privacy.egress import parse
from osler.server.access import let_in
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.settings import Oidc

router = APIRouter(prefix="/oidc", include_in_schema=False)
COOKIE = "osler_oidc"
ENDPOINTS = ("authorization_endpoint", "token_endpoint")
ALGORITHMS = ("RS256", "RS384", "ES256", "ES384", "PS256", "EdDSA")
SECONDS, WAITING = 600, 1000  # of a round trip, and round trips at once
TIMEOUT = 10.0


class Begun(NamedTuple):
    """A round trip that is under way. `at`: the server it goes to, where there may be several."""

    nonce: str
    verifier: str
    until: float
    at: str


@router.get("/start")
def start(request: Request) -> Response:
    """To the server's own sign-in page."""
    settings, about = configured(request), discovered(configured(request))
    asked = {"client_id": settings.client, "redirect_uri": back(request), "scope": settings.scopes}
    return sent(request, about["authorization_endpoint"], router.prefix, asked)


def sent(request: Request, endpoint: str, path: str, asked: dict[str, str], at: str = "") -> Response:
    """To an authorisation server, from where a code comes back below `path`, to this browser alone."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    trips = trips_of(request)
    trips[state] = Begun(nonce, verifier, time.time() + SECONDS, at)
    while len(trips) > WAITING:
        trips.popitem(last=False)
    asked |= {
        "response_type": "code", "state": state, "nonce": nonce,
        "code_challenge": hashed(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    there = RedirectResponse(f"{endpoint}?{urlencode(asked)}", 303)
    secure = request.url.scheme == "https"
    there.set_cookie(COOKIE, state, max_age=SECONDS, httponly=True, samesite="lax", secure=secure, path=path)
    return there


def hashed(text: str) -> str:
    """SHA-256 in base64url, as OAuth writes it."""
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def came_back(request: Request, state: str, code: str, error: str) -> Begun:
    """The round trip that ends here with a code. Raises Refused."""
    begun = trips_of(request).pop(state, None)
    if begun is None or begun.until < time.time() or request.cookies.get(COOKIE) != state:
        raise Refused(401, _("this sign-in was not begun here, or took too long"))
    if error or not code:
        raise Refused(401, f"the sign-in server refused: {error or 'it sent no code'}")
    return begun


@router.get("/callback")
def callback(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Back from there with a code."""
    settings, begun = configured(request), came_back(request, state, code, error)
    who = account(request, identity(settings, discovered(settings), code, begun, back(request)))
    # A page, not a redirect: a strict cookie is not sent on a way that began at another site.
    there = let_in(request, who, page(request, "entered"))
    there.delete_cookie(COOKIE, path="/oidc")
    return there


def account(request: Request, said: dict[str, Any]) -> Principal:
    """The account that claims of the server speak of. Raises Refused."""
    settings = configured(request)
    name, given = said.get(settings.account_claim), said.get(settings.roles_claim)
    ours = dict(entry.split("=", 1) for entry in settings.roles if "=" in entry)
    listed = given if isinstance(given, list) else [given]
    roles = [ours[role] for role in listed if isinstance(role, str) and role in ours]
    accounts = request.app.state.access.accounts
    known = said.get("name") if isinstance(said.get("name"), str) else None
    who: Principal | None = accounts.known_outside(name, known, roles) if isinstance(name, str) and name else None
    if who is None:
        raise Refused(403, _("this account has no role here, or was disabled"))
    return who


def identity(settings: Oidc, about: dict[str, Any], code: str, begun: Begun, to: str) -> dict[str, Any]:
    """The claims of the identity token that a code is worth. Raises Refused."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": to, "code_verifier": begun.verifier}
    secret = os.environ.get(settings.secret_variable)
    login = httpx.BasicAuth(settings.client, secret) if secret else httpx.Auth()
    form |= {} if secret else {"client_id": settings.client}
    try:
        told = httpx.post(about["token_endpoint"], data=form, auth=login, timeout=TIMEOUT)
        token = told.raise_for_status().json()["id_token"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as fault:
        raise Refused(401, f"the sign-in server's answer can't be trusted ({type(fault).__name__})") from None
    return claims(token, about, settings.client, begun.nonce)


def claims(token: str, about: dict[str, Any], audience: str, nonce: str | None = None) -> dict[str, Any]:
    """What a token of a server says that is meant for this audience, and for this sign-in. Raises Refused."""
    import jwt

    try:
        key = jwt.PyJWKClient(about["jwks_uri"], timeout=int(TIMEOUT)).get_signing_key_from_jwt(token).key
        needs: Any = {"require": ["iss", "aud", "exp", "iat"]}
        said: dict[str, Any] = jwt.decode(
            token, key, list(ALGORITHMS), needs, audience=audience, issuer=about["issuer"], leeway=30
        )
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, OSError, OverflowError, RecursionError) as fault:
        raise Refused(401, f"the sign-in server's answer can't be trusted ({type(fault).__name__})") from None
    if nonce is not None and said.get("nonce") != nonce:
        raise Refused(401, "the identity token was made for another sign-in")
    return said


def configured(request: Request) -> Oidc:
    settings: Oidc = request.app.state.desk.settings.oidc
    if settings.issuer is None:
        raise Refused(404, _("no sign-in server is configured"))
    return settings


def discovered(settings: Oidc) -> dict[str, Any]:
    """What the server says of itself. Raises Refused."""
    issuer = str(settings.issuer)
    about = described(f"{issuer.rstrip('/')}/.well-known/openid-configuration", (*ENDPOINTS, "jwks_uri"))
    if about.get("issuer") != issuer:
        raise Refused(502, "the sign-in server says it is another one")
    return about


def described(url: str, needed: Sequence[str]) -> dict[str, Any]:
    """What an authorisation server says of itself; the needed addresses must be https, or this machine's. Raises
    Refused."""
    try:
        about: dict[str, Any] = httpx.get(url, timeout=TIMEOUT).raise_for_status().json()
        places = [parse(about[name]) for name in needed]
    except (httpx.HTTPError, OslerError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused(502, _("the sign-in server does not answer")) from None
    if not all(place.scheme == "https" or place.loopback for place in places):
        raise Refused(502, "the sign-in server is not reached over https")
    return about


def back(request: Request) -> str:
    base = request.app.state.desk.settings.oidc.url or str(request.base_url)
    return f"{base.rstrip('/')}/oidc/callback"


def trips_of(request: Request) -> OrderedDict[str, Begun]:
    trips: OrderedDict[str, Begun] = request.app.state.round_trips
    return trips
