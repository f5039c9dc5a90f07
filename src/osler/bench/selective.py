"""Answering less to be right more often: what a confidence is worth, and the agreement of several runs as one.

A confidence is a model's share of its options, what a method reports (from evidence), or how many runs agree.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from osler.bench.figures import Figure, Reply, share, statistic
from osler.errors import InputError
from osler.statistics import (
    Floats,
    calibration_error,
    conformal_threshold,
    coverage_curve,
    mean_interval,
    risk_area,
)

if TYPE_CHECKING:
    from osler.bench.runner import Finished

TARGET = 0.9  # coverage that conformal sets promise
LEAST = 20  # items below which no calibration is said


def confident(replies: Sequence[Reply], metric: str = "right") -> tuple[Floats, Floats, list[str]]:
    """Confidence, whether right, and group of the replies that have a confidence."""
    known = [reply for reply in replies if reply.confidence is not None and metric in reply.scores]
    confidence = np.array([reply.confidence for reply in known], dtype=np.float64)
    return confidence, np.array([reply.scores[metric] for reply in known]), [reply.group for reply in known]


def selective_figures(replies: Sequence[Reply], truths: Sequence[str] | None = None) -> list[Figure]:
    """Calibration error, area under risk-coverage, accuracy of the surer half, and, with options' shares and the
    right keys, the coverage and size of conformal sets. None where too few replies have a confidence."""
    sure, right, groups = confident(replies)
    if len(right) < LEAST:
        return []
    coverage, accuracy = coverage_curve(sure, right)
    half = int(np.searchsorted(coverage, 0.5))
    n = round(float(coverage[half] * len(right)))
    found = [
        statistic("calibration error", groups, lambda drawn: calibration_error(sure[drawn], right[drawn])),
        statistic(
            "risk-coverage area",
            groups,
            lambda drawn: risk_area(sure[drawn], right[drawn]),
            baseline={"any order": float(1 - right.mean())},
        ),
        share("accuracy of the surer half", round(float(accuracy[half] * n)), n),
    ]
    return found + (_conformal(replies, truths) if truths is not None else [])


def _conformal(replies: Sequence[Reply], truths: Sequence[str]) -> list[Figure]:
    """Prediction sets promised to hold the right option `TARGET` of the time: every second item sets the threshold, the
    others show what it keeps (split conformal, Angelopoulos and Bates 2023)."""
    pairs = [(r.shares, t) for r, t in zip(replies, truths, strict=True) if r.shares is not None and t in r.shares]
    if len(pairs) < 2 * LEAST:
        return []
    least = conformal_threshold(np.array([shares[truth] for shares, truth in pairs[::2]]), TARGET)
    sizes = np.array([sum(value >= least for value in shares.values()) for shares, _ in pairs[1::2]], dtype=np.float64)
    held = sum(shares[truth] >= least for shares, truth in pairs[1::2])
    return [
        share("conformal coverage", held, len(sizes), baseline={"promised": TARGET}),
        Figure("conformal set size", float(sizes.mean()), mean_interval(sizes), len(sizes)),
    ]


def agree(runs: Sequence["Finished"]) -> list[Figure]:
    """What several runs of one question task measure together: an item's answer is the one that most of them give (the
    earlier run's, of as many), its confidence the share of all runs that say so. Items that not every run has are left
    out. Raises InputError for runs of different tasks, or of a task without a right option."""
    if len({run.card.task for run in runs}) > 1 or len(runs) < 2:
        raise InputError("agreement takes two or more runs of one task")
    if any(getattr(item, "answer", None) is None for item in runs[0].items):
        raise InputError(f"{runs[0].card.task} has no right option to agree on")
    by_id = [{reply.id: reply for reply in run.replies} for run in runs]
    joined = []
    for item in runs[0].items:
        said = [replies[item.id].said for replies in by_id if item.id in replies]
        if len(said) == len(runs):
            counts = Counter(one for one in said if one is not None)
            choice, votes = counts.most_common(1)[0] if counts else (None, 0)
            right = {"right": float(choice == str(item.answer))}
            joined.append(Reply(item.id, item.group, choice, right, confidence=votes / len(runs)))
    if not joined:
        raise InputError("the runs have no item in common", hint="Give all the same --limit, --seed and --split.")
    hits = sum(reply.scores["right"] for reply in joined)
    return [share("accuracy", hits, len(joined)), *selective_figures(joined)]
