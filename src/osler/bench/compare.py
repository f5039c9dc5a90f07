"""Two runs over the same items: the paired difference, its interval and its chance. It decides nothing."""

from typing import NamedTuple

import numpy as np

from osler.bench.runner import Finished
from osler.bench.statistics import Interval, mcnemar, mean_interval
from osler.errors import InputError


class Comparison(NamedTuple):
    """Of accuracy, `second` minus `first`, over the items both answered. `p`: exact McNemar, of this pair alone: with
    several pairs it must be adjusted for their number (`statistics.holm`)."""

    first: str
    second: str
    task: str
    n: int
    accuracy: tuple[float, float]
    difference: float
    interval: Interval
    only_first: int
    only_second: int
    p: float


def compare(first: Finished, second: Finished) -> Comparison:
    """Raises InputError for runs of different tasks or without common items."""
    if first.card.task != second.card.task:
        raise InputError(f"{first.card.task} and {second.card.task} are different tasks")
    other = {reply.id: reply for reply in second.replies}
    pairs = [(reply, other[reply.id]) for reply in first.replies if reply.id in other]
    if not pairs:
        raise InputError("the two runs have no item in common", hint="Give both the same --limit, --seed and --split.")
    right = np.array([(float(a.right), float(b.right)) for a, b in pairs])
    only_first = sum(a.right and not b.right for a, b in pairs)
    only_second = sum(b.right and not a.right for a, b in pairs)
    difference = right[:, 1] - right[:, 0]
    return Comparison(
        first=first.card.id,
        second=second.card.id,
        task=first.card.task,
        n=len(pairs),
        accuracy=(float(right[:, 0].mean()), float(right[:, 1].mean())),
        difference=float(difference.mean()),
        interval=mean_interval(difference, [a.group for a, _ in pairs]),
        only_first=only_first,
        only_second=only_second,
        p=mcnemar(only_first, only_second),
    )
