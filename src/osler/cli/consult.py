"""`osler consult`: a case in, a ranked and cited second opinion out."""

import base64
import time
from typing import Any

import click

from osler.cli.options import as_json, dump, print_json, with_settings
from osler.settings import Settings


@click.command()
@click.argument("path")
@click.option("--kind", type=click.Choice(["note", "fhir", "phenopacket", "dialogue"]), help="Default: by content.")
@as_json
@with_settings
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
    entry = Ledger.open(settings).append(
        "consult",
        {
            "input": {"name": path, "kind": kind, "base64": base64.b64encode(content).decode()},
            "trace": dump(trace),
            "output": dump(result),
        },
        subject=case.patient.id or case.digest,
        id=trace.id,
    )
    if json_out:
        print_json(result)
    else:
        from osler.cli.show_consult import show_consult

        show_consult(result, trace, entry, time.perf_counter() - started)
