"""The pages of reports: give a record, read the draft with its sources and gaps, take it along as a file."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from osler.clinic.feedback import statements_of
from osler.clinic.reports import Report, kinds, signing
from osler.clinic.reports.signing import SIGNED, Change, held
from osler.clinic.reports.write import WRITERS
from osler.errors import InputError
from osler.nouns import dump
from osler.server.access import capability, role, signed_in
from osler.server.api import Who, desk_of, sight_of
from osler.server.consult_pages import evidence_part, given_record
from osler.server.look import _, language_of, page
from osler.server.problems import Refused
from osler.server.sight import SILENT
from osler.server.work import working

router = APIRouter(prefix="/reports", include_in_schema=False, dependencies=[Depends(signed_in)])
MAKING = [role("clinician", "educator", "researcher"), capability("report"), working()]
SIGNING = [role("clinician"), capability("report"), working()]
MEDIA = {
    ".md": "text/markdown; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".dcm": "application/dicom",
}


@router.get("")
def new(request: Request, who: Who) -> Response:
    known, language = kinds(desk_of(request).settings), language_of(request)
    choices = [(name, kind.title.get(language, kind.title["en"])) for name, kind in known.items()]
    earlier = sight_of(request).mine(who, ("report",), 10)
    return page(request, "report_new", choices=choices, samples=list(request.app.state.samples), earlier=earlier)


@router.post("", dependencies=MAKING)
def make(
    request: Request, who: Who, kind: Annotated[str, Form()], text: Annotated[str, Form()] = "",
    sample: Annotated[str, Form()] = "", language: Annotated[Literal["", "en", "zh"], Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:  # fmt: skip
    desk = desk_of(request)
    known = kinds(desk.settings)
    if kind not in known:
        raise InputError(f"unknown kind of report {kind!r}", where="kind", hint=f"Known: {', '.join(known)}.")
    content, name = given_record(request, text, sample, file)
    id = str(desk.report(known[kind], content, name, language or None).trace_id)
    silent = "report" in desk.settings.server.silent
    sight_of(request).keep(id, SILENT if silent else who, "report")
    if silent:
        raise Refused(403, f"silent mode: the report is kept as {id} and not shown")
    return Response(status_code=204, headers={"HX-Redirect": f"/reports/{id}"})


def report_of(request: Request, id: str, who: Who) -> tuple[dict[str, Any], dict[str, Any]]:
    """A report as it stands, and its trace."""
    payload = sight_of(request).payload(id, who, kind="report")
    return dump(held(id, desk_of(request).ledger, desk_of(request).settings).report), payload["trace"]


@router.get("/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    it, trace = report_of(request, id, who)
    cited = list(dict.fromkeys(id for statement in statements_of(it) for id in statement["evidence"]))
    versions = held(id, desk_of(request).ledger, desk_of(request).settings).versions
    return page(
        request, "report", it=it, cited=cited, trace=trace, endings=list(WRITERS), versions=versions,
        signed=it["status"] in SIGNED,
    )  # fmt: skip


@router.post("/{id}/change", dependencies=SIGNING)
def change(
    request: Request, id: str, who: Who, statement: Annotated[str, Form()] = "", section: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "", reason: Annotated[str, Form()] = "", what: Annotated[str, Form()] = "change",
    consent: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Change, take out or add a sentence; of a signed report, as an amendment."""
    desk, said = desk_of(request), text.strip() if what == "change" else None
    if what == "change" and not said:
        raise InputError(_("a changed sentence needs its new words"), where="text")
    made = Change(statement=statement or None, section=section or None, text=said, reason=reason.strip() or None)
    sight_of(request).payload(id, who, kind="report")
    if held(id, desk.ledger, desk.settings).last.status in SIGNED:
        signing.amend(id, [made], desk, who, reason, bool(consent))
    else:
        signing.edit(id, [made], desk, who, bool(consent))
    return Response(status_code=204, headers={"HX-Redirect": f"/reports/{id}"})


@router.post("/{id}/sign", dependencies=SIGNING)
def sign(request: Request, id: str, who: Who) -> Response:
    sight_of(request).payload(id, who, kind="report")
    signing.sign(id, desk_of(request), who)
    return Response(status_code=204, headers={"HX-Redirect": f"/reports/{id}"})


@router.get("/{id}/file{ending}")
def file(request: Request, id: str, ending: str, who: Who) -> Response:
    """The report as a file to take along."""
    it, _trace = report_of(request, id, who)
    if ending not in WRITERS:
        raise Refused(404, _("a report is not written in this format"))
    headers = {"Content-Disposition": f'attachment; filename="{it["kind"]}-{id}{ending}"'}
    return Response(WRITERS[ending](Report(**it)), media_type=MEDIA.get(ending), headers=headers)


@router.get("/{id}/evidence/{evidence_id:path}")
def evidence(request: Request, id: str, evidence_id: str, who: Who, statement: int | None = None) -> Response:
    return evidence_part(request, report_of(request, id, who)[0], evidence_id, statement)
