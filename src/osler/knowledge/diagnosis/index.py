"""The rows of all diseases in the form that scoring reads: shares pooled, carried up the ontology, sorted by finding.

It holds numbers of terms and diseases, no words; what a score is made of is said in `scoring`.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from osler.knowledge.diagnosis.rows import AnnotationRows, Floats, Ints
from osler.knowledge.graph import Graph
from osler.knowledge.graph.nouns import KINDS, RELATIONS

SHARE_NOT_GIVEN = 0.5  # what a row without a frequency stands for, unless another row of the finding has one


MAX_DEPTH = 64
DENSE_FROM = 500  # diseases with a term above which a plain vector is faster than a list


class Lists(NamedTuple):
    """Lists of integers end to end: list n is `items[bounds[n] : bounds[n + 1]]`."""

    bounds: Ints
    items: Ints

    def of(self, n: int) -> Ints:
        return self.items[self.bounds[n] : self.bounds[n + 1]]

    def gather(self, which: Ints) -> tuple[Ints, Ints]:
        """The items of many lists end to end, and for each the place in `which` of its list."""
        counts = self.bounds[which + 1] - self.bounds[which]
        owner = np.repeat(np.arange(len(which)), counts)
        begin = np.repeat(self.bounds[which] - (np.cumsum(counts) - counts), counts)
        return self.items[begin + np.arange(len(owner))], owner


def lists(owner: Ints, items: Ints, size: int) -> Lists:
    """`Lists` from pairs already sorted by owner."""
    return Lists(np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))]), items)


class Matrix(NamedTuple):
    """Shares of findings in `size` diseases, in two orders.

    Direct: rows of disease d are `direct.of(d)` (terms) with `direct_share` beside them. Carried up: the diseases
    with term a or a narrower one are `carried.of(a)`, with the largest such share in `carried_share`, half its log in
    `half_log`, and for terms of many diseases the latter also by disease in `dense` (-inf where there is none).
    `weight`: the direct shares of a disease divided by their sum; `owner`: the disease of each.
    """

    size: int
    direct: Lists
    direct_share: Floats
    weight: Floats
    owner: Ints
    carried: Lists
    carried_share: Floats
    half_log: Floats
    dense: Mapping[int, Floats]


class Background(NamedTuple):
    """Over the `diseases` that have rows: by term, the `expected` sum of shares and the number of its `holders`."""

    expected: Floats
    holders: Floats
    diseases: int

    def log_share(self) -> Floats:
        """log bg(a), the mean share of each term over diseases."""
        return np.log(np.maximum(self.expected, 1e-9) / max(1, self.diseases))

    def information(self) -> Floats:
        """IC(a) in nats: -log of the share of diseases with the term; a term no disease has counts as if one had it."""
        return np.log(max(1, self.diseases) / np.maximum(self.holders, 1.0))


class Index:
    """`diseases[k]` is the graph position of disease k of the matrix; terms are graph positions below `terms`."""

    def __init__(self, graph: Graph, rows: AnnotationRows) -> None:
        self.graph = graph
        self.terms = int(np.count_nonzero(graph.pack.array("node_kind") == KINDS.index("phenotype")))
        self.ancestors = ancestor_lists(graph, self.terms)
        self.rows = rows.take(rows.term < self.terms)
        self.diseases, self.row_disease = np.unique(self.rows.disease, return_inverse=True)
        self.matrix = self.build(self.rows, self.row_disease, len(self.diseases))
        self.background = background(self.matrix, self.terms)
        order = np.argsort(self.row_disease, kind="stable")
        self.rows_of = lists(self.row_disease[order], order, len(self.diseases))
        self.used = distinct(self.matrix.direct.items)
        self.used_ancestors = sublists(self.ancestors, self.used)

    def build(self, rows: AnnotationRows, disease: Ints, size: int) -> Matrix:
        """Pool the rows of each (disease, term) and carry the shares up to all ancestors."""
        given = ~np.isnan(rows.share)
        weight = np.where(given, np.maximum(rows.size, 1.0), 1e-9)
        pair, place = np.unique(disease * self.terms + rows.term, return_inverse=True)
        told = np.bincount(place, weight * np.where(given, rows.share, SHARE_NOT_GIVEN), len(pair))
        share = told / np.bincount(place, weight, len(pair))
        pair, share = pair[share > 0], share[share > 0]
        owner, term = np.divmod(pair, self.terms)
        above, source = self.ancestors.gather(term)
        # One integer a pair, the share in its low half (bits of positive floats sort like the floats): the last of
        # each (term, disease) is its largest share.
        wide = (above * size + owner[source]) << 32 | share.astype(np.float32).view(np.uint32)[source]
        wide.sort()
        last = wide[np.flatnonzero(np.diff(wide >> 32, append=-1))]
        above, held = np.divmod(last >> 32, max(1, size))
        top = (last & 0xFFFFFFFF).astype(np.uint32).view(np.float32).astype(np.float64)
        carried, half_log = lists(above, held, self.terms), 0.5 * np.log(top)
        wide_terms = np.flatnonzero(np.diff(carried.bounds) > max(DENSE_FROM, size // 8)).tolist()
        dense = {}
        for wide_term in wide_terms:
            low, high = carried.bounds[wide_term : wide_term + 2]
            dense[wide_term] = np.full(size, -np.inf)
            dense[wide_term][held[low:high]] = half_log[low:high]
        weight = share / np.bincount(owner, share, size)[owner]
        return Matrix(size, lists(owner, term, size), share, weight, owner, carried, top, half_log, dense)

    @functools.cached_property
    def _row_numbers(self) -> dict[str, list[int]]:
        """Rows by single reference."""
        by_place: dict[int, list[int]] = {}
        for row, place in enumerate(self.rows.reference.tolist()):
            by_place.setdefault(place, []).append(row)
        table: dict[str, list[int]] = {}
        for place, numbers in by_place.items():
            for reference in self.rows.references[place].split(";"):
                table.setdefault(reference.strip().upper(), []).extend(numbers)
        return table

    def rows_with(self, references: Iterable[str]) -> Ints:
        """Numbers of the rows that rest on any of the references; digits alone are a PMID."""
        written = (reference.strip().upper() for reference in references)
        wanted = {f"PMID:{reference}" if reference.isdigit() else reference for reference in written}
        found = {row for reference in wanted for row in self._row_numbers.get(reference, ())}
        return np.array(sorted(found), dtype=np.int64)


def sublists(whole: Lists, which: Ints) -> Lists:
    """The lists of `which`, in that order."""
    items, owner = whole.gather(which)
    return lists(owner, items, len(which))


def background(matrix: Matrix, terms: int) -> Background:
    counts = np.diff(matrix.carried.bounds).astype(np.float64)
    totals = np.concatenate([[0.0], np.cumsum(matrix.carried_share)])
    expected = totals[matrix.carried.bounds[1:]] - totals[matrix.carried.bounds[:-1]]
    with_rows = int(np.count_nonzero(np.diff(matrix.direct.bounds)))
    return Background(expected, counts[:terms], with_rows)


def ancestor_lists(graph: Graph, terms: int) -> Lists:
    """For each phenotype the phenotypes that it is a kind of, itself included."""
    table = graph.table
    which = (table.relation == RELATIONS.index("is_a")) & (table.subject < terms) & (table.object < terms)
    child, parent = table.subject[which].astype(np.int64), table.object[which].astype(np.int64)
    parents = lists(child, parent, terms)
    front: Ints = np.arange(terms, dtype=np.int64) * (terms + 1)
    reached = [front]
    for _ in range(MAX_DEPTH):  # a bound, so that a cycle in imported terms ends too
        low, high = np.divmod(front, terms)
        above, owner = parents.gather(high)
        front = distinct(low[owner] * terms + above)
        if not len(front):
            break
        reached.append(front)
    low, high = np.divmod(distinct(np.concatenate(reached)), terms)
    return lists(low, high, terms)


def distinct(values: Ints) -> Ints:
    """Sorted, each once. (`numpy.unique` hashes, which is fifty times slower on numbers as regular as these.)"""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))] if len(ordered) else ordered
