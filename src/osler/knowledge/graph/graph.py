"""`load_graph()` and the questions one can put to the graph: nodes, names, edges, ancestors, paths, sources.

Positions (row numbers of the pack) stay inside this room and the diagnosis room; everybody else uses identifiers.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Literal, cast

from osler.errors import InputError
from osler.knowledge.graph.edges import EdgeTable
from osler.knowledge.graph.names import NameIndex, nearest_identifiers
from osler.knowledge.graph.nouns import (
    FLAG_LABEL_UNSAFE,
    FLAG_OBSOLETE,
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
from osler.knowledge.graph.store import Pack


class Graph:
    """Read-only and safe to share between threads. What takes an identifier follows equivalents, alternative and
    obsolete ones, and raises InputError "unknown identifier" with the nearest ones unless it says otherwise."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.ids: list[str] = pack.strings("node_id")
        self._position = {identifier: n for n, identifier in enumerate(self.ids)}
        self.table = EdgeTable(pack, self.ids)
        self._names = NameIndex(pack)

    def position(self, identifier: str) -> int | None:
        """Row of an identifier; None if unknown."""
        identifier = identifier.strip()
        found = self._position.get(identifier)
        if found is None:
            found = self._aliases.get(identifier)
        return self._folded.get(identifier.upper()) if found is None and ":" in identifier else found

    def canonical(self, identifier: str) -> str | None:
        """The identifier the graph uses for this one; None if unknown."""
        found = self.position(identifier)
        return None if found is None else self.ids[found]

    def find(self, identifier: str) -> Node | None:
        """The node of an identifier; None if unknown."""
        found = self.position(identifier)
        return None if found is None else self.at(found)

    def node(self, identifier: str) -> Node:
        return self.at(self._known(identifier))

    def at(self, position: int) -> Node:
        return Node(
            id=self.ids[position],
            label=self.pack.strings("node_label")[position],
            kind=self.kind(position),
            label_zh=self._chinese(position),
            synonyms=tuple(name for name, _, zh in self._names.of(position) if not zh),
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
        return (self._chinese(found) if language == "zh" else None) or self.pack.strings("node_label")[found]

    def resolve(self, text: str, limit: int = 5) -> list[Node]:
        """Nodes that `text` (identifier, label or synonym, English or Chinese) may mean, best first; empty if none.

        Same name up to case, plural, spelling and word order first; then labels with all its words; then close
        spellings.
        """
        found = self.position(text)
        return [self.at(p) for p in (self._names.search(text, limit) if found is None else [found])]

    def called(self, name: str) -> list[Node]:
        """Nodes of this very name, up to case, plural, spelling and word order, best first; never a near one."""
        return [self.at(p) for p in self._names.equal(name)]

    def names(self, kinds: Iterable[str], language: Literal["en", "zh"] = "en") -> Iterator[tuple[str, str, str]]:
        """(id, name, type) of every name of the kinds, in the order of identifiers; no obsolete terms and no names
        known to be everyday words."""
        wanted = {KINDS.index(kind) for kind in kinds}
        kind_of, flag = self.pack.array("node_kind").tolist(), self.pack.array("node_flag").tolist()
        keep = [kind in wanted and not f & FLAG_OBSOLETE for kind, f in zip(kind_of, flag, strict=True)]
        chinese = language == "zh"
        if not chinese:
            for position, label in enumerate(self.pack.strings("node_label")):
                if keep[position] and not flag[position] & FLAG_LABEL_UNSAFE:
                    yield self.ids[position], label, "label"
        columns = (self.pack.array(f"name_{column}").tolist() for column in ("node", "type", "zh"))
        for name, position, kind, zh in zip(self.pack.strings("name"), *columns, strict=True):
            if keep[position] and bool(zh) == chinese:
                yield self.ids[position], name, NAME_TYPES[kind]

    def edges(
        self, identifier: str, relation: str | Iterable[str] | None = None, direction: Direction = "out"
    ) -> list[Edge]:
        """Edges at a node, ordered by subject, relation and object."""
        wanted = (relation,) if isinstance(relation, str) else relation
        return self.table.edges(self._known(identifier), wanted, direction)

    def ancestors(self, identifier: str) -> frozenset[str]:
        """All broader terms (is_a, in_series, MeSH trees, drug classes), itself included."""
        return frozenset(self.ids[p] for p in self.table.ancestors(self._known(identifier)))

    def descends(self, identifier: str, ancestor: str) -> bool:
        return self._known(ancestor) in self.table.ancestors(self._known(identifier))

    def path(self, a: str, b: str, limit: int = 3, max_length: int = 4) -> list[Path]:
        """Shortest and most specific chains between two nodes, at most `max_length` edges long; empty if none."""
        return find_paths(self.table, self._known(a), self._known(b), limit, max_length)

    @functools.cached_property
    def sources(self) -> list[SourceInfo]:
        return [SourceInfo(**source) for source in self.pack.header["sources"]]

    @property
    def versions(self) -> dict[str, str]:
        """Source name to version."""
        return {source.name: source.version for source in self.sources}

    @functools.cached_property
    def _aliases(self) -> dict[str, int]:
        return dict(zip(self.pack.strings("alias"), self.pack.array("alias_node").tolist(), strict=True))

    @functools.cached_property
    def _folded(self) -> dict[str, int]:
        """Identifiers in capitals, for `hp:0001166`, `Orphanet:558` and `MIM:154700`."""
        table = {identifier.upper(): position for identifier, position in (self._aliases | self._position).items()}
        for written, prefix in (("ORPHANET:", "ORPHA:"), ("MIM:", "OMIM:")):
            table.update({written + i[len(prefix) :]: p for i, p in list(table.items()) if i.startswith(prefix)})
        return table

    @functools.cached_property
    def _equivalents(self) -> dict[int, tuple[str, ...]]:
        table: dict[int, tuple[str, ...]] = {}
        for (alias, position), replaced in zip(self._aliases.items(), self.pack.column("alias_replaced"), strict=True):
            if not replaced:
                table[position] = (*table.get(position, ()), alias)
        return table

    def _chinese(self, position: int) -> str | None:
        return next((name for name, kind, zh in self._names.of(position) if zh and kind == "label"), None)

    def _known(self, identifier: str) -> int:
        found = self.position(identifier)
        if found is not None:
            return found
        near = nearest_identifiers(identifier, self.ids) or [self.ids[p] for p in self._names.search(identifier, 3)]
        nearest = ", ".join(f"{i} ({self.label(i)})" for i in near)
        hint = f"Nearest: {nearest}." if near else "Search by name instead."
        raise InputError(f"unknown identifier {identifier!r}.", hint=hint)


@functools.cache
def load_graph() -> Graph:
    """The graph in force in the home, shipped terms and approved imports, opened once a process.

    Raises MissingComponent if the shipped pack isn't installed.
    """
    from osler.knowledge.graph.imports import pack_in_force
    from osler.settings import load_settings

    return Graph(Pack(pack_in_force(load_settings())))
