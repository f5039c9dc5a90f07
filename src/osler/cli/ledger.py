"""`osler ledger`: the record of every answer, what proves it, who saw whom, and how a patient is forgotten."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from osler.cli.options import common, output, print_line, say, signed, system_user, with_settings, write
from osler.errors import UsageError
from osler.nouns import dump
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.ledger import Ledger

FILE = click.Path(path_type=Path, dir_okay=False)


def open_ledger(settings: Settings) -> "Ledger":
    from osler.ledger import Ledger

    return Ledger.open(settings)


@click.group()
def command() -> None:
    """The record of every answer: show, replay, verify, anchor, prove, who saw whom, erase, export."""


@command.command()
@click.argument("id", required=False)
@click.option("--limit", default=20, show_default=True, help="How many of the newest entries to list without ID.")
@click.option("--why", default="osler ledger show", help="What a patient's entry is read for (kept in the ledger).")
@common
def show(id: str | None, limit: int, why: str, json_out: bool, settings: Settings) -> None:
    """One entry with its whole trace, or the newest entries. That a patient's entry was read is noted."""
    ledger = open_ledger(settings)
    if id is None:
        output(json_out, ledger.entries(limit), "entries")
    else:
        payload = ledger.payload(id)
        if ledger.whose(id):
            ledger.accessed(system_user(), why, what=id)
        output(json_out, {"entry": dump(ledger.entry(id)), **payload}, "trace")


@command.command()
@click.option("--anchor", "kept", type=FILE, help="Heads kept elsewhere; default: the file of the settings.")
@common
def verify(kept: Path | None, json_out: bool, settings: Settings) -> int:
    """Check every link, signature and payload; exit code 1 and the first broken entry if one fails."""
    from osler.ledger.heads import read_heads

    usual = Path(settings.ledger.anchor).expanduser() if settings.ledger.anchor else None
    kept = kept or (usual if usual and usual.exists() else None)
    result = open_ledger(settings).verify(read_heads(kept) if kept else ())
    if result.broken is None:
        more = f", {result.erased} erased" if result.erased else ""
        more += f", anchored up to {result.anchored}" if result.anchored else ""
        sentence = f"{result.entries} entries, whole{more}; head {result.head[:16]}"
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
@click.option("--to", "target", type=FILE, help="A file on another machine or medium; default: that of the settings.")
@common
def anchor(target: Path | None, json_out: bool, settings: Settings) -> None:
    """Sign the chain as it stands; add that head to a file, by which `verify --anchor` sees a cut or another ledger."""
    if target is None and settings.ledger.anchor is None:
        raise UsageError("give --to FILE, or `anchor` of [ledger] in osler.toml")
    head = open_ledger(settings).anchor(target or Path(str(settings.ledger.anchor)).expanduser())
    say(json_out, head, f"{head.size} entries under {head.root}, signed by {head.key}")


@command.command()
@click.argument("id")
@click.option("--anchor", "kept", type=FILE, help="Also prove that the chain goes on from the last head of this file.")
@click.option("--content", is_flag=True, help="Also show what the entry holds (it may name a patient).")
@click.option("--to", "target", type=FILE, help="Write the proof here; default: standard output.")
@with_settings
def prove(id: str, kept: Path | None, content: bool, target: Path | None, settings: Settings) -> None:
    """Prove that an entry is in the ledger without showing another; `check-proof` checks it anywhere."""
    from osler.ledger.heads import read_heads

    proof = open_ledger(settings).prove(id, read_heads(kept)[-1] if kept else None, content).model_dump_json(indent=1)
    write(target, proof + "\n") if target else click.echo(proof)


@command.command("check-proof")
@click.argument("file", type=FILE)
@click.option("--key", metavar="HEX", help="The ledger's public key, as `anchor` prints it.")
@click.option("--anchor", "kept", type=FILE, help="Heads of this ledger that you keep: its last one is the start.")
@common
def check_proof(file: Path, key: str | None, kept: Path | None, json_out: bool, settings: Settings) -> int:
    """Check a proof, on any machine; exit code 1 if it does not hold."""
    from osler.ledger.heads import check, read_heads, read_proof

    found = check(read_proof(file), key, read_heads(kept)[-1] if kept else None)
    known = "" if found.trusted else f"; compare the key with the one you know: {found.key}"
    holds = f"entry {found.entry} is in the ledger of {found.size} entries signed on {found.time}{known}"
    say(json_out, found, holds if found.valid else f"does not hold: {found.why}")
    return 0 if found.valid else 1


@command.command("rotate-key")
@signed
@common
def rotate_key(by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Put a new signing key in force: the old one signs it and is destroyed; older entries stay verifiable."""
    ledger = open_ledger(settings)
    entry, public = ledger.rotate_key(by, reason), ledger.vault.ring.public
    say(json_out, {"entry": entry.id, "key": public}, f"{public} signs from entry {entry.seq} on ({entry.id})")


@command.command()
@click.argument("patient")
@common
def accesses(patient: str, json_out: bool, settings: Settings) -> None:
    """Who saw or made what of PATIENT (identifier as in the record), when and why."""
    output(json_out, open_ledger(settings).accesses(patient), "accesses")


@command.command()
@click.option("--format", "kind", type=click.Choice(("jsonl", "fhir")), default="jsonl", show_default=True)
@with_settings
def export(kind: str, settings: Settings) -> None:
    """The chain without any content: entries as JSON Lines, or a FHIR Bundle of AuditEvent and Provenance (R4)."""
    from osler.cli.options import print_json
    from osler.ledger.fhir import bundle

    ledger = open_ledger(settings)
    if kind == "fhir":
        print_json(bundle(ledger))
    else:
        for entry in reversed(ledger.entries(None)):
            print_line(entry)


also = click.option("--also", multiple=True, metavar="TEXT", help="A further text that names the patient (a name).")


@command.command()
@click.argument("patient")
@also
@common
def held(patient: str, also: tuple[str, ...], json_out: bool, settings: Settings) -> None:
    """What the home holds of PATIENT, and `erase` would destroy."""
    from osler.trust.erasure import held as look

    output(json_out, look(patient, settings, also), "held")


@command.command()
@click.argument("patient")
@also
@signed
@common
def erase(patient: str, also: tuple[str, ...], by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Erase PATIENT (identifier as in the record) from the whole home; the ledger keeps hashes and the proof."""
    from osler.trust.erasure import erase as erase_all

    _tell(json_out, erase_all(patient, settings, by, reason, also).id, settings)


@command.command()
@signed
@common
def expire(by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Destroy the content that is older than `days` of [retention] in the settings."""
    from osler.trust.erasure import expire as expire_all

    _tell(json_out, expire_all(settings, by, reason).id, settings)


def _tell(json_out: bool, id: str, settings: Settings) -> None:
    """The entry that proves an erasure."""
    proof = open_ledger(settings).payload(id)
    elsewhere = sum(map(len, proof.get("elsewhere", {}).values()))
    more = f", {elsewhere} things elsewhere are gone" if elsewhere else ""
    said = f"{proof['entries']} entries can no longer be read{more}; the erasure is entry {id}"
    say(json_out, {"erased": proof["entries"], "entry": id, **proof}, said)
