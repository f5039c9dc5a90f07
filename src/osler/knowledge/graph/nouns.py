"""What the graph hands out: nodes, edges, paths and sources. It does not know how they are stored."""

import tomllib
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

Kind = Literal["phenotype", "disease", "gene", "drug", "heading", "modifier"]
Direction = Literal["out", "in", "both"]

FLAG_OBSOLETE, FLAG_LABEL_UNSAFE = 1, 2  # bits of `node_flag`; an unsafe label is an everyday word

KINDS: tuple[str, ...] = get_args(Kind)
VOCABULARY: dict[str, Any] = tomllib.loads((files(__package__) / "data" / "vocabulary.toml").read_text("utf-8"))
NAME_TYPES: tuple[str, ...] = tuple(VOCABULARY["name_types"])
RELATIONS: tuple[str, ...] = tuple(VOCABULARY["relations"])
HIERARCHY: tuple[str, ...] = tuple(VOCABULARY["hierarchy"])
EDGE_TEXTS = ("reference", "frequency", "stated_for", "evidence", "onset", "sex", "modifiers")  # as in `Edge`


class Node(NamedTuple):
    """A term of the graph. `modifier`: HPO terms outside Phenotypic abnormality (onset, severity, inheritance).

    `replaced_by` is set only on an obsolete term without an official replacement: the term to consider instead.
    """

    id: str
    label: str
    kind: Kind
    label_zh: str | None = None
    synonyms: tuple[str, ...] = ()
    equivalents: tuple[str, ...] = ()
    definition: str | None = None
    replaced_by: str | None = None


class Edge(NamedTuple):
    """`subject` and `object` are node ids. `frequency` is a share from 0 to 1, `frequency_text` as the source wrote it.

    `reference` names publications (joined by ";") or the entry it was taken from; `stated_for` the source's own
    identifier of the subject before merging. `onset` and `modifiers` are HPO ids; `sex` is MALE or FEMALE.
    """

    subject: str
    relation: str
    object: str
    source: str
    frequency: float | None = None
    reference: str | None = None
    frequency_text: str | None = None
    stated_for: str | None = None
    evidence: str | None = None
    onset: str | None = None
    sex: str | None = None
    modifiers: str | None = None


class Path(NamedTuple):
    """A chain of edges, each sharing a node with the next. Lower `cost`: shorter first, then more specific."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    cost: float


class SourceInfo(NamedTuple):
    name: str
    version: str
    licence: str
    attribution: str
    sha256: str
