"""`osler consult`: a case in, a ranked and cited second opinion out."""

import base64
import time
from collections.abc import Sequence
from typing import Any

import click

from osler.cli.options import common, dump, output
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
    case = read(content, kind=kind, name=path)

    from osler.cli.progress import prepare
    from osler.clinic.consult import consult
    from osler.ledger import Ledger
    from osler.reasoning.resources import Resources

    resources = Resources(settings)
    prepare(resources)
    result, trace = consult(case, resources)
    Ledger.open(settings).append(
        "consult",
        {
            "input": {"name": path, "kind": kind, "base64": base64.b64encode(content).decode()},
            "trace": dump(trace),
            "output": dump(result),
        },
        subject=case.patient.id or case.digest,
        id=trace.id,
    )
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
