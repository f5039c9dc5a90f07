"""Who is a relative, and what a disease borrows."""

import numpy as np
import pytest

from osler.knowledge.diagnosis import load_ranker
from osler.knowledge.diagnosis.relatives import of_groups, stem


@pytest.mark.parametrize(
    ("label", "bare"),
    [
        ("Joubert syndrome 30", "joubert syndrome"),
        ("short QT syndrome type 3", "short qt syndrome"),
        ("Ullrich congenital muscular dystrophy 1C", "ullrich congenital muscular dystrophy"),
        ("neurodegeneration with brain iron accumulation 9", "neurodegeneration with brain iron accumulation"),
        ("intellectual disability, autosomal dominant 70", "intellectual disability"),
        ("Marfan syndrome", "marfan syndrome"),
        ("chromosome 15q11 deletion", "chromosome #q# deletion"),
    ],
)
def test_a_name_without_its_number(label: str, bare: str) -> None:
    assert stem(label) == bare


def test_relatives_share_a_gene_a_series_or_a_name() -> None:
    ranker = load_ranker()
    place = ranker.place["MONDO:0033308"]  # Joubert syndrome 30
    kin = {ranker.graph.label(ranker.disease_ids[other]) for other in ranker.relatives.of(place)}
    assert {"Joubert syndrome 1", "Joubert syndrome 9"} <= kin and "Marfan syndrome" not in kin
    assert ranker.relatives.of(ranker.place["MONDO:0005812"]) == []  # influenza


def test_the_sum_over_relatives_leaves_the_disease_itself_out() -> None:
    kin = of_groups(5, np.array([0, 1, 2, 0, 3]), np.array([0, 0, 0, 1, 1]))
    three, two = 1 / np.sqrt(3), 1 / np.sqrt(2)
    sums = [4 * three + 7 * two, 103 * three, 101 * three, 100 * two, 0]
    assert kin.others(np.array([100.0, 1.0, 3.0, 7.0, 50.0])).tolist() == pytest.approx(sums)
    assert kin.others(np.array([0.0, 0, 0, 0, 1])).tolist() == [0, 0, 0, 0, 0]
    assert kin.of(3) == [0] and kin.of(4) == []
