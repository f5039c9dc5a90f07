"""FHIR R4, `/fhir`: read and search what Osler wrote, and `$consult`. It knows neither shapes nor queries."""

import base64
import json
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from osler import __version__
from osler.clinic.reports.signing import held as as_it_stands
from osler.errors import InputError
from osler.ledger import Entry
from osler.ledger.tables import entries_table
from osler.nouns import Principal, dump
from osler.server import smart
from osler.server.access import capability
from osler.server.api import desk_of, sight_of
from osler.server.cds_clients import base_of
from osler.server.cds_prefetch import belonging, collected, entries_of
from osler.server.consult_pages import make_consult
from osler.server.fhir_search import PARAMETERS, Page, find, wanted
from osler.server.fhir_shapes import ID, Resource, bundle, events, outcome, written
from osler.server.look import HERE
from osler.server.problems import Refused
from osler.server.work import working

MEDIA = "application/fhir+json"
FORMATS = ("json", "text/json", "application/json", MEDIA)
TAKEN = {"", "*/*", "application/*", *FORMATS}
WRITTEN = ("consult", "ask", "report")  # kinds of entries that hold what was written
# The types that are served, with the kinds of entries they are made of; those of the first can be searched.
SEARCHED = {"DiagnosticReport": ("consult",), "Composition": WRITTEN, "DocumentReference": WRITTEN,
            "GuidanceResponse": ("consult", "ask"), "Provenance": WRITTEN, "AuditEvent": WRITTEN}  # fmt: skip
READ = {**SEARCHED, "ClinicalImpression": ("consult",), "DetectedIssue": ("consult",), "Patient": ("consult", "report")}
AUDITORS = {"privacy-officer", "administrator"}  # see every AuditEvent, for there is no content in it


def negotiated(request: Request) -> None:
    """A dependency: the client takes the one format that is written here. Raises Refused."""
    named = request.query_params.get("_format")
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    if named is not None and named.replace(" ", "+").partition(";")[0] not in FORMATS:
        raise Refused(406, f"_format: only {MEDIA} is written here", "_format")
    if named is None and not TAKEN & set(accepted):
        raise Refused(406, f"only {MEDIA} is written here", "Accept")


async def body_of(request: Request) -> bytes:
    """A dependency: the body of a kind that is read here."""
    body = await request.body()
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() not in FORMATS[1:]:
        raise Refused(415, f"only {MEDIA} is read here", "Content-Type")
    return body


async def pairs_of(request: Request) -> list[tuple[str, str]]:
    """A dependency: the parameters of a search, of the address and of a form."""
    form = (await request.form()).multi_items() if request.method == "POST" else []
    return [*request.query_params.multi_items(), *((name, value) for name, value in form if isinstance(value, str))]


router = APIRouter(prefix="/fhir", include_in_schema=False, dependencies=[Depends(negotiated)])
Who = Annotated[Principal, Depends(smart.caller)]


def told(content: Resource, status: int = 200, **headers: str) -> Response:
    return JSONResponse(content, status, headers, media_type=MEDIA)


def server(request: Request, name: str) -> Resource:
    """A resource about this server itself."""
    text = (HERE / "data" / "fhir_server.json").read_text(encoding="utf-8")
    found: Resource = json.loads(text.replace("{base}", json.dumps(base_of(request))[1:-1]))[name]
    return found


@router.get("/metadata")
def metadata(request: Request) -> Response:
    """The CapabilityStatement; open to everybody."""
    resources: list[Resource] = []
    for type in sorted(READ):
        names = {name: kind for name, kind in PARAMETERS.items() if (name == "recorded") <= (type == "Provenance")}
        search = {"searchParam": [{"name": name, "type": kind} for name, kind in names.items()]}
        codes = ["read", "vread", *(["search-type"] if type in SEARCHED else [])]
        served = {"type": type, "interaction": [{"code": code} for code in codes], "versioning": "versioned"}
        resources.append(served | (search if type in SEARCHED else {}))
    operation = {"name": "consult", "definition": server(request, "consult")["url"]}
    next(one for one in resources if one["type"] == "Patient")["operation"] = [operation]
    defined = {"type": "OperationDefinition", "interaction": [{"code": "read"}]}
    rest = {"mode": "server", "security": smart.security(request), "resource": [*resources, defined]}
    about = {"date": request.app.state.started, "software": {"name": "Osler", "version": __version__}}
    return told({**server(request, "metadata"), **about, "rest": [{**rest, "operation": [operation]}]})


@router.get("/.well-known/smart-configuration")
def configuration(request: Request) -> Response:
    """The authorisation server whose tokens open this door."""
    return JSONResponse(smart.configuration(request))


@router.get("/OperationDefinition/consult")
def definition(request: Request) -> Response:
    return told(server(request, "consult"))


@router.post("/$consult", dependencies=[capability("consult"), working()])
@router.post("/Patient/{id}/$consult", dependencies=[capability("consult"), working()])
def consult_on(request: Request, who: Who, body: Annotated[bytes, Depends(body_of)], id: str | None = None) -> Response:
    """Consult on the record in the body, or of a patient in the EHR."""
    smart.check_scope(request, "GuidanceResponse", "c")
    if not {"clinician", "educator", "researcher"} & set(who.roles):
        raise Refused(403, "this needs the role clinician, educator or researcher")
    try:
        entries, notes, missing = *given(body), list[str]()
        if id is not None and not (entries or notes):
            entries, missing = smart.system_record(request, id)
        content, kind = record(entries, notes, id)
    except RecursionError:
        raise Refused(400, "this is nested too deeply") from None
    entry = desk_of(request).ledger.entry(make_consult(request, who, content, "$consult", kind, []))
    gaps = [outcome("incomplete", missing)] if missing else []
    return told(bundle("collection", [*resources_of(request, who, entry), *gaps], base_of(request)))


