"""`osler serve`: the workbench and the doors for programs, on one port."""

import os

import click

from osler.cli.options import with_settings
from osler.errors import MissingComponent, UsageError
from osler.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on; default: this machine alone.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: 8350.")
@click.option("--token", help="What opens the server while it has no accounts; default: OSLER_TOKEN, else made up.")
@with_settings
def command(host: str | None, port: int | None, token: str | None, settings: Settings) -> None:
    """Serve the workbench, REST, OpenAI-compatible, CDS Hooks, FHIR and MCP doors."""
    import socket

    import uvicorn

    from osler.server.app import create_app
    from osler.server.guard import is_loopback

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"server": settings.server.model_copy(update=given)})
    asked = settings.server
    app = create_app(settings, token or os.environ.get("OSLER_TOKEN"))
    access = app.state.access
    if access.open_to_token and not is_loopback(asked.host):
        hint = "Make an account first: osler accounts add NAME --role administrator."
        raise UsageError(f"without an account the server listens on this machine alone, not on {asked.host}", hint=hint)
    try:
        listening = socket.create_server((asked.host, asked.port), family=_family(asked.host))
    except OSError as error:
        raise MissingComponent(f"can't listen: {error.strerror}", where=f"{asked.host}:{asked.port}") from None
    scheme = "https" if asked.certificate else "http"
    name = f"[{asked.host}]" if ":" in asked.host else asked.host
    address = f"{scheme}://{name}:{listening.getsockname()[1]}"
    click.echo(f"osler: serving on {address}", err=True)
    if access.open_to_token:
        click.echo(f"osler: open {address}/?token={access.token}", err=True)
        click.echo("osler: no accounts: only this machine is answered, to whoever has this token.", err=True)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=True,
        ssl_certfile=asked.certificate, ssl_keyfile=asked.certificate_key, timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
    )  # fmt: skip
    uvicorn.Server(config).run([listening])


def _family(host: str) -> int:
    import socket

    return socket.AF_INET6 if ":" in host else socket.AF_INET
