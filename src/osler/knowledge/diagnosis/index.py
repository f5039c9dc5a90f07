"""The annotations of all diseases in the form that scoring reads: shares pooled, carried up the ontology, by finding.

It holds numbers of terms and diseases, no words; what a score is made of is said in `scoring`.
"""

import functools
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.graph import Graph
from osler.knowledge.graph.edges import Ints, Lists, lists
from osler.knowledge.graph.nouns import KINDS, RELATIONS

Floats = NDArray[np.float64]

DOUBT = 0.5  # what the first row without a frequency leaves open, the next half of that, unless a row has a frequency
CLASS_SIZE = 10.0  # patients that a frequency given as a class or percentage counts for when rows are pooled
MAX_DEPTH = 64


def sublists(whole: Lists, which: Ints) -> Lists:
    """The lists of `which`, in that order."""
    items, owner = whole.gather(which)
    return lists(owner, items, len(which))


@functools.cache
def room_words() -> dict[str, Any]:
    """What this room says and listens for: `data/words.toml`."""
    return tomllib.loads((files(__package__) / "data" / "words.toml").read_text(encoding="utf-8"))


def distinct(values: Ints) -> Ints:
    """Sorted, each once. (`numpy.unique` hashes, which is fifty times slower on numbers as regular as these.)"""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))] if len(ordered) else ordered


class Matrix(NamedTuple):
    """Shares of findings in `size` diseases, in two orders.

    Direct: rows of disease d are `direct.of(d)` (terms) with `direct_share` beside them. Carried up: the diseases
    with term a or a narrower one are `carried.of(a)`, with the largest such share in `carried_share` and half its log
    in `half_log`. `weight`: the direct shares of a disease divided by their sum; `owner`: the disease of each.
    `terms`: the terms with direct rows, each once, with their ancestors in `above`.
    """

    size: int
    direct: Lists
    direct_share: Floats
    weight: Floats
    owner: Ints
    carried: Lists
    carried_share: Floats
    half_log: Floats
    terms: Ints
    above: Lists


class Background(NamedTuple):
    """Over the `diseases` that have rows: by term, the `expected` sum of shares and the number of its `holders`."""

    expected: Floats
    holders: Floats
    diseases: int

    def share(self) -> Floats:
        """bg(a), the mean share of each term over diseases."""
        return np.maximum(self.expected, 1e-9) / max(1, self.diseases)

    def information(self) -> Floats:
        """IC(a) in nats: -log of the share of diseases with the term; a term no disease has counts as if one had it."""
        return np.log(max(1, self.diseases) / np.maximum(self.holders, 1.0))


def background(matrix: Matrix) -> Background:
    totals = np.concatenate([[0.0], np.cumsum(matrix.carried_share)])
    holders = np.diff(matrix.carried.bounds).astype(np.float64)
    return Background(np.diff(totals[matrix.carried.bounds]), holders, len(distinct(matrix.owner)))


class Index:
    """`diseases[k]` is the graph position of disease k of the matrix: those with a row in the graph, read or not; terms
    are graph positions below `terms`.

    Annotation n is row `edges[n]` of the graph's edges: `term[n]` in disease `owner[n]`, with `share[n]` from 0 to 1
    (NaN: not given, 0: a NOT row) resting on `patients[n]`. `edges`, given, are the only rows that are read.
    """

    def __init__(self, graph: Graph, edges: Ints | None = None) -> None:
        table, pack = graph.table, graph.pack
        self.terms = int(np.count_nonzero(pack.array("node_kind") == KINDS.index("phenotype")))
        self.ancestors = ancestor_lists(graph, self.terms)
        self.asked = asked_lists(graph, self.ancestors)
        absent = table.relation == RELATIONS.index("not_has_phenotype")
        stated = absent | (table.relation == RELATIONS.index("has_phenotype"))
        every = np.flatnonzero(stated & (table.object < self.terms))
        self.diseases = np.unique(table.subject[every].astype(np.int64))
        self.edges = every if edges is None else edges
        frequency = pack.array("edge_frequency")[self.edges]
        self.term = table.object[self.edges].astype(np.int64)
        self.share = np.where(absent[self.edges], 0.0, pack.array("frequency_value")[frequency].astype(np.float64))
        self.patients = np.array([patients(text) for text in pack.strings("frequency_table")])[frequency]
        self.owner = np.searchsorted(self.diseases, table.subject[self.edges].astype(np.int64))
        self.annotations_of = lists(self.owner, np.arange(len(self.owner)), len(self.diseases))
        self.matrix = self.build(np.arange(len(self.owner)), self.owner, len(self.diseases))
        self.background = background(self.matrix)
        self.citations = Citations(graph, self.edges)

    def build(self, numbers: Ints, disease: Ints, size: int) -> Matrix:
        """Pool these annotations by (disease, term) and carry the shares up to all ancestors."""
        share = self.share[numbers]
        given = ~np.isnan(share)
        weight = np.where(given, np.maximum(self.patients[numbers], 1.0), 0.0)
        pair, place = np.unique(disease * self.terms + self.term[numbers], return_inverse=True)
        told = np.bincount(place, weight, len(pair))
        pooled = np.bincount(place, weight * np.where(given, share, 0.0), len(pair)) / np.maximum(told, 1.0)
        named = np.bincount(place, ~given, len(pair))
        share = np.where(told > 0, pooled, 1 - DOUBT**named)
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
        weight = share / np.bincount(owner, share, size)[owner]
        terms = distinct(term)
        direct, carried = lists(owner, term, size), lists(above, held, self.terms)
        half_log, lineages = 0.5 * np.log(top), sublists(self.ancestors, terms)
        return Matrix(size, direct, share, weight, owner, carried, top, half_log, terms, lineages)


