"""`osler doctor`: what is installed and in use, with versions, hashes and licences, and what is missing."""

import importlib.metadata
import platform
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from osler import __version__
from osler.cli.options import as_json, print_json, with_settings
from osler.errors import OslerError
from osler.settings import Settings

EXTRAS = {"train": "torch", "imaging": "pydicom", "scale": "ray"}


class Check(NamedTuple):
    """One component. `state`: ok, off (not configured, not needed) or missing."""

    name: str
    state: str
    version: str | None = None
    hash: str | None = None
    licence: str | None = None
    detail: str | None = None


@click.command()
@as_json
@with_settings
def command(json_out: bool, settings: Settings) -> int:
    """What is installed, in use, and missing; exit code 3 if a component is missing."""
    checks = [*_home(settings), *_models(settings), *_knowledge(settings), *_extras()]
    missing = [check for check in checks if check.state == "missing"]
    packages = {name: importlib.metadata.version(name) for name in _required()}
    if json_out:
        runtime = {"osler": __version__, "python": platform.python_version(), "platform": platform.platform()}
        print_json({"runtime": runtime, "packages": packages, "components": checks})
    else:
        from rich.text import Text

        from osler.cli.show import console, plain_table
        from osler.text import shorten

        console().print(f"osler {__version__}, Python {platform.python_version()}, {sys.platform} {platform.machine()}")
        table = plain_table("", "component", "version", "sha256", "licence and state")
        for check in checks:
            mark = {"ok": "[green]✓ ok[/]", "off": "[dim]– off[/]", "missing": "[red]✗ missing[/]"}[check.state]
            said = "; ".join(part for part in (check.licence, check.detail) if part)
            cells = (check.name, shorten(check.version or "", 16), (check.hash or "")[:12], shorten(said, 220))
            table.add_row(mark, *map(Text, cells))
        console().print(table)
        console().print(f"[dim]{len(packages)} packages: {', '.join(f'{k} {v}' for k, v in packages.items())}[/]")
    return 3 if missing else 0


def _checked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except OslerError as error:
        return Check(name, "missing", detail=str(error))


def _home(settings: Settings) -> list[Check]:
    from osler.ledger import Ledger

    def ledger() -> Check:
        result = Ledger.open(settings).verify()
        if result.broken is not None:
            return Check("ledger", "missing", detail=f"broken at entry {result.broken.seq}: {result.broken.why}")
        return Check("ledger", "ok", hash=result.head, detail=f"{result.entries} entries, whole")

    allowed = ", ".join(settings.egress.allow)
    egress = Check("egress", "ok" if allowed else "off", detail=allowed or "nothing leaves this machine")
    files = ", ".join(settings.sources) or "defaults only"
    return [Check("home", "ok", detail=f"{settings.home}; settings from {files}"), _checked("ledger", ledger), egress]


def _models(settings: Settings) -> list[Check]:
    def language() -> Check:
        from osler.models.catalogue import catalogue
        from osler.models.privileges import Privileges

        known = next(item for item in catalogue(settings, Privileges(settings)) if item.in_use)
        tasks = ", ".join(item.task for item in known.privileges) or "no task: answers stay extractive"
        state = "missing" if known.problem else "ok"
        detail = known.problem or f"may do {tasks}"
        return Check(f"language model {known.spec}", state, hash=known.digest, licence=known.licence, detail=detail)

    def embedder() -> Check:
        from osler.models.embedder import configured_embedder

        info = configured_embedder(settings).info
        return Check(f"embedder {info.spec}", "ok", hash=info.digest, detail=f"{info.dimension} dimensions")

    return [
        _checked(f"language model {settings.models.language}", language),
        _checked(f"embedder {settings.models.embedder}", embedder),
        Check("vision model", "off", detail="no vision model is configured"),
    ]


def _knowledge(settings: Settings) -> list[Check]:
    def library() -> Check:
        from osler.knowledge.library import open_library

        info: dict[str, Any] = open_library(settings.library.default, settings).info()
        licences = ", ".join(name for name in info["licences"] if name)
        counts = f"{info['documents']} documents, {info['passages']} passages"
        searched = "words and vectors" if info["vectors"] else f"words only: {info['lexical_only']}"
        return Check(f"library {info['name']}", "ok", info["version"][:16], None, licences, f"{counts}; {searched}")

    checks = [_checked("library", library)]
    try:
        from osler.knowledge.graph import load_graph

        checks += [Check(f"graph {s.name}", "ok", s.version, s.sha256, s.licence) for s in load_graph().sources]
    except OslerError as error:
        checks.append(Check("graph", "missing", detail=str(error)))
    return checks


def _extras() -> list[Check]:
    from importlib.util import find_spec

    return [
        Check(f"extra {extra}", "ok" if find_spec(package) else "off", detail=f"pip install 'osler[{extra}]'")
        for extra, package in EXTRAS.items()
    ]


def _required() -> list[str]:
    """Names of the packages that the default install asks for."""
    import re

    wanted = importlib.metadata.requires("osler") or []
    return [re.split(r"[<>=!~;\[ ]", item)[0] for item in wanted if "extra ==" not in item]
