"""`osler graph`: look into the knowledge graph."""

import click

from osler.cli.options import as_json, print_json, with_settings
from osler.errors import InputError
from osler.settings import Settings


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
    """Every source of the graph with version, licence and attribution."""
    from osler.knowledge.graph import load_graph

    found = load_graph().sources
    if json_out:
        print_json({"sources": found})
    else:
        from osler.cli.show import show_sources

        show_sources(found)
