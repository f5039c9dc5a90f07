"""`osler consult`: a case in, a ranked and cited second opinion out."""

import time
from collections.abc import Sequence
from typing import Any

import click

from osler.cli.options import common, output, system_user
from osler.nouns import Finding
from osler.settings import Settings


@click.command()
@click.argument("path")
@click.option("--kind", type=click.Choice(["note", "fhir", "phenopacket", "dialogue"]), help="Default: by content.")
@common
def command(path: str, kind: Any, json_out: bool, settings: Settings) -> None:
    """Consult on PATH: a note, a FHIR bundle, a phenopacket or a dialogue; `-` reads standard input."""
    started = time.perf_counter()
    from osler.record import read
    from osler.record.source import load

    content = load(path)
    case = read(content, kind=kind, name=path)  # a bad record is refused before anything is loaded for it

    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    result, trace = desk.consult_case(case, content, path, kind)
    seconds = time.perf_counter() - started
    output(json_out, result, "consult", trace=trace, findings=_said_once(result.findings), seconds=seconds)


def _said_once(findings: Sequence[Finding]) -> list[Finding]:
    """Each finding once, and no disease of the same words as a phenotype."""
    phenotypes = {(item.source, item.start) for item in findings if item.code.startswith("HP:")}
    said: dict[tuple[str, str, str], Finding] = {}
    for item in findings:
        if item.code.startswith("HP:") or (item.start is None or (item.source, item.start) not in phenotypes):
            said.setdefault((item.code, item.status, item.experiencer), item)
    return list(said.values())
