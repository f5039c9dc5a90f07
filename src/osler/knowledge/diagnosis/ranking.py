"""`rank`: the diseases that explain a case, best first, fast and without reasons.

It knows no prevalence, so `probability` stays null, and nothing of the patient but findings.
"""

import functools
from collections.abc import Iterable, Sequence

import numpy as np

from osler.knowledge.diagnosis.index import Index, Ints
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.scoring import Scores, score, view
from osler.knowledge.graph import Graph, load_graph
from osler.nouns import RankedDisease


class Ranker:
    """Scores cases by the annotations of a graph, or by those of its `edges` (row numbers) only."""

    def __init__(self, graph: Graph, edges: Ints | None = None) -> None:
        self.graph = graph
        self.index = Index(graph, edges)
        self.disease_ids = [graph.ids[p] for p in self.index.diseases.tolist()]
        self.place = {identifier: k for k, identifier in enumerate(self.disease_ids)}

    def score(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        places: Sequence[int] = (),
    ) -> Scores | None:
        """The case scored against every disease, in parts for those at `places`; None if no finding can be used."""
        query = prepare(self.graph, observed, excluded)
        if not query.observed:
            return None
        seen = view(self.index, self.index.rows_with(exclude_references))
        present, absent = self.positions(query.observed), self.positions(query.excluded)
        return score(seen, present, absent, np.array(places, dtype=np.int64))

    def positions(self, identifiers: Iterable[str]) -> Ints:
        """Graph positions in ascending order, so that the order of findings changes no bit of a score."""
        return np.array(sorted(self.graph.position(i) or 0 for i in identifiers), dtype=np.int64)

    def rank(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        top: int = 100,
    ) -> list[RankedDisease]:
        """The `top` diseases by falling score; equal scores in the order of identifiers."""
        scores = self.score(observed, excluded, exclude_references)
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
    rows of these publications are taken out first, as if they had not been written. `sex`, `age` and `onset` are part
    of the contract of a case and do not change the score. Measured on published cases in benchmarks/diagnosis.md.
    """
    return load_ranker().rank(observed, excluded, exclude_references, top)
