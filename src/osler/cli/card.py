"""`osler model-card`: what is known and was measured of a model, field by field."""

import json
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from osler.cli.options import common, print_json, write
from osler.errors import InputError, UsageError
from osler.nouns import Measurement
from osler.settings import Settings


@click.command()
@click.argument("spec", required=False)
@click.option(
    "--rows", type=click.Path(path_type=Path), multiple=True, help="What `osler audit` or `bench` gave by --json."
)
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.md|.html|.json")
@common
def command(spec: str | None, rows: tuple[Path, ...], target: Path | None, json_out: bool, settings: Settings) -> None:
    """The model card of SPEC (default: the model of the settings), of measured results only.

    The headlines of this home's bench runs are in it; --rows adds what an audit measured."""
    from osler.trust.card import card, html, markdown

    if spec:
        models = settings.models.model_copy(update={"language": spec})
        settings = settings.model_copy(update={"models": models})
    made = card(settings, [row for path in rows for row in _rows(path)])
    if target:
        writers = {".md": markdown, ".html": html, ".json": _json}
        if target.suffix not in writers:
            raise UsageError(f"{target.name}: a card is written as {', '.join(writers)}")
        write(target, writers[target.suffix](made))
    if json_out:
        print_json(made)
    elif not target:
        click.echo(markdown(made))


def _json(it: dict[str, Any]) -> str:
    return json.dumps(it, ensure_ascii=False, indent=1)


def _rows(path: Path) -> list[Measurement]:
    try:
        return TypeAdapter(list[Measurement]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"not a list of measurements: {str(error).splitlines()[0]}", where=str(path)) from None
