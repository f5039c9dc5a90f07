"""`rank`: the diseases that explain a case, best first, fast and without reasons.

It knows no prevalence, so `probability` stays null. Sex, age and onset are taken for what comes later and do not yet
change the score.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from osler.knowledge.diagnosis.index import Index
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.rows import AnnotationRows, Ints, rows_from_graph
from osler.knowledge.diagnosis.scoring import Scores, View, score, view
from osler.knowledge.graph import Graph, load_graph
from osler.nouns import RankedDisease


class Scored(NamedTuple):
    """A case scored against every disease: the findings used, as graph positions, the rows in force and the scores."""

    observed: Ints
    excluded: Ints
    seen: View
    scores: Scores


class Ranker:
    """An index of annotation rows, by default those of the shipped graph, that scores cases."""

    def __init__(self, graph: Graph, rows: AnnotationRows | None = None) -> None:
        self.graph = graph
        self.index = Index(graph, rows_from_graph(graph) if rows is None else rows)
        self.disease_ids = [graph.ids[p] for p in self.index.diseases.tolist()]
        self.place = {identifier: k for k, identifier in enumerate(self.disease_ids)}

    def score(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        places: Sequence[int] = (),
    ) -> Scored | None:
        """The case scored against every disease, in parts for those at `places`; None if no finding can be used."""
        query = prepare(self.graph, observed, excluded)
        if not query.observed:
            return None
        present, absent = self._positions(query.observed), self._positions(query.excluded)
        seen = view(self.index, self.index.rows_with(exclude_references))
        return Scored(present, absent, seen, score(seen, present, absent, np.array(places, dtype=np.int64)))

    def rank(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        top: int = 100,
    ) -> list[RankedDisease]:
        """The `top` diseases by falling score; equal scores in the order of identifiers."""
        scored = self.score(observed, excluded, exclude_references)
        if scored is None:
            return []
        total = scored.scores.total
        top = min(max(top, 0), len(total))
        least = np.partition(total, len(total) - top)[len(total) - top] if top else np.inf
        ahead = np.flatnonzero((total >= least) & (total > -np.inf))
        order = ahead[np.argsort(-total[ahead], kind="stable")][:top].tolist()
        return [self.disease(k, float(total[k])) for k in order]

    def disease(self, place: int, score: float) -> RankedDisease:
        """Disease number `place` of the index with its score."""
        position = int(self.index.diseases[place])
        return RankedDisease(
            id=self.graph.ids[position],
            equivalents=list(self.graph.equivalents(position)),
            label=self.graph.pack.strings("node_label")[position],
            score=score,
            for_=[],  # given, because pydantic copies defaults at length
            against=[],
            missing=[],
        )

    def _positions(self, identifiers: Sequence[str]) -> Ints:
        """Graph positions in ascending order, so that the order of findings changes no bit of a score."""
        return np.array(sorted(self.graph.position(i) or 0 for i in identifiers), dtype=np.int64)


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
    rows of these publications are taken out first, as if they had not been written. `sex`, `age`, `onset` are not used
    yet. Measured on published cases in benchmarks/diagnosis.md.
    """
    return load_ranker().rank(observed, excluded, exclude_references, top)
