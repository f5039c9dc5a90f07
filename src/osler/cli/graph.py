"""`osler graph`: look into the knowledge graph."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from osler.cli.options import common, output, say, signed
from osler.errors import InputError
from osler.knowledge.graph.nouns import KINDS
from osler.settings import Settings

if TYPE_CHECKING:
    from osler.knowledge.graph import Graph, Node
    from osler.knowledge.sources import Report, SourceKind


@click.group()
def command() -> None:
    """Look into the knowledge graph."""


@command.command()
@click.argument("name", nargs=-1, required=True)
@click.option("--relation", help="Only edges of this relation.")
@common
def show(name: tuple[str, ...], relation: str | None, json_out: bool, settings: Settings) -> None:
    """A node by identifier or by English or Chinese name, with its edges and their sources."""
    from osler.knowledge.graph import load_graph

    graph, asked = load_graph(), " ".join(name)
    node = _node(graph, asked, hint="Try a synonym, or an id such as HP:0001250.")
    edges = graph.edges(node.id, relation=relation, direction="both")
    others = [item for item in graph.resolve(asked, limit=5) if item.id != node.id]
    output(json_out, {"node": node, "edges": edges, "also": others}, "node", graph=graph)


@command.command()
@click.argument("a")
@click.argument("b")
@click.option("--limit", default=3, show_default=True, help="How many paths.")
@common
def path(a: str, b: str, limit: int, json_out: bool, settings: Settings) -> None:
    """The shortest specific paths between two nodes, each step with its source."""
    from osler.knowledge.graph import load_graph

    graph = load_graph()
    start, end = _node(graph, a), _node(graph, b)
    paths = graph.path(start.id, end.id, limit=limit)
    output(json_out, {"from": start, "to": end, "paths": paths}, "paths", graph=graph)


def _node(graph: "Graph", asked: str, hint: str | None = None) -> "Node":
    node = graph.find(asked) or next(iter(graph.resolve(asked, limit=1)), None)
    if node is None:
        raise InputError(f"nothing in the graph is called {asked!r}", hint=hint)
    return node


@command.command()
@common
def sources(json_out: bool, settings: Settings) -> None:
    """Every source with version, licence and attribution: shipped ones, and imports with who approved them."""
    from osler.knowledge.graph import load_graph
    from osler.knowledge.sources import Sources

    imported = Sources(settings).all()
    names = {source.name for source in imported}
    shipped = [source for source in load_graph().sources if source.name not in names]
    output(json_out, {"sources": shipped, "imported": imported}, "sources")


@command.command(name="import")
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--kind", "term_kind", type=click.Choice(KINDS), help="What terms are that don't say it themselves.")
@click.option("--licence", default="not stated", show_default=True)
@click.option("--attribution", default="", help="Who made it, as it should be cited.")
@common
def import_(
    name: str, paths: tuple[Path, ...], term_kind: str | None, licence: str, attribution: str, json_out: bool,
    settings: Settings,
) -> None:  # fmt: skip
    """Check and keep knowledge of your own as source NAME: terms and edges in KGX tables (.tsv) and OBO ontologies
    (.obo), a set of drug interactions (.csv, .json), or guidelines (any documents that `osler ingest` reads).

    It acts only after `osler graph approve`."""
    from osler.knowledge.sources import Sources

    given = list(paths)
    kind, report = _checked(name, given, term_kind, settings)
    source = Sources(settings).add(name, kind, given, report, licence, attribution, term_kind)
    output(json_out, source, "import")


def _checked(name: str, given: list[Path], term_kind: str | None, settings: Settings) -> "tuple[SourceKind, Report]":
    """What kind of knowledge the files are, by their endings, and what reading them finds."""
    from osler.knowledge.drugs.interactions import check as check_interactions
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
@click.argument("name")
@click.option("--version", help="Which version; by default the newest.")
@signed
@common
def approve(name: str, version: str | None, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Let an imported version act in consults, on a named person's word."""
    from osler.knowledge.graph import load_graph
    from osler.knowledge.library.guidelines import guidelines_in_force
    from osler.knowledge.sources import Sources

    source, entry = Sources(settings).approve(name, by, reason, version)
    load_graph()  # compiles what is in force, so that no consult has to wait for it
    guidelines_in_force(settings)
    said = f"{source.name} {source.version} acts from now on (approved by {by}); ledger entry {entry.id}"
    say(json_out, {"source": source, "entry": entry.id}, said)


@command.command()
@click.argument("name")
@click.option("--version", help="Which version; by default all.")
@signed
@common
def remove(name: str, version: str | None, by: str, reason: str, json_out: bool, settings: Settings) -> None:
    """Take an imported source out again, approved or not."""
    from osler.knowledge.library.guidelines import forget
    from osler.knowledge.sources import Sources

    gone, entry = Sources(settings).remove(name, by, reason, version)
    forget(gone, settings)
    said = f"{name}: {len(gone)} version(s) removed; ledger entry {entry.id}"
    say(json_out, {"removed": gone, "entry": entry.id}, said)
