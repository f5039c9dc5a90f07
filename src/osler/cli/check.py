"""`osler check`: sentences of a note that probably don't fit the rest of it."""

from typing import Any

import click

from osler.cli.options import common, output, system_user
from osler.settings import Settings


@click.command()
@click.argument("note")
@common
def command(note: str, json_out: bool, settings: Settings) -> None:
    """Look for sentences of NOTE that are probably wrong beside the rest of it; `-` reads standard input.

    NOTE is a text or a record with texts. It finds few errors: no flag doesn't mean that a note is right.
    """
    from osler.record import read
    from osler.record.source import load

    content = load(note)
    case = read(content, name=note)

    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk
    from osler.clinic.misfits import check
    from osler.nouns import dump
    from osler.reasoning.resources import Run

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    run = Run(desk.resources, "check")
    made: Any = check(case, run)
    given = {"name": note, "content": content.decode("utf-8", "replace")}
    desk.keep("check", given, dump(made), run.trace("check"), case.patient.id or case.digest)
    output(json_out, made, "check")
