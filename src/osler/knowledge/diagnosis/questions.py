"""`next_questions`: what to ask, examine or test next, by how much the answer is expected to settle.

The differential is weighted by a softmax of the scores within the case; that is a way to order questions, not a
statement of how likely the diseases are.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from osler.knowledge.diagnosis.branches import BRANCHES, FEMALE_ONLY, MALE_ONLY, QuestionKind
from osler.knowledge.diagnosis.query import prepare
from osler.knowledge.diagnosis.ranking import Ranker, load_ranker
from osler.knowledge.diagnosis.rows import Floats, Ints
from osler.knowledge.graph import Graph
from osler.nouns import NextQuestion, RankedDisease
from osler.text import words

CONSIDERED = 30  # diseases of the differential that questions are to tell apart
FLOOR, CEILING = 0.01, 0.95  # no annotation makes a finding impossible or certain
MOST_QUESTIONS = 10  # branches double with each
LEAST_GAIN = 1e-3  # bits
NEOPLASM = "HP:0002664"
LEAST_INFORMATION = 2.0  # nats; broader findings make no question

_QUESTION: dict[tuple[QuestionKind, str], str] = {
    ("history", "en"): "Is there any history of {}?",
    ("examination", "en"): "On examination, is there {}?",
    ("test", "en"): "Do tests show {}?",
    ("history", "zh"): "患者是否有“{}”？",
    ("examination", "zh"): "查体是否发现“{}”？",
    ("test", "zh"): "检查结果是否提示“{}”？",
}


def next_questions(
    observed: Sequence[str],
    excluded: Sequence[str],
    ranked: Sequence[RankedDisease],
    limit: int = 5,
    language: Literal["en", "zh"] = "en",
    sex: str | None = None,
    ranker: Ranker | None = None,
) -> list[NextQuestion]:
    """Findings not yet spoken of, by falling expected reduction of entropy (bits) over the first 30 ranked diseases.

    No two are narrower and broader forms of one another. `sex` (male, female) drops findings of the other sex. Empty
    with fewer than two diseases.
    """
    ranker = ranker or load_ranker()
    query = prepare(ranker.graph, observed, excluded)
    known = [disease for disease in ranked[:CONSIDERED] if disease.id in ranker.place]
    if len(known) < 2 or limit < 1:
        return []
    weights = differential(np.array([disease.score for disease in known]), max(1, len(query.observed)))
    terms = _candidates(ranker, [ranker.place[disease.id] for disease in known], query.observed, query.excluded, sex)
    if not len(terms):
        return []
    shares = _shares(ranker, terms, [ranker.place[disease.id] for disease in known])
    gain = information_gain(weights[None, :], shares)
    chosen = _together(ranker, terms, weights, shares, limit)
    chosen.sort(key=lambda k: (-gain[k], terms[k]))
    return [_question(ranker.graph, ranker.graph.ids[int(terms[k])], float(gain[k]), language) for k in chosen]


def _together(ranker: Ranker, terms: Ints, weights: Floats, shares: Floats, limit: int) -> list[int]:
    """Columns chosen one by one, each for what it adds to the answers of those before (findings taken as independent
    within a disease), never a narrower or broader form of one chosen."""
    ancestors = ranker.index.ancestors
    chosen: list[int] = []
    branches = weights[None, :]  # one row for each combination of answers so far: P(answers and disease)
    open_ = np.ones(len(terms), dtype=bool)
    while len(chosen) < min(limit, MOST_QUESTIONS):
        gain = np.where(open_, information_gain(branches, shares), -1.0)
        best = int(np.argmax(np.round(gain, 9)))
        if gain[best] <= LEAST_GAIN:
            break
        chosen.append(best)
        lineage = ancestors.of(int(terms[best]))
        open_ &= ~np.isin(terms, lineage)
        open_[[k for k, term in enumerate(terms.tolist()) if terms[best] in ancestors.of(term)]] = False
        branches = np.concatenate([branches * shares[:, best], branches * (1 - shares[:, best])])
    return chosen


def differential(scores: Floats, findings: int) -> Floats:
    """Softmax of mean scores times the root of the number of findings, which are not independent of one another."""
    scaled = (scores - scores.max()) * np.sqrt(findings)
    weights: Floats = np.exp(scaled) / np.exp(scaled).sum()
    return weights


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


def _candidates(
    ranker: Ranker, places: Sequence[int], observed: Sequence[str], excluded: Sequence[str], sex: str | None
) -> Ints:
    """Terms annotated to the diseases that the case does not settle, broad ones and those of the other sex left out."""
    graph, index = ranker.graph, ranker.index
    other_sex = {"male": FEMALE_ONLY, "female": MALE_ONLY}.get((sex or "").lower(), ())
    closed = {graph.position(i) for i in (*excluded, *other_sex)}
    told = {a for i in observed for a in index.ancestors.of(graph.position(i) or 0).tolist()}
    information = index.background.information()
    terms = sorted({t for place in places for t in index.matrix.direct.of(place).tolist()} - told)
    # To ask for the tumour that a candidate disease is named after would be to ask for the diagnosis.
    tumour = graph.position(NEOPLASM)
    diseases = [set(words(graph.label(ranker.disease_ids[place]))) for place in places]
    terms = [
        t
        for t in terms
        if tumour not in index.ancestors.of(t) or not any(set(words(graph.label(graph.ids[t]))) <= d for d in diseases)
    ]
    kept = [
        t for t in terms if information[t] >= LEAST_INFORMATION and closed.isdisjoint(index.ancestors.of(t).tolist())
    ]
    return np.array(kept, dtype=np.int64)


def _shares(ranker: Ranker, terms: Ints, places: Sequence[int]) -> Floats:
    """P(finding | disease), narrower findings included; the background where the disease has no row."""
    matrix, back = ranker.index.matrix, ranker.index.background
    shares = np.empty((len(places), len(terms)))
    for column, term in enumerate(terms.tolist()):
        low, high = matrix.carried.bounds[term : term + 2]
        held = dict(zip(matrix.carried.items[low:high].tolist(), range(low, high), strict=True))
        usual = float(back.expected[term]) / max(1, back.diseases)
        shares[:, column] = [matrix.carried_share[held[p]] if p in held else usual for p in places]
    return np.clip(shares, FLOOR, CEILING)


def question_kind(graph: Graph, code: str) -> QuestionKind:
    """Told, seen or measured: the entry of BRANCHES nearest above the finding."""
    above = graph.ancestors(code)
    nearest = max((b for b in BRANCHES if b in above), key=lambda b: (len(graph.ancestors(b)), b), default=None)
    return BRANCHES[nearest] if nearest else "examination"


def _question(graph: Graph, code: str, gain: float, language: Literal["en", "zh"]) -> NextQuestion:
    kind = question_kind(graph, code)
    label = graph.label(code)
    name = graph.label(code, language) if language == "zh" else label
    if language == "en" and not label[1:2].isupper():
        name = label[:1].lower() + label[1:]
    return NextQuestion(
        code=code, label=label, kind=kind, expected_information=gain, question=_QUESTION[kind, language].format(name)
    )
