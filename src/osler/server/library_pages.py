"""The pages of the library: what it holds, a search of it, one document, and documents of one's own as a job."""

import re
import threading
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from osler.errors import InputError
from osler.knowledge.library import Library, open_library
from osler.knowledge.library.library import STARTER
from osler.models.files import write_atomically
from osler.server.access import role, signed_in
from osler.server.api import desk_of
from osler.server.look import page
from osler.server.problems import Refused
from osler.server.work import working
from osler.settings import Settings
from osler.storage import Job, Jobs, open_database

router = APIRouter(prefix="/library", include_in_schema=False, dependencies=[Depends(signed_in)])
Words = Annotated[str, Query(max_length=2000)]
Name = Annotated[str, Query(max_length=64)]
Day = Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Line = Annotated[str, Form(max_length=200)]
FOUND, SHOWN, FILES = 20, 50, 50  # passages of a search, documents of a page, files at once
SAFE = re.compile(r"[^\w.\-]+")


def names(settings: Settings) -> list[str]:
    """The libraries of the home, the shipped one first."""
    own = (card.parent.name for card in (settings.home / "library").glob("[!.]*/library.json"))
    return [STARTER, *sorted(set(own) - {STARTER})]


def library_of(request: Request, name: str) -> Library:
    desk = desk_of(request)
    return open_library(name, desk.settings) if name not in ("", STARTER) else desk.resources.library


@router.get("", dependencies=[working()])
def search(request: Request, q: Words = "", name: Name = "", start: int = 0) -> Response:
    """A library: the passages that answer a query, else its documents."""
    library = library_of(request, name)
    found = library.search(q, k=FOUND) if q.strip() else []
    documents = sorted(library.store.documents()) if not q.strip() else []
    jobs = [job for job in Jobs(open_database(desk_of(request).settings)).list() if job.kind == "ingest"][:5]
    given: dict[str, Any] = {
        "q": q,
        "found": found,
        "documents": library.heads(documents[max(0, start) : max(0, start) + SHOWN]),
    }
    given |= {"of": len(documents), "start": max(0, start), "shown": SHOWN, "jobs": jobs, "info": library.info()}
    return page(request, "library", names=names(desk_of(request).settings), **given)


@router.get("/jobs")
def jobs(request: Request) -> Response:
    found = [job for job in Jobs(open_database(desk_of(request).settings)).list() if job.kind == "ingest"][:5]
    return page(request, "parts/library_jobs", jobs=found)


@router.post("/jobs/{id}/cancel", dependencies=[role("clinician", "educator", "researcher")])
def cancel(request: Request, id: str) -> Response:
    Jobs(open_database(desk_of(request).settings)).cancel(id)
    return jobs(request)


@router.get("/{name}/document/{id:path}", dependencies=[working()])
def document(request: Request, name: str, id: str) -> Response:
    library = library_of(request, name)
    passages = library.document(id)
    if not passages:
        raise Refused(404, f"no document {id} in the library {name}")
    return page(request, "library_document", of=name, id=id, passages=passages)


@router.post("", dependencies=[role("clinician", "educator", "researcher")])
def add(
    request: Request, files: Annotated[list[UploadFile], File()], name: Annotated[str, Form(max_length=64)] = "",
    valid_from: Day = "", superseded_by: Line = "", licence: Line = "",
) -> Response:  # fmt: skip
    """Keep the files and read them into a library of this home, as a job."""
    settings = desk_of(request).settings
    if name == STARTER:
        raise InputError("the shipped library is not written to", hint="Name a library of your own.")
    if not 0 < len(files) <= FILES or not files[0].filename:
        raise InputError(f"give one to {FILES} files")
    library, folder = open_library(name, settings, create=True), settings.home / "uploads" / name
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / (SAFE.sub("_", Path(file.filename or "file").name)[-120:] or "file") for file in files]
    if twice := [path.name for path in paths if paths.count(path) > 1]:
        raise InputError(f"two of the files are called {twice[0]}", hint="Give one of them another name.")
    for path, file in zip(paths, files, strict=True):
        write_atomically(path, file.file.read())
    job = Jobs(open_database(settings)).start("ingest", name, {"paths": [str(path) for path in paths]})
    said = {"valid_from": valid_from or None, "superseded_by": superseded_by or None, "licence": licence or None}
    threading.Thread(target=ingest, args=(job, library, paths, said), daemon=True, name="osler-ingest").start()
    return Response(status_code=204, headers={"HX-Redirect": f"/library?name={name}"})


def ingest(job: Job, library: Library, paths: list[Path], said: dict[str, str | None]) -> None:
    try:
        made = library.add(paths, progress=job.progress, **said)
    except Exception as error:
        job.fail(str(error) or type(error).__name__)
        return
    wrong = "; ".join(f"{Path(row['where'] or '').name}: {row['message']}" for row in made.errors)
    job.finish(f"{made.added} + {made.replaced}, {made.passages}" + (f" | {wrong}" if wrong else ""))
