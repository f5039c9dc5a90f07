"""The ranking on scores and texts made here: what each step adds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.knowledge.library import ranking
from osler.knowledge.library.ranking import FEATURES, agree, features, fuse, rank, standardise, weights


def passage(text: str, title: str | None = None, section: str | None = None) -> dict[str, str | None]:
    return {"text": text, "title": title, "section": section}


def unit(rows: list[list[float]]) -> ranking.Floats:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_scores_are_standardised_and_equal_ones_say_nothing() -> None:
    assert standardise(np.array([1, 2, 3], np.float32)).tolist() == pytest.approx([-1.2247, 0, 1.2247], abs=1e-4)
    assert standardise(np.array([2, 2], np.float32)).tolist() == [0, 0]
    cosine = np.array([0.8, 0.9], np.float32)
    assert fuse(np.array([5, 5], np.float32), cosine).argmax() == 1


def test_a_passage_among_good_ones_gains_over_a_lonely_one() -> None:
    vectors = unit([[1, 0.1], [1, 0.12], [1, 0.11], [-1, 1], [0, -1]])
    scores = agree(np.array([1.0, 0.9, 0.2, 0.21, -1], np.float32), vectors)
    assert scores[2] > scores[3]
    alone = np.array([3.0], np.float32)
    assert agree(alone, unit([[1, 0]])).tolist() == [3.0]


def test_features_count_rare_words_headings_pairs_and_places() -> None:
    texts = [
        passage("Colchicine relieves acute gout within a day."),
        passage("Acute pain is common. Gout is another matter."),
        passage("Dosing: once a day.", "Colchicine", "Acute gout"),
        passage("word " * 40 + "colchicine acute gout"),
    ]
    coverage, pairs, frequency, opening, length = features("What is colchicine for acute gout?", texts).T
    assert coverage[0] == coverage[2] == coverage[3] > coverage[1]  # a heading counts
    assert pairs[3] == pairs[0] > pairs[1] == pairs[2] == 0  # one word between two still makes a pair
    assert opening[0] > opening[3] == 0 and length[3] > length[0]
    assert frequency[2] == 0 < frequency[0]


def test_chinese_is_compared_by_characters() -> None:
    coverage = features("高血压能吃盐吗", [passage("高血压患者少吃盐"), passage("感冒多喝水")])[:, 0]
    assert coverage[0] > coverage[1]


@pytest.mark.parametrize("script", ["en", "zh"])
def test_shipped_weights_know_every_feature(script: str) -> None:
    assert weights(script).shape == (len(FEATURES),)


@given(st.integers(0, 130), st.integers(0, 5))
def test_every_candidate_is_scored_and_the_rest_comes_last(count: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = unit(chance.standard_normal((count, 4)).tolist()) if count else np.zeros((0, 4), np.float32)
    bm25 = chance.random(count).astype(np.float32)
    passages = [passage(f"text {n} on gout") for n in range(count)]
    scores = rank(
        "gout text", bm25, vectors, vectors @ np.ones(4, np.float32), lambda which: [passages[n] for n in which]
    )
    assert scores.shape == (count,) and np.isfinite(scores).all()
    order = np.argsort(-agree(fuse(bm25, vectors @ np.ones(4, np.float32)), vectors), kind="stable")
    if count > ranking.TOP:
        assert scores[order[ranking.TOP :]].max() <= scores[order[: ranking.TOP]].min()