class Citations:
    """What each of some edges cites; `citing` finds those that rest on a reference."""

    def __init__(self, graph: Graph, edges: Ints) -> None:
        self._table, self._rows = graph.pack.strings("reference_table"), graph.pack.array("edge_reference")[edges]

    @functools.cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """The places of the edges that name each document."""
        numbers: dict[str, list[int]] = defaultdict(list)
        documents = [[_document(one) for one in text.split(";")] for text in self._table]
        for number, place in enumerate(self._rows.tolist()):
            for document in documents[place]:
                numbers[document].append(number)
        return numbers

    def citing(self, references: Iterable[str]) -> Ints:
        """Places in `edges` of those that rest on any of the references; digits alone are a PMID."""
        wanted = {_document(f"PMID:{one.strip()}" if one.strip().isdigit() else one) for one in references}
        return np.array(sorted({n for one in wanted for n in self._numbers.get(one, ())}), dtype=np.int64)


def _document(reference: str) -> str:
    """The document of a place in a document: `MEDQUAD:4-0000415:120-125` to `MEDQUAD:4-0000415`."""
    return re.sub(r"^((MEDQUAD|OPENSTAX):.*):\d+-\d+$", r"\1", reference.strip().upper())


def patients(frequency: str) -> float:
    """Patients behind a frequency as written: the denominator of a count, CLASS_SIZE for a class, 0 for none."""
    _, slash, total = frequency.partition("/")
    return float(total) if slash else CLASS_SIZE if frequency else 0.0


def parent_lists(graph: Graph, terms: int) -> Lists:
    """For each phenotype the phenotypes that it is directly a kind of."""
    table = graph.table
    which = (table.relation == RELATIONS.index("is_a")) & (table.subject < terms) & (table.object < terms)
    return lists(table.subject[which].astype(np.int64), table.object[which].astype(np.int64), terms)


def ancestor_lists(graph: Graph, terms: int) -> Lists:
    """For each phenotype the phenotypes that it is a kind of, itself included."""
    parents = parent_lists(graph, terms)
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


def opposites(graph: Graph, terms: int) -> set[tuple[int, int]]:
    """Pairs of phenotypes whose labels differ in one word of opposite meaning, in both orders."""
    known = {label.lower(): place for place, label in enumerate(graph.pack.strings("node_label")[:terms])}
    found = set()
    for more, less in (both.split("|") for both in room_words()["opposites"]):
        for label, place in known.items():
            other = known.get(label.replace(more, less, 1)) if more in label else None
            if other is not None and other != place:
                found |= {(place, other), (other, place)}
    return found


def asked_lists(graph: Graph, ancestors: Lists) -> Lists:
    """The ancestors by which a finding is looked for: without those directly above both it and its opposite, so that a
    high potassium is no sign of a disease with a low one."""
    terms = len(ancestors.bounds) - 1
    parents, labels = parent_lists(graph, terms), graph.pack.strings("node_label")
    shared = {
        (one, above)
        for one, other in opposites(graph, terms)
        for above in set(parents.of(one).tolist()) & set(parents.of(other).tolist())
        if labels[above].startswith("Abnormal")  # it says of a quantity that it is out of order, and no more
    }
    which, barred = np.array(sorted(shared), dtype=np.int64).reshape(-1, 2).T
    tops, place = lists(which, barred, terms).gather(ancestors.items)
    owner = np.repeat(np.arange(terms), np.diff(ancestors.bounds))
    kept = ~np.isin(owner * terms + ancestors.items, owner[place] * terms + tops)
    return lists(owner[kept], ancestors.items[kept], terms)
