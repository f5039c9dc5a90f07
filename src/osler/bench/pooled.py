"""Figures over what many items hold together (mentions, identifiers), where a mean of items overweighs small ones."""

from collections.abc import Sequence

import numpy as np

from osler.bench.statistics import ratio_interval
from osler.bench.task import Figure, Reply


def pooled(metric: str, replies: Sequence[Reply], above: str, *below: str) -> Figure:
    """Sum of the counts `above` over the mean of the sums of `below` (two of them: F1); items without them are left
    out, groups are drawn again for the interval. `n`: what stands below the line in all."""
    counted = [reply for reply in replies if all(name in reply.scores for name in (above, *below))]
    high = np.array([reply.scores[above] for reply in counted])
    low = np.array([np.mean([reply.scores[name] for name in below]) for reply in counted])
    whole = float(low.sum())
    interval = ratio_interval(high, low, [reply.group for reply in counted]) if counted else None
    unread = sum(reply.said is None for reply in replies)
    return Figure(metric, float(high.sum()) / whole if whole else 0.0, interval, round(whole), unread)
