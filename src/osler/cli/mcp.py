"""`osler mcp`: the rooms as tools of the Model Context Protocol."""

import click

from osler.cli.options import system_user, with_settings
from osler.settings import Settings


@click.command()
@with_settings
def command(settings: Settings) -> None:
    """Serve the MCP tools over standard input and output; over HTTP they are part of `osler serve`, at /mcp."""
    from osler.clinic.desk import Desk
    from osler.server.mcp_door import create_mcp

    create_mcp(Desk(settings, who=system_user())).run()
