"""Which diseases are relatives: those of one gene, one phenotypic series, or one name but for its number.

It knows that they are alike in their findings as a rule, not why. A disease of which little is written borrows from
its relatives (`scoring`).
"""

import re
from typing import NamedTuple

import numpy as np

from osler.knowledge.diagnosis.index import Floats, Index, distinct
from osler.knowledge.graph import Graph
from osler.knowledge.graph.edges import Ints
from osler.knowledge.graph.nouns import RELATIONS

LARGEST = 400  # diseases of one series or name; a larger group says nothing of its members
MOST_OF_A_GENE = 60
BY_NAME = 4.0  # diseases of one name are more alike than those of one gene or series
NUMBER = re.compile(r",? (type )?[0-9ivx]+[a-z]{0,2}$")
TAIL = re.compile(r"[, ]+(type|due to .*|autosomal (recessive|dominant)|x-linked)$")


class Relatives(NamedTuple):
    """Members of groups end to end: disease `member[k]` belongs to group `group[k]`; groups have two members or more.

    Each group that two diseases share (gene, series) ties them; in a group of n by `tie`: 1/sqrt(n) by gene or series,
    BY_NAME times that by name.
    """

    size: int
    member: Ints
    group: Ints
    tie: Floats

    def of(self, place: int) -> list[int]:
        """The relatives of one disease."""
        members = self.member[np.isin(self.group, self.group[self.member == place])]
        return [other for other in np.unique(members).tolist() if other != place]

    def others(self, values: Floats) -> Floats:
        """For each disease the sum over its relatives, each by its ties; exactly 0 without any."""
        own = values[self.member]
        rest = np.bincount(self.group, own)[self.group] - own
        sums = np.bincount(self.member, self.tie * rest, self.size)
        return np.where(sums < 1e-6, 0.0, sums)


def relatives(graph: Graph, index: Index) -> Relatives:
    width, place = len(graph.ids), np.full(len(graph.ids), -1)
    place[index.diseases] = np.arange(len(index.diseases))
    # Pairs of disease and group; the groups of the second and third kind are numbered on behind the first.
    groups = (_linked(graph, "gene_associated"), _linked(graph, "in_series"), _named_alike(graph, index))
    diseases = np.concatenate([diseases for diseases, _ in groups])
    names = np.concatenate([names + kind * width for kind, (_, names) in enumerate(groups)])
    known = place[diseases] >= 0
    names, member = np.divmod(distinct(names[known] * width + place[diseases[known]]), width)
    _, number, sizes = np.unique(names, return_inverse=True, return_counts=True)
    kind, size = names // width, sizes[number]
    kept = (size > 1) & (size <= np.array([MOST_OF_A_GENE, LARGEST, LARGEST])[kind])
    found = of_groups(len(index.diseases), member[kept], np.unique(number[kept], return_inverse=True)[1])
    return found._replace(tie=found.tie * np.array([1.0, 1.0, BY_NAME])[kind[kept]])


def of_groups(size: int, member: Ints, group: Ints) -> Relatives:
    """`Relatives` among `size` diseases from the members of groups, each group counting the same."""
    return Relatives(size, member, group, 1 / np.sqrt(np.bincount(group)[group]))


def _linked(graph: Graph, relation: str) -> tuple[Ints, Ints]:
    """(disease, what it is linked with); a series belongs to itself."""
    which = graph.table.relation == RELATIONS.index(relation)
    subject, target = (a[which].astype(np.int64) for a in (graph.table.subject, graph.table.object))
    if relation == "in_series":
        return np.concatenate([subject, np.unique(target)]), np.concatenate([target, np.unique(target)])
    return subject, target


def _named_alike(graph: Graph, index: Index) -> tuple[Ints, Ints]:
    labels = graph.pack.strings("node_label")
    numbers: dict[str, int] = {}
    named = [numbers.setdefault(stem(labels[p]), len(numbers)) for p in index.diseases.tolist()]
    return index.diseases, np.array(named, dtype=np.int64)


def stem(label: str) -> str:
    """A disease's name without its number, type or inheritance: "Joubert syndrome 30" to "joubert syndrome"."""
    text = re.sub(r"\(.*?\)", "", label.lower()).strip()
    text = TAIL.sub("", NUMBER.sub("", text).strip())
    return re.sub(r"\d+", "#", text).strip(" ,-")
