"""`osler adapt data`: a folder that a stage may learn from."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output
from osler.settings import Settings


@click.command()
@click.argument("inputs", nargs=-1, required=True)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@click.option("--licence", default="", help="Of files and libraries, as an SPDX name (or a file LICENCE beside them).")
@click.option("--allow-training", "permission", metavar="REASON", help="Why data may be learned from all the same.")
@click.option("--phi", type=click.Choice(["refuse", "drop", "mask"]), default="refuse", show_default=True,
              help="What to do about identifiers of people.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="So many rows of each input.")
@click.option("--canaries", "hidden", type=click.IntRange(min=0, max=60), default=0,
              help="So many made-up secrets among the rows, for `osler adapt memorised`.")  # fmt: skip
@click.option("--seed", type=int, default=0)
@common
def command(
    inputs: tuple[str, ...], target: Path, licence: str, permission: str | None, phi: Any, limit: int | None,
    hidden: int, seed: int, json_out: bool, settings: Settings,
) -> None:  # fmt: skip
    """Check and divide training data of INPUTS, and write a data sheet.

    An input is a file (JSON Lines, Alpaca, ShareGPT, chat, preference or plain text), set:NAME of the bench's data,
    library:NAME, or made:definitions, made:relations, made:paths, made:calculators.
    """
    from osler.adaptation.data import prepare

    output(json_out, prepare(inputs, target, settings, licence, permission, phi, seed, limit, hidden), "datasheet")
