"""Annotation rows: what published sources say of findings in diseases, from any source, in parallel arrays.

This is the seam for further sources: whoever has (disease, finding, share, reference) can be ranked by. It does
not know how rows are scored.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.graph import Graph
from osler.knowledge.graph.nouns import RELATIONS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CLASS_SIZE = 10.0  # patients that a frequency given as a class or percentage counts for when rows are pooled


class AnnotationRows(NamedTuple):
    """n rows: `disease` and `term` are graph positions, `share` the frequency from 0 to 1 (NaN: not given), `size` the
    patients it rests on, `reference` a place in `references` (publications of one row joined by ";"), `frequency` a
    place in `frequencies` (as the source wrote it), `stated_for` a place in `names` (the source's id of the disease).
    """

    disease: Ints
    term: Ints
    share: Floats
    size: Floats
    reference: Ints
    frequency: Ints
    stated_for: Ints
    references: Sequence[str]
    frequencies: Sequence[str]
    names: Sequence[str]

    def take(self, which: Ints | NDArray[np.bool_]) -> Self:
        """The rows selected by an index or mask."""
        columns: dict[str, Any] = {name: getattr(self, name)[which] for name in _COLUMNS}
        return self._replace(**columns)

    def joined(self, other: Self) -> Self:
        """These rows and the other's, each keeping its references."""
        moved = other._replace(
            reference=other.reference + len(self.references),
            frequency=other.frequency + len(self.frequencies),
            stated_for=other.stated_for + len(self.names),
        )
        fields: dict[str, Any] = {n: np.concatenate([getattr(self, n), getattr(moved, n)]) for n in _COLUMNS}
        fields |= {n: [*getattr(self, n), *getattr(other, n)] for n in _TABLES}
        return self._replace(**fields)


_COLUMNS = ("disease", "term", "share", "size", "reference", "frequency", "stated_for")
_TABLES = ("references", "frequencies", "names")


def rows_from_graph(graph: Graph) -> AnnotationRows:
    """The has_phenotype rows of the graph, and its not_has_phenotype rows as a share of 0."""
    pack, table = graph.pack, graph.table
    absent = RELATIONS.index("not_has_phenotype")
    which = np.flatnonzero((table.relation == RELATIONS.index("has_phenotype")) | (table.relation == absent))
    frequency = pack.array("edge_frequency")[which].astype(np.int64)
    share = pack.array("frequency_value")[frequency].astype(np.float64)
    texts = pack.strings("frequency_table")
    share[table.relation[which] == absent] = 0.0
    return AnnotationRows(
        disease=table.subject[which].astype(np.int64),
        term=table.object[which].astype(np.int64),
        share=share,
        size=np.array([patients(text) for text in texts])[frequency],
        reference=pack.array("edge_reference")[which].astype(np.int64),
        frequency=frequency,
        stated_for=pack.array("edge_stated_for")[which].astype(np.int64),
        references=pack.strings("reference_table"),
        frequencies=texts,
        names=pack.strings("stated_for_table"),
    )


def rows_from_statements(
    graph: Graph, statements: Iterable[tuple[str, str, float | None, float, str]]
) -> AnnotationRows:
    """Rows from (disease id, finding id, share or None, patients, reference). Raises InputError for an unknown id."""
    listed = [(graph.node(s[0]).id, graph.node(s[1]).id, *s[2:]) for s in statements]
    position = {i: p for row in listed for i in row[:2] if (p := graph.position(i)) is not None}
    shares = [s[2] for s in listed]
    return AnnotationRows(
        disease=np.array([position[s[0]] for s in listed], dtype=np.int64),
        term=np.array([position[s[1]] for s in listed], dtype=np.int64),
        share=np.array([np.nan if share is None else share for share in shares], dtype=np.float64),
        size=np.array([s[3] for s in listed], dtype=np.float64),
        reference=np.arange(len(listed)),
        frequency=np.arange(len(listed)),
        stated_for=np.arange(len(listed)),
        references=[s[4] for s in listed],
        frequencies=["" if share is None else f"{share:.0%}" for share in shares],
        names=[s[0] for s in listed],
    )


@functools.cache
def patients(frequency: str) -> float:
    """Patients behind a frequency as written: the denominator of a count, CLASS_SIZE for a class, 0 for none."""
    _, slash, total = frequency.partition("/")
    return float(total) if slash else CLASS_SIZE if frequency else 0.0
