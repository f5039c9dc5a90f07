"""CDS Hooks 2.0, `/cds-services`: decision support for an EHR at the moment a chart is opened or an order signed.

Red flags and drug safety alone are checked, for a clinician waits; every call is in the ledger with its cards.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from osler.clinic.desk import Desk
from osler.ledger.ledger import Draft
from osler.nouns import Principal
from osler.record import Case, read
from osler.server.access import capability
from osler.server.cds_cards import CDS, Ordered, Teller
from osler.server.cds_clients import base_of, caller
from osler.server.cds_prefetch import Gathered, belonging, collected, gather
from osler.server.cds_shapes import CONTEXTS, Call, Context, Feedback, SelectContext, SignContext
from osler.server.problems import Refused
from osler.server.sight import SILENT
from osler.storage import metadata, open_database, writing

NAME = "cds-hooks"  # in the settings `server.off` and `server.silent`
DRUG_ORDERS = ("MedicationRequest", "MedicationOrder", "MedicationPrescription")  # in R4 and before
Caller = Annotated[Principal, Depends(caller)]
router = APIRouter(prefix="/cds-services", tags=["CDS Hooks"])
cards_table = sa.Table(
    "cds_cards",
    metadata,
    sa.Column("uuid", sa.String, primary_key=True),
    sa.Column("consult", sa.String, nullable=False),
)


@router.get("")
def discovery(request: Request) -> dict[str, Any]:
    """The services there are, with what they ask to prefetch; none while they are switched off."""
    off = NAME in request.app.state.desk.settings.server.off
    told = ("hook", "title", "description", "usageRequirements")
    services = [
        {"id": id, "prefetch": _templates(one), **{key: one[key] for key in told}}
        for id, one in CDS["services"].items()
    ]
    return {"services": [] if off else services}


def _service(id: str) -> dict[str, Any]:
    if id not in CDS["services"]:
        raise Refused(404, "no such service; GET /cds-services lists them")
    service: dict[str, Any] = CDS["services"][id]
    return service


def _templates(service: dict[str, Any]) -> dict[str, str]:
    return {key: CDS["prefetch"][key] for key in service["prefetch"]}


@router.post("/{id}", dependencies=[capability(NAME)])
def call_service(request: Request, id: str, body: Call, who: Caller) -> Response:
    """Call a service: cards for the patient, none where all was checked and nothing is worth an interruption."""
    service, desk = _service(id), request.app.state.desk
    if body.hook != service["hook"]:
        raise Refused(400, f"hook: this service is for {service['hook']}", "hook")
    if body.fhir_authorization and not body.fhir_server:
        raise Refused(400, "fhirServer: is required with fhirAuthorization", "fhirServer")
    try:
        context = CONTEXTS[body.hook].model_validate(body.context)
    except ValidationError as error:
        found = [{**one, "loc": ("body", "context", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from None
    gathered = gather(_templates(service), body, context.patient_id, desk.settings.cds)
    sought = [f"{key} {CDS['en'][why]}" for key, why in gathered.missing.items() if why != "none"]
    if not gathered.entries and sought and not isinstance(context, SignContext):
        raise Refused(412, f"nothing of the patient could be had: {'; '.join(sought)}", "prefetch")
    with request.app.state.work.slot():
        try:
            case, content, orders = _record(gathered, context)
        except RecursionError:
            raise Refused(400, "prefetch: is nested too deeply", "prefetch") from None
        consult = desk.consult_case(case, content, NAME, "fhir", safety_only=True).consult
    language = case.language if desk.settings.consult.language == "auto" else desk.settings.consult.language
    cards = Teller(consult, service, base_of(request), language).cards(orders, gathered.missing)
    silent = NAME in desk.settings.server.silent
    call = {"service": id, "instance": str(body.hook_instance), "user": context.user_id, "who": who.id}
    made = {**call, "consult": consult.trace_id, "missing": gathered.missing, "cards": cards, "shown": not silent}
    desk.ledger.append(NAME, made, subject=context.patient_id)
    request.app.state.sight.keep(consult.trace_id, SILENT if silent else who, NAME)
    if cards:
        rows = [{"uuid": card["uuid"], "consult": consult.trace_id} for card in cards]
        with writing(open_database(desk.settings)) as connection:
            connection.execute(sa.insert(cards_table), rows)
    return JSONResponse({"cards": [] if silent else cards})


def _record(gathered: Gathered, context: Context) -> tuple[Case, bytes, Ordered | None]:
    """The case of what was gathered and ordered, its JSON, and the orders that the call is about."""
    drafts = context.draft_orders.entry if isinstance(context, SignContext) else []
    names = [_name(draft.resource) for draft in drafts]
    # An order that is signed anew stands in the record as it was before.
    known = [one for one in gathered.entries if (name := _name(one["resource"])) is None or name not in names]
    known = belonging(known, context.patient_id, "prefetch", "context.patientId")
    entries = [*known, *(draft.model_dump(by_alias=True, exclude_none=True) for draft in drafts)]
    content = collected(entries)
    case = read(content, "fhir", "the call")
    if not isinstance(context, SignContext):
        return case, content, None
    picked = set(context.selections) & {str(name) for name in names} if isinstance(context, SelectContext) else set()
    about = {
        f"Bundle.entry[{len(known) + number}].resource": name
        for number, (draft, name) in enumerate(zip(drafts, names, strict=True))
        if draft.resource["resourceType"] in DRUG_ORDERS and (not picked or name in picked)
    }
    named = {path: drug.source for drug in case.medications for path in (drug.source, *drug.duplicates)}
    unread = [name or path for path, name in about.items() if path not in named]
    return case, content, Ordered({named[path]: name for path, name in about.items() if path in named}, unread)


def _name(resource: dict[str, Any]) -> str | None:
    """`Type/id`, by which a client knows a resource."""
    return f"{resource.get('resourceType')}/{resource['id']}" if isinstance(resource.get("id"), str) else None


@router.post("/{id}/feedback", dependencies=[capability(NAME)])
def give_feedback(request: Request, id: str, body: Feedback, who: Caller) -> dict[str, int]:
    """Say what users did with cards; it is kept beside the consult of each."""
    _service(id)
    desk: Desk = request.app.state.desk
    with open_database(desk.settings).connect() as connection:
        wanted = sa.select(cards_table).where(cards_table.c.uuid.in_([one.card for one in body.feedback]))
        consults = {row.uuid: row.consult for row in connection.execute(wanted)}
    drafts = []
    for one in body.feedback:
        said = one.model_dump(mode="json", by_alias=True, exclude_none=True)
        trace = consults.get(one.card)  # a card that is not known here may be another server's: kept all the same
        subject = request.app.state.sight.payload(trace, who)["output"]["case"]["patient"]["id"] if trace else None
        drafts.append(Draft("cds-feedback", {"service": id, "who": who.id, "consult": trace, **said}, subject))
    desk.ledger.append_many(drafts)
    return {"kept": len(drafts)}


class Cors:
    """Lets pages of the settings' origins call this door alone (browser-based clients), without cookies."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        headers = ("Authorization", "Content-Type")
        self.app = app
        self.open = CORSMiddleware(app, origins, allow_methods=("GET", "POST"), allow_headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here = scope["type"] == "http" and scope["path"].startswith(router.prefix)
        await (self.open if here else self.app)(scope, receive, send)
