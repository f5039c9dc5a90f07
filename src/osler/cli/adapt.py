"""`osler adapt`: from a general model to a medical one, and back if it got worse."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import as_json, common, output, say, signed, system_user
from osler.settings import Settings


class Adapt(click.Group):
    """The subcommands here, and those in modules of their own."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), "data"])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name == "data":
            from osler.cli.adapt_data import command as data

            return data
        return super().get_command(context, name)


@click.group(cls=Adapt)
def command() -> None:
    """Train a model on medical data, measure it, let it serve, and take it back."""


@command.command()
@as_json
def recipes(json_out: bool) -> None:
    """The recipes that are shipped: each a TOML file with its command in the first line."""
    from osler.adaptation.recipe import recipes as shipped

    output(json_out, [{"name": name, **one.model_dump(mode="json")} for name, one in shipped().items()], "recipes")


@command.command()
@click.argument("recipe")
@click.option("--data", "folders", multiple=True, required=True, type=click.Path(path_type=Path, file_okay=False),
              help="A folder that `osler adapt data` made. Several times.")  # fmt: skip
@click.option("--to", "name", required=True, help="The adapter's name.")
@click.option("--base", default="smollm2", show_default=True, help="smollm2 or gguf:PATH.")
@click.option("--from", "parent", help="An adapter to go on with.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe: training.epochs=2.")
@common
def train(
    recipe: str, folders: tuple[Path, ...], name: str, base: str, parent: str | None, changes: tuple[str, ...],
    json_out: bool, settings: Settings,
) -> None:  # fmt: skip
    """Train by RECIPE (a name of `osler adapt recipes`, or a TOML file) and register the adapter.

    A training that was killed goes on where it stood when the same command is given again.
    """
    from osler.adaptation.training import train as trained
    from osler.cli.progress import steps

    with steps(f"adapt {name}") as watch:
        card = trained(recipe, folders, name, settings, base, parent, changes, watch)
    output(json_out, card, "adapter")


@command.command(name="list")
@common
def list_adapters(json_out: bool, settings: Settings) -> None:
    """The adapters of this home: what each was made from, how it did, which one serves."""
    from osler.adaptation.register import listed

    output(json_out, listed(settings), "adapters")


@command.command()
@click.argument("name")
@common
def show(name: str, json_out: bool, settings: Settings) -> None:
    """The lineage of an adapter: base, data, recipe, losses, agreement with the runtime, gates."""
    from osler.models.adapters import read_card

    output(json_out, read_card(name, settings), "adapter")


@command.command()
@click.argument("name")
@click.option("--task", "tasks", multiple=True, help="A task of the bench. Several times; default: the gate's own.")
@click.option(
    "--split", "part", type=click.Choice(["train", "tune", "report", "all"]), default="report", show_default=True
)
@click.option("--limit", type=click.IntRange(min=2), help="So many items of each task.")
@click.option("--data", "folders", multiple=True, type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Folders whose validation part is read for the perplexity of medical text.")  # fmt: skip
@common
def gate(
    name: str, tasks: tuple[str, ...], part: str, limit: int | None, folders: tuple[Path, ...], json_out: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Measure an adapter beside what it was made from: tasks, safety, forgetting; all paired."""
    from osler.adaptation.gate import TASKS
    from osler.adaptation.gate import gate as measured
    from osler.cli.progress import progress

    with progress(f"gate {name}") as report:
        card = measured(name, settings, tasks or TASKS, part, limit, folders, report)
    output(json_out, card, "adapter")


@command.command()
@click.argument("name")
@click.option("--data", "folders", multiple=True, required=True, help="A folder that it learned from. Several times.",
              type=click.Path(path_type=Path, file_okay=False, exists=True))  # fmt: skip
@common
def memorised(name: str, folders: tuple[Path, ...], json_out: bool, settings: Settings) -> None:
    """What an adapter keeps of the rows it learned from: canaries, extraction, membership."""
    from osler.adaptation.memorised import memorised as audited

    output(json_out, [one._asdict() for one in audited(name, folders, settings)], "memorised")


@command.command()
@click.argument("name")
@signed
@common
def admit(name: str, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Let an adapter that passed its gate serve."""
    from osler.adaptation.register import admit as admitted

    card = admitted(name, by, reason, settings)
    say(json_out, card.model_dump(mode="json"), f"{name} may serve: osler adapt serve {name}")


@command.command()
@click.argument("name")
@signed
@common
def withdraw(name: str, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Never let an adapter serve again."""
    from osler.adaptation.register import withdraw as withdrawn

    card = withdrawn(name, by, reason, settings)
    say(json_out, card.model_dump(mode="json"), f"{name} is withdrawn")


@command.command()
@click.argument("name")
@common
def serve(name: str, json_out: bool, settings: Settings) -> None:
    """Let an admitted adapter answer from now on, also in a server that runs."""
    from osler.adaptation.register import serve as served

    _said(json_out, served(name, system_user(), settings))


@command.command(name="roll-back")
@common
def roll_back(json_out: bool, settings: Settings) -> None:
    """Let what served before answer again."""
    from osler.adaptation.register import roll_back as back

    _said(json_out, back(system_user(), settings))


@command.command()
@click.option("--from-feedback", is_flag=True, required=True, help="From what reviewers said in the workbench.")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path, file_okay=False), help="A folder for the pairs."
)
@click.option("--train", "name", help="Train on them at once (recipe prefer) into an adapter of this name.")
@click.option("--from", "parent", help="With --train: an adapter to go on with.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="With --train: change the recipe.")
@common
def align(
    from_feedback: bool, target: Path, name: str | None, parent: str | None, changes: tuple[str, ...], json_out: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Preference pairs from reviewers' feedback, checked as all training data is; with --train an adapter from them."""
    from osler.adaptation.preferences import align as aligned
    from osler.cli.progress import steps

    with steps("align") as watch:
        made = aligned(target, settings, name, parent, changes, watch)
    output(json_out, made, "align")


def _said(json_out: bool, spec: str) -> None:
    document: dict[str, Any] = {"model": spec}
    say(json_out, document, f"{spec} answers from now on")
