"""Statistics against figures worked out elsewhere or by hand."""

import math

import numpy as np
import pytest

from osler.statistics import (
    calibration_error,
    conformal_threshold,
    coverage_curve,
    draws_of,
    holm,
    macro_f1,
    mcnemar,
    mean_interval,
    reliability,
    risk_area,
    statistic_interval,
    wilson,
)


def test_wilson() -> None:
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611252), abs=1e-6)
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_bootstrap_of_a_mean_agrees_with_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    low, high = mean_interval(values)
    error = 1.96 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.04)


def test_groups_are_drawn_whole() -> None:
    groups = ["a", "a", "b", "c", "c", "c"]
    counts = draws_of(groups, draws=50)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    values = np.array([1.0] * 50 + [0.0] * 50)
    alone, torn = mean_interval(values), mean_interval(values, [n // 25 for n in range(100)])
    assert torn[1] - torn[0] > 2 * (alone[1] - alone[0])


def test_any_statistic_can_be_drawn_again() -> None:
    truth, said = ["y", "n"] * 100, ["y", "y", "n", "n"] * 50
    low, high = statistic_interval(
        lambda items: macro_f1([truth[i] for i in items], [said[i] for i in items]), list(range(200))
    )
    assert low < macro_f1(truth, said) < high
    assert high - low < 0.2


def test_mcnemar_and_holm() -> None:
    assert mcnemar(1, 8) == pytest.approx(0.0390625)
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 0) == 1.0
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_macro_f1() -> None:
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert macro_f1(["a", "b"], ["c", "c"]) == 0


def test_calibration_and_coverage() -> None:
    confidence, right = np.array([0.9, 0.9, 0.6, 0.6]), np.array([1.0, 1.0, 1.0, 0.0])
    assert [(row.n, row.right) for row in reliability(confidence, right)] == [(2, 0.5), (2, 1.0)]
    assert calibration_error(confidence, right) == pytest.approx(0.1)
    coverage, accuracy = coverage_curve(confidence, right)
    assert coverage.tolist() == [0.5, 1.0]
    assert accuracy.tolist() == [1.0, 0.75]
    assert risk_area(confidence, right) == pytest.approx(0.125)
    assert risk_area(1 - confidence, right) > risk_area(confidence, right)


def test_conformal_sets_hold_the_truth_as_often_as_promised() -> None:
    rng = np.random.default_rng(3)
    threshold = conformal_threshold(rng.beta(4, 2, 2000), 0.9)
    assert (rng.beta(4, 2, 20000) >= threshold).mean() == pytest.approx(0.9, abs=0.02)
    assert conformal_threshold(np.array([0.5, 0.6]), 0.9) == 0.0
