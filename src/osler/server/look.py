"""Pages of the workbench: `pages/NAME.html` filled in, in the reader's language. It decides nothing."""

import functools
import gettext
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from osler import __version__
from osler.text import Language

HERE = Path(__file__).parent
PROGRAMS = ("/api/", "/v1/", "/fhir", "/cds-services", "/mcp", "/healthz", "/metrics", "/openapi.json")
LANGUAGES: dict[Language, str] = {"en": "English", "zh": "中文"}
LANGUAGE_COOKIE = "osler_language"
_ = str  # marks a text that a page says in the reader's language by the filter `say`


def is_page(request: Request) -> bool:
    """Whether a person's browser asks (HTMX names itself and accepts all), not a program."""
    asks = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return asks and not request.url.path.startswith(PROGRAMS)


def language_of(request: Request) -> Language:
    """What the reader chose, else what the browser prefers, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    wanted = [chosen, *request.headers.get("accept-language", "").split(",")]
    return next((code for part in wanted for code in LANGUAGES if part.strip()[:2].lower() == code), "en")


@functools.cache
def _said(language: str) -> gettext.NullTranslations:
    return gettext.translation("messages", HERE / "locale", [language], fallback=True)


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
    said = _said(language)
    made.install_gettext_translations(said, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        language=language,
        languages=LANGUAGES,
        version=__version__,
        colon=said.gettext(": "),
        stop=said.gettext("."),
        **_words(said.gettext),
    )
    made.filters.update(moment=_moment, say=said.gettext, age=lambda text: _age(text, said.ngettext))
    return made


def _words(say: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """The contract's words as the reader says them."""
    _ = say
    return {
        "sex_word": {"male": _("male"), "female": _("female"), "other": _("other sex"), "unknown": _("sex not known")},
        "report_status_word": {
            "draft": _("Draft, not signed"),
            "edited": _("Edited, not signed"),
            "signed": _("Signed"),
            "amended": _("Signed, amended"),
        },
        "urgency_word": {"immediate": _("immediate"), "urgent": _("urgent"), "soon": _("soon")},
        "severity_word": {
            "contraindicated": _("contraindicated"),
            "major": _("major"),
            "moderate": _("moderate"),
            "minor": _("minor"),
        },
        "verdict_word": {
            "supported": _("supported"),
            "partial": _("partly supported"),
            "unsupported": _("not supported"),
            "contradicted": _("contradicted"),
        },
        "kind_word": {
            "history": _("history"),
            "examination": _("examination"),
            "test": _("test"),
            "record": _("From the record"),
            "edge": _("From the graph"),
            "path": _("Path in the graph"),
            "passage": _("Passage"),
        },
        "override_word": {
            "benefit": _("The benefit outweighs the risk"),
            "monitored": _("The patient will be monitored"),
            "tolerated": _("It was tolerated before"),
            "not-applicable": _("It does not apply to this patient"),
            "wrong": _("The alert is wrong"),
            "other": _("Another reason"),
        },
        "status_word": {
            "present": _("present"),
            "absent": _("absent"),
            "uncertain": _("uncertain"),
            "patient": _("the patient"),
            "family": _("family"),
            "other": _("another person"),
            "current": _("now"),
            "historical": _("past"),
            "hypothetical": _("feared or planned"),
        },
    }


def words(request: Request) -> dict[str, dict[str, str]]:
    """The contract's words in the reader's language."""
    return _words(_said(language_of(request)).gettext)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _age(duration: str, say: Callable[[str, str, int], str]) -> str:
    """An ISO 8601 duration as an age in its largest unit."""
    found = re.match(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", duration)
    forms = (("%d year", "%d years"), ("%d month", "%d months"), ("%d week", "%d weeks"), ("%d day", "%d days"))
    for value, (one, many) in zip(found.groups() if found else (), forms, strict=False):
        if value and int(value):
            return say(one, many, int(value)) % int(value)
    return duration


def page(
    request: Request, name: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """The page, or the part of one where HTMX asks for a part (`parts/NAME.html` then)."""
    state = request.state
    if request.headers.get("hx-request") and name == "error":
        name = "parts/error"
    shared = {"path": request.url.path, "csrf": getattr(state, "csrf", None), "who": getattr(state, "principal", None)}
    html = _environment(language_of(request)).get_template(f"{name}.html").render({**shared, **values})
    return HTMLResponse(html, status, headers)
