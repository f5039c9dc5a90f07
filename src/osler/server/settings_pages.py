"""The page of settings: what is in force, whence, and what it means; switches, accounts and sign-ins for who may.

Each change is in the ledger, with who made it. Secrets are no settings: only the variables that hold them are named.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from osler.errors import InputError
from osler.nouns import Principal
from osler.server.access import Access, role, signed_in
from osler.server.accounts import ROLES, SHORTEST
from osler.server.api import desk_of
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.switches import CAPABILITIES, LIMITS, SWITCHES
from osler.settings import SECTIONS

router = APIRouter(prefix="/settings", include_in_schema=False, dependencies=[Depends(signed_in)])
Who = Annotated[Principal, Depends(signed_in)]
Administrator = Annotated[Principal, role("administrator")]
Field = Annotated[str, Form(max_length=300)]


@router.get("")
def show(request: Request, who: Who) -> Response:
    settings, switches, access = desk_of(request).settings, request.app.state.switches, request.app.state.access
    changed, origins = switches.changed(), dict(settings.origins)
    sections = []
    for name, model in SECTIONS.items():
        rows: list[dict[str, Any]] = []
        for key, field in model.model_fields.items():
            value, dotted = getattr(getattr(settings, name), key), f"{name}.{key}"
            by = changed.get(key) if name == "server" else None
            started = "default" if value == field.default else "given at start"
            rows.append({"key": key, "value": value, "about": field.description, "default": field.default,
                         "origin": origins.get(dotted, started), "by": by})  # fmt: skip
        sections.append((name, (model.__doc__ or "").strip(), rows))
    governs = "administrator" in who.roles
    held: dict[str, Any] = {"accounts": [], "disabled": [], "sign_ins": []}
    if governs:
        accounts = access.accounts
        held = {"accounts": accounts.list(), "disabled": accounts.list(disabled=True), "sign_ins": accounts.sign_ins()}
    return page(
        request, "settings", sections=sections, governs=governs, roles=ROLES, shortest=SHORTEST, limits=LIMITS,
        capabilities=CAPABILITIES, given=switches.given, server=settings.server, allow=settings.egress.allow,
        changed=changed, home=settings.home, sources=settings.sources, open=access.open_to_token, **held,
    )  # fmt: skip


@router.post("/switches/{key}")
def switch(
    request: Request, key: str, who: Administrator, capability: Annotated[tuple[str, ...], Form()] = ()
) -> Response:
    """Set which capabilities are off or silent, as the boxes of the form say."""
    if key not in SWITCHES:
        raise Refused(404, "no such switch")
    request.app.state.switches.set(key, list(capability) or None, who)
    return _again()


@router.post("/limits/{key}")
def limit(request: Request, key: str, who: Administrator, value: Field = "") -> Response:
    """An empty value takes the change back."""
    if key not in LIMITS:
        raise Refused(404, "no such limit")
    if value.strip() and not value.strip().isdecimal():
        raise InputError("a limit is a whole number", where=key)
    request.app.state.switches.set(key, int(value) if value.strip() else None, who)
    return _again()


@router.post("/accounts")
def account(
    request: Request, who: Administrator, name: Field, roles: Annotated[tuple[str, ...], Form(alias="role")] = (),
    shown: Field = "", password: Field = "",
) -> Response:  # fmt: skip
    """Make an account, or change its roles, name or password. A new password ends its sign-ins."""
    accounts = request.app.state.access.accounts
    there = next((one for one in accounts.list() + accounts.list(disabled=True) if one.id == name), None)
    if there is None and not password and not request.app.state.access.outside:
        raise InputError(f"a new account needs a password of at least {SHORTEST} characters", where="password")
    if not roles:
        raise InputError("an account needs a role", where="role")
    if "administrator" not in roles:
        _leaves_one(request.app.state.access, name)
    made = accounts.add(name, roles, password or None, shown or (there.name if there else None))
    ended = accounts.end(account=name) if password and there else 0
    said = {"roles": made.roles, "new_password": bool(password), "made": there is None, "sign_ins_ended": ended}
    return _noted(request, who, f"account {name}", **said)


@router.post("/accounts/{name:path}/disable")
def disable(request: Request, name: str, who: Administrator) -> Response:
    _leaves_one(request.app.state.access, name)
    if not request.app.state.access.accounts.disable(name):
        raise Refused(404, "no such account")
    return _noted(request, who, f"account {name}", disabled=True)


@router.post("/sign-ins/{hash}/end")
def end(request: Request, hash: str, who: Administrator) -> Response:
    accounts = request.app.state.access.accounts
    whose = next((one.account for one in accounts.sign_ins() if one.hash == hash), None)
    if whose is None:
        raise Refused(404, _("this sign-in has ended"))
    accounts.end(hash)
    return _noted(request, who, f"account {whose}", sign_ins_ended=1)


def _leaves_one(access: Access, name: str) -> None:
    """Raises Refused where nobody but `name` could administer this server."""
    if not any("administrator" in one.roles for one in access.accounts.list() if one.id != name):
        raise Refused(409, _("somebody must be left who administers: make another administrator first"), "role")


def _noted(request: Request, who: Principal, what: str, **said: Any) -> Response:
    desk_of(request).ledger.append("settings", {"by": who.id, "what": what, **said})
    return _again()


def _again() -> Response:
    return Response(status_code=204, headers={"HX-Refresh": "true"})
