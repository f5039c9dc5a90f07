"""The workbench's pages. Each shows what a room made; none decides anything."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from osler.server.access import COOKIE, signed_in
from osler.server.accounts import LOCAL
from osler.server.look import LANGUAGE_COOKIE, LANGUAGES, page

router = APIRouter(include_in_schema=False)
pages = APIRouter(include_in_schema=False, dependencies=[Depends(signed_in)])


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    return page(request, "sign_in", by_token=request.app.state.access.open_to_token, wrong=False)


@router.post("/sign-in")
def sign_in(request: Request, account: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
    access = request.app.state.access
    found = (
        (LOCAL if access.by_link(password) else None)
        if access.open_to_token
        else access.accounts.check(account, password)
    )
    if found is None:
        return page(request, "sign_in", 401, by_token=access.open_to_token, wrong=True)
    return _enter(request, found)


def _enter(request: Request, who: object) -> Response:
    access = request.app.state.access
    there = RedirectResponse("/", 303)
    secret = access.accounts.sign_in(who, access.hours)
    secure = request.url.scheme == "https"
    there.set_cookie(COOKIE, secret, max_age=access.hours * 3600, httponly=True, samesite="strict", secure=secure)
    return there


@router.get("/")
def home(request: Request, token: str | None = None) -> Response:
    """The printed link leads here with its token; a browser that is signed in goes on to the consult."""
    access = request.app.state.access
    if token is not None and access.by_link(token):
        return _enter(request, LOCAL)
    return RedirectResponse("/consult" if access.sign_in_of(request) else "/sign-in", 303)


@router.get("/language/{code}")
def language(request: Request, code: str) -> Response:
    there = RedirectResponse("/", 303)
    if code in LANGUAGES:
        there.set_cookie(LANGUAGE_COOKIE, code, max_age=31_536_000, samesite="strict")
    return there


@pages.get("/consult")
def consult(request: Request) -> Response:
    return page(request, "consult")


router.include_router(pages)
