"""`load_graph()` and the questions one can put to the graph: nodes, names, edges, ancestors, paths, sources.

Positions (row numbers of the pack) stay inside this room and the diagnosis room; everybody else uses identifiers.
"""

import functools
from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files
from typing import Literal, cast

from osler.errors import InputError
from osler.knowledge.graph.edges import EdgeTable
from osler.knowledge.graph.nouns import (
    FLAG_LABEL_UNSAFE,
    FLAG_OBSOLETE,
    HIERARCHY,
    KINDS,
    NAME_TYPES,
    Direction,
    Edge,
    Kind,
    Node,
    Path,
    SourceInfo,
)
from osler.knowledge.graph.paths import find_paths
from osler.knowledge.graph.resolve import NameIndex, nearest_identifiers
from osler.knowledge.graph.store import Pack


class Graph:
    """Read-only and safe to share between threads."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.ids: list[str] = pack.strings("node_id")
        self._position = {identifier: n for n, identifier in enumerate(self.ids)}
        self.table = EdgeTable(pack, self.ids)
        self._names = NameIndex(pack)

    # --- nodes ---

    def position(self, identifier: str) -> int | None:
        """Row of an identifier, following equivalents, alternative and obsolete identifiers; None if unknown."""
        identifier = identifier.strip()
        found = self._position.get(identifier)
        if found is None:
            found = self._aliases.get(identifier)
        if found is None and ":" in identifier:
            found = self._folded.get(identifier.upper())
        return found

    def find(self, identifier: str) -> Node | None:
        """The node of an identifier, or None."""
        found = self.position(identifier)
        return None if found is None else self.at(found)

    def node(self, identifier: str) -> Node:
        """The node of an identifier. Raises InputError "unknown identifier" with the nearest ones."""
        found = self.position(identifier)
        if found is None:
            raise InputError(f"unknown identifier {identifier!r}.", hint=self._suggestion(identifier))
        return self.at(found)

    def canonical(self, identifier: str) -> str | None:
        """The identifier the graph uses for this one; None if unknown."""
        found = self.position(identifier)
        return None if found is None else self.ids[found]

    def at(self, position: int) -> Node:
        names = self._names.of(position)
        chinese = [name for name, kind, zh in names if zh and kind == "label"]
        return Node(
            id=self.ids[position],
            label=self.pack.strings("node_label")[position],
            kind=self.kind(position),
            label_zh=chinese[0] if chinese else None,
            synonyms=tuple(name for name, _, zh in names if not zh),
            equivalents=self.equivalents(position),
            definition=self.pack.strings("definition")[position] or None,
            replaced_by=self.pack.strings("replaced_by")[position] or None,
        )

    def kind(self, position: int) -> Kind:
        return cast(Kind, KINDS[self.pack.array("node_kind")[position]])

    def equivalents(self, position: int) -> tuple[str, ...]:
        """Identifiers of other sources for the same thing."""
        return self._equivalents.get(position, ())

    def label(self, identifier: str, language: Literal["en", "zh"] = "en") -> str:
        """The label in a language, English where there is no Chinese one, the identifier itself where it is unknown."""
        found = self.position(identifier)
        if found is None:
            return identifier
        if language == "zh":
            for name, kind, zh in self._names.of(found):
                if zh and kind == "label":
                    return name
        return self.pack.strings("node_label")[found]

    def resolve(self, text: str, limit: int = 5) -> list[Node]:
        """Nodes that `text` (identifier, label or synonym, English or Chinese) may mean, best first; empty if none.

        Same name up to case, plural, spelling and word order first; then labels with all its words; then close
        spellings.
        """
        found = self.position(text)
        if found is not None:
            return [self.at(found)]
        return [self.at(position) for position in self._names.search(text, limit)]

    def names(self, kinds: Iterable[str], language: Literal["en", "zh"] = "en") -> Iterator[tuple[str, str, str]]:
        """(id, name, type) of every name of the kinds, in the order of identifiers; no obsolete terms and no names
        known to be everyday words."""
        wanted = {KINDS.index(kind) for kind in kinds}
        kind_of, flag = self.pack.array("node_kind").tolist(), self.pack.array("node_flag").tolist()
        keep = [kind in wanted and not f & FLAG_OBSOLETE for kind, f in zip(kind_of, flag, strict=True)]
        if language == "en":
            for position, label in enumerate(self.pack.strings("node_label")):
                if keep[position] and not flag[position] & FLAG_LABEL_UNSAFE:
                    yield self.ids[position], label, "label"
        chinese = language == "zh"
        columns = (self.pack.array(f"name_{column}").tolist() for column in ("node", "type", "zh"))
        for name, position, kind, zh in zip(self.pack.strings("name"), *columns, strict=True):
            if keep[position] and bool(zh) == chinese:
                yield self.ids[position], name, NAME_TYPES[kind]

    # --- edges ---

    def edges(
        self, identifier: str, relation: str | Iterable[str] | None = None, direction: Direction = "out"
    ) -> list[Edge]:
        """Edges at a node, ordered by subject, relation and object. Raises InputError for an unknown identifier."""
        wanted = None if relation is None else (relation,) if isinstance(relation, str) else tuple(relation)
        return self.table.edges(self._known(identifier), wanted, direction)

    def parents(self, identifier: str) -> list[str]:
        """Broader terms one step up: is_a, in_series, MeSH trees and drug classes."""
        return sorted({edge.object for edge in self.edges(identifier, HIERARCHY)})

    def children(self, identifier: str) -> list[str]:
        return sorted({edge.subject for edge in self.edges(identifier, HIERARCHY, "in")})

    def ancestors(self, identifier: str) -> frozenset[str]:
        """All broader terms, itself included."""
        return frozenset(self.ids[p] for p in self.table.ancestors(self._known(identifier)))

    def descends(self, identifier: str, ancestor: str) -> bool:
        return self._known(ancestor) in self.table.ancestors(self._known(identifier))

    def path(self, a: str, b: str, limit: int = 3, max_length: int = 4) -> list[Path]:
        """Shortest and most specific chains between two nodes, at most `max_length` edges long; empty if none.

        Raises InputError for an unknown identifier.
        """
        return find_paths(self.table, self._known(a), self._known(b), limit, max_length)

    # --- provenance ---

    @functools.cached_property
    def sources(self) -> list[SourceInfo]:
        return [SourceInfo(**source) for source in self.pack.header["sources"]]

    @property
    def versions(self) -> dict[str, str]:
        """Source name to version."""
        return {source.name: source.version for source in self.sources}

    # --- inside ---

    @functools.cached_property
    def _aliases(self) -> dict[str, int]:
        return dict(zip(self.pack.strings("alias"), self.pack.array("alias_node").tolist(), strict=True))

    @functools.cached_property
    def _folded(self) -> dict[str, int]:
        """Identifiers in capitals, for `hp:0001166`, `Orphanet:558` and `MIM:154700`."""
        table = {alias.upper(): position for alias, position in self._aliases.items()}
        table.update({identifier.upper(): position for identifier, position in self._position.items()})
        for written, prefix in (("ORPHANET:", "ORPHA:"), ("MIM:", "OMIM:")):
            table.update({written + i[len(prefix) :]: p for i, p in list(table.items()) if i.startswith(prefix)})
        return table

    @functools.cached_property
    def _equivalents(self) -> dict[int, tuple[str, ...]]:
        table: dict[int, tuple[str, ...]] = {}
        columns = (self.pack.array("alias_node").tolist(), self.pack.array("alias_replaced").tolist())
        for alias, position, replaced in zip(self.pack.strings("alias"), *columns, strict=True):
            if not replaced:
                table[position] = (*table.get(position, ()), alias)
        return table

    def _known(self, identifier: str) -> int:
        found = self.position(identifier)
        if found is None:
            raise InputError(f"unknown identifier {identifier!r}.", hint=self._suggestion(identifier))
        return found

    def _suggestion(self, identifier: str) -> str:
        near = nearest_identifiers(identifier, self.ids)
        near += [self.ids[p] for p in self._names.search(identifier, 3)] if not near else []
        return f"Nearest: {', '.join(f'{i} ({self.label(i)})' for i in near)}." if near else "Search by name instead."


@functools.cache
def load_graph() -> Graph:
    """The shipped graph, opened once a process. Raises MissingComponent if the pack isn't installed."""
    with as_file(files("osler.knowledge.graph") / "data" / "graph.pack") as path:
        return Graph(Pack(path))
