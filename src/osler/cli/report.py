"""`osler report`: a draft report from a record, every sentence with its source; then its changes and its signature."""

import json
from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output, system_user
from osler.errors import InputError, UsageError
from osler.nouns import Principal
from osler.settings import Settings

CHANGES = click.option("--changes", required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True),
                       help="JSON: a list of {statement, section, text, reason}.")  # fmt: skip
BY = click.option("--by", required=True, help="Who does it (kept in the ledger).")


class Reports(click.Group):
    """`osler report KIND PATH` drafts; the other words are what is done with a draft."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not any(one in self.commands or one in ("-h", "--help") for one in args[:1]):
            args = ["draft", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Reports)
def command() -> None:
    """Draft a report of a KIND from PATH: osler report KIND PATH [--to FILE]; then change it, sign it, amend it.

    Kinds: visit-note, discharge-summary, referral, handover, patient-summary, problem-list, radiology, and a hospital's
    own. PATH: a note, a dialogue or a FHIR record; `-` reads standard input.
    """


@command.command()
@click.argument("kind")
@click.argument("path")
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it: .md, .docx, .pdf, .dcm or .json."
)
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: the record's own.")
@common
def draft(kind: str, path: str, target: Path | None, language: Any, json_out: bool, settings: Settings) -> None:
    """Draft a report of KIND from PATH (the word `draft` may be left out)."""
    from osler.clinic.reports import kinds
    from osler.clinic.reports.write import WRITERS, write
    from osler.record.source import load

    known = kinds(settings)
    if kind not in known:
        raise UsageError(f"unknown kind of report {kind!r}", hint=f"Known: {', '.join(known)}.")
    if target is not None and target.suffix not in WRITERS:
        raise UsageError(
            f"no way to write {target.suffix or 'a file without an ending'}", hint=f"Known: {', '.join(WRITERS)}."
        )
    content = load(path)

    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk

    desk = Desk(settings, who=system_user())
    prepare(desk.resources)
    made = desk.report(known[kind], content, path, language)
    if target is not None:
        write(made, target)
    output(json_out, made, "report", target=target)


@command.command()
@click.argument("id")
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it: .md, .docx, .pdf, .json."
)
@common
def show(id: str, target: Path | None, json_out: bool, settings: Settings) -> None:
    """A report as it stands, by its ledger entry."""
    from osler.clinic.reports.signing import held
    from osler.ledger import Ledger

    _print(held(id, Ledger.open(settings), settings), json_out, target)


@command.command()
@click.argument("id")
@CHANGES
@BY
@common
def edit(id: str, changes: Path, by: str, json_out: bool, settings: Settings) -> None:
    """Change sentences of a draft; each is put to the verifier again."""
    from osler.clinic.desk import Desk
    from osler.clinic.reports import signing

    _print(signing.edit(id, _changes(changes), Desk(settings, who=by), _who(by)), json_out)


@command.command()
@click.argument("id")
@BY
@common
def sign(id: str, by: str, json_out: bool, settings: Settings) -> None:
    """Sign a report as it stands: its hash goes to the ledger, and it can only be amended."""
    from osler.clinic.desk import Desk
    from osler.clinic.reports import signing

    _print(signing.sign(id, Desk(settings, who=by), _who(by)), json_out)


@command.command()
@click.argument("id")
@CHANGES
@BY
@click.option("--reason", required=True, help="Why (kept in the ledger).")
@common
def amend(id: str, changes: Path, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Amend a signed report: a further signed version beside the former."""
    from osler.clinic.desk import Desk
    from osler.clinic.reports import signing

    _print(signing.amend(id, _changes(changes), Desk(settings, who=by), _who(by), reason), json_out)


def _who(by: str) -> Principal:
    return Principal(id=by, name=by, roles=["clinician"])


def _changes(path: Path) -> list[Any]:
    from pydantic import TypeAdapter, ValidationError

    from osler.clinic.reports.signing import Change

    try:
        return TypeAdapter(list[Change]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InputError(f"not a list of changes: {said}", where=str(path)) from None


def _print(found: Any, json_out: bool, target: Path | None = None) -> None:
    from osler.clinic.reports.write import write

    if target is not None:
        write(found.report, target)
    versions = [one._asdict() for one in found.versions]
    if json_out:
        output(True, {"report": found.report.model_dump(mode="json"), "versions": versions}, "report")
        return
    output(False, found.report, "report", target=target)
    for one in found.versions[1:]:
        click.echo(
            f"{one.number}. {one.status} by {one.who}, {one.made[:16]}{', sha256 ' + one.sha256 if one.sha256 else ''}"
        )
