"""`osler incident`: one wrong answer, those like it, and what was done about it."""

import click

from osler.cli.options import common, output
from osler.errors import UsageError
from osler.settings import Settings


@click.command()
@click.argument("id")
@click.option("--note", help="Put down what was done about it (kept in the ledger).")
@click.option("--fixed-by", metavar="ID", help="The answer that shows that it is done.")
@click.option("--by", help="Who did it (kept in the ledger).")
@common
def command(
    id: str, note: str | None, fixed_by: str | None, by: str | None, json_out: bool, settings: Settings
) -> None:
    """The report of a wrong answer: its trace, the answers like it, and the change that fixed it.

    ID is the answer's entry in the ledger. --note, --fixed-by and --by put down what was done."""
    from osler.trust.incident import incident, note_fix

    if bool(note) != bool(by) or (fixed_by and not note):
        raise UsageError("what was done needs --note and --by")
    if note and by:
        note_fix(id, fixed_by, note, by, settings)
    output(json_out, incident(id, settings), "incident")