def record(entries: list[dict[str, Any]], notes: list[str], patient: str | None) -> tuple[bytes, str]:
    """What to consult on, and its kind. Raises Refused for nothing, and for another patient's."""
    if not (entries or any(note.strip() for note in notes)):
        raise Refused(400, "there is no record: give a Bundle, a DocumentReference or a note", "record")
    if not entries and patient is None:
        return "\n\n".join(notes).encode("utf-8", "replace"), "note"
    entries += [{"resource": document(note)} for note in notes]
    entries = entries if patient is None else belonging(entries, patient, "record", patient)
    return collected(entries), "fhir"


def given(body: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """The entries of a record and the notes in a request's body."""
    try:
        value: Any = json.loads(body) if body.strip() else {"resourceType": "Parameters"}
    except (ValueError, RecursionError):
        raise InputError("this is not JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise InputError("this is no FHIR resource: it has no resourceType")
    if value["resourceType"] != "Parameters":
        return entries_of(value), []
    entries, notes = list[dict[str, Any]](), list[str]()
    parameters = value.get("parameter", [])
    for n, one in enumerate(parameters if isinstance(parameters, list) else [parameters]):
        if isinstance(one, dict) and isinstance(one.get("resource"), dict):
            entries += entries_of(one["resource"])
        elif isinstance(one, dict) and one.get("name") == "note" and isinstance(one.get("valueString"), str):
            notes.append(one["valueString"])
        else:
            raise InputError("is neither a resource nor a `note` with a valueString", f"Parameters.parameter[{n}]")
    return entries, notes


def document(note: str) -> Resource:
    attachment = {"contentType": "text/plain", "data": base64.b64encode(note.encode("utf-8", "replace")).decode()}
    return {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}


def resources_of(request: Request, who: Principal, entry: Entry, type: str | None = None) -> list[Resource]:
    """What was written with an entry, of one type or all, for one who may see it; the sight is noted."""
    ledger = desk_of(request).ledger
    if type == "AuditEvent":
        return events(entry, ledger, [])
    held = sight_of(request).payload(entry.id, who, "to read it over FHIR")
    if entry.kind == "report":
        held = held | {"output": dump(as_it_stands(entry.id, ledger, desk_of(request).settings).report)}
    return [one for one in written(entry, held, ledger, base_of(request)) if type in (None, one["resourceType"])]


def page_of(request: Request, who: Principal, type: str, asked: list[tuple[str, str]]) -> Page:
    """The entries behind a search of this type that the principal may see."""
    audits, id, kind = type == "AuditEvent", entries_table.c.id, entries_table.c.kind
    every = audits and AUDITORS & set(who.roles)
    seen = sa.true() if every else sight_of(request).seen_by(who, id) & kind.in_(READ[type])
    desk = desk_of(request)
    return find(desk.settings, desk.ledger, seen, asked, audits)


@router.get("/{type}")
@router.post("/{type}/_search")
def search(
    request: Request, type: str, who: Who, pairs: Annotated[list[tuple[str, str]], Depends(pairs_of)]
) -> Response:
    """A searchset, newest first. A parameter that is not known is left out, or refused with `handling=strict`."""
    if type not in SEARCHED:
        raise Refused(404, f"{type} can't be searched here; /fhir/metadata says what can")
    smart.check_scope(request, type, "s")
    asked = wanted(pairs, "handling=strict" in request.headers.get("prefer", "").replace(" ", ""))
    page = page_of(request, who, type, asked)
    address = f"{base_of(request)}/fhir/{type}"
    links = [{"relation": "self", "url": f"{address}?{urlencode(asked)}".rstrip("?")}]
    if page.before is not None:
        rest = [pair for pair in asked if pair[0] != "_before"]
        links.append({"relation": "next", "url": f"{address}?{urlencode([*rest, ('_before', page.before)])}"})
    made = [one for entry in page.entries for one in resources_of(request, who, entry, type)]
    return told(bundle("searchset", made, base_of(request), total=page.total, link=links))


@router.get("/{type}/{id}")
@router.get("/{type}/{id}/_history/{version}")
def read(request: Request, type: str, id: str, who: Who, version: str = "1") -> Response:
    """One resource. Nothing that was written changes: there is one version."""
    smart.check_scope(request, type, "r")
    nothing = Refused(404, f"there is no {type}/{id}" + (f" of version {version}" if version != "1" else ""))
    if type not in READ or not ID.fullmatch(id) or version != "1":
        raise nothing
    name = "patient" if type == "Patient" else "_id"
    seen = page_of(request, who, type, [(name, id.partition(".")[0] if name == "_id" else id), ("_count", "1")]).entries
    if not seen and type == "Patient":
        raise nothing
    try:
        entry = seen[0] if seen else desk_of(request).ledger.entry(id.partition(".")[0])
    except InputError:
        raise nothing from None
    if type == "AuditEvent" and not seen:
        raise Refused(403, "another account's record")
    made = resources_of(request, who, entry, type) if entry.kind in READ[type] or seen else []
    found = next((one for one in made if one["id"] == id), None)
    if found is None:
        raise nothing
    written_at = format_datetime(datetime.fromisoformat(entry.time), usegmt=True)
    return told(found, 200, **{"ETag": 'W/"1"', "Last-Modified": written_at})
