"""`osler audit`: how robust, fair and private a model is, with the method it is used by."""

from pathlib import Path

import click

from osler.cli.options import as_json, output, with_settings, write
from osler.cli.progress import progress
from osler.settings import Settings

KINDS = ("robustness", "fairness", "privacy", "calibration")


@click.command()
@click.argument("kind", type=click.Choice((*KINDS, "all")))
@click.option("--method", metavar="NAME", help="How to answer; default: each task's first.")
@click.option("--tasks", metavar="NAME,NAME", default="", help="Of the bench; default: the audit's own choice.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N items of each task.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html")
@as_json
@with_settings
def command(
    kind: str,
    method: str | None,
    tasks: str,
    limit: int | None,
    target: Path | None,
    json_out: bool,
    settings: Settings,
) -> None:
    """Audit the model of the settings, or of --model SPEC.

    What was answered once is not asked again: an interrupted audit goes on where it stood. --to writes one page with
    tables and pictures that opens offline."""
    from osler.trust.report import audit, page

    names = [name.strip() for name in tasks.split(",") if name.strip()]
    with progress(f"audit of {kind}") as report:
        parts = audit(KINDS if kind == "all" else (kind,), settings, method, names, limit, report)
    for part in parts:
        if part.missing:
            click.echo(f"osler: {part.name} was not measured: {part.missing}", err=True)
    if target:
        write(target, page(parts, settings.models.language))
    if json_out or not target:
        output(json_out, [row for part in parts for row in part.rows], "audit")
