"""`osler doctor`: what is installed and in use, with versions, hashes and licences, and what is missing."""

import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

import click

from osler import __version__
from osler.cli.options import common, output
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
@common
def command(json_out: bool, settings: Settings) -> int:
    """What is installed, in use, and missing; exit code 3 if a component is missing."""
    from osler.models.adapters import language_model

    wanted = {
        "home": _home,
        "ledger": _ledger,
        "egress": _egress,
        f"language model {language_model(settings)}": _language_model,
        f"embedder {settings.models.embedder}": _embedder,
        "vision model": _vision_model,
        "library": _library,
        "graph": _graph,
    }
    checks = [check for name, look in wanted.items() for check in _looked(name, look, settings)]
    for extra, package in EXTRAS.items():
        checks.append(
            Check(f"extra {extra}", "ok" if find_spec(package) else "off", detail=f"pip install 'osler[{extra}]'")
        )
    required = [item for item in metadata.requires("osler") or [] if "extra ==" not in item]
    names = [re.split(r"[<>=!~;\[ ]", item)[0] for item in required]
    document = {
        "runtime": {"osler": __version__, "python": platform.python_version(), "platform": platform.platform()},
        "packages": {name: metadata.version(name) for name in names},
        "components": checks,
    }
    output(json_out, document, "doctor", machine=f"{sys.platform} {platform.machine()}")
    return 3 if any(check.state == "missing" for check in checks) else 0


def _looked(name: str, look: Callable[[Settings], Iterator[Check]], settings: Settings) -> list[Check]:
    try:
        return list(look(settings))
    except OslerError as error:
        return [Check(name, "missing", detail=str(error))]


def _home(settings: Settings) -> Iterator[Check]:
    files = ", ".join(settings.sources) or "defaults only"
    yield Check("home", "ok", detail=f"{settings.home}; settings from {files}")


def _ledger(settings: Settings) -> Iterator[Check]:
    from osler.ledger import Ledger

    result = Ledger.open(settings).verify()
    if result.broken is not None:
        yield Check("ledger", "missing", detail=f"broken at entry {result.broken.seq}: {result.broken.why}")
    else:
        yield Check("ledger", "ok", hash=result.head, detail=f"{result.entries} entries, whole")


def _egress(settings: Settings) -> Iterator[Check]:
    allowed = ", ".join(settings.egress.allow)
    yield Check("egress", "ok" if allowed else "off", detail=allowed or "nothing leaves this machine")


def _language_model(settings: Settings) -> Iterator[Check]:
    from osler.models.catalogue import catalogue
    from osler.models.privileges import Privileges

    known = next(item for item in catalogue(settings, Privileges(settings)) if item.in_use)
    tasks = ", ".join(item.task for item in known.privileges) or "no task: answers stay extractive"
    state, detail = "missing" if known.problem else "ok", known.problem or f"may do {tasks}"
    yield Check(f"language model {known.spec}", state, hash=known.digest, licence=known.licence, detail=detail)


def _embedder(settings: Settings) -> Iterator[Check]:
    from osler.models.embedder import configured_embedder

    info = configured_embedder(settings).info
    yield Check(f"embedder {info.spec}", "ok", hash=info.digest, detail=f"{info.dimension} dimensions")


def _vision_model(settings: Settings) -> Iterator[Check]:
    named = settings.models.vision
    yield Check("vision model", "ok" if named else "off", detail=named or "no vision model is configured")


def _library(settings: Settings) -> Iterator[Check]:
    from osler.knowledge.library import open_library

    info = open_library(settings.library.default, settings).info()
    licences = ", ".join(name for name in info["licences"] if name)
    searched = "words and vectors" if info["vectors"] else f"words only: {info['lexical_only']}"
    detail = f"{info['documents']} documents, {info['passages']} passages; {searched}"
    yield Check(f"library {info['name']}", "ok", info["version"][:16], licence=licences, detail=detail)


def _graph(_: Settings) -> Iterator[Check]:
    from osler.knowledge.graph import load_graph

    for source in load_graph().sources:
        yield Check(f"graph {source.name}", "ok", source.version, source.sha256, source.licence)
