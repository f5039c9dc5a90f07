"""For those who keep a server running: health, readiness, and numbers without a word of any record."""

from collections import Counter

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse

from osler import __version__
from osler.server.access import role

router = APIRouter()


@router.get("/healthz", include_in_schema=False)
def health(request: Request) -> JSONResponse:
    """Alive; `ready`: what every consult needs is loaded."""
    return JSONResponse({"status": "ok", "ready": request.app.state.ready, "version": __version__})


@router.get("/metrics", include_in_schema=False, dependencies=[role("administrator")])
def metrics(request: Request) -> PlainTextResponse:
    """Counts in Prometheus' text format: requests by route and status, never an address with an id in it."""
    counts: Counter[tuple[str, int]] = request.app.state.counts
    rows = [f'osler_requests_total{{route="{route}",status="{status}"}} {n}' for (route, status), n in counts.items()]
    text = "\n".join(["# TYPE osler_requests_total counter", *sorted(rows), ""])
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
