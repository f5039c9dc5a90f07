"""`rank`: the diseases that explain a case, best first, fast and without reasons.

It knows no prevalence, so `probability` stays null (`population` can fill it in); of the patient it knows findings and
sex.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np

from osler.knowledge.diagnosis.index import Citations, Floats, Index, Ints
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.relatives import relatives
from osler.knowledge.diagnosis.scoring import Scores, score, view
from osler.knowledge.graph import Graph, load_graph
from osler.knowledge.graph.nouns import RELATIONS
from osler.nouns import RankedDisease

X_LINKED_RECESSIVE = "HP:0001419"


class Ranker:
    """Scores cases by the annotations of a graph, or by those of its `edges` (row numbers) only."""

    def __init__(self, graph: Graph, edges: Ints | None = None) -> None:
        self.graph = graph
        self.index = Index(graph, edges)
        self.relatives = relatives(graph, self.index)
        self.disease_ids = [graph.ids[p] for p in self.index.diseases.tolist()]
        self.place = {identifier: k for k, identifier in enumerate(self.disease_ids)}
        table, inherited = graph.table, graph.position(X_LINKED_RECESSIVE)
        which = (table.relation == RELATIONS.index("has_inheritance")) & (table.object == inherited)
        which &= np.isin(table.subject, self.index.diseases)
        self.linked_edges = np.flatnonzero(which) if inherited is not None else np.array([], dtype=np.int64)
        self._linked_citations = Citations(graph, self.linked_edges)

    def score(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        sex: str | None = None,
        parts: bool = False,
    ) -> Scores | None:
        """The case scored against every disease, in parts if asked for; None if no finding can be used."""
        query = prepare(self.graph, observed, excluded)
        if not query.observed:
            return None
        references = list(exclude_references)
        seen = view(self.index, self.relatives, self.index.citations.citing(references))
        present, absent = self.positions(query.observed), self.positions(query.excluded)
        return score(seen, present, absent, self.linked(references), sex, parts)

    def linked(self, exclude_references: Sequence[str] = ()) -> Floats:
        """1 for the diseases of X-linked recessive inheritance."""
        edges = np.delete(self.linked_edges, self._linked_citations.citing(exclude_references))
        linked = np.zeros(len(self.index.diseases))
        linked[np.searchsorted(self.index.diseases, self.graph.table.subject[edges])] = 1.0
        return linked

    def positions(self, identifiers: Iterable[str]) -> Ints:
        """Graph positions in ascending order, so that the order of findings changes no bit of a score."""
        return np.array(sorted(self.graph.position(i) or 0 for i in identifiers), dtype=np.int64)

    def rank(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        top: int = 100,
        sex: str | None = None,
    ) -> list[RankedDisease]:
        """The `top` diseases by falling score; equal scores in the order of identifiers."""
        scores = self.score(observed, excluded, exclude_references, sex)
        if scores is None:
            return []
        total = scores.total
        top = min(max(top, 0), len(total))
        least = np.partition(total, len(total) - top)[len(total) - top] if top else np.inf
        ahead = np.flatnonzero((total >= least) & (total > -np.inf))
        order = ahead[np.argsort(-total[ahead], kind="stable")][:top]
        labels = self.graph.pack.strings("node_label")
        return [
            RankedDisease(
                id=self.graph.ids[position],
                equivalents=list(self.graph.equivalents(position)),
                label=labels[position],
                score=value,
                for_=[],  # given, because pydantic copies defaults at length
                against=[],
                missing=[],
            )
            for position, value in zip(self.index.diseases[order].tolist(), total[order].tolist(), strict=True)
        ]


@functools.cache
def load_ranker() -> Ranker:
    """The ranker over the shipped graph, built once a process."""
    return Ranker(load_graph())


def rank(
    observed: Sequence[str],
    excluded: Sequence[str] = (),
    sex: str | None = None,
    age: str | None = None,
    onset: str | None = None,
    exclude_references: Iterable[str] = (),
    top: int = 100,
) -> list[RankedDisease]:
    """Diseases by how well they explain the findings, best first; empty if no finding can be used.

    `observed`, `excluded`: HPO ids, old ones included; `prepare` says what became of them. `exclude_references`: the
    rows of these publications are taken out first, as if they had not been written. `sex` weighs a little where
    inheritance is X-linked; `age` and `onset` are part of the contract of a case and do not change the score (they were
    tried: benchmarks/diagnosis.md).
    """
    return load_ranker().rank(observed, excluded, exclude_references, top, sex)
