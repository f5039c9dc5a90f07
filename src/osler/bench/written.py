"""Tasks that are answered in words: how an item is posed, how a reply is read and what it is worth.

A model writes (`generated`); methods without a model give a text that it must beat. It knows no metric.
"""

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from osler.bench.statistics import mean_interval, wilson
from osler.bench.task import Bench, Figure, Item, Method, Reply, Task
from osler.models import Message

GENERATED = "generated"
BESIDE = ": "  # "copy: ROUGE-1" is the score of the candidate `copy`, kept with each reply


class WrittenTask(Task):
    """`unread`: what a reply scores that can't be read; empty where it is only counted apart."""

    tokens = 320
    unread: dict[str, float] = {}
    about_generated = "a reply through the chat template"
    plain: tuple[Method, ...] = ()

    @abstractmethod
    def chat(self, item: Any) -> list[Message]:
        """The item as posed to a model."""

    @abstractmethod
    def parse(self, text: str, item: Any) -> Any | None:
        """What a reply says; None if that can't be read. Empty texts don't come here."""

    @abstractmethod
    def score(self, said: Any, item: Any, bench: Bench) -> dict[str, float]:
        """What was said, by metric; metrics that don't apply to the item are left out."""

    def without_model(self, item: Any, method: str) -> str:
        """The reply of a method of `plain`."""
        raise NotImplementedError(method)

    def methods(self) -> dict[str, Method]:
        own = Method(GENERATED, self.about_generated, model=True)
        return {method.name: method for method in (own, *self.plain)}

    def ask(self, items: Sequence[Any], method: str, bench: Bench) -> list[Reply]:
        if method == GENERATED:
            made = bench.generate([self.chat(item) for item in items], self.tokens)
            texts = [(one.text.strip(), one.seconds, one.finish == "length") for one in made]
        else:
            began = time.perf_counter()
            said = [self.without_model(item, method) for item in items]
            each = (time.perf_counter() - began) / len(items)
            texts = [(text, each, False) for text in said]
        return [self.reply(item, *text, bench) for item, text in zip(items, texts, strict=True)]

    def reply(self, item: Item, text: str, seconds: float, cut: bool, bench: Bench) -> Reply:
        """A text as the reply to an item. `cut`: it ended because it grew too long."""
        said = self.parse(text, item) if text else None
        why = "cut off" if cut else None if said is not None else "can't be read" if text else "empty reply"
        scores = dict(self.unread) if said is None else self.score(said, item, bench)
        return Reply(item.id, item.group, said, scores, text, why, seconds=round(seconds, 4))


def knowledge(bench: Bench) -> dict[str, str]:
    """Versions of what scores by Osler's own graph and embedder depend on."""
    return {**bench.resources.graph.versions, "embedder": bench.resources.embedder.info.digest[:16]}


def figure(metric: str, replies: Sequence[Reply], name: str | None = None, **baseline: float) -> Figure:
    """The mean of a metric over the replies that have it, called `name` if that is another; means of the same metric of
    other candidates ("copy: ROUGE-1") join its baselines."""
    scored = [reply for reply in replies if metric in reply.scores]
    unparsed = sum(reply.said is None for reply in replies)
    if not scored:
        return Figure(name or metric, 0.0, None, 0, unparsed, baseline)
    values = np.array([reply.scores[metric] for reply in scored])
    groups = [reply.group for reply in scored]
    several = len(set(groups))
    if bool(np.isin(values, (0.0, 1.0)).all()) and (several == len(groups) or len(set(values.tolist())) == 1):
        interval = wilson(round(values.mean() * several), several)  # drawing again can't see beyond all alike
    else:
        interval = mean_interval(values, groups)
    beside = {key for reply in replies for key in reply.scores if key.endswith(BESIDE + metric)}
    for key in sorted(beside):
        baseline[key.partition(BESIDE)[0]] = float(np.mean([r.scores[key] for r in replies if key in r.scores]))
    return Figure(name or metric, float(values.mean()), interval, len(scored), unparsed, baseline)
