"""Who sends a request, and what they may see: by cookie in a browser, by bearer token from a program.

Without an account the server belongs to its machine's user, who opens it by the token it prints. With accounts a
patient's answers are their owner's, and a privacy officer's or one's who breaks the glass with a reason; every sight of
them is in the ledger (see `sight`).
"""

import hmac
import secrets
from typing import Any

from fastapi import Depends, Request
from starlette.responses import Response

from osler.nouns import Principal
from osler.server.accounts import LOCAL, Accounts, Role, SignIn
from osler.server.guard import SAFE
from osler.server.look import _
from osler.server.problems import Refused
from osler.settings import Settings

COOKIE = "osler_session"
LONGEST_REASON = 500


class Access:
    """The door-keeper of one server. `token`: opens it while there are no accounts; a made-up one a browser once."""

    def __init__(self, settings: Settings, token: str | None) -> None:
        self.accounts = Accounts(settings)
        self.hours = settings.server.hours
        self.outside = settings.oidc.issuer is not None
        self.token = token or secrets.token_urlsafe(24)
        self._links = 1 if token is None else None  # how often the link may still be used; null: always

    @property
    def open_to_token(self) -> bool:
        return not (self.outside or self.accounts.any())

    def by_link(self, given: str) -> bool:
        """Whether the printed link opens, with this token, now."""
        if not self._is_token(given) or self._links == 0:
            return False
        self._links = self._links and self._links - 1
        return True

    def sign_in_of(self, request: Request) -> SignIn | None:
        """The sign-in that a request carries. Raises Refused for a bearer token that is none."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            found = SignIn(LOCAL, None) if self._is_token(given) else self.accounts.signed_in(given)
            if found is None or found.csrf is not None:
                raise Refused(401, "the token is not valid", "Authorization", {"WWW-Authenticate": "Bearer"})
            return found
        secret = request.cookies.get(COOKIE)
        found = self.accounts.signed_in(secret) if secret else None
        return found if found and (found.principal is not LOCAL or self.open_to_token) else None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.strip().encode(), self.token.encode()) and self.open_to_token


def let_in(request: Request, who: Principal, response: Response) -> Response:
    """The response, carrying a new sign-in of this browser."""
    access: Access = request.app.state.access
    secret = access.accounts.sign_in(who, access.hours)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, secret, max_age=access.hours * 3600, httponly=True, samesite="strict", secure=secure)
    return response


def signed_in(request: Request) -> Principal:
    """Who sends this request. Raises Refused for nobody, and for a page's request that another page may have forged."""
    found: SignIn | None = request.app.state.access.sign_in_of(request)
    if found is None:
        raise Refused(401, _("sign in, or send a bearer token"), headers={"WWW-Authenticate": "Bearer"})
    if found.csrf is not None and request.method not in SAFE:
        given = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(given.encode(), found.csrf.encode()):
            raise Refused(403, _("the request doesn't carry this sign-in's token"), "X-CSRF-Token")
    request.state.principal, request.state.csrf = found.principal, found.csrf
    return found.principal


def role(*roles: Role) -> Any:
    """A dependency: the principal, who has one of these roles."""

    def checked(principal: Principal = Depends(signed_in)) -> Principal:  # noqa: B008 - how FastAPI asks for it
        if not set(roles) & set(principal.roles):
            raise Refused(403, f"this needs the role {' or '.join(roles)}")
        return principal

    return Depends(checked)


def capability(name: str) -> Any:
    """A dependency: this capability is not switched off (`server.off`)."""

    def checked(request: Request) -> None:
        if name in request.app.state.desk.settings.server.off:
            raise Refused(503, f"{name} is switched off on this server", headers={"Retry-After": "3600"})

    return Depends(checked)
