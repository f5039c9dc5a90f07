"""The pages of the graph: find a concept, see what the sources say of it, and the paths between two."""

import functools
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from osler.errors import InputError
from osler.knowledge.graph import Graph, Node
from osler.server.access import signed_in
from osler.server.api import desk_of
from osler.server.graph_view import cut, grouped, lines, nearest
from osler.server.look import language_of, page
from osler.server.work import working

router = APIRouter(prefix="/graph", include_in_schema=False, dependencies=[Depends(signed_in)])
Words = Annotated[str, Query(max_length=300)]
SAMPLES = ("Marfan syndrome", "哮喘", "FBN1", "metformin")
MATCHES, SHORT, LONG = 20, 8, 100  # matches of a search; neighbours of a relation on the whole page and on its own


def graph_of(request: Request) -> Graph:
    return desk_of(request).resources.graph


def matches(request: Request, q: str) -> list[Node]:
    return graph_of(request).resolve(q, limit=MATCHES) if q.strip() else []


@router.get("")
def search(request: Request, q: Words = "") -> Response:
    graph = graph_of(request)
    return page(request, "graph", q=q, found=matches(request, q), most=MATCHES, samples=SAMPLES, graph=graph)


@router.get("/matches")
def as_typed(request: Request, q: Words = "") -> Response:
    return page(request, "parts/graph_matches", q=q, found=matches(request, q), most=MATCHES)


@router.get("/terms")
def terms(request: Request, a: Words = "", b: Words = "") -> Response:
    """Concepts that the field where one end of a path is typed may mean."""
    return page(request, "parts/graph_terms", found=matches(request, b or a))


@router.get("/path", dependencies=[working()])
def path(request: Request, a: Words = "", b: Words = "", limit: Annotated[int, Query(ge=1, le=20)] = 3) -> Response:
    graph, language = graph_of(request), language_of(request)
    start, end = (_concept(graph, asked, where) for where, asked in (("a", a), ("b", b)))
    found = [] if start.id == end.id else graph.path(start.id, end.id, limit=limit)
    label = functools.partial(graph.label, language=language)
    return page(request, "graph_path", paths=found, start=start, end=end, label=label, graph=graph)


def _concept(graph: Graph, asked: str, where: str) -> Node:
    found = graph.resolve(asked, limit=1)
    if not found:
        raise InputError(f"nothing in the graph is called {asked!r}", where=where, hint="Try a synonym or a code.")
    return found[0]


@router.get("/node/{id:path}")
def show(
    request: Request, id: str, relation: str = "", start: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> Response:
    """A concept with its neighbours, eight of each relation; or all of one relation, a hundred at a time."""
    graph, language = graph_of(request), language_of(request)
    node = graph.node(id)
    groups = grouped(node.id, graph.edges(node.id, direction="both"), functools.partial(graph.label, language=language))
    if relation:
        groups = [group for group in groups if group.relation == relation]
        if not groups:
            raise InputError(f"{node.id} has no relation {relation!r}", where="relation")
    used = {edge.source for group in groups for one in group.neighbours for edge in one.edges}
    return page(
        request, "graph_node", node=node, asked=id, called=graph.label(node.id, language), graph=graph, groups=groups,
        relation=relation, start=start, most=LONG if relation else SHORT, lines=lines(nearest(groups)), cut=cut,
        sources=[source for source in graph.sources if source.name in used],
    )  # fmt: skip
