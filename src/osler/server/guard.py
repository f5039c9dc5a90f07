"""What stands before every door: the names this server answers to, whence a request may come, how large and how often.

Host and Origin are checked against DNS rebinding and forged requests of other sites; headers forbid the browser to load
anything from elsewhere. It reads no body and knows no account.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from osler.server.look import _
from osler.server.problems import Refused, tell
from osler.settings import Server

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")
CLIENTS = 10_000  # remembered for the rate limit
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware. Origins whose pages may write are those of the server's own names, and `callers` at the door for
    decision support."""

    def __init__(self, app: ASGIApp, settings: Server, callers: Sequence[str] = ()) -> None:
        self.app, self.settings, self.callers = app, settings, callers
        self.names = {*LOOPBACK, *settings.hosts, *([] if is_any(settings.host) else [settings.host])}
        self._allowance: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, began = Request(scope), False
        self.settings = scope["app"].state.desk.settings.server  # limits may be changed while it runs

        async def sending(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                route = getattr(scope.get("route"), "path", "other")
                scope["app"].state.counts[route, message["status"]] += 1
                own = {name.lower() for name, _ in message["headers"]}
                extra = {**HEADERS} if scope["path"].startswith("/static") else {**HEADERS, "Cache-Control": "no-store"}
                message["headers"] += [
                    (key.encode(), value.encode()) for key, value in extra.items() if key.lower().encode() not in own
                ]
            await send(message)

        try:
            self._check(request)
            await self.app(scope, self._bounded(receive), sending)
        except Refused as refused:
            if began:
                raise
            told = tell(request, refused.status, refused.detail, refused.where, refused.headers)
            await told(scope, receive, sending)

    def _check(self, request: Request) -> None:
        if (name := host_of(f"//{request.headers.get('host', '')}")) not in self.names:
            raise Refused(421, f"this server is not called {name!r}; `server.hosts` names what it answers to", "Host")
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if request.method not in SAFE:
            invited = origin in self.callers and request.url.path.startswith("/cds-services")
            if origin is not None and host_of(origin) not in self.names and not invited:
                raise Refused(403, _("a page of another site may not write here"), "Origin")
            if origin is None and site == "cross-site":
                raise Refused(403, _("a page of another site may not write here"), "Sec-Fetch-Site")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal():
            raise Refused(400, "not a length", "Content-Length")
        if int(length) > self._most:
            raise Refused(413, f"a request has at most {self.settings.upload} MB")
        if not self._within_rate(request.client.host if request.client else ""):
            raise Refused(429, _("too many requests"), headers={"Retry-After": "10"})

    @property
    def _most(self) -> int:
        return self.settings.upload * 1_000_000

    def _bounded(self, receive: Receive) -> Receive:
        """The body as it comes, never more than the limit (a chunked one doesn't say how long it is)."""
        seen = 0

        async def receiving() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise Refused(413, f"a request has at most {self.settings.upload} MB")
            return message

        return receiving

    def _within_rate(self, client: str) -> bool:
        """A token bucket for each client: a minute's allowance at most, refilled evenly."""
        most, now = float(self.settings.rate), time.monotonic()
        left, then = self._allowance.pop(client, (most, now))
        left = min(most, left + (now - then) * most / 60)
        self._allowance[client] = (max(0.0, left - 1), now)
        while len(self._allowance) > CLIENTS:
            self._allowance.popitem(last=False)
        return left >= 1


def host_of(url: str) -> str:
    """The host of a URL in lower case, without port; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_any(host: str) -> bool:
    """Whether an address to listen on stands for every interface."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
