"""`osler jobs`: long work and how far it is."""

import click

from osler.cli.options import as_json, print_json, with_settings
from osler.errors import InputError
from osler.settings import Settings


@click.command()
@click.option("--cancel", metavar="ID", help="Cancel a running job; what it finished is kept.")
@as_json
@with_settings
def command(cancel: str | None, json_out: bool, settings: Settings) -> None:
    """Long work: what runs, how far it is, cancel it."""
    from osler.storage import Jobs, open_database

    jobs = Jobs(open_database(settings))
    if cancel is not None and not jobs.cancel(cancel):
        raise InputError(f"no running job {cancel}", hint="`osler jobs` lists them.")
    rows = jobs.list()
    if json_out:
        print_json(rows)
    elif not rows:
        click.echo("No jobs yet. `osler ingest` starts one.")
    else:
        from osler.cli.show import show_jobs

        show_jobs(rows)
