"""`osler learn cards`: make cards of what was checked, review what is due, exchange them with Anki, see how it goes."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osler.cli.options import common, output, say, system_user, write_file
from osler.errors import InputError, UsageError
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.education.cards import CardDraft, Deck

FILE = click.Path(path_type=Path, dir_okay=False)


def with_deck(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--learner` and what every command has; hand the command the learner's `deck`, and `json_out`."""

    @click.option("--learner", metavar="NAME", help="Whose cards; default: who runs the command.")
    @common
    @functools.wraps(command)
    def wrapped(*args: Any, learner: str | None, settings: Settings, **kwargs: Any) -> Any:
        from osler.education.cards import Deck

        return command(*args, deck=Deck(settings, learner or system_user()), **kwargs)

    return wrapped


@click.group()
def command() -> None:
    """Cards to remember by, scheduled by FSRS: add, due, review, suspend, export, import, progress, items."""


@command.command()
@click.option("--from", "trace", metavar="TRACE_ID", help="A ledger entry: an answer, a consult, a quiz or an exam.")
@click.option("--quiz", "file", type=FILE, help="What `osler learn quiz --json` printed, or a list of items.")
@click.option("--document", metavar="ID", help="A document of the library with key terms.")
@click.option("--library", metavar="NAME", help="The library of --document; default: that of the settings.")
@click.option("--missed", is_flag=True, help="Only items that the learner last answered wrongly.")
@with_deck
def add(
    trace: str | None, file: Path | None, document: str | None, library: str | None, missed: bool, deck: "Deck",
    json_out: bool,
) -> None:  # fmt: skip
    """Cards from an entry of the ledger, a file of items or a document's key terms; none that is there already."""
    from osler.education.cards import missed as missed_by

    if sum(one is not None for one in (trace, file, document)) != 1:
        raise UsageError("give one of --from, --quiz and --document")
    drafts = _drafts(trace, file, document, library, deck.settings)
    if missed:
        wrong = missed_by(deck.settings, deck.learner)
        drafts = [draft for draft in drafts if draft.source.get("item") in wrong]
    made = deck.add(drafts)
    said = {"added": made, "repeated": len(drafts) - len(made)}
    say(json_out, said, f"{len(made)} cards added to the deck of {deck.learner}, {said['repeated']} were there already")


def _drafts(
    trace: str | None, file: Path | None, document: str | None, library: str | None, settings: Settings
) -> "list[CardDraft]":
    from osler.education.cards import making

    if trace is not None:
        from osler.ledger import Ledger

        ledger = Ledger.open(settings)
        drafts = making.from_trace(trace, ledger)
        if ledger.whose(trace):
            ledger.accessed(system_user(), "osler learn cards add", what=trace)
        return drafts
    if file is not None:
        return making.from_file(file)
    from osler.knowledge.library import open_library
    from osler.reasoning.resources import Resources

    opened = open_library(library, settings) if library else Resources(settings).library
    return making.from_passages(str(document), opened.document(str(document)))


@command.command()
@with_deck
def due(deck: "Deck", json_out: bool) -> None:
    """The cards to review now, the longest due first."""
    output(json_out, deck.due(), "cards")


@command.command()
@click.option("-n", "--n", "most", default=50, show_default=True, type=click.IntRange(1), help="At most so many.")
@click.option("--retention", default=0.9, show_default=True, help="Share to recall when due, 0.7 to 0.97.")
@with_deck
def review(most: int, retention: float, deck: "Deck", json_out: bool) -> None:
    """Review what is due: front, back, then 1 again, 2 hard, 3 good or 4 easy, or q to stop. Without a terminal the
    ratings are read from standard input, a line each. Every rating is kept at once."""
    from datetime import UTC, datetime

    from osler.education.cards import Deck

    deck, done = Deck(deck.settings, deck.learner, retention), []
    terminal = sys.stdin.isatty()
    for card in deck.due()[:most]:
        click.echo(f"\n{card.topic}\n\n{card.front}", err=json_out)
        if terminal:
            click.pause("\nAny key shows the back.", err=json_out)
        click.echo(f"\n{card.back}\n", err=json_out)
        rating = _rating(_choices(deck.intervals(card, datetime.now(UTC))), terminal, json_out)
        if rating is None:
            break
        done.append(deck.review(card.id, rating))
    left = len(deck.due())
    say(json_out, {"reviewed": done, "due": left}, f"{len(done)} reviewed, {left} due")


