"""The pages of a consult: give a record, read what came out, change its findings, open what stands behind it."""

import base64
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import Response

from osler.clinic.desk import Edit
from osler.clinic.feedback import statements_of
from osler.errors import InputError
from osler.knowledge.graph import Node
from osler.knowledge.library.documents import DocumentText
from osler.nouns import Finding, Principal
from osler.server import consult_view as view
from osler.server.access import capability, role, signed_in
from osler.server.api import desk_of, document_of, sight_of
from osler.server.look import _, language_of, page, words
from osler.server.problems import Refused
from osler.server.sight import SILENT
from osler.server.work import working

router = APIRouter(prefix="/consult", include_in_schema=False, dependencies=[Depends(signed_in)])
Who = Annotated[Principal, Depends(signed_in)]
MAKING = [role("clinician", "educator", "researcher"), capability("consult"), working()]
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")
OVERRIDES = ("benefit", "monitored", "tolerated", "not-applicable", "wrong", "other")


@router.get("")
def new(request: Request, who: Who) -> Response:
    earlier = sight_of(request).mine(who, ("consult",), 10)
    return page(request, "consult_new", samples=list(request.app.state.samples), earlier=earlier)


@router.post("", dependencies=MAKING)
def make(
    request: Request,
    who: Who,
    text: Annotated[str, Form()] = "",
    sample: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    content, name = given_record(request, text, sample, file)
    return opened(request, make_consult(request, who, content, name, None, []))


def given_record(request: Request, text: str, sample: str, file: UploadFile | None) -> tuple[bytes, str]:
    """A record's bytes and its name: the file, the sample case or the text that a form gave."""
    if file is not None and file.filename:
        content, name = readable(file.file.read(), file.filename), file.filename
    elif sample:
        if sample not in request.app.state.samples:
            raise Refused(404, _("no such sample case"))
        content, name = request.app.state.samples[sample], sample
    else:
        content, name = text.replace("\r\n", "\n").encode("utf-8", "replace"), "note"
    if not content.strip():
        raise InputError(_("there is nothing to consult on: write a note or give a file"))
    return content, name


def readable(content: bytes, name: str) -> bytes:
    """The text of a PDF or DOCX; any other file as it is. What a file is says its content, not its name."""
    if content.startswith(IMAGES) or content[128:132] == b"DICM":
        hint = "Write what it shows in a note; the page Images shows it."
        raise InputError("No vision model is configured: an image is not read.", hint=hint)
    if content.startswith(b"%PDF-") or (content.startswith(b"PK\x03\x04") and name.lower().endswith(".docx")):
        from osler.knowledge.library.readers import read

        with TemporaryDirectory() as folder:
            file = Path(folder) / ("given.pdf" if content.startswith(b"%PDF-") else "given.docx")
            file.write_bytes(content)
            texts = [found.text for found in read(file) if isinstance(found, DocumentText)]
        return "\n\n".join(texts).encode()
    return content


def make_consult(request: Request, who: Principal, content: bytes, name: str, kind: Any, edits: list[Edit]) -> str:
    """The id of a new consult, kept as the principal's."""
    outcome = desk_of(request).consult(content, name, kind, edits)
    silent = "consult" in desk_of(request).settings.server.silent
    sight_of(request).keep(outcome.trace.id, SILENT if silent else who, "consult")
    if silent:
        raise Refused(403, f"silent mode: the consult is kept as {outcome.trace.id} and not shown")
    return outcome.trace.id


def opened(request: Request, id: str) -> Response:
    return Response(status_code=204, headers={"HX-Redirect": f"/consult/{id}"})


@router.get("/terms")
def terms(request: Request, label: str = "") -> Response:
    """Phenotypes that what was typed so far may mean, for the field where a finding is added."""
    language, graph = language_of(request), desk_of(request).resources.graph
    found = phenotypes(request, label)[:12] if len(label.strip()) > 1 else []
    return page(request, "parts/terms", terms=[(node.id, graph.label(node.id, language)) for node in found])


@router.get("/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    return page(request, "consult", **shown(request, id, who))


def shown(request: Request, id: str, who: Principal) -> dict[str, Any]:
    """What the page of a consult shows."""
    payload = sight_of(request).payload(id, who, kind="consult")
    it = document_of(payload)
    findings, said = findings_of(it), words(request)["status_word"]
    in_text = {document["id"] for document in it["case"]["documents"]}
    documents = [
        {"title": document["title"], "pieces": view.pieces(document, findings, said.__getitem__)}
        for document in it["case"]["documents"]
    ]
    coded: dict[tuple[str, str], tuple[int, str, str]] = {}
    for n, item in enumerate(findings):
        if item.source not in in_text:
            coded.setdefault((item.code, item.status), (n, item.label, view.described(item, said.__getitem__)))
    statements = it["answer"]["statements"]
    return {
        "it": it,
        "documents": documents,
        "coded": list(coded.values()),
        "bars": view.bars(it["differential"]),
        "edits": len(payload["input"].get("edits", [])),
        "cited": list(dict.fromkeys(id for statement in statements for id in statement["evidence"])),
        "overridden": overridden(request, it["case"]),
        "override_reasons": {key: words(request)["override_word"][key] for key in OVERRIDES},
    }


def overridden(request: Request, case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The newest override of each alert about this patient, by the alert's message."""
    ledger = desk_of(request).ledger
    mine = ledger.of_patient(case["patient"]["id"] or case["digest"])
    made = [ledger.payload(entry.id) | {"time": entry.time} for entry in mine if entry.kind == "override"]
    return {said["alert"]["message"]: said for said in made}


def findings_of(it: dict[str, Any]) -> list[Finding]:
    return [Finding(**item) for item in it["findings"]]


def numbered(items: list[Any], n: int) -> Any:
    if not 0 <= n < len(items):
        raise Refused(404, _("the consult has no such part"))
    return items[n]


@router.post("/{id}/edit", dependencies=MAKING)
def edit(
    request: Request,
    id: str,
    who: Who,
    action: Annotated[str, Form()],
    n: Annotated[int | None, Form()] = None,
    label: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """The consult made anew with one finding rejected, turned round, coded otherwise or added."""
    payload = sight_of(request).payload(id, who, kind="consult")
    given = payload["input"]
    made = edit_of(request, action, findings_of(document_of(payload)), n, code or label)
    earlier = [Edit(**edit) for edit in given.get("edits", [])]
    new = make_consult(request, who, base64.b64decode(given["base64"]), given["name"], given["kind"], [*earlier, made])
    answer = page(request, "parts/consult", **shown(request, new, who))
    answer.headers["HX-Push-Url"] = f"/consult/{new}"
    return answer


def edit_of(request: Request, action: str, findings: list[Finding], n: int | None, term: str) -> Edit:
    if action in ("add", "add-absent"):
        status = "present" if action == "add" else "absent"
        return Edit(finding=Finding(**term_of(request, term), status=status, source="workbench"))
    old = numbered(findings, -1 if n is None else n)
    change: dict[str, Any] | None = {
        "reject": None,
        "turn": {"status": "present" if old.status == "absent" else "absent"},
        "family": {"experiencer": "family"},
        "patient": {"experiencer": "patient"},
        "recode": term_of(request, term) if action == "recode" else {},
    }.get(action, {})
    if change == {}:
        raise Refused(422, "not a change of a finding", "action")
    new = None if change is None else old.model_copy(update=change)
    return Edit(code=old.code, source=old.source, start=old.start, finding=new)


def term_of(request: Request, term: str) -> dict[str, str]:
    """The code and label of a phenotype by name or code. Raises InputError."""
    found = phenotypes(request, term)
    if not found:
        raise InputError(f"no finding is called {term!r}", hint="Try another word for it, or its HPO code.")
    return {"code": found[0].id, "label": found[0].label}


def phenotypes(request: Request, term: str) -> list[Node]:
    """The phenotypes that a term or code may mean, best first."""
    return [node for node in desk_of(request).resources.graph.resolve(term.strip(), 60) if node.kind == "phenotype"]


@router.get("/{id}/finding/{n}")
def finding(request: Request, id: str, n: int, who: Who) -> Response:
    it = document_of(sight_of(request).payload(id, who, kind="consult"))
    item = numbered(findings_of(it), n)
    node = desk_of(request).resources.graph.find(item.code)
    speaks = [
        (disease["label"], part["score"])
        for disease in it["differential"]
        for part in [*disease["for"], *disease["against"]]
        if part["code"] == item.code
    ]
    said = view.described(item, words(request)["status_word"].__getitem__)
    values = {"finding": item, "said": said, "speaks": speaks, "definition": node.definition if node else None}
    same = [evidence["id"] for evidence in it["evidence"] if n in view.shown_by(evidence, findings_of(it))]
    stated = view.stated(it["answer"]["statements"], same)
    return page(request, "parts/finding", id=id, n=n, stated=stated, **values)


@router.get("/{id}/disease/{n}")
def disease(request: Request, id: str, n: int, who: Who) -> Response:
    item = numbered(document_of(sight_of(request).payload(id, who, kind="consult"))["differential"], n)
    graph = desk_of(request).resources.graph
    leading = next((part["code"] for part in item["for"] if graph.find(part["code"])), None)
    return page(request, "parts/disease", id=id, n=n, item=item, known=graph.find, path=drawn(request, leading, item))


@router.get("/{id}/disease/{n}/path/{code}")
def path(request: Request, id: str, n: int, code: str, who: Who) -> Response:
    """How the graph comes from a finding to the disease."""
    item = numbered(document_of(sight_of(request).payload(id, who, kind="consult"))["differential"], n)
    return page(request, "parts/path", path=drawn(request, code, item))


def drawn(request: Request, code: str | None, item: dict[str, Any]) -> list[view.Step]:
    """The shortest path of the graph from a code to a disease; empty if there is none."""
    graph, language = desk_of(request).resources.graph, language_of(request)
    found = graph.path(code, item["id"], limit=1) if code else []
    return view.steps(found[0], lambda node: graph.label(node, language)) if found else []


@router.get("/{id}/evidence/{evidence_id:path}")
def evidence(request: Request, id: str, evidence_id: str, who: Who, statement: int | None = None) -> Response:
    it = document_of(sight_of(request).payload(id, who, kind="consult"))
    return evidence_part(request, it, evidence_id, statement)


def evidence_part(request: Request, it: dict[str, Any], id: str, statement: int | None) -> Response:
    """The card of a piece of evidence, the statement's words marked in it."""
    found = next((item for item in it["evidence"] if item["id"] == id), None)
    if found is None:
        raise Refused(404, _("the answer has no such evidence"))
    statements = statements_of(it)
    text = numbered(statements, statement)["text"] if statement is not None else ""
    lit = [] if statement is None else [f"s{statement}"]
    lit += [f"f{n}" for n in view.shown_by(found, findings_of(it))] if "findings" in it else []
    values: dict[str, Any] = {
        "pieces": view.marked(found["text"], text),
        "stated": view.stated(statements, [id]),
        "lit": lit,
    }
    return page(request, "parts/evidence", evidence=found, **values)


@router.post("/{id}/override")
def override(
    request: Request,
    id: str,
    who: Annotated[Principal, role("clinician")],
    alert: Annotated[int, Form()],
    reason: Annotated[str, Form()],
    comment: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Keep in the ledger that an alert was overridden, by whom and why."""
    it = document_of(sight_of(request).payload(id, who, kind="consult"))
    if reason not in OVERRIDES:
        raise Refused(422, "not a reason that is known", "reason")
    overridden = numbered(it["alerts"], alert)
    kept = {"consult": id, "alert": overridden, "reason": reason, "comment": comment, "who": who.id}
    entry = desk_of(request).ledger.append("override", kept, about=id)
    return page(request, "parts/done", said=f"{words(request)['override_word'][reason]} ({entry.id})")
