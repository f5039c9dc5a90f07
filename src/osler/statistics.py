"""What a score needs beside it: intervals, paired tests, calibration, coverage. It knows arrays, not tasks.

All intervals are 95%. Arrays are one-dimensional with an entry per item; `groups` names what must not be torn apart
when items are drawn again (a vignette, a disease, a note).
"""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]
Z = 1.959964  # of a two-sided 95% interval
DRAWS = 2000


def wilson(right: int, n: int) -> Interval:
    """Score interval of a share (Wilson 1927); (0, 1) where there is nothing to count."""
    if n == 0:
        return 0.0, 1.0
    share, spread = right / n, Z * Z / n
    centre, half = share + spread / 2, Z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))


def draws_of(groups: Sequence[Hashable], draws: int = DRAWS, seed: int = 0) -> npt.NDArray[np.int64]:
    """How often each item stands in each resample of whole groups (draws x items), Efron's bootstrap."""
    number: dict[Hashable, int] = {}
    member = np.array([number.setdefault(group, len(number)) for group in groups])
    drawn = np.random.default_rng(seed).multinomial(len(number), np.full(len(number), 1 / len(number)), size=draws)
    counts: npt.NDArray[np.int64] = drawn[:, member]
    return counts


def mean_interval(
    values: Sequence[float] | Floats, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> Interval:
    """Of a mean, by drawing items (or groups) again. For a paired difference give the differences."""
    if not len(values):
        return math.nan, math.nan
    return ratio_interval(values, np.ones(len(values)), range(len(values)) if groups is None else groups, seed)


def statistic_interval(
    statistic: Callable[[npt.NDArray[np.int64]], float], groups: Sequence[Hashable], draws: int = 500, seed: int = 0
) -> Interval:
    """Of any figure that `statistic` makes from item numbers (an item drawn twice is there twice); draws where it makes
    none (NaN) are left out."""
    made = np.array([statistic(np.repeat(np.arange(len(groups)), row)) for row in draws_of(groups, draws, seed)])
    return _middle(made[~np.isnan(made)]) if not np.isnan(made).all() else (math.nan, math.nan)


def ratio_interval(
    above: Sequence[float] | Floats, below: Sequence[float] | Floats, groups: Sequence[Hashable], seed: int = 0
) -> Interval:
    """Of a quotient of sums over items (as pooled precision), by drawing groups again; draws without items below the
    line are left out."""
    counts = draws_of(groups, seed=seed)
    divisor = counts @ np.asarray(below, dtype=np.float64)
    kept = divisor > 0
    return _middle((counts @ np.asarray(above, dtype=np.float64))[kept] / divisor[kept]) if kept.any() else (0.0, 1.0)


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of as uneven a split of the items that only one of two got right (McNemar 1947)."""
    n, least = only_first + only_second, min(only_first, only_second)
    ways = sum(math.comb(n, k) for k in range(least + 1))
    return min(1.0, 2 * (ways / float(2**n)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for how many there are (Holm 1979), in the order given."""
    p, order = np.array(p_values), np.argsort(p_values, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1.0)
    return [float(value) for value in raised[np.argsort(order)]]


def macro_f1(truth: Sequence[Hashable], said: Sequence[Hashable]) -> float:
    """Mean F1 over the classes of `truth`; what was said beside them counts as missed."""
    scores = []
    for label in dict.fromkeys(truth):
        hit = sum(t == label == s for t, s in zip(truth, said, strict=True))
        claimed, there = sum(s == label for s in said), sum(t == label for t in truth)
        scores.append(2 * hit / (claimed + there))
    return sum(scores) / len(scores) if scores else math.nan


def auroc(label: Floats, score: Floats) -> float:
    """The chance that a positive scores above a negative, ties as halves."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    yes = float(label.sum())
    no = len(label) - yes
    return float((rank[label == 1].sum() - yes * (yes + 1) / 2) / (yes * no)) if yes and no else math.nan


class Bin(NamedTuple):
    """Items of like confidence: its mean, the share that was right, how many."""

    confidence: float
    right: float
    n: int


def reliability(confidence: Floats, right: Floats, bins: int = 10) -> list[Bin]:
    """The reliability diagram in bins of equal width, empty ones left out."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    each = [place == number for number in np.unique(place)]
    return [Bin(float(confidence[mine].mean()), float(right[mine].mean()), int(mine.sum())) for mine in each]


def calibration_error(confidence: Floats, right: Floats, bins: int = 10) -> float:
    """Expected calibration error (Naeini 2015): mean distance of the diagram from its diagonal, by items."""
    gaps = [row.n * abs(row.confidence - row.right) for row in reliability(confidence, right, bins)]
    return sum(gaps) / len(confidence) if gaps else math.nan


def coverage_curve(confidence: Floats, right: Floats) -> tuple[Floats, Floats]:
    """(coverage, accuracy) when only the most confident items are answered; equal confidences enter together."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    return (last + 1) / len(order), accuracy[last]


def risk_area(confidence: Floats, right: Floats) -> float:
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017): mean error over coverage, less is better."""
    coverage, accuracy = coverage_curve(confidence, right)
    widths = np.diff(coverage, prepend=0.0)
    return float(np.sum(widths * (1 - accuracy)))


def conformal_threshold(probability_of_truth: Floats, target: float = 0.9) -> float:
    """The least probability an option needs to stay in the prediction set, so that sets hold the right one with
    `target` probability on exchangeable items (split conformal, Angelopoulos and Bates 2023)."""
    n = len(probability_of_truth)
    rank = math.ceil((n + 1) * target)
    if rank > n:
        return 0.0  # too few items to promise it: every option stays
    return float(np.sort(probability_of_truth)[n - rank])


def _middle(values: Floats) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
