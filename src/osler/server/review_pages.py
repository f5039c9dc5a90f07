"""The page of identifiers that de-identification was not sure of: a person confirms, corrects or rejects each."""

from itertools import groupby
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from osler.ledger.vault import Vault
from osler.nouns import Principal
from osler.privacy.keeping import Keeping
from osler.privacy.spans import SpanType
from osler.server.access import role
from osler.server.api import desk_of
from osler.server.look import page
from osler.storage import open_database

REVIEWER = role("privacy-officer", "administrator")
router = APIRouter(prefix="/review", include_in_schema=False, dependencies=[REVIEWER])
Who = Annotated[Principal, REVIEWER]


def keeping(request: Request) -> Keeping:
    settings = desk_of(request).settings
    return Keeping(open_database(settings), Vault(settings.home / "keys"))


@router.get("")
def show(request: Request, who: Who) -> Response:
    """What waits, by document; that it was seen is noted."""
    waiting = sorted(keeping(request).reviews(), key=lambda one: one.document)
    if waiting:
        said = f"reviewed {len(waiting)} doubtful identifiers"
        desk_of(request).ledger.accessed(who.id, said, kind="access")
    documents = [(name, list(spans)) for name, spans in groupby(waiting, key=lambda one: one.document)]
    return page(request, "review", documents=documents, count=len(waiting), types=get_args(SpanType))


@router.post("/{id}")
def decide(
    request: Request, id: str, who: Who, state: Annotated[Literal["confirmed", "rejected"], Form()],
    type: Annotated[SpanType | Literal[""], Form()] = "",
) -> Response:  # fmt: skip
    keeping(request).decide(id, state, type or None)
    desk_of(request).ledger.append("review", {"by": who.id, "what": id, "state": state, "type": type or None})
    return page(request, "parts/review_done", state=state, type=type)
