"""`osler models`: which language models there are, and what each may do."""

import click

from osler.cli.options import as_json, dump, print_json, with_settings
from osler.errors import MissingComponent
from osler.settings import Settings


@click.group()
def command() -> None:
    """Which models there are and what they may do."""


@command.command(name="list")
@as_json
@with_settings
def list_models(json_out: bool, settings: Settings) -> None:
    """The embedded model and the one in the settings: digest, size, context, licence, privileges."""
    from osler.models.catalogue import catalogue
    from osler.models.privileges import Privileges

    privileges = Privileges(settings)
    rows = catalogue(settings, privileges)
    for problem in privileges.problems:
        click.echo(f"osler: {problem}", err=True)
    if json_out:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row.spec}{'  (in use)' if row.in_use else ''}")
        if row.problem:
            click.echo(f"  not usable: {row.problem}")
            continue
        size = f"{row.size / 1e6:,.0f} MB" if row.size else "remote"
        click.echo(f"  {size} · {row.context:,} tokens · licence {row.licence or 'not stated'} · {row.digest}")
        granted = ", ".join(item.task + ("" if item.measured else " (provisional)") for item in row.privileges)
        click.echo(f"  may: {granted or 'nothing yet; answers stay extractive. `osler models admit` grants.'}")


@command.command()
@click.argument("spec")
@click.option("--task", "tasks", multiple=True, required=True, metavar="T", help="May be given several times.")
@click.option("--provisional", is_flag=True, help="Grant without a measurement, on a named person's word.")
@click.option("--by", help="Who grants it (kept in the ledger).")
@click.option("--reason", help="Why (kept in the ledger).")
@as_json
@with_settings
def admit(
    spec: str,
    tasks: tuple[str, ...],
    provisional: bool,
    by: str | None,
    reason: str | None,
    json_out: bool,
    settings: Settings,
) -> None:
    """Let the model SPEC do a task: answer, summarise, report, patient-facing, options."""
    from osler.ledger import Ledger
    from osler.models import model_digest
    from osler.models.privileges import Privileges

    if not provisional:
        raise MissingComponent(
            "admission by measurement is not part of this version",
            where=spec,
            hint="--provisional with --by and --reason grants on a named person's word.",
        )
    if not (by or "").strip() or not (reason or "").strip():
        raise click.UsageError("--provisional needs --by NAME and --reason TEXT.")
    privileges = Privileges(settings)
    rows = privileges.grant_provisional(model_digest(spec, settings), tasks, str(by), str(reason))
    payload = {"spec": spec, "by": by, "reason": reason, "privileges": [dump(row) for row in rows]}
    entry = Ledger.open(settings).append("privilege", payload)
    if json_out:
        print_json({"privileges": rows, "entry": entry.id})
    else:
        click.echo(f"{spec} may now: {', '.join(tasks)} (provisional, by {by}); ledger entry {entry.id}")
