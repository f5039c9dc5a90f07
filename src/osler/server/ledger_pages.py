"""The pages of the ledger: search it, read an answer's whole trace, verify, prove, replay and export it.

Whose trace is whose says `sight`; what the chain holds and what proves it, the ledger.
"""

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from osler.errors import OslerError
from osler.ledger import Entry, Erased
from osler.ledger.fhir import bundle, kinds, resources_of
from osler.ledger.heads import check, read_heads
from osler.ledger.tables import entries_table
from osler.nouns import Principal
from osler.server.access import LONGEST_REASON, role, signed_in
from osler.server.accounts import Role
from osler.server.api import desk_of, sight_of
from osler.server.fhir_search import find
from osler.server.look import page
from osler.server.problems import Refused
from osler.server.work import working

router = APIRouter(prefix="/ledger", include_in_schema=False, dependencies=[Depends(signed_in)])
Who = Annotated[Principal, Depends(signed_in)]
OVERSEERS: tuple[Role, ...] = (
    "privacy-officer",
    "administrator",
)  # see every link of the chain, though not what it holds
ROWS, SEARCHED = 30, 100
MOST_TEXT = 200_000  # characters of an entry's content on its page
ANSWERS = ("consult", "ask")
Text = Annotated[str, Query(max_length=300)]


@router.get("")
def search(
    request: Request, who: Who, q: Text = "", kind: Text = "", since: Text = "", until: Text = "", before: Text = ""
) -> Response:
    """Entries by kind, date and trace id; by words only the reader's own, so that a search opens no other's record."""
    desk, sight, of = desk_of(request), sight_of(request), entries_table.c
    every = bool(set(OVERSEERS) & set(who.roles))
    own = who.model_copy(update={"roles": []})
    seen = sa.true() if every else sight.seen_by(who, of.id)
    seen &= of.kind == kind if kind else sa.true()
    given = [("date", f"{sign}{date}") for sign, date in (("ge", since), ("le", until)) if date]
    given += [("_before", before)] if before else []
    if q:
        words = sa.select(of.id).where(sight.seen_by(own, of.id), of.kind.in_(ANSWERS), seen)
        mine = find(desk.settings, desk.ledger, of.id.in_(words), [*given, ("_count", str(SEARCHED))], True).entries
        named = [one.id for one in mine if q.casefold() in (_question(request, one, own) or "").casefold()]
        seen &= of.id.in_([*named, q])
    found = find(desk.settings, desk.ledger, seen, [*given, ("_count", str(ROWS))], True)
    rows = [(one, _question(request, one, own)) for one in found.entries]
    asked = {"q": q, "kind": kind, "since": since, "until": until}
    return page(
        request, "ledger", rows=rows, found=found, kinds=[*kinds()][1:], asked=asked, every=every, most=SEARCHED
    )


def _question(request: Request, entry: Entry, who: Principal) -> str | None:
    """What was asked, where it is the reader's own."""
    if entry.kind not in ANSWERS:
        return None
    with suppress(Refused, OslerError):
        return _asked(sight_of(request).payload(entry.id, who))
    return None


def _asked(payload: dict[str, Any]) -> str:
    """The question, or the record as far as it is text."""
    given = payload["input"]
    return str(given.get("text") or "") or base64.b64decode(given["base64"]).decode("utf-8", "ignore")


@router.get("/verify", dependencies=[role(*OVERSEERS), working()])
def verify(request: Request) -> Response:
    desk = desk_of(request)
    kept = Path(desk.settings.ledger.anchor or "").expanduser()
    result = desk.ledger.verify(read_heads(kept) if desk.settings.ledger.anchor and kept.exists() else ())
    return page(request, "parts/ledger_whole", result=result)


@router.get("/export", dependencies=[role(*OVERSEERS), working()])
def export(request: Request, format: Literal["jsonl", "fhir"] = "jsonl") -> Response:
    """The chain without any content, as `osler ledger export` writes it."""
    ledger = desk_of(request).ledger
    if format == "fhir":
        return _file(json.dumps(bundle(ledger), ensure_ascii=False), "osler-ledger.fhir.json")
    return _file("".join(f"{one.model_dump_json()}\n" for one in reversed(ledger.entries(None))), "osler-ledger.jsonl")


@router.get("/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    """An entry with all that it holds, for one who may see it; else the way to break the glass."""
    ledger = desk_of(request).ledger
    entry = ledger.entry(id)
    try:
        payload: dict[str, Any] | None = sight_of(request).payload(id, who, "to read its trace")
    except Refused as refused:
        return page(request, "ledger_closed", refused.status, id=id, said=refused.detail)
    except Erased:
        payload = None
    held: dict[str, Any] = payload or {}
    asked = _asked(held) if entry.kind in ANSWERS and payload else None
    text = json.dumps(held, ensure_ascii=False, indent=1)
    return page(
        request, "ledger_entry", entry=entry, held=held, erased=payload is None, asked=asked, text=text[:MOST_TEXT],
        longer=len(text) > MOST_TEXT, patient=ledger.whose(id), sights=ledger.accesses(of=id),
    )  # fmt: skip


@router.get("/{id}/proof", dependencies=[working()])
def proof(request: Request, id: str, who: Who, file: bool = False) -> Response:
    """That the entry is in the chain, without showing another; it shows no content."""
    sight_of(request).payload(id, who, "to prove it")
    made = desk_of(request).ledger.prove(id)
    if file:
        return _file(made.model_dump_json(indent=1), f"{id}.proof.json")
    return page(
        request, "parts/ledger_proof", proof=made, checked=check(made, desk_of(request).ledger.vault.ring.public)
    )


@router.get("/{id}/fhir")
def as_fhir(request: Request, id: str, who: Who) -> Response:
    """The entry's AuditEvent and Provenance."""
    sight_of(request).payload(id, who, "to export it")
    ledger = desk_of(request).ledger
    resources = [{"resource": one} for one in resources_of(ledger.entry(id), ledger)]
    document = {"resourceType": "Bundle", "type": "collection", "entry": resources}
    return _file(json.dumps(document, ensure_ascii=False), f"{id}.fhir.json")


@router.post("/{id}/replay", dependencies=[working()])
def replay(request: Request, id: str, who: Who) -> Response:
    """Make the answer again, and show what differs."""
    from osler.trust.replay import replay as run_again

    sight_of(request).payload(id, who, "to replay it")
    return page(request, "parts/ledger_replay", it=run_again(id, desk_of(request).settings))


@router.post("/{id}/glass")
def break_glass(
    request: Request, id: str, who: Annotated[Principal, role("clinician")],
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:  # fmt: skip
    sight_of(request).break_glass(id, who, reason)
    return Response(status_code=204, headers={"HX-Redirect": f"/ledger/{id}"})


def _file(text: str, name: str) -> Response:
    return Response(
        text, media_type="application/octet-stream", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
