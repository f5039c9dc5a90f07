"""`osler bench`: measure models and methods on public data, and compare runs item by item."""

from typing import TYPE_CHECKING, Any

import click

from osler.cli.options import as_json, print_json, with_settings
from osler.cli.progress import progress
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.bench.runner import Finished

PARTS = ("report", "tune", "train", "all")


@click.group()
def command() -> None:
    """Measure models and methods on public data, reproducibly."""


@command.command(name="list")
@as_json
@with_settings
def list_tasks(json_out: bool, settings: Settings) -> None:
    """The tasks there are, and the runs of this home."""
    from osler.bench.runner import runs
    from osler.bench.tasks import tasks

    named = [{"name": t.name, "about": t.about, "path": t.path, "licence": t.licence} for t in tasks().values()]
    if json_out:
        print_json({"tasks": named, "runs": runs(settings)})
        return
    for task in named:
        click.echo(f"{task['name']:16}{task['about']}  ({task['licence']})")
    for card in runs(settings):
        model = card.model["spec"] if card.model else "no model"
        click.echo(f"\n{card.id}  {card.task} {card.split} n={card.n}  {card.method}  {model}  {card.started[:16]}")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="TASK...")
@click.option("--method", default="letters", show_default=True, help="letters, generated, or a method of `osler ask`.")
@click.option("--split", "part", type=click.Choice(PARTS), default="report", show_default=True)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N items, drawn by the seed.")
@click.option("--seed", default=0, show_default=True)
@as_json
@with_settings
def run(
    names: tuple[str, ...],
    method: str,
    part: str,
    limit: int | None,
    seed: int,
    json_out: bool,
    settings: Settings,
) -> None:
    """Run TASKs. A run that was interrupted goes on where it stood; the same run again costs nothing."""
    from osler.bench.runner import run as run_task

    done = []
    for name in names:
        with progress(name) as report:
            done.append(run_task(name, settings, method, part, limit, seed, report))
        if not json_out:
            _show(done[-1])
    if json_out:
        print_json([_as_rows(finished) for finished in done])


@command.command()
@click.argument("identifier", metavar="RUN")
@click.option("--items", is_flag=True, help="Every reply, too (with --json).")
@as_json
@with_settings
def show(identifier: str, items: bool, json_out: bool, settings: Settings) -> None:
    """What a run measured, and on request each of its replies."""
    from osler.bench.runner import show as show_run

    finished = show_run(identifier, settings)
    if json_out:
        print_json({**_as_rows(finished), **({"replies": finished.replies} if items else {})})
    else:
        _show(finished)


@command.command()
@click.argument("first")
@click.argument("second")
@as_json
@with_settings
def compare(first: str, second: str, json_out: bool, settings: Settings) -> None:
    """The paired difference of two runs over the same items."""
    from osler.bench.compare import compare as compare_runs
    from osler.bench.runner import show as show_run

    found = compare_runs(show_run(first, settings), show_run(second, settings))
    if json_out:
        print_json(found)
        return
    low, high = found.interval
    click.echo(f"{found.task}, {found.n} items: {found.accuracy[0]:.3f} then {found.accuracy[1]:.3f}")
    click.echo(f"difference {found.difference:+.3f} [{low:+.3f}, {high:+.3f}]; McNemar p = {found.p:.3g}")
    click.echo(f"only the first right: {found.only_first}; only the second: {found.only_second}")
    click.echo("The p is of this pair alone: with several pairs, multiply the least by their number (Holm).")


def _as_rows(finished: "Finished") -> dict[str, Any]:
    return {"run": finished.card, "measurements": finished.measurements}


def _show(finished: "Finished") -> None:
    from osler.cli.show import console, plain_table

    card = finished.card
    console().print(f"{card.id}  {card.task}, {card.split} part, n = {card.n}, {card.method}", highlight=False)
    table = plain_table("metric", "value", "95% interval", "n", "not read", "beside it")
    for row in finished.measurements:
        interval = f"[{row.interval[0]:.3f}, {row.interval[1]:.3f}]" if row.interval else ""
        beside = ", ".join(f"{name} {value:.3f}" for name, value in row.baseline.items())
        table.add_row(row.metric, f"{row.value:.3f}", interval, str(row.n), str(row.unparsed), beside)
    console().print(table)
