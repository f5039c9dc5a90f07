"""The application: guard, doors and workbench over one desk."""

import threading
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

from osler import __version__
from osler.clinic.desk import Desk
from osler.server import api, cds_hooks, fhir_door, oidc, openai_door, operations, smart, workbench
from osler.server.access import Access
from osler.server.cds_clients import Clients
from osler.server.guard import Guard
from osler.server.look import HERE
from osler.server.mcp_door import sessions, tools_door
from osler.server.problems import add_handlers
from osler.server.sight import Sight
from osler.server.switches import Switches
from osler.server.work import Work
from osler.settings import Settings

THREADS = 120  # of requests that wait or work; what works at once is `Work`'s to say


def create_app(settings: Settings, token: str | None = None) -> FastAPI:
    """The server of one home. `token`: what opens it while there are no accounts (default: made up)."""
    desk = Desk(settings)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        from anyio import to_thread

        to_thread.current_default_thread_limiter().total_tokens = THREADS
        threading.Thread(target=warm, args=(app,), daemon=True, name="osler-warm").start()
        async with sessions(desk) as app.state.tools:
            yield

    app = FastAPI(title="Osler", version=__version__, lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.state.switches = Switches(desk)
    app.state.access = Access(settings, token)
    app.state.sight = Sight(settings, desk.ledger)
    app.state.work = Work(settings.server.waiting)
    app.state.clients = Clients(settings)
    app.state.counts = Counter()
    app.state.round_trips = OrderedDict()
    app.state.started = datetime.now(UTC).isoformat(timespec="seconds")
    app.state.ready = False
    app.state.samples = samples()
    add_handlers(app)
    for door in (operations, api, cds_hooks, openai_door, fhir_door, oidc, smart, workbench):
        app.include_router(door.router)
    app.router.routes.append(Route("/mcp", tools_door))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_middleware(cds_hooks.Cors, origins=settings.cds.origins)
    app.add_middleware(Guard, settings=settings.server, callers=settings.cds.origins)
    return app


def samples() -> dict[str, bytes]:
    """The sample cases by name."""
    return {file.name: file.read_bytes() for file in sorted((HERE / "samples").iterdir()) if file.is_file()}


def warm(app: FastAPI) -> None:
    """Load what every consult needs, so that the first one doesn't wait. A failure shows when it is asked for."""
    from osler.errors import OslerError

    resources = app.state.desk.resources
    try:
        _ = resources.graph, resources.recogniser, resources.guidelines, resources.embedder, resources.library
        app.state.ready = True
    except OslerError:
        pass
