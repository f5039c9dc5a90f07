"""`osler models`: which language models there are, and what each may do."""

from collections.abc import Sequence

import click

from osler.cli.options import as_json, dump, print_json, with_settings
from osler.nouns import Measurement, Privilege
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
        granted = ", ".join(
            one.task + ("" if one.measured else " (provisional)") for one in row.privileges if one.granted
        )
        click.echo(f"  may: {granted or 'nothing; answers stay extractive'}")
        if refused := [one for one in row.privileges if not one.granted]:
            click.echo(f"  not admitted: {', '.join(one.task for one in refused)} (measured {refused[-1].date[:10]})")
        if not row.privileges:
            click.echo("  `osler models admit` measures what it may do.")


@command.command()
@as_json
def catalog(json_out: bool) -> None:
    """Open medical models that can be connected: licence, size, languages, where to get them. Downloads nothing."""
    from osler.models.open_models import how_to_connect, open_models

    rows = open_models()
    if json_out:
        print_json(rows)
        return
    allowed = {True: "commercial use allowed", False: "no commercial use", None: "commercial use not known"}
    for row in rows:
        sizes, licence = ", ".join(f"{size:g}" for size in row.sizes), row.licence or "licence not known"
        click.echo(f"{row.name}  ({row.publisher}; {sizes} billion parameters; base {row.base or 'not known'})")
        click.echo(f"  {row.modality}, {', '.join(row.languages)} · {licence} · {allowed[row.commercial]}")
        click.echo(f"  {row.hub}: {row.repository}{' (access on request)' if row.gated else ''}")
        click.echo(f"  connect: {how_to_connect(row)}{'. ' + row.note if row.note else ''}")
    click.echo("What publishers say, not measured here: `osler bench` and `osler models admit` measure.")


@command.command()
@click.argument("spec")
@click.option("--task", "tasks", multiple=True, metavar="T", help="With --provisional: what it may do. Several times.")
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
    """Measure what the model SPEC may do, by the admission test, and sign the result.

    Tasks: answer, summarise, report, patient-facing, options, chinese. What it does not pass it may not do.
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
    if json_out:
        print_json({"privileges": payload["privileges"], "entry": entry.id})
        return
    granted = [row.task for row in rows if row.granted]
    how = f"provisional, by {by}" if provisional else "measured"
    click.echo(f"{spec} may now: {', '.join(granted) or 'nothing'} ({how}); ledger entry {entry.id}")


def _measured(spec: str, settings: Settings, quiet: bool) -> list[Privilege]:
    """The decisions of the admission test on a model, shown as a table."""
    from osler.bench.admission.decide import decide, measured
    from osler.bench.runner import run
    from osler.cli.progress import progress
    from osler.ledger.chain import now

    models = settings.models.model_copy(update={"language": spec})
    with progress("admission") as report:
        finished = run("admission", settings.model_copy(update={"models": models}), progress=report)
    card = finished.card
    assert card.model is not None
    rows = []
    for decision in decide(finished.items, finished.replies):
        found = measured(decision, card.id)
        row = Privilege(
            model=card.model["digest"], task=decision.task, granted=decision.granted, measured=found, date=now()
        )
        rows.append(row)
    if not quiet:
        _show(finished.measurements, rows)
    return rows


def _show(measurements: Sequence[Measurement], rows: Sequence[Privilege]) -> None:
    from osler.cli.show import console, plain_table

    table = plain_table("what was tested", "passed", "95% interval", "n", "its low end must exceed")
    for row in measurements[1:]:
        low, high = row.interval or (0.0, 1.0)
        interval, floor = f"[{low:.2f}, {high:.2f}]", f"{row.baseline['floor']:.2f}"
        table.add_row(row.metric, f"{row.value:.2f}", interval, str(row.n), floor)
    console().print(table)
    for decided in rows:
        parts = decided.measured["parts"] if decided.measured else []
        failed = [f"{part['kind']} ({part['language']})" for part in parts if not part["holds"]]
        console().print(f"{decided.task:16}{'yes' if decided.granted else 'no: ' + ', '.join(failed)}", highlight=False)
