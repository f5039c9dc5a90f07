"""`osler jobs`: long work and how far it is."""

import click

from osler.cli.options import common, output
from osler.errors import InputError
from osler.settings import Settings


@click.command()
@click.option("--cancel", metavar="ID", help="Cancel a running job; what it finished is kept.")
@common
def command(cancel: str | None, json_out: bool, settings: Settings) -> None:
    """Long work: what runs, how far it is, cancel it."""
    from osler.storage import Jobs, open_database

    jobs = Jobs(open_database(settings))
    if cancel is not None and not jobs.cancel(cancel):
        raise InputError(f"no running job {cancel}", hint="`osler jobs` lists them.")
    output(json_out, jobs.list(), "jobs")
