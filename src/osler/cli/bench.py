"""`osler bench`: measure models and methods on public data, and compare runs item by item."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osler.cli.options import as_json, print_json, with_settings, write
from osler.cli.progress import progress
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.bench.figures import Figure
    from osler.bench.runner import Finished
    from osler.nouns import Measurement

PARTS = ("report", "tune", "train", "all")
METHOD = "How to answer; `osler bench list` names each task's. Default: its first."


@click.group()
def command() -> None:
    """Measure models and methods on public data, reproducibly."""


@command.command(name="list")
@as_json
@with_settings
def list_tasks(json_out: bool, settings: Settings) -> None:
    """The tasks there are with their methods, and the runs of this home."""
    from osler.bench.runner import runs
    from osler.bench.tasks import tasks

    named = [
        {"name": t.name, "about": t.about, "path": t.path, "licence": t.licence, "methods": list(t.methods())}
        for t in tasks().values()
    ]
    if json_out:
        print_json({"tasks": named, "runs": runs(settings)})
        return
    for task in named:
        click.echo(f"{task['name']:16}{task['about']}  ({task['licence']})")
        click.echo(f"{'':16}methods: {', '.join(task['methods'])}")
    for card in runs(settings):
        model = card.model["spec"] if card.model else "no model"
        click.echo(f"\n{card.id}  {card.task} {card.split} n={card.n}  {card.method}  {model}  {card.started[:16]}")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="TASK...")
@click.option("--method", metavar="NAME", help=METHOD)
@click.option("--split", "part", type=click.Choice(PARTS), default="report", show_default=True)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N items, drawn by the seed.")
@click.option("--seed", default=0, show_default=True)
@click.option("--judge", metavar="SPEC", help="The model that judges, for tasks that need one.")
@as_json
@with_settings
def run(names: tuple[str, ...], json_out: bool, settings: Settings, **asked: Any) -> None:
    """Run TASKs: names, or YAML or JSON Lines files of your own.

    A run that was interrupted goes on where it stood; what was answered once is not asked again."""
    from osler.bench.runner import run as run_task
    from osler.trust.mitigation import use

    done, asked = [], asked | {"method": use(asked["method"])}
    for name in names:
        with progress(name) as report:
            done.append(run_task(name, settings, progress=report, **asked))
        if not json_out:
            _show(done[-1])
    if json_out:
        print_json([_as_rows(finished) for finished in done])


@command.command()
@click.argument("identifier", metavar="RUN")
@click.option("--items", is_flag=True, help="Every item and reply, too (with --json).")
@as_json
@with_settings
def show(identifier: str, items: bool, json_out: bool, settings: Settings) -> None:
    """What a run measured, and on request each of its replies."""
    [finished] = _runs([identifier], settings)
    if json_out:
        print_json({**_as_rows(finished), **({"items": finished.items, "replies": finished.replies} if items else {})})
    else:
        _show(finished)


@command.command()
@click.argument("first", metavar="RUN")
@click.argument("others", nargs=-1, required=True, metavar="RUN...")
@click.option("--metric", metavar="NAME", help="Of single items; default: the task's headline.")
@as_json
@with_settings
def compare(first: str, others: tuple[str, ...], metric: str | None, json_out: bool, settings: Settings) -> None:
    """The paired difference of each further RUN to the first, over the same items."""
    from osler.bench.compare import compare_all

    one, *more = _runs([first, *others], settings)
    found = compare_all(one, more, metric)
    if json_out:
        print_json(found if len(others) > 1 else found[0])
        return
    for row in found:
        low, high = row.interval
        p = "" if row.p is None else f"; McNemar p = {row.p:.3g}, Holm {row.adjusted:.3g}"
        click.echo(f"{row.task}, {row.metric}, {row.n} items: {row.values[0]:.3f} then {row.values[1]:.3f}")
        click.echo(f"  difference {row.difference:+.3f} [{low:+.3f}, {high:+.3f}]{p}")
        click.echo(f"  better in the first: {row.only_first}; in {row.second}: {row.only_second}")
    said = "comparison(s) of this call; others count too if you made them."
    click.echo(f"Holm's p is adjusted for the {len(found)} {said}")


@command.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="RUN RUN...")
@as_json
@with_settings
def agree(identifiers: tuple[str, ...], json_out: bool, settings: Settings) -> None:
    """Several runs of a question task as one: the answer most give, as sure as they agree."""
    from osler.bench.selective import agree as agree_runs

    figures = agree_runs(_runs(identifiers, settings))
    if json_out:
        print_json(figures)
    else:
        _print(figures)


@command.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="RUN...")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.html")
@with_settings
def report(identifiers: tuple[str, ...], target: Path, settings: Settings) -> None:
    """Write RUNs as one page that opens offline."""
    from osler.bench.report import report as page

    write(target, page(_runs(identifiers, settings)))
    click.echo(str(target))


@command.command()
@click.argument("identifier", metavar="RUN")
@click.option("--as", "style", type=click.Choice(("lm-eval", "inspect")), required=True, help="Whose format.")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.json")
@with_settings
def export(identifier: str, style: str, target: Path, settings: Settings) -> None:
    """Write a RUN as results of lm-evaluation-harness or as a log of inspect-ai."""
    from osler.bench.export import export as exported

    [finished] = _runs([identifier], settings)
    write(target, exported(finished, style))
    click.echo(str(target))


@command.command()
@click.argument("name", metavar="TASK")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@as_json
@with_settings
def leak(name: str, files: tuple[Path, ...], json_out: bool, settings: Settings) -> None:
    """Which items of TASK share a run of 13 words with training FILEs."""
    from osler.bench.leak import find_leaks
    from osler.bench.task import Bench
    from osler.bench.tasks import find_task

    found = find_leaks(find_task(name), Bench(settings).data, files)
    if json_out:
        print_json({**found._asdict(), "share": found.share})
        return
    checked = len(found.leaked) + len(found.clean)
    click.echo(f"{name}: {len(found.leaked)} of {checked} items ({found.share:.1%}) share 13 words with the files;")
    click.echo(f"{len(found.short)} are too short to check. --json names them.")


def _runs(identifiers: Sequence[str], settings: Settings) -> "list[Finished]":
    from osler.bench.runner import show as show_run

    return [show_run(identifier, settings) for identifier in identifiers]


def _as_rows(finished: "Finished") -> dict[str, Any]:
    return {"run": finished.card, "measurements": finished.measurements}


def _show(finished: "Finished") -> None:
    card = finished.card
    click.echo(f"{card.id}  {card.task}, {card.split} part, n = {card.n}, {card.method}")
    _print(finished.measurements)


def _print(rows: "Sequence[Figure | Measurement]") -> None:
    from osler.cli.show import console, plain_table

    table = plain_table("metric", "value", "95% interval", "n", "not read", "beside it")
    for row in rows:
        interval = f"[{row.interval[0]:.3f}, {row.interval[1]:.3f}]" if row.interval else ""
        beside = ", ".join(f"{name} {value:.3f}" for name, value in row.baseline.items())
        table.add_row(row.metric, f"{row.value:.3f}", interval, str(row.n), str(row.unparsed), beside)
    console().print(table)
