"""Probabilities: only for a population that is named, summing to one over its diseases."""

from pathlib import Path

import numpy as np
import pytest

from osler.errors import InputError
from osler.knowledge.diagnosis import load_prevalences, load_ranker, rank, with_probabilities
from osler.knowledge.diagnosis.population import PUBLISHED, sharpness, softmax

MARFANOID = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519", "HP:0004927"]


def test_all_diseases_equally_likely() -> None:
    ranked = rank(MARFANOID, top=10**6)
    said = with_probabilities(ranked, len(MARFANOID))
    assert [d.id for d in said] == [d.id for d in ranked] and {d.population for d in said} == {PUBLISHED}
    assert sum(d.probability or 0 for d in said) == pytest.approx(1)
    assert 0.2 < (said[0].probability or 0) < 1
    assert with_probabilities([], 3) == []


def test_prevalences_weigh_and_bound_the_population(tmp_path: Path) -> None:
    table = tmp_path / "our clinic.csv"
    table.write_text("id,prevalence\nOMIM:154700,1\nMONDO:0007947,1\nMONDO:0005812,300\nMONDO:0012027,0\n", "utf-8")
    population = load_prevalences(table, load_ranker().graph)
    assert population == ("our clinic", {"MONDO:0007947": 2.0, "MONDO:0005812": 300.0, "MONDO:0012027": 0.0})
    ranked = rank(MARFANOID, top=10**6)
    said = with_probabilities(ranked, len(MARFANOID), population)
    assert {d.id for d in said[:2]} == {"MONDO:0007947", "MONDO:0005812"}
    assert sum(d.probability or 0 for d in said) == pytest.approx(1)
    assert all(d.probability is None and d.population is None for d in said[2:])
    scores = {d.id: d.score for d in ranked}
    odds = np.exp(sharpness(5) * (scores["MONDO:0007947"] - scores["MONDO:0005812"])) * 2 / 300
    chances = {d.id: d.probability or 0 for d in said}
    assert chances["MONDO:0007947"] / chances["MONDO:0005812"] == pytest.approx(odds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,rate\n", "columns"),
        ("id,prevalence\nMONDO:99999999,1\n", "line 2"),
        ("id,prevalence\nMONDO:0007947,-1\n", "from 0 up"),
        ("id,prevalence\nMONDO:0007947,nan\n", "from 0 up"),
        ("id,prevalence\nMONDO:0007947\n", "from 0 up"),
        ("id,prevalence\nMONDO:0007947,0\n", "above 0"),
        ("", "columns"),
    ],
)
def test_a_bad_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        load_prevalences(table, load_ranker().graph)
    with pytest.raises(InputError, match="can't be read"):
        load_prevalences(tmp_path / "none.csv", load_ranker().graph)


def test_no_scores_no_chance() -> None:
    assert softmax(np.array([1.0, 1.0, -np.inf]), 2.0).tolist() == [0.5, 0.5, 0.0]
