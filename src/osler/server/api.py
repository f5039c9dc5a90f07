"""REST, `/api/v1`: what the commands do, for programs. Documents are those of CONTRACTS; errors are problem documents.

A write may carry an `Idempotency-Key`: the same key and body give the answer that was made, another body is refused.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from osler.clinic.consult import Consult
from osler.clinic.desk import Desk
from osler.clinic.edits import Edit
from osler.clinic.reports import Report, kinds, signing
from osler.clinic.reports.signing import Change
from osler.clinic.reports.signing import held as as_it_stands
from osler.errors import InputError
from osler.nouns import Evidence, Feedback, Finding, NextQuestion, Noun, Principal, RankedDisease, dump
from osler.privacy.spans import Span
from osler.reasoning.registry import Question
from osler.server.access import capability, role, signed_in
from osler.server.problems import Refused
from osler.server.sight import SILENT, Sight
from osler.server.work import working

router = APIRouter(prefix="/api/v1", dependencies=[Depends(signed_in)])
Who = Annotated[Principal, Depends(signed_in)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
CLINICAL = role("clinician", "educator", "researcher")
SIGNING = [role("clinician"), capability("report"), working()]
KINDS = {"consults": "consult", "answers": "ask", "reports": "report"}  # of the entries of the ledger
MOST_TEXT = 2_000_000  # characters


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class File(Given):
    """A record: `text`, or `base64` of a file."""

    text: str | None = Field(default=None, max_length=MOST_TEXT)
    base64: str | None = None
    name: str = Field(default="record", max_length=300)

    def content(self) -> bytes:
        if (self.text is None) == (self.base64 is None):
            raise InputError("give either `text` or `base64`")
        if self.text is not None:
            return self.text.encode("utf-8", "replace")
        try:
            return base64.b64decode(self.base64 or "", validate=True)
        except (binascii.Error, ValueError):
            raise InputError("not base64", where="base64") from None


class Record(File):
    """A case to consult on; `edits`: findings as a clinician changed them."""

    kind: Literal["note", "fhir", "phenopacket", "dialogue"] | None = None
    edits: list[Edit] = []


class ToReport(File):
    """A record to draft a report of a kind from (`GET /report-kinds`); `language`: the record's own if none."""

    kind: str = Field(max_length=64)
    language: Literal["en", "zh"] | None = None


class Masked(Noun):
    """A text with its identifiers replaced, and where they stood."""

    text: str
    spans: list[Span] = []


class ToMask(Given):
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    policy: str = "safe-harbor"


class Asked(Given):
    question: str = Field(min_length=1, max_length=20_000)
    options: dict[str, str] | None = None
    context: str | None = Field(default=None, max_length=MOST_TEXT)
    method: str | None = None


class Answered(Noun):
    """An answer with its evidence, as `osler ask --json` prints it."""

    model_config = ConfigDict(extra="allow")
    evidence: list[Evidence] = []


class Text(Given):
    text: str = Field(min_length=1, max_length=MOST_TEXT)
    vocabulary: str = "all"


class Phenotypes(Given):
    observed: list[str] = Field(min_length=1, max_length=500)
    excluded: list[str] = Field(default=[], max_length=500)
    sex: Literal["male", "female"] | None = None
    age: str | None = None
    exclude_references: list[str] = []
    general: bool = False
    top: int = Field(default=20, ge=1, le=1000)


class Said(Given):
    """Feedback on one statement of an answer."""

    trace_id: str
    statement: str = Field(min_length=1, max_length=5000)
    verdict: Literal["right", "wrong", "edited"]
    text: str | None = Field(default=None, max_length=5000)
    reason: str | None = Field(default=None, max_length=2000)
    consent: bool = False


class Reason(Given):
    reason: str = Field(min_length=1, max_length=500)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def sight_of(request: Request) -> Sight:
    sight: Sight = request.app.state.sight
    return sight


def made_once(
    request: Request, who: Principal, kind: str, key: str | None, body: BaseModel, make: Callable[[], tuple[str, Any]]
) -> Response:
    """The answer `make` gives (its id and document), kept as this principal's; under a key only once."""
    sight, silent = sight_of(request), kind in desk_of(request).settings.server.silent
    name = hashlib.sha256(f"{who.id}\n{kind}\n{key}".encode()).hexdigest() if key else None
    content = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    if name and (earlier := sight.under(name)):
        if earlier[1] != content:
            raise Refused(422, "this key was used for another request", "Idempotency-Key")
        return JSONResponse(document_of(sight.payload(earlier[0], who)), 200, {"Idempotent-Replay": "true"})
    id, document = make()
    sight.keep(id, SILENT if silent else who, kind, name, content)
    if silent:
        return JSONResponse({"trace_id": id, "silent": True}, 202)
    return JSONResponse(document, 201, {"Location": f"/api/v1/{kind}s/{id}"})


