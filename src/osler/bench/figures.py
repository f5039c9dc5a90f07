"""What was answered and what it measures: every Figure is made here, with its interval and what stands beside it.

It knows replies, not tasks.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.statistics import Interval, ratio_interval, statistic_interval, wilson

BESIDE = ": "  # "copy: ROUGE-1" is the score of the candidate `copy`, kept with each reply


class Reply(NamedTuple):
    """One item answered. `said`: what was read out of the output, None where nothing could be, and `why` says why.
    `scores`: this item's value by metric; the task's headline is among them unless the item could not be scored."""

    id: str
    group: str
    said: Any
    scores: dict[str, float]
    output: str | None = None
    why: str | None = None
    confidence: float | None = None
    shares: dict[str, float] | None = None
    seconds: float = 0.0


class Figure(NamedTuple):
    """One number of a run. `unparsed`: items whose reply could not be read, counted apart."""

    metric: str
    value: float
    interval: Interval | None
    n: int
    unparsed: int = 0
    baseline: Mapping[str, float] = {}


def figure(
    metric: str,
    replies: Sequence[Reply],
    name: str | None = None,
    per: Sequence[str] = (),
    baseline: Mapping[str, float] = {},
) -> Figure:
    """The mean of a metric over the replies that have it, called `name` if that is another; means of the same metric of
    other candidates ("copy: ROUGE-1") join its baselines. `per`: metrics of counts; then it is the sum of the metric
    over the mean of their sums (pooled precision or recall; with two of them F1), and `n` is what stands below."""
    scored = [reply for reply in replies if all(key in reply.scores for key in (metric, *per))]
    if not scored:
        return Figure(name or metric, 0.0, None, 0, unread(replies), baseline)
    above = np.array([reply.scores[metric] for reply in scored])
    below = np.array([np.mean([reply.scores[key] for key in per]) if per else 1.0 for reply in scored])
    whole, groups = float(below.sum()), [reply.group for reply in scored]
    several = len(set(groups))
    value = float(above.sum()) / whole if whole else 0.0
    binary = not per and bool(np.isin(above, (0.0, 1.0)).all())
    if binary and (several == len(groups) or value in (0.0, 1.0)):
        interval = wilson(round(value * several), several)  # drawing again can't see beyond all alike
    else:
        interval = ratio_interval(above, below, groups)
    others = sorted({key for reply in replies for key in reply.scores if key.endswith(BESIDE + metric)})
    means = {key: float(np.mean([r.scores[key] for r in replies if key in r.scores])) for key in others}
    beside = {**baseline, **{key.partition(BESIDE)[0]: mean for key, mean in means.items()}}
    return Figure(name or metric, value, interval, round(whole), unread(replies), beside)


def share(metric: str, right: float, n: int, unparsed: int = 0, baseline: Mapping[str, float] = {}) -> Figure:
    """`right` of `n`, with Wilson's interval."""
    return Figure(metric, right / n if n else 0.0, wilson(round(right), n), n, unparsed, baseline)


def statistic(
    metric: str,
    groups: Sequence[Hashable],
    made: Callable[[npt.NDArray[np.int64]], float],
    unparsed: int = 0,
    baseline: Mapping[str, float] = {},
) -> Figure:
    """What `made` makes of item numbers: of all of them, and of draws for the interval."""
    n = len(groups)
    return Figure(metric, made(np.arange(n)), statistic_interval(made, groups), n, unparsed, baseline)


def unread(replies: Sequence[Reply]) -> int:
    return sum(reply.said is None for reply in replies)


def parts(
    items: Sequence[Any], replies: Sequence[Reply], part: Callable[[Any], str], names: Sequence[str]
) -> list[tuple[str, list[Reply]]]:
    """The replies by what `part` calls their items, of each name that any has."""
    pairs = list(zip(items, replies, strict=True))
    found = [(name, [reply for item, reply in pairs if part(item) == name]) for name in names]
    return [(name, mine) for name, mine in found if mine]