def _choices(seconds: list[float]) -> str:
    names = zip(("again", "hard", "good", "easy"), seconds, strict=True)
    return "  ".join(f"{number} {name} ({_span(wait)})" for number, (name, wait) in enumerate(names, start=1))


def _span(seconds: float) -> str:
    return f"{seconds / 86400:.0f} d" if seconds >= 86400 else f"{seconds / 60:.0f} min"


def _rating(choices: str, terminal: bool, err: bool) -> int | None:
    """The next rating, or None where the learner stops. Raises InputError for a line that is none."""
    while True:
        click.echo(f"{choices}  ", nl=not terminal, err=err)
        line = sys.stdin.readline()
        said = line.strip()
        if not line or said == "q":
            return None
        if said in ("1", "2", "3", "4"):
            return int(said)
        if not terminal:
            raise InputError(f"{said!r} is no rating", where="standard input", hint="Give 1, 2, 3, 4 or q a line.")


@command.command()
@click.argument("card")
@click.option("--resume", is_flag=True, help="Ask it again.")
@with_deck
def suspend(card: str, resume: bool, deck: "Deck", json_out: bool) -> None:
    """Ask CARD (its id) no more."""
    deck.suspend(card, not resume)
    said = f"{card} is asked again" if resume else f"{card} is not asked until `--resume`"
    say(json_out, {"card": card, "suspended": not resume}, said)


@command.command()
@click.argument("target", type=FILE)
@click.option("--quiz", "file", type=FILE, help="The items of this file instead of the learner's cards.")
@with_deck
def export(target: Path, file: Path | None, deck: "Deck", json_out: bool) -> None:
    """Write the cards to TARGET (.apkg), which Anki imports; when they are due does not go with them."""
    from osler.education.cards import making
    from osler.education.cards.anki import write_apkg

    cards = making.from_file(file) if file else deck.cards()
    if not cards:
        raise InputError("there is no card to export", hint="`osler learn cards add` makes some.")
    write_file(target, write_apkg(cards, "Osler", deck.settings))
    say(json_out, {"cards": len(cards), "file": str(target)}, f"{len(cards)} cards in {target}")


@command.command("import")
@click.argument("source", type=FILE)
@with_deck
def import_(source: Path, deck: "Deck", json_out: bool) -> None:
    """Take the notes of an Anki package (.apkg) as new cards, with tags and media; its scheduling is not taken."""
    from osler.education.cards.anki import read_apkg

    found = read_apkg(source, deck.settings)
    made = deck.add(found.cards)
    for one in found.left_out:
        click.echo(f"osler: left out: {one}", err=True)
    repeated = len(found.cards) - len(made)
    said = f"{found.notes} notes: {len(made)} cards added, {repeated} were there already, {found.media} media files"
    document = {"notes": found.notes, "added": made, "repeated": repeated, "media": found.media}
    say(json_out, document | {"left_out": found.left_out, "scheduling": False}, f"{said}; all are new to the scheduler")


@command.command()
@with_deck
def progress(deck: "Deck", json_out: bool) -> None:
    """What is recalled, after how many days, on which topics not, and what will be due."""
    from osler.education.cards import progress_of

    output(json_out, progress_of(deck), "cards_progress")


@command.command()
@common
def items(json_out: bool, settings: Settings) -> None:
    """For the educator: how hard each item was, whether it tells learners apart, and which options nobody takes."""
    from osler.education.cards import item_statistics

    output(json_out, item_statistics(settings), "cards_items")


@command.command()
@common
def cohort(json_out: bool, settings: Settings) -> None:
    """For the educator: how each learner did on the items that were answered."""
    from osler.education.cards import cohort as results

    output(json_out, results(settings), "cards_cohort")
