"""`osler translate`: a text or report between English and Chinese, as far as it can be checked."""

from typing import Any

import click

from osler.cli.options import common, output, system_user
from osler.settings import Settings
from osler.text import has_chinese


@click.command()
@click.argument("path")
@click.option("--into", "target", type=click.Choice(["en", "zh"]), help="Default: the other language than the text's.")
@common
def command(path: str, target: Any, json_out: bool, settings: Settings) -> None:
    """Put PATH (a text, or a report as JSON) into the other language; `-` reads standard input.

    Headings and terms always; whole sentences only by a model with the privilege, and only if numbers, units, sides,
    drugs, findings and negation are the same on both sides.
    """
    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk
    from osler.clinic.reports import kinds
    from osler.clinic.translate import lines_of, translate
    from osler.nouns import dump
    from osler.reasoning.resources import Run
    from osler.record.source import decode, load

    text = decode(load(path), path)
    target = target or ("en" if has_chinese(text) else "zh")
    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    run = Run(desk.resources, "translate")
    made = translate(lines_of(text, target, kinds(settings)), target, run)
    desk.keep("translate", {"name": path, "content": text, "target": target}, dump(made), run.trace("translate"))
    output(json_out, made, "translation")
