"""Two runs over the same items: the paired difference, its interval and its chance. It decides nothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from osler.bench.runner import Finished
from osler.errors import InputError
from osler.statistics import Interval, holm, mcnemar, mean_interval


class Comparison(NamedTuple):
    """Of a metric's mean, `second` minus `first`, over the items both have it for. `p`: exact McNemar where each item
    is right or wrong, null else (the interval tells); `adjusted`: Holm's, over all pairs compared in one call."""

    first: str
    second: str
    task: str
    metric: str
    n: int
    values: tuple[float, float]
    difference: float
    interval: Interval
    only_first: int
    only_second: int
    p: float | None
    adjusted: float | None = None


def compare(first: Finished, second: Finished, metric: str | None = None) -> Comparison:
    """`metric`: the task's headline if none is named. Raises InputError for runs of different tasks, without common
    items, or a metric that items don't have."""
    if first.card.task != second.card.task:
        raise InputError(f"{first.card.task} and {second.card.task} are different tasks")
    chosen = metric or first.task.headline
    other = {reply.id: reply for reply in second.replies}
    both = [(reply, other[reply.id]) for reply in first.replies if reply.id in other]
    if not both:
        raise InputError("the two runs have no item in common", hint="Give both the same --limit, --seed and --split.")
    pairs = [(a, b) for a, b in both if chosen in a.scores and chosen in b.scores]
    if not pairs:
        known = sorted({name for pair in both for reply in pair for name in reply.scores})
        raise InputError(f"no item has the metric {chosen!r} in both runs", hint=f"Known: {', '.join(known)}.")
    values = np.array([(a.scores[chosen], b.scores[chosen]) for a, b in pairs])
    difference = values[:, 1] - values[:, 0]
    more, less = int((difference > 0).sum()), int((difference < 0).sum())
    binary = bool(np.isin(values, (0.0, 1.0)).all())
    return Comparison(
        first=first.card.id,
        second=second.card.id,
        task=first.card.task,
        metric=chosen,
        n=len(pairs),
        values=(float(values[:, 0].mean()), float(values[:, 1].mean())),
        difference=float(difference.mean()),
        interval=mean_interval(difference, [a.group for a, _ in pairs]),
        only_first=less,
        only_second=more,
        p=mcnemar(less, more) if binary else None,
    )


def compare_all(first: Finished, others: Sequence[Finished], metric: str | None = None) -> list[Comparison]:
    """Each of several runs against one, with p values adjusted for how many pairs there are."""
    return adjusted([compare(first, other, metric) for other in others])


def adjusted(found: Sequence[Comparison]) -> list[Comparison]:
    """With the p values of those that have one adjusted for how many there are (Holm)."""
    by_place = {k: row.p for k, row in enumerate(found) if row.p is not None}
    ps = dict(zip(by_place, holm(list(by_place.values())), strict=True))
    return [row._replace(adjusted=ps.get(k)) for k, row in enumerate(found)]
