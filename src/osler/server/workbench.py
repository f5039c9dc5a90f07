"""The workbench's pages. Each shows what a room made; none decides anything."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from osler.nouns import Principal
from osler.server import (
    ask_pages,
    consult_pages,
    graph_pages,
    imaging_pages,
    learn_pages,
    ledger_pages,
    library_pages,
    patient_pages,
    report_pages,
    review_pages,
    settings_pages,
    trust_pages,
)
from osler.server.access import COOKIE, let_in, signed_in
from osler.server.accounts import LOCAL
from osler.server.api import Said, give_feedback
from osler.server.look import LANGUAGE_COOKIE, LANGUAGES, page

router = APIRouter(include_in_schema=False)


def sign_in_form(request: Request, status: int = 200) -> Response:
    access = request.app.state.access
    return page(request, "sign_in", status, by_token=access.open_to_token, outside=access.outside, wrong=status != 200)


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    return sign_in_form(request)


@router.post("/sign-in")
def sign_in(request: Request, account: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
    access = request.app.state.access
    found = (
        (LOCAL if access.by_link(password) else None)
        if access.open_to_token
        else access.accounts.check(account, password)
    )
    if found is None:
        return sign_in_form(request, 401)
    return let_in(request, found, RedirectResponse("/", 303))


@router.get("/")
def home(request: Request, token: str | None = None) -> Response:
    """The printed link leads here with its token; a browser that is signed in goes on to the consult."""
    access = request.app.state.access
    if token is not None and access.by_link(token):
        return let_in(request, LOCAL, RedirectResponse("/", 303))
    return RedirectResponse("/consult" if access.sign_in_of(request) else "/sign-in", 303)


@router.get("/language/{code}")
def language(request: Request, code: str, to: str = "/") -> Response:
    there = RedirectResponse(to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/", 303)
    if code in LANGUAGES:
        there.set_cookie(LANGUAGE_COOKIE, code, max_age=31_536_000, samesite="strict")
    return there


@router.post("/sign-out", dependencies=[Depends(signed_in)])
def sign_out(request: Request) -> Response:
    if secret := request.cookies.get(COOKIE):
        request.app.state.access.accounts.sign_out(secret)
    gone = Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    gone.delete_cookie(COOKIE)
    return gone


@router.post("/feedback")
def feedback(
    request: Request, who: Annotated[Principal, Depends(signed_in)], trace_id: Annotated[str, Form()],
    statement: Annotated[str, Form()], verdict: Annotated[str, Form()], text: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "", consent: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Keep what a reviewer says of a statement."""
    given = {"trace_id": trace_id, "statement": statement, "verdict": verdict, "consent": bool(consent)}
    made = give_feedback(request, Said(**given, text=text or None, reason=reason or None), who)
    return page(request, "parts/done", said=made.verdict)


for part in (
    ask_pages,
    consult_pages,
    graph_pages,
    imaging_pages,
    learn_pages,
    ledger_pages,
    library_pages,
    patient_pages,
    report_pages,
    review_pages,
    settings_pages,
    trust_pages,
):
    router.include_router(part.router)
