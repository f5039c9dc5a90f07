"""Rates of groups of people: known answers, gaps with their intervals, small groups named, bad tables refused."""

from pathlib import Path

import numpy as np
import pytest

from osler.errors import InputError
from osler.nouns import Measurement
from osler.trust.groups import Rows, auroc, group_rows, read_rows


def _rows(shift: float, n: int = 200) -> dict[str, Measurement]:
    luck = np.random.default_rng(0)
    label = (np.arange(2 * n) % 2).astype(float)
    of = ["a"] * n + ["b"] * n
    score = 0.3 + 0.3 * label + luck.normal(0, 0.1, 2 * n) + np.array([0.0] * n + [shift] * n)
    return {row.metric: row for row in group_rows(Rows(label, score, {"g": of}), 0.5, "t")}


def test_auroc_counts_pairs_and_ties_as_halves() -> None:
    assert auroc(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
    assert auroc(np.array([0, 1.0]), np.array([0.5, 0.5])) == 0.5


def test_a_group_that_is_selected_more_shows_in_rates_and_gaps() -> None:
    found = _rows(0.3)
    assert found["FPR: g=b"].value > found["FPR: g=a"].value + 0.5
    gap = found["selection rate difference: g, b - a"]
    assert (
        gap.interval
        and gap.interval[0] > 0.2
        and gap.value == pytest.approx(found["selection rate: g=b"].value - found["selection rate: g=a"].value)
    )
    ratio = found["selection rate ratio: g, a / b"]
    assert (
        ratio.interval and ratio.interval[1] < 0.8 and abs(found["AUROC: g=a"].value - found["AUROC: g=b"].value) < 0.05
    )


def test_equal_groups_have_a_gap_whose_interval_holds_zero() -> None:
    [gap] = [row for name, row in _rows(0.0).items() if name.startswith("AUROC difference")]
    assert gap.interval and gap.interval[0] <= 0.0 <= gap.interval[1]


def test_small_groups_are_named_and_not_judged() -> None:
    label, score = np.array([0.0, 1.0] * 40 + [1.0] * 5), np.linspace(0, 1, 85)
    found = group_rows(Rows(label, score, {"g": ["big"] * 80 + ["tiny"] * 5}), 0.5, "t")
    named = {row.metric: row.value for row in found if row.metric.startswith("too small")}
    assert named["too small for selection rate: g=tiny"] == 5 and len(named) == 4
    assert not any("difference" in row.metric for row in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y,s\n1,0.5\n", "no column g"),
        ("y,s,g\n2,0.5,a\n", "0 or 1"),
        ("y,s,g\n1,0.5,a\n1,high,a\n", "line 3"),
        ("y,s,g\n1,nan,a\n", "must be a number"),
        ("y,s,g\n", "no rows"),
    ],
)
def test_bad_tables_are_refused_by_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError) as error:
        read_rows(tmp_path / "t.csv", "y", "s", ["g"])
    assert said in str(error.value)


def test_rows_are_read_by_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("g,s,y\na,.5,1\n,1e-1,0\n")
    found = read_rows(tmp_path / "t.csv", "y", "s", ["g"])
    assert found.groups == {"g": ["a", "not given"]} and found.score.tolist() == [0.5, 0.1]
