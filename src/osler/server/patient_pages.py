"""The pages of the virtual patient: choose a case, ask and examine, commit, read the score and the debrief."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from osler.education.patient import Interview, mark, read_script
from osler.education.patient.asked import prompts
from osler.education.patient.sittings import CASES, Sitting, begin, keep, sitting, sittings
from osler.nouns import Principal, dump
from osler.reasoning.resources import Run
from osler.server.access import capability, role, signed_in
from osler.server.api import Who, desk_of
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.work import working

router = APIRouter(prefix="/learn/patients", include_in_schema=False, dependencies=[Depends(signed_in)])
MAKING = [role("clinician", "educator", "researcher"), capability("learn"), working()]
LINE_NAMES = {
    "history": _("History"),
    "red-flags": _("Red flags"),
    "efficiency": _("Efficiency"),
    "empathy": _("Empathy"),
    "diagnosis": _("Diagnosis"),
    "reasoning": _("Reasoning"),
    "plan": _("Plan"),
}
EARLIER = 10


@router.get("")
def choose(request: Request, who: Who) -> Response:
    cases = [(path.stem, read_script(path)) for path in sorted(CASES.glob("*.toml"))]
    return page(request, "patients", cases=cases, earlier=sittings(desk_of(request).settings, who.id)[:EARLIER])


@router.post("", dependencies=MAKING)
def start(
    request: Request, who: Who, case: Annotated[str, Form()] = "", diagnosis: Annotated[str, Form(max_length=200)] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:  # fmt: skip
    """Begin with a shipped case or one's own: an author's form, AgentClinic case, phenopacket or FHIR record."""
    if file is not None and file.filename:
        with tempfile.TemporaryDirectory(prefix="osler-") as folder:
            given = Path(folder) / Path(file.filename).name
            given.write_bytes(file.file.read())
            script = read_script(given, diagnosis.strip() or None)
    elif case in [path.stem for path in CASES.glob("*.toml")]:
        script = read_script(CASES / f"{case}.toml")
    else:
        raise Refused(404, _("no such sample case"))
    prompts(desk_of(request).resources.embedder, script.language)  # the first question needn't wait for them
    id = begin(desk_of(request).settings, who.id, Interview(script=script))
    return Response(status_code=204, headers={"HX-Redirect": f"/learn/patients/{id}"})


@router.get("/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    it = sitting(desk_of(request).settings, who.id, id)
    marked = desk_of(request).ledger.payload(it.trace)["output"] if it.trace else None
    return page(request, "patient", it=it, marked=marked, names=LINE_NAMES)


def under_way(request: Request, id: str, who: Principal) -> Sitting:
    found = sitting(desk_of(request).settings, who.id, id)
    if found.trace:
        raise Refused(409, _("this interview has ended"))
    return found


@router.post("/{id}/turns", dependencies=MAKING)
def turn(request: Request, id: str, who: Who, line: Annotated[str, Form(max_length=2000)] = "") -> Response:
    """A question, or `/exam PART` or `/test NAME`, and what comes back."""
    if not line.strip():
        raise Refused(422, _("the question is empty"), "line")
    it, desk = under_way(request, id, who), desk_of(request)
    interview, _reply = it.interview.ask(line.strip(), Run(desk.resources, "patient"))
    keep(desk.settings, id, interview)
    return page(request, "parts/patient_turn", turn=interview.turns[-1], language=interview.script.language)


@router.post("/{id}/end", dependencies=MAKING)
def end(
    request: Request, id: str, who: Who, differential: Annotated[str, Form(max_length=2000)] = "",
    plan: Annotated[str, Form(max_length=4000)] = "",
) -> Response:  # fmt: skip
    """Commit and be marked; the interview is in the ledger with its score."""
    it, desk = under_way(request, id, who), desk_of(request)
    named = [name.strip() for name in differential.replace("；", ";").replace("\n", ";").split(";") if name.strip()]
    interview = it.interview.model_copy(update={"differential": named, "plan": plan.strip() or None})
    run = Run(desk.resources, "patient")
    marked = mark(interview, run)
    for item in marked.evidence:
        run.cite(item)
    desk.keep("patient", dump(interview), dump(marked), run.trace("patient"), interview.script.id)
    keep(desk.settings, id, interview, run.id)
    return Response(status_code=204, headers={"HX-Redirect": f"/learn/patients/{id}"})
