"""Pages of the workbench: `pages/NAME.html` filled in, in the reader's language. It decides nothing."""

import functools
import gettext
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from osler import __version__

HERE = Path(__file__).parent
PROGRAMS = ("/api/", "/v1/", "/fhir", "/cds-services", "/mcp", "/healthz", "/metrics", "/openapi.json")
LANGUAGES = {"en": "English", "zh": "中文"}
LANGUAGE_COOKIE = "osler_language"


def is_page(request: Request) -> bool:
    """Whether a person's browser asks, not a program."""
    return not request.url.path.startswith(PROGRAMS) and "text/html" in request.headers.get("accept", "")


def language_of(request: Request) -> str:
    """What the reader chose, else what the browser prefers, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    wanted = [chosen, *request.headers.get("accept-language", "").split(",")]
    return next((code for part in wanted if (code := part.strip()[:2].lower()) in LANGUAGES), "en")


@functools.cache
def _environment(language: str) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    said = gettext.translation("messages", HERE / "locale", [language], fallback=True)
    made.install_gettext_translations(said, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=language, languages=LANGUAGES, version=__version__)
    return made


def page(
    request: Request, name: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """The page, or the part of one where HTMX asks for a part (`parts/NAME.html` then)."""
    state = request.state
    shared = {"path": request.url.path, "csrf": getattr(state, "csrf", None), "who": getattr(state, "principal", None)}
    html = _environment(language_of(request)).get_template(f"{name}.html").render({**shared, **values})
    return HTMLResponse(html, status, headers)
