"""The page of trust: what was measured of the models and methods here, what they may do, and what nobody measured."""

from itertools import groupby
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from markdown_it import MarkdownIt
from starlette.responses import Response

from osler.bench.figures import Figure
from osler.bench.method_figures import method_figures
from osler.bench.pictures import bars
from osler.bench.runner import runs
from osler.models.adapters import cards, serving
from osler.models.catalogue import catalogue
from osler.models.privileges import TASKS, Privileges
from osler.server.access import signed_in
from osler.server.api import desk_of
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.work import working

router = APIRouter(prefix="/trust", include_in_schema=False, dependencies=[Depends(signed_in)])
DOCS = Path(__file__).parents[3] / "docs"
DOCUMENTS = ("hazards", "regulation", "intended-use", "audits", "fairness", "deidentification", "training-privacy")


@router.get("", dependencies=[working()])
def show(request: Request) -> Response:
    from osler.trust.report import kept

    settings = desk_of(request).settings
    privileges = Privileges(settings)
    audits = kept(settings)
    missing = [kind for kind in ("robustness", "fairness", "privacy") if kind not in {one.part.name for one in audits}]
    figures = sorted(method_figures(settings), key=lambda row: (row.task, row.model or "", -row.value))
    reached = []
    for (task, model, metric), rows in groupby(figures, key=lambda row: (row.task, row.model, row.metric)):
        mine = list(rows)
        shares = all(row.interval and row.interval[0] >= 0 and row.interval[1] <= 1 for row in mine)
        drawn = [Figure(row.method or "", row.value, row.interval, row.n) for row in mine] if shares else []
        reached.append((task, model, metric, mine, bars(f"{task}: {metric}", drawn) if drawn else ""))
    return page(
        request, "trust", models=catalogue(settings, privileges), problems=privileges.problems, tasks=TASKS,
        calibrations=list(privileges.calibrations.values()), audits=audits, missing=missing, runs=runs(settings),
        adapters=cards(settings), serves=serving(settings)[-1:], reached=reached,
        documents=[name for name in DOCUMENTS if (DOCS / f"{name}.md").is_file()],
    )  # fmt: skip


@router.get("/runs/{id}", dependencies=[working()])
def run(request: Request, id: str) -> Response:
    """A run of the bench, with its reliability diagram where its replies are sure of themselves."""
    from osler.bench.report import section
    from osler.bench.runner import show as shown

    return page(request, "trust_run", it=section(shown(id, desk_of(request).settings)))


@router.get("/card", dependencies=[working()])
def model_card(request: Request) -> Response:
    from osler.trust.card import card

    return page(request, "trust_card", it=card(desk_of(request).settings))


@router.get("/documents/{name}")
def document(request: Request, name: str) -> Response:
    if name not in DOCUMENTS or not (DOCS / f"{name}.md").is_file():
        raise Refused(404, _("this document is not on this machine; it stands in docs/ of the source"))
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = body.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")
    return page(request, "trust_document", title=name, body=body)