def document_of(payload: dict[str, Any]) -> dict[str, Any]:
    """The document that was given out for an entry of the ledger."""
    output: dict[str, Any] = payload["output"]
    return (
        {**output["answer"], "evidence": output["evidence"]} if "answer" in output and "case" not in output else output
    )


def page_of(request: Request, who: Principal, kind: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of the principal's answers of a kind and the cursor of the next one."""
    try:
        before = float(cursor) if cursor else None
    except ValueError:
        raise Refused(422, "not a cursor of this list", "cursor") from None
    found = sight_of(request).mine(who, (kind,), limit + 1, before)
    return {
        "items": [{"id": item.id, "kind": item.kind, "made": item.made} for item in found[:limit]],
        "next": repr(found[limit - 1].made) if len(found) > limit else None,
    }


Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=40)]


@router.post(
    "/consults", status_code=201, response_model=Consult, dependencies=[CLINICAL, capability("consult"), working()]
)
def make_consult(request: Request, body: Record, who: Who, key: Key = None) -> Response:
    """Consult on a note, FHIR bundle, phenopacket or dialogue."""

    def make() -> tuple[str, Any]:
        result, trace = desk_of(request).consult(body.content(), body.name, body.kind, body.edits)
        return trace.id, dump(result)

    return made_once(request, who, "consult", key, body, make)


