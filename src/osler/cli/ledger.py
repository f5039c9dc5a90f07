"""`osler ledger`: the record of every answer."""

from typing import Any

import click

from osler.cli.options import as_json, dump, print_json, with_settings
from osler.settings import Settings


@click.group()
def command() -> None:
    """The record of every answer: show, replay, verify, erase."""


@command.command()
@click.argument("id", required=False)
@click.option("--limit", default=20, show_default=True, help="How many of the newest entries to list without ID.")
@as_json
@with_settings
def show(id: str | None, limit: int, json_out: bool, settings: Settings) -> None:
    """One entry with its whole trace, or the newest entries."""
    from osler.ledger import Ledger

    ledger = Ledger.open(settings)
    if id is None:
        entries = ledger.entries(limit)
        if json_out:
            print_json(entries)
        else:
            from osler.cli.show import show_entries

            show_entries(entries)
        return
    entry = ledger.entry(id)
    payload = ledger.payload(id)
    if json_out:
        print_json({"entry": dump(entry), **payload})
    else:
        from osler.cli.show import show_trace

        show_trace(entry, payload)


@command.command()
@as_json
@with_settings
def verify(json_out: bool, settings: Settings) -> int:
    """Check every link, signature and payload; exit code 1 and the first broken entry if one fails."""
    from osler.ledger import Ledger

    result = Ledger.open(settings).verify()
    whole = result.broken is None
    if json_out:
        print_json({"valid": whole, **dump(result)})
    elif result.broken is None:
        erased = f", {result.erased} erased" if result.erased else ""
        click.echo(f"{result.entries} entries, whole{erased}; head {result.head[:16]}")
    else:
        click.echo(f"broken at entry {result.broken.seq} ({result.broken.id or 'missing'}): {result.broken.why}")
    return 0 if whole else 1


@command.command()
@click.argument("id")
@as_json
@with_settings
def replay(id: str, json_out: bool, settings: Settings) -> int:
    """Make the answer again from what the ledger holds and show the difference; exit code 1 if there is one."""
    from osler.trust.replay import replay as run_again

    result = run_again(id, settings)
    if json_out:
        print_json(result)
    else:
        from osler.cli.show import show_replay

        show_replay(result)
    return 0 if result.same else 1


@command.command()
@click.argument("patient")
@click.option("--by", required=True, help="Who erases (kept in the ledger).")
@click.option("--reason", required=True, help="Why (kept in the ledger).")
@as_json
@with_settings
def erase(patient: str, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Erase a patient: the key to everything stored of PATIENT (identifier as in the record) is destroyed."""
    from osler.ledger import Ledger

    ledger = Ledger.open(settings)
    count = ledger.erase(patient)
    entry: Any = ledger.append("erasure", {"by": by, "reason": reason, "entries": count})
    if json_out:
        print_json({"erased": count, "entry": entry.id})
    else:
        click.echo(f"{count} entries can no longer be read; the erasure is entry {entry.id}")
