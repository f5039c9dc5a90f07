"""`osler graph`: look into the knowledge graph."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osler.cli.options import as_json, print_json, with_settings
from osler.errors import InputError
from osler.knowledge.graph.nouns import KINDS
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.knowledge.sources import Report, SourceKind


@click.group()
def command() -> None:
    """Look into the knowledge graph."""


@command.command()
@click.argument("name", nargs=-1, required=True)
@click.option("--relation", help="Only edges of this relation.")
@as_json
@with_settings
def show(name: tuple[str, ...], relation: str | None, json_out: bool, settings: Settings) -> None:
    """A node by identifier or by English or Chinese name, with its edges and their sources."""
    from osler.knowledge.graph import load_graph

    graph = load_graph()
    asked = " ".join(name)
    node = graph.find(asked) or next(iter(graph.resolve(asked, limit=1)), None)
    if node is None:
        raise InputError(
            f"nothing in the graph is called {asked!r}", hint="Try a synonym, or an id such as HP:0001250."
        )
    edges = graph.edges(node.id, relation=relation, direction="both")
    others = [item for item in graph.resolve(asked, limit=5) if item.id != node.id]
    if json_out:
        print_json({"node": node, "edges": edges, "also": others})
    else:
        from osler.cli.show import show_node

        show_node(graph, node, edges, others)


@command.command()
@click.argument("a")
@click.argument("b")
@click.option("--limit", default=3, show_default=True, help="How many paths.")
@as_json
@with_settings
def path(a: str, b: str, limit: int, json_out: bool, settings: Settings) -> None:
    """The shortest specific paths between two nodes, each step with its source."""
    from osler.knowledge.graph import load_graph

    graph = load_graph()
    ends = []
    for asked in (a, b):
        node = graph.find(asked) or next(iter(graph.resolve(asked, limit=1)), None)
        if node is None:
            raise InputError(f"nothing in the graph is called {asked!r}")
        ends.append(node)
    paths = graph.path(ends[0].id, ends[1].id, limit=limit)
    if json_out:
        print_json({"from": ends[0], "to": ends[1], "paths": paths})
    else:
        from osler.cli.show import show_paths

        show_paths(graph, ends[0], ends[1], paths)


@command.command()
@as_json
@with_settings
def sources(json_out: bool, settings: Settings) -> None:
    """Every source with version, licence and attribution: shipped ones, and imports with who approved them."""
    from osler.knowledge.graph import load_graph
    from osler.knowledge.sources import Sources

    imported = Sources(settings).all()
    names = {source.name for source in imported}
    shipped = [source for source in load_graph().sources if source.name not in names]
    if json_out:
        print_json({"sources": shipped, "imported": imported})
    else:
        from osler.cli.show import show_imported, show_sources

        show_sources(shipped)
        for source in imported:
            show_imported(source)


@command.command(name="import")
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--kind", "term_kind", type=click.Choice(KINDS), help="What terms are that don't say it themselves.")
@click.option("--licence", default="not stated", show_default=True)
@click.option("--attribution", default="", help="Who made it, as it should be cited.")
@as_json
@with_settings
def import_(
    name: str,
    paths: tuple[Path, ...],
    term_kind: str | None,
    licence: str,
    attribution: str,
    json_out: bool,
    settings: Settings,
) -> None:
    """Check and keep knowledge of your own as source NAME: terms and edges in KGX tables (.tsv) and OBO ontologies
    (.obo), a set of drug interactions (.csv, .json), or guidelines (any documents that `osler ingest` reads).

    It acts only after `osler graph approve`."""
    from osler.knowledge.sources import Sources

    given = list(paths)
    kind, report = _checked(name, given, term_kind, settings)
    source = Sources(settings).add(name, kind, given, report, licence, attribution, term_kind)
    if json_out:
        print_json(source)
    else:
        from osler.cli.show import show_imported

        show_imported(source, whole=True)


def _decision(which: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The arguments of what a named person decides about an imported source."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option("--reason", required=True, help="Why (kept in the ledger).")(with_settings(command))
        command = click.option("--by", required=True, help="Who decides it (kept in the ledger).")(as_json(command))
        return click.argument("name")(click.option("--version", help=f"Which version; {which}.")(command))

    return add


def _checked(name: str, given: list[Path], term_kind: str | None, settings: Settings) -> "tuple[SourceKind, Report]":
    """What kind of knowledge the files are, by their endings, and what reading them finds."""
    from osler.clinic.safety.interactions import check as check_interactions
    from osler.knowledge.graph.imports import check as check_graph
    from osler.knowledge.library.guidelines import check as check_guidelines
    from osler.knowledge.sources import files_below

    endings = {file.suffix.lower() for file in files_below(given)}
    if endings & {".tsv", ".obo"}:
        return "graph", check_graph(given, name, settings, term_kind)
    if endings <= {".csv", ".json"}:
        return "interactions", check_interactions(given)
    return "guideline", check_guidelines(given)


@command.command()
@_decision("by default the newest")
def approve(name: str, version: str | None, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Let an imported version act in consults, on a named person's word."""
    from osler.knowledge.graph import load_graph
    from osler.knowledge.library.guidelines import guidelines_in_force
    from osler.knowledge.sources import Sources

    source, entry = Sources(settings).approve(name, by, reason, version)
    load_graph()  # compiles what is in force, so that no consult has to wait for it
    guidelines_in_force(settings)
    if json_out:
        print_json({"source": source, "entry": entry.id})
    else:
        click.echo(f"{source.name} {source.version} acts from now on (approved by {by}); ledger entry {entry.id}")


@command.command()
@_decision("by default all")
def remove(name: str, version: str | None, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Take an imported source out again, approved or not."""
    from osler.knowledge.library.guidelines import forget
    from osler.knowledge.sources import Sources

    gone, entry = Sources(settings).remove(name, by, reason, version)
    forget(gone, settings)
    if json_out:
        print_json({"removed": gone, "entry": entry.id})
    else:
        click.echo(f"{name}: {len(gone)} version(s) removed; ledger entry {entry.id}")