@router.get("/consults")
def list_consults(request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """One's own consults, newest first."""
    return page_of(request, who, "consult", limit, cursor)


@router.get("/consults/{id}", response_model=Consult)
@router.get("/answers/{id}", response_model=Answered, operation_id="get_answer")
@router.get("/reports/{id}", response_model=Report, operation_id="get_report")
def get_made(request: Request, id: str, who: Who) -> Response:
    """A consult, answer or report that was made before."""
    kind = KINDS[request.url.path.split("/")[3]]
    payload = sight_of(request).payload(id, who, kind=kind)
    if kind == "report":
        return JSONResponse(dump(as_it_stands(id, desk_of(request).ledger, desk_of(request).settings).report))
    return JSONResponse(document_of(payload))


@router.post(
    "/consults/{id}/edits",
    status_code=201,
    response_model=Consult,
    dependencies=[CLINICAL, capability("consult"), working()],
)
def edit_consult(request: Request, id: str, body: list[Edit], who: Who) -> Response:
    """Consult anew on the same record with its findings edited: the edits made before, then these."""
    given = sight_of(request).payload(id, who, kind="consult")["input"]
    edits = [*(Edit(**edit) for edit in given.get("edits", [])), *body]
    record = Record(base64=given["base64"], name=given["name"], kind=given["kind"], edits=edits)
    return make_consult(request, record, who)


@router.post(
    "/answers", status_code=201, response_model=Answered, dependencies=[CLINICAL, capability("ask"), working()]
)
def make_answer(request: Request, body: Asked, who: Who, key: Key = None) -> Response:
    """Answer a question from the library or from `context`. With `Accept: text/event-stream` its checked statements
    come as events: nothing is sent that was not verified."""
    if not body.question.strip():
        raise InputError("the question is empty", where="question")

    def make() -> tuple[str, Any]:
        asked = Question(text=body.question, options=body.options, context=body.context, method=body.method)
        made, evidence, trace = desk_of(request).ask(asked)
        return trace.id, {**dump(made), "evidence": dump(evidence)}

    told = made_once(request, who, "answer", key, body, make)
    if "text/event-stream" not in request.headers.get("accept", "") or told.status_code == 202:
        return told
    document = json.loads(bytes(told.body))
    events = [("statement", item) for item in document["statements"]] + [("answer", document)]
    lines = (f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n" for name, value in events)
    return StreamingResponse(lines, told.status_code, media_type="text/event-stream")


@router.get("/answers")
def list_answers(request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """One's own answers, newest first."""
    return page_of(request, who, "answer", limit, cursor)


@router.get("/report-kinds")
def list_report_kinds(request: Request) -> dict[str, list[dict[str, str]]]:
    """The kinds of report there are, with their English and Chinese titles."""
    known = kinds(desk_of(request).settings)
    return {"kinds": [{"name": name, **dump(kind.title)} for name, kind in known.items()]}


@router.post(
    "/reports", status_code=201, response_model=Report, dependencies=[CLINICAL, capability("report"), working()]
)
def make_report(request: Request, body: ToReport, who: Who, key: Key = None) -> Response:
    """Draft a report from a record, every sentence with its source."""
    desk = desk_of(request)
    known = kinds(desk.settings)
    if body.kind not in known:
        raise InputError(f"unknown kind of report {body.kind!r}", where="kind", hint=f"Known: {', '.join(known)}.")

    def make() -> tuple[str, Any]:
        made = desk.report(known[body.kind], body.content(), body.name, body.language)
        return str(made.trace_id), dump(made)

    return made_once(request, who, "report", key, body, make)


@router.get("/reports")
def list_reports(request: Request, who: Who, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """One's own reports, newest first."""
    return page_of(request, who, "report", limit, cursor)


class Changed(Given):
    """`reason` is needed for an amendment; `consent`: the changes may align a model."""

    changes: list[Change] = Field(min_length=1, max_length=200)
    reason: str = Field(default="", max_length=500)
    consent: bool = False


@router.get("/reports/{id}/versions")
def report_versions(request: Request, id: str, who: Who) -> dict[str, Any]:
    """How a report came to be as it stands: who changed, signed and amended it, and the hashes."""
    sight_of(request).payload(id, who, kind="report")
    found = as_it_stands(id, desk_of(request).ledger, desk_of(request).settings)
    return {"versions": [version._asdict() for version in found.versions]}


@router.post("/reports/{id}/edits", status_code=201, response_model=Report, dependencies=SIGNING)
def edit_report(request: Request, id: str, body: Changed, who: Who) -> Any:
    """Change sentences of a draft; each is put to the verifier again."""
    sight_of(request).payload(id, who, kind="report")
    return signing.edit(id, body.changes, desk_of(request), who, body.consent).report


@router.post("/reports/{id}/signature", status_code=201, response_model=Report, dependencies=SIGNING)
def sign_report(request: Request, id: str, who: Who) -> Any:
    """Sign a report as it stands: from then on it can only be amended."""
    sight_of(request).payload(id, who, kind="report")
    return signing.sign(id, desk_of(request), who).report


@router.post("/reports/{id}/amendments", status_code=201, response_model=Report, dependencies=SIGNING)
def amend_report(request: Request, id: str, body: Changed, who: Who) -> Any:
    """Amend a signed report: a further signed version with a reason."""
    sight_of(request).payload(id, who, kind="report")
    return signing.amend(id, body.changes, desk_of(request), who, body.reason, body.consent).report


@router.post("/deidentify", response_model=Masked, dependencies=[working()])
def deidentify(request: Request, body: ToMask) -> Any:
    """The text with its identifiers replaced by a policy, and where they stood. Nothing of it is kept."""
    from osler.ledger.vault import Vault
    from osler.privacy.deid import Deidentifier
    from osler.privacy.policy import load_policy, names

    if body.policy not in names():
        raise InputError(f"unknown policy {body.policy!r}", where="policy", hint=f"Known: {', '.join(names())}.")
    policy, keys = load_policy(body.policy), desk_of(request).settings.home / "keys"
    key = bytes.fromhex(Vault(keys).pseudonym("deidentification")) if policy.keyed else b""
    found = Deidentifier(policy=policy, key=key).mask(body.text)
    return dump({"text": found.text, "spans": found.spans})


@router.post("/records/{id}/break-glass", status_code=204)
def break_glass(request: Request, id: str, body: Reason, who: Annotated[Principal, role("clinician")]) -> Response:
    """See another account's record for an hour; the reason is kept in the ledger."""
    sight_of(request).break_glass(id, who, body.reason)
    return Response(status_code=204)


@router.post("/feedback", status_code=201)
def give_feedback(request: Request, body: Said, who: Who) -> Feedback:
    """Say of a statement that it is right, wrong or better otherwise: kept beside its answer, for alignment."""
    from osler.clinic.feedback import keep

    sight_of(request).payload(body.trace_id, who)
    return keep(desk_of(request), body.model_dump(), who)


@router.post("/concepts", dependencies=[working()])
def concepts(body: Text) -> dict[str, list[Finding]]:
    """Phenotypes, diseases and drugs of a text, with their context."""
    from osler.knowledge.concepts.recogniser import load_recogniser

    vocabulary = tuple(part.strip() for part in body.vocabulary.split(","))
    return {"findings": load_recogniser(vocabulary).find(body.text)}


@router.post("/diagnoses", dependencies=[CLINICAL, working()])
def diagnoses(request: Request, body: Phenotypes) -> dict[str, list[RankedDisease] | list[NextQuestion]]:
    """Diseases for HPO terms, ranked and explained, and what to ask next."""
    from osler.knowledge.diagnosis import explain, next_questions, rank

    observed, excluded = body.observed, body.excluded
    ranked = rank(observed, excluded, body.sex, body.age, body.exclude_references, body.top, body.general)
    about: dict[str, Any] = {"sex": body.sex, "age": body.age, "general": body.general}
    count = desk_of(request).settings.consult.questions
    questions = next_questions(observed, excluded, ranked, count, "en", body.sex)
    return {"ranked": explain(ranked, observed, excluded, **about), "next_questions": questions}


@router.get("/search", dependencies=[working()])
def search(
    request: Request, q: Annotated[str, Query(min_length=1, max_length=2000)], library: str | None = None,
    k: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Any:  # fmt: skip
    """Passages of a library, best first."""
    from osler.knowledge.library import open_library

    settings = desk_of(request).settings
    found = open_library(library, settings) if library else desk_of(request).resources.library
    return dump({"query": q, "library": found.name, "version": found.version, "results": found.search(q, k=k)})


@router.get("/graph/nodes")
def nodes(request: Request, q: Annotated[str, Query(min_length=1, max_length=300)], limit: Limit = 10) -> Any:
    """Nodes of the graph by identifier or by English or Chinese name."""
    graph = desk_of(request).resources.graph
    exact = graph.find(q)
    return dump({"nodes": [*([exact] if exact else []), *graph.resolve(q, limit=limit)][:limit]})


@router.get("/graph/nodes/{id}")
def node(request: Request, id: str) -> Any:
    """A node with its edges and their sources."""
    graph = desk_of(request).resources.graph
    if graph.find(id) is None:
        raise Refused(404, f"no node of the graph has the identifier {id}", "id")
    return dump({"node": graph.node(id), "edges": graph.edges(id, direction="both")})


@router.get("/graph/paths")
def paths(
    request: Request, a: Annotated[str, Query(max_length=100)], b: Annotated[str, Query(max_length=100)],
    limit: Annotated[int, Query(ge=1, le=20)] = 3,
) -> Any:  # fmt: skip
    """The shortest specific paths between two nodes, each step with its source."""
    return dump({"paths": desk_of(request).resources.graph.path(a, b, limit=limit)})


@router.get("/calculators")
def list_calculators() -> dict[str, Any]:
    """The published scores and formulas there are, with their inputs."""
    from osler.reasoning.calculators import calculators, described

    return {"calculators": [described(one, inputs=True) for one in calculators().values()]}


@router.post("/calculators/{name}")
def calculate(name: str, body: Annotated[dict[str, str | float | bool], Body()]) -> Any:
    """A calculation; values may carry their unit ("88 umol/L")."""
    from osler.reasoning.calculators import calculate as computed

    return dump(computed(name, {key: str(value) for key, value in body.items()}))


@router.get("/methods")
def list_methods() -> dict[str, Any]:
    """The ways to answer a question."""
    from osler.reasoning.registry import methods

    rows = [
        {"name": one.name, "about": one.about, "paper": one.paper, "calls": one.calls} for one in methods().values()
    ]
    return {"methods": rows}


@router.get("/jobs")
def jobs(request: Request, limit: Limit = 50) -> dict[str, Any]:
    """Long work: what runs, how far it is."""
    from osler.storage import Jobs, open_database

    return {"jobs": [job._asdict() for job in Jobs(open_database(desk_of(request).settings)).list(limit)]}


@router.get("/ledger", dependencies=[role("privacy-officer", "administrator")])
def entries(request: Request, limit: Limit = 50) -> Any:
    """The newest links of the chain: no content."""
    return dump({"entries": desk_of(request).ledger.entries(limit)})


@router.get("/ledger/verify", dependencies=[role("privacy-officer", "administrator"), working()])
def verify(request: Request) -> dict[str, Any]:
    """Whether every link, signature and payload of the ledger holds."""
    result = desk_of(request).ledger.verify()
    return {"valid": result.broken is None, **dump(result)}


@router.get("/ledger/{id}")
def trace(request: Request, id: str, who: Who) -> Any:
    """An answer's link and its whole trace."""
    return dump({"entry": desk_of(request).ledger.entry(id), **sight_of(request).payload(id, who)})


@router.post("/ledger/{id}/replay", dependencies=[working()])
def replay(request: Request, id: str, who: Who) -> Any:
    """Make an answer again from what the ledger holds; what differs."""
    from osler.trust.replay import replay as run_again

    sight_of(request).payload(id, who)
    return dump(run_again(id, desk_of(request).settings))


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """The description of these doors."""
    return JSONResponse(request.app.openapi())
