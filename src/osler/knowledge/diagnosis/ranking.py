"""`rank`: the diseases that explain a case, best first, fast and without reasons.

It knows no prevalence, so `probability` stays null (`population` can fill it in). Of the patient it knows findings and
sex; in general practice, where common things are common, age too.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from osler.knowledge.diagnosis.index import Citations, Floats, Index
from osler.knowledge.diagnosis.population import sharpness
from osler.knowledge.diagnosis.profiles import Commonness
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.relatives import relatives
from osler.knowledge.diagnosis.scoring import Scores, score, view
from osler.knowledge.graph import Graph, load_graph
from osler.knowledge.graph.edges import Ints
from osler.knowledge.graph.nouns import RELATIONS
from osler.nouns import RankedDisease

X_LINKED_RECESSIVE = "HP:0001419"
SEX = {"male": 0.16, "female": -0.52}  # for a disease of X-linked recessive inheritance


class Patient(NamedTuple):
    """What counts beside the findings. `age`: ISO 8601 duration; it and how common a disease is weigh only with
    `general`, for a patient of general practice."""

    sex: str | None = None
    age: str | None = None
    general: bool = False


ANYBODY = Patient()


class Ranker:
    """Scores cases by the annotations of a graph, or by those of its `edges` (row numbers) only."""

    def __init__(self, graph: Graph, edges: Ints | None = None) -> None:
        self.graph = graph
        self.index = Index(graph, edges)
        self.relatives = relatives(graph, self.index)
        self.disease_ids = [graph.ids[p] for p in self.index.diseases.tolist()]
        self.place = {identifier: k for k, identifier in enumerate(self.disease_ids)}
        table, inherited = graph.table, graph.position(X_LINKED_RECESSIVE)
        linked = (table.relation == RELATIONS.index("has_inheritance")) & (table.object == inherited)
        self.linked_edges = np.flatnonzero(linked & np.isin(table.subject, self.index.diseases))
        self._linked_citations = Citations(graph, self.linked_edges)

    def score(
        self,
        observed: Sequence[str],
        excluded: Sequence[str] = (),
        exclude_references: Iterable[str] = (),
        patient: Patient = ANYBODY,
        parts: bool = False,
    ) -> Scores | None:
        """The case scored against every disease, in parts if asked for; None if no finding can be used."""
        query = prepare(self.graph, observed, excluded)
        if not query.observed:
            return None
        references = list(exclude_references)
        seen = view(self.index, self.relatives, self.index.citations.citing(references))
        present, absent = self.positions(query.observed), self.positions(query.excluded)
        return score(seen, present, absent, self.about(patient, len(present), references), parts)

    @functools.cached_property
    def commonness(self) -> Commonness:
        return Commonness(self.graph, self.place)

    def about(self, patient: Patient, findings: int, exclude_references: Sequence[str] = ()) -> dict[str, Floats]:
        """What each disease gets for the patient, by code. Commonness, in nats, is divided by the sharpness that makes
        scores of so many findings chances, so that it counts as a prior does."""
        sex = (patient.sex or "").lower()
        found = {X_LINKED_RECESSIVE: SEX.get(sex, 0.0) * self.linked(exclude_references)}
        if patient.general:
            nats = self.commonness.weights(sex, patient.age)
            found |= {code: weight / sharpness(findings) for code, weight in nats.items()}
        return found

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
        patient: Patient = ANYBODY,
    ) -> list[RankedDisease]:
        """The `top` diseases by falling score; equal scores in the order of identifiers."""
        scores = self.score(observed, excluded, exclude_references, patient)
        if scores is None:
            return []
        total = scores.total
        top = min(max(top, 0), len(total))
        least = np.partition(total, len(total) - top)[len(total) - top] if top else np.inf
        ahead = np.flatnonzero((total >= least) & (total > -np.inf))
        order = ahead[np.argsort(-total[ahead], kind="stable")][:top]
        labels, places = self.graph.pack.strings("node_label"), self.index.diseases[order].tolist()
        unsaid: dict[str, Any] = {"for_": [], "against": [], "missing": []}  # given: pydantic copies defaults at length
        return [
            RankedDisease(
                id=self.graph.ids[position],
                equivalents=list(self.graph.equivalents(position)),
                label=labels[position],
                score=value,
                **unsaid,
            )
            for position, value in zip(places, total[order].tolist(), strict=True)
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
    exclude_references: Iterable[str] = (),
    top: int = 100,
    general: bool = False,
) -> list[RankedDisease]:
    """Diseases by how well they explain the findings, best first; empty if no finding can be used.

    `observed`, `excluded`: HPO ids, old ones included; `prepare` says what became of them. `exclude_references`: the
    rows of these publications are taken out first, as if they had not been written. `sex` weighs a little where
    inheritance is X-linked. `general`: a patient of general practice, for whom it counts how common diseases are, at
    this `age` (ISO 8601 duration) and in this sex; without it age changes nothing (benchmarks/diagnosis.md).
    """
    return load_ranker().rank(observed, excluded, exclude_references, top, Patient(sex, age, general))
