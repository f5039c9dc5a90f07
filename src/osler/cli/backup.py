"""`osler backup` and `osler restore`: a home in one file, and back."""

from pathlib import Path

import click

from osler.cli.options import common, say
from osler.settings import Settings


@click.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@common
def command(target: Path, json_out: bool, settings: Settings) -> None:
    """Write the home (database, keys, libraries, settings) to TARGET. It holds the keys: keep it safe."""
    from osler.backup import back_up

    made = back_up(settings, target)
    say(json_out, made, f"{made.files} files, {made.size / 1e6:.1f} MB, backed up to {made.path}")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False))
@common
def restore(source: Path, json_out: bool, settings: Settings) -> None:
    """Unpack the backup SOURCE into an empty home (--home) and check every file."""
    from osler.backup import restore as unpack

    made = unpack(source, settings.home)
    say(json_out, made, f"{made.files} files of {made.made} restored to {settings.home}; next: osler ledger verify")
