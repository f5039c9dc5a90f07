"""What the graph hands out: nodes, edges, paths and sources. It does not know how they are stored."""

from typing import Literal, NamedTuple, get_args

Kind = Literal["phenotype", "disease", "gene", "drug", "heading", "modifier"]
Direction = Literal["out", "in", "both"]

FLAG_OBSOLETE, FLAG_LABEL_UNSAFE = 1, 2  # bits of `node_flag`; an unsafe label is an everyday word

KINDS: tuple[str, ...] = get_args(Kind)
NAME_TYPES: tuple[str, ...] = ("label", "exact", "related", "broad", "narrow", "brand", "abbreviation")
RELATIONS: tuple[str, ...] = (
    "is_a",  # HPO, Disease Ontology
    "in_series",  # disease -> phenotypic series
    "broader",  # MeSH heading -> heading above it in a tree
    "member_of_class",  # drug -> MeSH heading above it
    "has_phenotype",
    "not_has_phenotype",
    "has_history",  # HPOA aspect H
    "has_inheritance",  # HPOA aspect I
    "has_course",  # HPOA aspect C: onset, course, mortality
    "has_modifier",  # HPOA aspect M
    "gene_associated",  # disease -> gene; the source does not say whether it is causal
    "gene_has_phenotype",  # gene -> phenotype by way of `reference`, a disease
    "treats",  # drug -> disease, disease-modifying
    "symptomatic_for",  # drug -> disease, relieves symptoms
    "same_label",  # disease or heading -> phenotype of the same English name
)
HIERARCHY: tuple[str, ...] = ("is_a", "in_series", "broader", "member_of_class")
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
