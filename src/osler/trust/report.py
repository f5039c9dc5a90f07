"""The audits of a model, each by its name, and what they found as one page that opens offline.

An audit is a module of this room with `audit(settings, model, method, tasks, limit, progress) -> list[Measurement]`.
What can't be made is said to be not measured, as is what a module names `MISSING`. It judges no figure.
"""

import hashlib
import importlib
import importlib.util
import json
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from osler import __version__
from osler.bench.figures import Figure
from osler.bench.pictures import bars, template
from osler.bench.task import Progress
from osler.errors import InputError, MissingComponent, OslerError
from osler.ledger.chain import now
from osler.models import language_model
from osler.models.files import write_atomically
from osler.nouns import Measurement, dump
from osler.settings import Settings

# (task and method, rows, pictures with captions)
Sections = list[tuple[str, list[Measurement], list[tuple[str, str]]]]


class Part(NamedTuple):
    """One audit's rows; `missing`: what was not measured, and why."""

    name: str
    rows: list[Measurement]
    missing: str | None = None


def audit(
    names: Sequence[str],
    settings: Settings,
    method: str | None,
    tasks: Sequence[str],
    limit: int | None,
    progress: Progress | None = None,
) -> list[Part]:
    """Each audit of the configured model, kept in the home. Where several are asked for, one that can't be made leaves
    the others; alone, its error is raised."""
    parts = [_part(name, len(names) > 1, settings, method, tuple(tasks), limit, progress) for name in names]
    for part in parts:
        if part.rows:
            model = hashlib.sha256(language_model(settings).encode()).hexdigest()[:12]
            folder = settings.home / "audits"
            folder.mkdir(parents=True, exist_ok=True)
            said = {**dump(part), "model": language_model(settings), "made": now()}
            write_atomically(folder / f"{part.name}-{model}.json", json.dumps(said, ensure_ascii=False).encode())
    return parts


class Kept(NamedTuple):
    """The last audit of a kind and model in a home, as a page shows it."""

    part: Part
    model: str
    made: str
    tasks: Sections


def kept(settings: Settings) -> list[Kept]:
    """Raises InputError naming a file that can't be used."""
    found = []
    for path in sorted((settings.home / "audits").glob("*.json")):
        try:
            said = json.loads(path.read_bytes())
            rows = [Measurement.model_validate(row) for row in said["rows"]]
            part = Part(said["name"], rows, said["missing"])
            found.append(Kept(part, said["model"], said["made"], _tasks(rows)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"not a kept audit: {type(error).__name__}", where=str(path)) from None
    return found


def _part(name: str, several: bool, settings: Settings, *asked: object) -> Part:
    try:
        if importlib.util.find_spec(f"osler.trust.{name}") is None:
            raise MissingComponent(f"this version has no audit of {name}")
        module = importlib.import_module(f"osler.trust.{name}")
        rows = module.audit(settings, language_model(settings), *asked)
    except OslerError as error:
        if not several:
            raise
        return Part(name, [], str(error))
    return Part(name, rows, getattr(module, "MISSING", None))


def page(parts: Sequence[Part], model: str) -> str:
    """The page as HTML."""
    sections = [(part, _tasks(part.rows)) for part in parts]
    return template("audit.html.jinja", "osler.trust").render(
        sections=sections, model=model, made=now()[:16], version=__version__
    )


def _tasks(rows: Sequence[Measurement]) -> Sections:
    found = []
    for title, mine in groupby(rows, key=lambda row: f"{row.task}, {row.method}" if row.method else row.task):
        here = list(mine)
        found.append((title, here, _pictures(here)))
    return found


def _pictures(rows: Sequence[Measurement]) -> list[tuple[str, str]]:
    """(picture, what it shows) of rows "kind: what" that are shares; a drop may be below nothing and is no share."""
    kinds: dict[str, list[Figure]] = {}
    for row in rows:
        kind, colon, what = row.metric.partition(": ")
        if colon and " drop" not in kind and row.interval and row.interval[0] >= 0 and row.interval[1] <= 1:
            kinds.setdefault(kind, []).append(Figure(what, row.value, row.interval, row.n))
    return [(bars(kind, figures), kind) for kind, figures in kinds.items() if len(figures) > 1]
