"""`osler audit`: how robust, fair and private a model is, with the method it is used by; how a score treats groups."""

from pathlib import Path

import click

from osler.cli.options import as_json, common, output, with_settings, write
from osler.cli.progress import progress
from osler.settings import Settings

KINDS = ("robustness", "fairness", "privacy")


@click.group()
def command() -> None:
    """Audit the model of the settings, or of --model SPEC, or how a score treats groups of people.

    What was answered once is not asked again: an interrupted audit goes on where it stood. --to writes one page with
    tables and pictures that opens offline."""


@click.command()
@click.option("--method", metavar="NAME", help="How to answer; default: each task's first.")
@click.option("--tasks", metavar="NAME,NAME", default="", help="Of the bench; default: the audit's own choice.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N items of each task.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html")
@as_json
@with_settings
@click.pass_context
def _audit(
    context: click.Context,
    method: str | None,
    tasks: str,
    limit: int | None,
    target: Path | None,
    json_out: bool,
    settings: Settings,
) -> None:
    from osler.models import language_model
    from osler.trust.mitigation import use
    from osler.trust.report import audit, page

    kind, names = str(context.info_name), [name.strip() for name in tasks.split(",") if name.strip()]
    with progress(f"audit of {kind}") as report:
        kinds = KINDS if kind == "all" else (kind,)
        parts = audit(kinds, settings, use(method), names, limit, report)
    for part in parts:
        if part.missing:
            click.echo(f"osler: {part.name}, not measured: {part.missing}", err=True)
    if target:
        write(target, page(parts, language_model(settings)))
    if json_out or not target:
        output(json_out, [row for part in parts for row in part.rows], "audit")


for _kind in (*KINDS, "calibration", "all"):
    _about = "Make all three audits of a model." if _kind == "all" else f"Audit the {_kind} of a model."
    command.add_command(click.Command(_kind, callback=_audit.callback, params=_audit.params, help=_about))


@command.command("groups")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv")
@click.option("--label", required=True, metavar="COLUMN", help="What is true, 0 or 1.")
@click.option("--score", required=True, metavar="COLUMN", help="What a model gives.")
@click.option("--group", "groups", required=True, multiple=True, metavar="COLUMN", help="May be given several times.")
@click.option("--threshold", type=float, default=0.5, show_default=True, help="The least score that selects.")
@as_json
def groups(table: Path, label: str, score: str, groups: tuple[str, ...], threshold: float, json_out: bool) -> None:
    """Selection rate, TPR, FPR and AUROC by group of people, with intervals, and the gaps between groups."""
    from osler.trust.groups import group_rows, read_rows

    output(json_out, group_rows(read_rows(table, label, score, groups), threshold, table.name), "audit")


@command.command("cases")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE...")
@click.option(
    "--attribute", "names", multiple=True, metavar="NAME", help="Only this (sex, age, race ...). Several times."
)
@common
def cases(paths: tuple[Path, ...], names: tuple[str, ...], json_out: bool, settings: Settings) -> None:
    """What a consult says of the same records of patients of other groups: how often each part of it moves."""
    from osler.trust.fairness_cases import case_rows

    output(json_out, case_rows(paths, settings, names), "audit")
