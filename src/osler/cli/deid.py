"""`osler deid`: identifiers out of text."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import as_jsonl, common, print_json, run_batch, text_field
from osler.errors import InputError
from osler.nouns import dump
from osler.settings import Settings


@click.command()
@click.argument("file")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write here; default: output.")
@as_jsonl
@common
def command(file: str, target: Path | None, json_out: bool, jsonl_out: bool, settings: Settings) -> int:
    """Put placeholders for identifiers in FILE (plain text), or in lines of {"id", "text"} with --jsonl.

    The detector is a first one of rules alone; benchmarks/deid.md says what it finds and what it misses.
    """
    from osler.privacy.deid import Deidentifier

    def masked(text: str) -> dict[str, Any]:
        found = Deidentifier().mask(text)
        return {"text": found.text, "spans": dump(found.spans)}

    if jsonl_out:
        return run_batch(file, ("id", "text"), lambda row: masked(text_field(row, "text")))
    from osler.record.source import decode, load

    text = decode(load(file), file)
    if text.lstrip().startswith(("{", "[")):
        raise InputError("this looks like JSON", where=file, hint="Lines of {id, text} go through --jsonl.")
    result = masked(text)
    if json_out:
        print_json(result)
    elif target is None:
        click.echo(result["text"], nl=False)
    else:
        from osler.models.files import write_atomically

        write_atomically(target, result["text"].encode())
        click.echo(f"osler: {len(result['spans'])} identifiers replaced; review before the text leaves", err=True)
    return 0
