"""`osler models`: which language models there are, and what each may do."""

import click

from osler.cli.options import as_json, common, output, say
from osler.nouns import Privilege, dump
from osler.settings import Settings


@click.group()
def command() -> None:
    """Which models there are and what they may do."""


@command.command(name="list")
@common
def list_models(json_out: bool, settings: Settings) -> None:
    """The embedded model and the one in the settings: digest, size, context, licence, privileges."""
    from osler.models.catalogue import catalogue
    from osler.models.privileges import Privileges

    privileges = Privileges(settings)
    rows = catalogue(settings, privileges)
    for problem in privileges.problems:
        click.echo(f"osler: {problem}", err=True)
    output(json_out, rows, "models")


@command.command()
@as_json
def catalog(json_out: bool) -> None:
    """Open medical models that can be connected: licence, size, languages, where to get them. Downloads nothing."""
    from osler.models.open_models import how_to_connect, open_models

    output(json_out, open_models(), "catalog", how_to_connect=how_to_connect)


@command.command()
@click.argument("spec")
@click.option("--task", "tasks", multiple=True, metavar="T", help="With --provisional: what it may do. Several times.")
@click.option("--provisional", is_flag=True, help="Grant without a measurement, on a named person's word.")
@click.option("--by", help="Who grants it (kept in the ledger).")
@click.option("--reason", help="Why (kept in the ledger).")
@common
def admit(
    spec: str, tasks: tuple[str, ...], provisional: bool, by: str | None, reason: str | None, json_out: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Measure what the model SPEC may do, by the admission test, and sign the result.

    Tasks: answer, summarise, report, patient-facing, options, verify, chinese. What it does not pass it may not do.
    """
    from osler.ledger import Ledger
    from osler.models import model_digest
    from osler.models.privileges import Privileges

    privileges = Privileges(settings)
    if provisional:
        if not tasks or not (by or "").strip() or not (reason or "").strip():
            raise click.UsageError("--provisional needs --task T, --by NAME and --reason TEXT.")
        rows = privileges.grant_provisional(model_digest(spec, settings), tasks, str(by), str(reason))
        payload = {"spec": spec, "by": by, "reason": reason, "privileges": [dump(row) for row in rows]}
    elif tasks or by or reason:
        raise click.UsageError("--task, --by and --reason belong to --provisional; the test decides on all tasks.")
    else:
        rows = _measured(spec, settings, quiet=json_out)
        payload = {"spec": spec, "privileges": [dump(row) for row in privileges.enter(rows)]}
    entry = Ledger.open(settings).append("privilege", payload)
    granted = ", ".join(row.task for row in rows if row.granted) or "nothing"
    how = f"provisional, by {by}" if provisional else "measured"
    said = f"{spec} may now: {granted} ({how}); ledger entry {entry.id}"
    say(json_out, {"privileges": payload["privileges"], "entry": entry.id}, said)


def _measured(spec: str, settings: Settings, quiet: bool) -> list[Privilege]:
    """The decisions of the admission test on a model, shown as a table."""
    from osler.bench.admission.decide import decide, measured
    from osler.bench.runner import run
    from osler.cli.progress import progress
    from osler.cli.show import show_page
    from osler.ledger.chain import now

    models = settings.models.model_copy(update={"language": spec})
    with progress("admission") as report:
        finished = run("admission", settings.model_copy(update={"models": models}), progress=report)
    model, run_id = finished.card.model, finished.card.id
    assert model is not None
    rows = [
        Privilege(model=model["digest"], task=one.task, granted=one.granted, measured=measured(one, run_id), date=now())
        for one in decide(finished.items, finished.replies)
    ]
    if not quiet:
        show_page("admission", measurements=finished.measurements, decided=rows)
    return rows
