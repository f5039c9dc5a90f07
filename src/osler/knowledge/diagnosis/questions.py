"""`next_questions`: what to ask, examine or test next, by how much the answer is expected to settle.

The differential is weighted by the softmax of the scores that is calibrated on published cases (`population`); here it
is a way to order questions, not a statement of how likely the diseases are.
"""

import functools
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal, cast

import numpy as np

from osler.knowledge.diagnosis.index import Floats, room_words
from osler.knowledge.diagnosis.population import sharpness, softmax
from osler.knowledge.diagnosis.query import Query, prepare
from osler.knowledge.diagnosis.ranking import Ranker, load_ranker
from osler.knowledge.graph import Graph
from osler.knowledge.graph.edges import Ints
from osler.nouns import NextQuestion, RankedDisease
from osler.text import words

QuestionKind = Literal["history", "examination", "test"]

DATA = files("osler.knowledge.diagnosis") / "data"
CONSIDERED = 30  # diseases of the differential that questions are to tell apart
FLOOR, CEILING = 0.01, 0.95  # no annotation makes a finding impossible or certain
MOST_QUESTIONS = 10  # branches double with each
LEAST_GAIN = 1e-3  # bits
LEAST_INFORMATION = 2.0  # nats; broader findings make no question
NEOPLASM = "HP:0002664"
OTHER_SEX = {"male": ("HP:0010460", "HP:0000140"), "female": ("HP:0010461",)}  # genitalia, menstrual cycle


def next_questions(
    observed: Sequence[str],
    excluded: Sequence[str],
    ranked: Sequence[RankedDisease],
    limit: int = 5,
    language: Literal["en", "zh"] = "en",
    sex: str | None = None,
) -> list[NextQuestion]:
    """Findings not yet spoken of, by falling expected reduction of entropy (bits) over the first 30 ranked diseases.

    No two are narrower and broader forms of one another. `sex` (male, female) drops findings of the other sex. Empty
    with fewer than two diseases.
    """
    ranker = load_ranker()
    graph, query = ranker.graph, prepare(ranker.graph, observed, excluded)
    known = [disease for disease in ranked[:CONSIDERED] if disease.id in ranker.place]
    if len(known) < 2 or limit < 1:
        return []
    places = np.array([ranker.place[disease.id] for disease in known])
    weights = softmax(np.array([disease.score for disease in known]), sharpness(len(query.observed)))
    terms = _candidates(ranker, places, query, sex)
    shares = _shares(ranker, terms, places)
    gain = information_gain(weights[None, :], shares)
    chosen = sorted(_together(ranker, terms, weights, shares, limit), key=lambda k: (-gain[k], terms[k]))
    return [_question(graph, graph.ids[int(terms[k])], float(gain[k]), language) for k in chosen]


def _together(ranker: Ranker, terms: Ints, weights: Floats, shares: Floats, limit: int) -> list[int]:
    """Columns chosen one by one, each for what it adds to the answers of those before (findings taken as independent
    within a disease), never a narrower or broader form of one chosen."""
    ancestors = ranker.index.ancestors
    chosen: list[int] = []
    branches = weights[None, :]  # one row for each combination of answers so far: P(answers and disease)
    closed = np.zeros(len(terms), dtype=bool)
    while len(chosen) < min(limit, MOST_QUESTIONS) and not closed.all():
        gain = np.where(closed, -1.0, information_gain(branches, shares))
        best = int(np.argmax(np.round(gain, 9)))
        if gain[best] <= LEAST_GAIN:
            break
        chosen.append(best)
        closed |= np.isin(terms, ancestors.of(int(terms[best])))
        closed |= [terms[best] in ancestors.of(term) for term in terms.tolist()]
        branches = np.concatenate([branches * shares[:, best], branches * (1 - shares[:, best])])
    return chosen


def information_gain(branches: Floats, shares: Floats) -> Floats:
    """Expected reduction of entropy in bits by the answer to each finding, averaged over branches.

    `branches` (b, diseases) sums to 1; `shares` (diseases, findings) is P(present | disease).
    """
    reach = branches.sum(axis=1, keepdims=True)
    gain: Floats = (reach * _entropy((branches @ shares) / reach)).sum(axis=0) - branches.sum(axis=0) @ _entropy(shares)
    return np.maximum(gain, 0.0)


def _entropy(share: Floats) -> Floats:
    bits: Floats = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    return bits


def _candidates(ranker: Ranker, places: Ints, query: Query, sex: str | None) -> Ints:
    """Terms annotated to the diseases that the case does not settle, broad ones and those of the other sex left out."""
    graph, index = ranker.graph, ranker.index
    closed = ranker.positions([*query.excluded, *OTHER_SEX.get((sex or "").lower(), ())])
    told, _ = index.ancestors.gather(ranker.positions(query.observed))
    terms = np.setdiff1d(index.matrix.direct.gather(places)[0], told)
    terms = terms[index.background.information()[terms] >= LEAST_INFORMATION]
    tumour = graph.position(NEOPLASM)
    diseases = [set(words(graph.label(ranker.disease_ids[place]))) for place in places.tolist()]

    def open_(term: int) -> bool:
        above = index.ancestors.of(term)
        if np.isin(above, closed).any():
            return False
        # To ask for the tumour that a candidate disease is named after would be to ask for the diagnosis.
        name = set(words(graph.label(graph.ids[term]))) if tumour in above else None
        return name is None or not any(name <= disease for disease in diseases)

    return np.array([term for term in terms.tolist() if open_(term)], dtype=np.int64)


def _shares(ranker: Ranker, terms: Ints, places: Ints) -> Floats:
    """P(finding | disease), narrower findings included; the background where the disease has no row."""
    matrix, usual = ranker.index.matrix, ranker.index.background.share()
    shares = np.empty((len(places), len(terms)))
    for column, term in enumerate(terms.tolist()):
        of_all = np.full(matrix.size, usual[term])
        of_all[matrix.carried.of(term)] = matrix.carried_share[matrix.carried.span(term)]
        shares[:, column] = of_all[places]
    return np.clip(shares, FLOOR, CEILING)


@functools.cache
def question_kinds() -> dict[str, QuestionKind]:
    """The table of branches of the HPO whose findings are told, seen or measured; the nearest above decides."""
    lines = (DATA / "question_kinds.tsv").read_text(encoding="utf-8").splitlines()
    return {code: cast(QuestionKind, kind) for code, kind, _ in (line.split("\t") for line in lines[1:])}


def question_kind(graph: Graph, code: str) -> QuestionKind:
    above = graph.ancestors(code) & question_kinds().keys()
    nearest = max(above, key=lambda branch: (len(graph.ancestors(branch)), branch), default="")
    return question_kinds().get(nearest, "examination")


def _question(graph: Graph, code: str, gain: float, language: Literal["en", "zh"]) -> NextQuestion:
    kind, label, name = question_kind(graph, code), graph.label(code), graph.label(code, language)
    if language == "en" and not label[1:2].isupper():
        name = label[:1].lower() + label[1:]
    text = room_words()["questions"][language][kind].format(name)
    return NextQuestion(code=code, label=label, kind=kind, expected_information=gain, question=text)
