"""`osler accounts`: who may sign in to a server of this home."""

import sys

import click

from osler.cli.options import common, output, say
from osler.errors import InputError, UsageError
from osler.settings import Settings

LONGEST = 24 * 3650  # hours


@click.group()
def command() -> None:
    """Who may sign in. With a first account the server asks for accounts and no longer opens to its token."""


@command.command(name="list")
@common
def list_(json_out: bool, settings: Settings) -> None:
    """The accounts and their roles."""
    from osler.server.accounts import Accounts

    output(json_out, {"accounts": Accounts(settings).list()}, "accounts")


@command.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    help="clinician, educator, researcher, privacy-officer or administrator (may be given again).",
)
@click.option("--shown", help="The name to show; default: NAME.")
@click.option("--external", is_flag=True, help="No password: signs in through the hospital's OIDC server.")
@common
def add(
    name: str, roles: tuple[str, ...], shown: str | None, external: bool, json_out: bool, settings: Settings
) -> None:
    """Make account NAME, or change its roles and password. The password is asked for, or read from standard input."""
    from osler.server.accounts import Accounts

    password = None
    if not external:
        if sys.stdin.isatty():
            password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
        else:
            password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise UsageError("no password was given")
    made = Accounts(settings).add(name, roles, password, shown)
    say(json_out, {"account": made}, f"{made.id} may sign in as {', '.join(made.roles)}")


@command.command()
@click.argument("name")
@common
def disable(name: str, json_out: bool, settings: Settings) -> None:
    """Let NAME in no more and end its sign-ins."""
    from osler.server.accounts import Accounts

    if not Accounts(settings).disable(name):
        raise InputError(f"no account {name}")
    say(json_out, {"disabled": name}, f"{name} can't sign in any more")


@command.command()
@click.argument("name")
@click.option("--hours", default=720, show_default=True, type=click.IntRange(1, LONGEST))
@common
def token(name: str, hours: int, json_out: bool, settings: Settings) -> None:
    """A bearer token for a program that acts as NAME; shown once."""
    from osler.server.accounts import Accounts

    accounts = Accounts(settings)
    principal = next((item for item in accounts.list() if item.id == name), None)
    if principal is None:
        raise InputError(f"no account {name}")
    secret = accounts.sign_in(principal, hours, program=True)
    say(json_out, {"account": name, "token": secret, "hours": hours}, secret)
