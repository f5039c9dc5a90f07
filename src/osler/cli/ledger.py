"""`osler ledger`: the record of every answer."""

import click

from osler.cli.options import common, output, say, signed
from osler.nouns import dump
from osler.settings import Settings


@click.group()
def command() -> None:
    """The record of every answer: show, replay, verify, erase."""


@command.command()
@click.argument("id", required=False)
@click.option("--limit", default=20, show_default=True, help="How many of the newest entries to list without ID.")
@common
def show(id: str | None, limit: int, json_out: bool, settings: Settings) -> None:
    """One entry with its whole trace, or the newest entries."""
    from osler.ledger import Ledger

    ledger = Ledger.open(settings)
    if id is None:
        output(json_out, ledger.entries(limit), "entries")
    else:
        output(json_out, {"entry": dump(ledger.entry(id)), **ledger.payload(id)}, "trace")


@command.command()
@common
def verify(json_out: bool, settings: Settings) -> int:
    """Check every link, signature and payload; exit code 1 and the first broken entry if one fails."""
    from osler.ledger import Ledger

    result = Ledger.open(settings).verify()
    if result.broken is None:
        erased = f", {result.erased} erased" if result.erased else ""
        sentence = f"{result.entries} entries, whole{erased}; head {result.head[:16]}"
    else:
        sentence = f"broken at entry {result.broken.seq} ({result.broken.id or 'missing'}): {result.broken.why}"
    say(json_out, {"valid": result.broken is None, **dump(result)}, sentence)
    return 0 if result.broken is None else 1


@command.command()
@click.argument("id")
@common
def replay(id: str, json_out: bool, settings: Settings) -> int:
    """Make the answer again from what the ledger holds and show the difference; exit code 1 if there is one."""
    from osler.trust.replay import replay as run_again

    result = run_again(id, settings)
    output(json_out, result, "replay")
    return 0 if result.same else 1


@command.command()
@click.argument("patient")
@signed
@common
def erase(patient: str, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Erase a patient: the key to everything stored of PATIENT (identifier as in the record) is destroyed."""
    from osler.ledger import Ledger

    ledger = Ledger.open(settings)
    count = ledger.erase(patient)
    entry = ledger.append("erasure", {"by": by, "reason": reason, "entries": count})
    said = f"{count} entries can no longer be read; the erasure is entry {entry.id}"
    say(json_out, {"erased": count, "entry": entry.id}, said)
