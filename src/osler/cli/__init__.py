"""The command line: a thin module a command group, loaded only when it is called.

It knows no medicine: it parses, calls a room and prints.
"""

import gc
import importlib
import os
import sys
from typing import Any

import click

from osler import __version__
from osler.errors import OslerError

# name -> (module, one-line help). The help stands here so that `osler --help` imports no room.
COMMANDS: dict[str, tuple[str, str]] = {
    "consult": ("consult", "A case in, a ranked and cited second opinion out."),
    "report": ("report", "A draft report from a record, every sentence with its source."),
    "translate": ("translate", "A text or report between English and Chinese, as far as it can be checked."),
    "check": ("check", "Sentences of a note that probably don't fit the rest of it."),
    "ask": ("ask", "Answer a question from the library, every statement cited."),
    "search": ("search", "Search a library."),
    "ingest": ("ingest", "Add documents to a library."),
    "concepts": ("concepts", "Find phenotypes, diseases and drugs in text, with their context."),
    "diagnose": ("diagnose", "Rank diseases for lists of HPO terms."),
    "graph": ("graph", "Look into the knowledge graph."),
    "learn": ("learn", "Practise and remember: quizzes, a virtual patient, cards."),
    "imaging": ("imaging", "Pictures and ECGs: look, measure, learn from labels."),
    "calc": ("calc", "Compute published medical scores and formulas."),
    "deid": ("deid", "Remove identifiers from text and records."),
    "models": ("models", "Which models there are and what they may do."),
    "methods": ("methods", "The ways to answer a question, what each costs and reaches."),
    "adapt": ("adapt", "From a general model to a medical one: train, measure, serve, take back."),
    "bench": ("bench", "Measure models and methods on public data."),
    "audit": ("audit", "How robust, fair and private a model is, as one page."),
    "model-card": ("card", "What is known and was measured of a model."),
    "incident": ("incident", "From one wrong answer to those like it, and to what fixed it."),
    "ledger": ("ledger", "The record of every answer: show, replay, prove, who saw whom, erase."),
    "serve": ("serve", "The workbench and the doors for programs, on one port."),
    "mcp": ("mcp", "The rooms as tools of the Model Context Protocol."),
    "accounts": ("accounts", "Who may sign in to a server of this home."),
    "backup": ("backup", "The home in one file."),
    "restore": ("backup:restore", "The home out of a backup."),
    "jobs": ("jobs", "Long work: what runs, how far it is, cancel it."),
    "doctor": ("doctor", "What is installed, in use, and missing."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, function = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"osler.cli.{module}"), function or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="osler")
def cli() -> None:
    """Osler: evidence first, model second, on your own machine.

    Every answer cites its evidence, can be replayed from the ledger, and is for professional review.
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exit codes: 0 done, 1 the input was bad, 2 usage, 3 a component is missing."""
    # What a command loads stays; looking through it again and again for garbage took a tenth of a consult.
    gc.set_threshold(50_000, 20, 50)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="osler", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except OslerError as error:
        _complain(str(error))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; what was acknowledged is kept.")
        return 130
    except BrokenPipeError:
        # The reader of a pipe has gone; the interpreter must not try to flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("OSLER_DEBUG"):
            raise
        _complain(f"internal error: {type(error).__name__}: {error}. OSLER_DEBUG=1 shows where; please report it.")
        return 1


def _complain(message: str) -> None:
    click.echo(f"osler: {message}", err=True)
