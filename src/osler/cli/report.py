"""`osler report`: a draft report from a record, every sentence with its source."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output, system_user
from osler.errors import UsageError
from osler.settings import Settings


@click.command()
@click.argument("kind")
@click.argument("path")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it: .md, .docx or .json.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: the record's own.")
@common
def command(kind: str, path: str, target: Path | None, language: Any, json_out: bool, settings: Settings) -> None:
    """Draft a report of KIND from PATH: a note, a dialogue or a FHIR record; `-` reads standard input.

    Kinds: visit-note, discharge-summary, referral, handover, patient-summary, problem-list, and a hospital's own.
    """
    from osler.clinic.reports import kinds
    from osler.clinic.reports.write import WRITERS, write
    from osler.record.source import load

    known = kinds(settings)
    if kind not in known:
        raise UsageError(f"unknown kind of report {kind!r}", hint=f"Known: {', '.join(known)}.")
    if target is not None and target.suffix not in WRITERS:
        raise UsageError(
            f"no way to write {target.suffix or 'a file without an ending'}", hint=f"Known: {', '.join(WRITERS)}."
        )
    content = load(path)

    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    made = desk.report(known[kind], content, path, language)
    if target is not None:
        write(made, target)
    output(json_out, made, "report", target=target)
