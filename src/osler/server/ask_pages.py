"""The pages of a question: ask it, read its checked answer, open what it cites."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from osler.clinic.desk import Question
from osler.errors import InputError
from osler.nouns import Principal
from osler.reasoning.registry import methods
from osler.server.access import capability, role, signed_in
from osler.server.api import desk_of, document_of, sight_of
from osler.server.consult_pages import evidence_part
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.sight import SILENT
from osler.server.work import working

router = APIRouter(prefix="/ask", include_in_schema=False, dependencies=[Depends(signed_in)])
Who = Annotated[Principal, Depends(signed_in)]
MAKING = [role("clinician", "educator", "researcher"), capability("ask"), working()]
SAMPLES = ("What causes scurvy?", "How is sickle cell disease inherited?", "哮喘如何治疗？")


@router.get("")
def new(request: Request, who: Who) -> Response:
    earlier = sight_of(request).mine(who, ("answer",), 10)
    return page(request, "ask_new", samples=SAMPLES, earlier=earlier, methods=list(methods().values()))


@router.post("", dependencies=MAKING)
def make(
    request: Request,
    who: Who,
    question: Annotated[str, Form(max_length=20_000)] = "",
    options: Annotated[str, Form(max_length=20_000)] = "",
    method: Annotated[str, Form()] = "",
) -> Response:
    if not question.strip():
        raise InputError(_("the question is empty"))
    lines = [line.strip() for line in options.splitlines() if line.strip()]
    choices = {chr(ord("A") + n): line for n, line in enumerate(lines[:26])} or None
    asked = Question(text=question.strip(), options=choices, method=method or None)
    trace = desk_of(request).ask(asked).trace
    silent = "ask" in desk_of(request).settings.server.silent
    sight_of(request).keep(trace.id, SILENT if silent else who, "answer")
    if silent:
        raise Refused(403, f"silent mode: the answer is kept as {trace.id} and not shown")
    return Response(status_code=204, headers={"HX-Redirect": f"/ask/{trace.id}"})


@router.get("/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    payload = sight_of(request).payload(id, who, kind="ask")
    it: dict[str, Any] = document_of(payload)
    cited = list(dict.fromkeys(id for statement in it["statements"] for id in statement["evidence"]))
    return page(request, "ask", it=it, given=payload["input"], cited=cited, trace=payload["trace"])


@router.get("/{id}/evidence/{evidence_id:path}")
def evidence(request: Request, id: str, evidence_id: str, who: Who, statement: int | None = None) -> Response:
    return evidence_part(request, document_of(sight_of(request).payload(id, who, kind="ask")), evidence_id, statement)
