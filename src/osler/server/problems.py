"""Errors as the door they came through tells them: problem documents (RFC 9457), OpenAI's, FHIR's, or a page.

It knows no cause; rooms raise `OslerError` and doors raise `Refused`.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from osler.errors import OslerError
from osler.server.look import _, is_page, page

# Kinds of OslerError by the status they are told with; every other kind is the request's fault.
STATUS = {
    "busy": 503,
    "missing": 503,
    "endpoint": 502,
    "egress": 403,
    "erased": 410,
    "unknown": 404,
    "integrity": 500,
    "error": 500,
}
TITLES = {400: _("The request can't be used"), 401: _("Sign in first"), 403: _("Not allowed"), 404: _("Not found"),
          405: _("Not a method of this address"), 409: _("In conflict with what is there"), 410: _("Erased"),
          412: _("What is needed is missing"), 413: _("Too large"), 415: _("Not a kind of content that is read here"),
          421: _("Not a name of this server"),
          422: _("The request can't be used"), 429: _("Too many requests"), 500: _("Internal error"),
          502: _("The model's endpoint failed"), 503: _("Not available")}  # fmt: skip
# HL7's issue types; every other status is `invalid`, or `exception` where the server is at fault.
FHIR_CODES = {401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
              410: "deleted", 413: "too-long", 415: "not-supported", 429: "throttled", 503: "transient"}  # fmt: skip


class Refused(Exception):
    """A request that a door turns away. `where` names the field or header."""

    def __init__(self, status: int, detail: str, where: str | None = None, headers: Mapping[str, str] | None = None):
        super().__init__(detail)
        self.status, self.detail, self.where, self.headers = status, detail, where, dict(headers or {})


def add_handlers(app: FastAPI) -> None:
    """Let every error of the application be told as its door tells errors."""

    @app.exception_handler(OslerError)
    def osler(request: Request, error: OslerError) -> Response:
        headers = {"Retry-After": str(getattr(error, "retry_after", 5))} if error.kind == "busy" else None
        said = str(type(error)(error.message, hint=error.hint))
        return tell(request, STATUS.get(error.kind, 400), said, error.where, headers)

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        return tell(request, error.status, error.detail, error.where, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]).encode("utf-8", "replace").decode()
        hooks = request.url.path.startswith("/cds-services")  # HL7 asks for 400, and for the field by its own name
        place = place.removeprefix("body.") if hooks else place
        return tell(request, 400 if hooks else 422, f"{place}: {first['msg']}", place)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return tell(request, error.status_code, str(error.detail), None, error.headers)

    @app.exception_handler(Exception)
    def internal(request: Request, error: Exception) -> Response:
        # What went wrong may hold words of a record: it is named by its type alone.
        return tell(request, 500, f"internal error ({type(error).__name__})", None)


def tell(
    request: Request, status: int, detail: str, where: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """The error in the form of the door that the request came to."""
    path, title = request.url.path, TITLES.get(status, "Error")
    document: dict[str, Any]
    media = "application/json"
    if path.startswith("/v1/"):
        kind = "server_error" if status >= 500 else "invalid_request_error"
        document = {"error": {"message": detail, "type": kind, "param": where, "code": str(status)}}
    elif path.startswith("/fhir"):
        media, other = "application/fhir+json", "exception" if status >= 500 else "invalid"
        issue = {"severity": "error", "code": FHIR_CODES.get(status, other)}
        said = detail if where is None or where in detail else f"{where}: {detail}"
        document = {"resourceType": "OperationOutcome", "issue": [{**issue, "diagnostics": said}]}
    elif is_page(request):
        return page(request, "error", status, headers, title=title, detail=detail, where=where, error_status=status)
    else:
        media = "application/problem+json"
        document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        document |= {"where": where} if where else {}
    return JSONResponse(document, status, headers, media_type=media)
