"""`osler learn`: questions with checked answers, a patient to practise with, cards to remember by."""

import importlib
from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output, system_user, write_file
from osler.errors import InputError
from osler.settings import Settings

FILE = click.Path(dir_okay=False, path_type=Path)
OTHERS = {"patient": "osler.cli.patient", "cards": "osler.cli.cards"}


class Learn(click.Group):
    """A group some of whose commands are modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *OTHERS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in OTHERS:
            return super().get_command(ctx, name)
        command: click.Command = importlib.import_module(OTHERS[name]).command
        return command


@click.group(cls=Learn)
def command() -> None:
    """Practise and remember: quizzes, explanations, a virtual patient, cards."""


@command.command()
@click.argument("topic", nargs=-1, required=True)
@click.option("-n", "--n", "count", default=10, show_default=True, type=click.IntRange(1, 200), help="How many items.")
@click.option(
    "--kind",
    type=click.Choice(["single-best", "true-false", "key-feature", "short-answer"]),
    help="One kind only; default: single best answers and key features.",
)
@click.option(
    "--level", type=click.Choice(["remember", "understand", "apply", "analyse"]), help="Bloom's level; default: all."
)
@click.option(
    "--difficulty",
    default="medium",
    show_default=True,
    type=click.Choice(["easy", "medium", "hard"]),
    help="How near the wrong options are to the right one.",
)
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: that of the topic.")
@common
def quiz(
    topic: tuple[str, ...],
    count: int,
    kind: Any,
    level: Any,
    difficulty: Any,
    language: Any,
    json_out: bool,
    settings: Settings,
) -> None:
    """Items on TOPIC (a disease, finding, drug, class or field), every key checked and every option explained."""
    from osler.bench.leak import near_test_items
    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk
    from osler.education.quiz import Wish, make_quiz

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    wish = Wish(count, kind, level, difficulty)
    made = make_quiz(" ".join(topic), desk, wish, language, near_test_items(settings))
    if len(made.items) < count:
        click.echo(f"osler: {len(made.items)} of {count} items; the knowledge gives no more that are sound.", err=True)
    output(json_out, made, "quiz", items=made.items)


@command.command()
@click.argument("topic", nargs=-1, required=True)
@click.option(
    "--level",
    default="patient",
    show_default=True,
    type=click.Choice(["patient", "student", "resident", "specialist"]),
    help="Who reads it.",
)
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: that of the topic.")
@common
def explain(topic: tuple[str, ...], level: Any, language: Any, json_out: bool, settings: Settings) -> None:
    """TOPIC (a disease, finding or drug) for a reader, each sentence with its source, and how hard it is to read."""
    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk
    from osler.education.explaining import explain as made_for

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    output(json_out, made_for(" ".join(topic), desk, level, language), "explanation")


@command.command()
@click.argument("blueprint", type=FILE)
@click.option("--to", "target", type=FILE, help="paper.docx, .csv, .apkg or .json.")
@common
def exam(blueprint: Path, target: Path | None, json_out: bool, settings: Settings) -> None:
    """The exam that BLUEPRINT (a TOML file: title, and a topic with n, level, kind and difficulty for each part) asks
    for, as paper with its key, table, Anki package or JSON. Items that a reviewer rejected are left out."""
    from osler.bench.leak import near_test_items
    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk
    from osler.education.exams import ENDINGS, make_exam, read_blueprint, write

    asked = read_blueprint(blueprint)
    if target is not None and target.suffix not in ENDINGS:
        raise InputError(f"no format {target.suffix!r}", where=str(target), hint=f"Known: {', '.join(ENDINGS)}.")
    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    made = make_exam(asked, desk, near_test_items(settings))
    for section in made.sections:
        if len(section.items) < section.asked:
            said = f"{len(section.items)} of {section.asked} items on {section.topic}"
            click.echo(f"osler: {said}; the knowledge gives no more that are sound.", err=True)
    if target is not None:
        write_file(target, write(made, target.suffix, settings))
    if json_out or target is None:
        output(json_out, made, "quiz", items=made.items)
    else:
        click.echo(f"{len(made.items)} items in {target}; ledger entry {made.trace_id}")
