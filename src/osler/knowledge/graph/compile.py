"""From collected terms, aliases and edge rows to the arrays of a pack, the same rows giving the same bytes.

It does not read the sources' files: `scripts/build_graph.py` does for what is shipped, `exchange` for what is imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.knowledge.graph.names import key_hash
from osler.knowledge.graph.nouns import FLAG_OBSOLETE, KINDS, NAME_TYPES, RELATIONS, VOCABULARY
from osler.knowledge.graph.store import Array, Pack, write_pack


class EdgeRow(NamedTuple):
    subject: str
    relation: str
    object: str
    source: str
    frequency: str = ""
    reference: str = ""
    stated_for: str = ""
    evidence: str = ""
    onset: str = ""
    sex: str = ""
    modifiers: str = ""


@dataclass
class Term:
    """A node under construction. `kind` is empty where its source, at `where`, doesn't say it; `xrefs`: what it is
    called elsewhere."""

    label: str
    kind: str
    definition: str = ""
    flag: int = 0
    replaced_by: str = ""
    names: dict[tuple[str, str], str] = field(default_factory=dict)  # (name, language) -> type; first type wins
    xrefs: list[str] = field(default_factory=list)
    where: str = ""

    def add(self, name: str, kind: str, language: str = "en") -> None:
        name = " ".join(name.split())
        if name and (language == "zh" or name.casefold() != self.label.casefold()):
            self.names.setdefault((name, language), kind)


class Builder:
    """Collects terms, aliases (id -> node, with the way it is one) and edges; `edges` may name aliases."""

    def __init__(self) -> None:
        self.terms: dict[str, Term] = {}
        self.alias: dict[str, tuple[str, str]] = {}
        self.edges: list[EdgeRow] = []

    def resolve(self, identifier: str) -> str | None:
        return identifier if identifier in self.terms else self.alias.get(identifier, (None, ""))[0]

    def term(self, identifier: str, label: str, kind: str) -> Term:
        return self.terms.setdefault(identifier, Term(label, kind))


def frequency_number(text: str) -> float:
    """Share from 0 to 1; NaN where the source gives none."""
    if text in VOCABULARY["frequencies"]:
        return float(VOCABULARY["frequencies"][text])
    if text.endswith("%"):
        return float(text[:-1]) / 100
    count, slash, total = text.partition("/")
    return int(count) / int(total) if slash and int(total) > 0 else float("nan")


def write(builder: Builder, sources: list[dict[str, str]], out: Path) -> dict[str, int]:
    """Write the pack; returns what it holds. Edges whose ends are unknown are counted as `dangling` and left out."""
    ids = sorted(builder.terms, key=lambda i: (KINDS.index(builder.terms[i].kind), i))
    position = {identifier: n for n, identifier in enumerate(ids)}
    terms = [builder.terms[i] for i in ids]
    names = [(n, NAME_TYPES.index(kind), int(language == "zh"), name)
             for n, term in enumerate(terms) for (name, language), kind in sorted(term.names.items())]  # fmt: skip
    aliases = sorted((a, position[t], int(how == "replaced")) for a, (t, how) in builder.alias.items() if t in position)
    source_names = [source["name"] for source in sources]
    rows: set[tuple[int, int, int, EdgeRow]] = set()
    dangling = 0
    for edge in builder.edges:
        subject, target = builder.resolve(edge.subject), builder.resolve(edge.object)
        if subject is None or target is None:
            dangling += 1
        elif subject != target:
            relation = edge.relation
            if relation == "broader" and builder.terms[subject].kind == "drug":
                relation = "member_of_class"
            row = edge._replace(subject=subject, relation=relation, object=target)
            rows.add((position[subject], RELATIONS.index(relation), position[target], row))
    ordered = sorted(rows)
    columns = list(zip(*(row[3] for row in ordered), strict=True))
    strings = {"node_id": ids, "node_label": [t.label for t in terms], "definition": [t.definition for t in terms],
               "replaced_by": [t.replaced_by for t in terms], "name": [n[3] for n in names],
               "alias": [a[0] for a in aliases]}  # fmt: skip
    counts = np.bincount(np.array([row[0] for row in ordered]), minlength=len(ids))
    arrays: dict[str, Array] = {
        "node_kind": np.array([KINDS.index(t.kind) for t in terms], dtype=np.uint8),
        "node_flag": np.array([t.flag for t in terms], dtype=np.uint8),
        "name_node": np.array([n[0] for n in names], dtype=np.uint32),
        "name_type": np.array([n[1] for n in names], dtype=np.uint8),
        "name_zh": np.array([n[2] for n in names], dtype=np.uint8),
        "alias_node": np.array([a[1] for a in aliases], dtype=np.uint32),
        "alias_replaced": np.array([a[2] for a in aliases], dtype=np.uint8),
        "edge_count": counts.astype(np.uint32),
        "edge_relation": np.array([row[1] for row in ordered], dtype=np.uint8),
        "edge_object": np.array([row[2] for row in ordered], dtype=np.uint32),
        "edge_source": np.array([source_names.index(s) for s in columns[3]], dtype=np.uint8),
    }
    for name, values in zip(EdgeRow._fields[4:], columns[4:], strict=True):
        table = sorted({"", *values})
        strings[f"{name}_table"] = table
        place = {value: number for number, value in enumerate(table)}
        arrays[f"edge_{name}"] = np.array([place[v] for v in values], dtype=np.min_scalar_type(len(table) - 1))
    arrays["frequency_value"] = np.array([frequency_number(t) for t in strings["frequency_table"]], dtype=np.float32)
    # Lookup: hash of each name's key, sorted. Places below len(ids) are labels, the others rows of `name`.
    searchable = [(key_hash(t.label), n) for n, t in enumerate(terms) if not t.flag & FLAG_OBSOLETE]
    searchable += [(key_hash(n[3]), len(ids) + k) for k, n in enumerate(names) if not terms[n[0]].flag & FLAG_OBSOLETE]
    searchable.sort()
    arrays["lookup_hash"] = np.array([s[0] for s in searchable], dtype=np.uint32)
    arrays["lookup_place"] = np.array([s[1] for s in searchable], dtype=np.uint32)
    write_pack(out, {"format": 1, "sources": sources, "relations": list(RELATIONS)}, arrays, strings)
    held: dict[str, Sequence[object]] = {"nodes": ids, "names": names, "aliases": aliases, "edges": ordered}
    return {**{what: len(things) for what, things in held.items()}, "dangling": dangling}


def unpack(pack: Pack) -> Builder:
    """What a pack was compiled from; `write` of it with the pack's sources gives the same bytes."""
    builder, column = Builder(), pack.column
    ids, parts = column("node_id"), ("node_label", "node_kind", "definition", "node_flag", "replaced_by")
    for identifier, label, kind, *rest in zip(ids, *map(column, parts), strict=True):
        builder.terms[identifier] = Term(label, KINDS[kind], *rest)
    for name, node, kind, zh in zip(*map(column, ("name", "name_node", "name_type", "name_zh")), strict=True):
        builder.terms[ids[node]].names[(name, "zh" if zh else "en")] = NAME_TYPES[kind]
    for alias, node, how in zip(column("alias"), column("alias_node"), column("alias_replaced"), strict=True):
        builder.alias[alias] = (ids[node], "replaced" if how else "equivalent")
    sources = [source["name"] for source in pack.header["sources"]]
    subjects = np.repeat(np.arange(len(ids)), pack.array("edge_count")).tolist()
    texts = []
    for name in EdgeRow._fields[4:]:
        table = column(f"{name}_table")
        texts.append([table[place] for place in column(f"edge_{name}")])
    rows = zip(subjects, column("edge_relation"), column("edge_object"), column("edge_source"), *texts, strict=True)
    builder.edges = [
        EdgeRow(ids[subject], RELATIONS[relation], ids[target], sources[source], *text)
        for subject, relation, target, source, *text in rows
    ]
    return builder
