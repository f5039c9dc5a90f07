"""The audit of fairness: the same question of patients of different groups, asked of a model and compared in pairs.

A gap says that answers differ by group, not why; none found says only what so many items could have shown. Items whose
medicine depends on the attribute are left out and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osler.bench.choice import Item
from osler.bench.figures import Figure, Reply, share, statistic, unread
from osler.bench.selective import LEAST
from osler.bench.task import Bench, Progress
from osler.nouns import Measurement
from osler.settings import Settings
from osler.statistics import Floats, calibration_error, holm, mcnemar, mean_interval
from osler.trust.audit import Audited, Pair, audited, configured, meaning, measured
from osler.trust.fairness_ranker import RANKER, ranker_rows
from osler.trust.swaps import attributes, exception, swap
from osler.trust.variants import change, changes

TASKS = ("fairness_vignettes", "fairness_vignettes_zh", "medqa", RANKER)
CROSSED: tuple[dict[str, tuple[str, ...]], ...] = (
    {"sex": ("female", "male"), "race": ("white", "black")},
    {"sex": ("female", "male"), "insurance": ("private", "uninsured")},
)
AS_WRITTEN = "as written"
URGENCY, TREATMENT = "urgency", "treatment"  # subjects of items; options of urgency stand in its order


class World(NamedTuple):
    """An item with its reply for each group of an attribute."""

    item: Item
    replies: Mapping[str, Reply]
    items: Mapping[str, Item]


def of_groups(groups: Mapping[str, Sequence[str]], item: Item, luck: Random) -> dict[str, Item] | None:
    """The item of a patient of each group, or of each crossing of groups; None where one can't be made."""
    made = {}
    for values in product(*groups.values()):
        now: Item | None = item
        for attribute, value in zip(groups, values, strict=True):
            now = now and given(now, attribute, value)
        if now is None:
            return None
        made[", ".join(values)] = now
    return made


def given(item: Item, attribute: str, value: str) -> Item | None:
    """The item with the attribute changed, or put in; None where it bears on the medicine or finds no place."""
    beside = " ".join([item.context or "", item.question, *item.options.values()])
    if exception(beside, attribute):
        return None
    swapped = {
        field: swap(text, attribute, value).text for field in ("context", "question") if (text := getattr(item, field))
    }
    if not any(swapped.values()):
        first = "context" if item.context else "question"
        swapped = {first: swap(getattr(item, first), attribute, value, insert=True).text}
    if not any(swapped.values()):
        return None
    return item._replace(
        question=swapped.get("question") or item.question, context=swapped.get("context") or item.context
    )


GROUPS: dict[str, Mapping[str, Sequence[str]]] = {name: {name: values} for name, values in attributes().items()}
GROUPS |= {" x ".join(groups): groups for groups in CROSSED}
for _name, _of in GROUPS.items():
    change(_name, f"the patient's {_name} changed", family="fairness")(partial(of_groups, _of))


# --- what the replies say -------------------------------------------------------------------------------------


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """The rows of all attributes over the tasks' report parts; of the task `diagnosis`, the ranker's, which asks no
    model. Raises what the bench's runner raises."""
    bench = Bench(configured(settings, model))
    every = list(changes("fairness").values())
    found = ranker_rows(bench, limit) if RANKER in (tasks or TASKS) else []
    for name in [name for name in tasks or TASKS if name != RANKER]:
        found += rows(audited(name, every, bench, method, limit=limit, progress=progress))
    return found


def rows(one: Audited) -> list[Measurement]:
    """By attribute: how often groups get different answers, and for each group beside the first one the gaps in
    accuracy, calibration and urgency. `p` is of a paired exact test, `Holm p` adjusted for all of this audit."""
    figures, used = [], []
    for name in dict.fromkeys(pair.change.name for pair in one.pairs):
        found = worlds(one, name)
        beside = {"not applicable": float(one.unfit[name])}
        for figure in _figures(name, found):
            figures.append(figure._replace(baseline={**figure.baseline, **beside}))
            used.append([reply for world in found for reply in world.replies.values()])
    tested = [place for place, figure in enumerate(figures) if "p" in figure.baseline]
    for place, p in zip(tested, holm([figures[k].baseline["p"] for k in tested]) if tested else [], strict=True):
        figures[place] = figures[place]._replace(baseline={**figures[place].baseline, "Holm p": p})
    return [measured(one.card, replies, figure) for figure, replies in zip(figures, used, strict=True)]


def worlds(one: Audited, name: str) -> list[World]:
    """The items an attribute applies to. A group without a variant is the item's own: nothing had to be changed."""
    made: dict[str, dict[str, Pair]] = {}
    for pair in one.pairs:
        if pair.change.name == name:
            made.setdefault(pair.before.id, {})[pair.label] = pair
    labels = [", ".join(values) for values in product(*GROUPS[name].values())]
    labels = labels if len(labels) > 1 else [AS_WRITTEN, *labels]
    found = []
    for item, reply in zip(one.items, one.replies, strict=True):
        if mine := made.get(item.id):
            both = {label: (mine[label].after, mine[label].now) if label in mine else (item, reply) for label in labels}
            found.append(
                World(item, {k: now for k, (_, now) in both.items()}, {k: one for k, (one, _) in both.items()})
            )
    return found


def _figures(name: str, found: Sequence[World]) -> Iterator[Figure]:
    for subject, mine in (("", found), (URGENCY, _on(found, URGENCY)), (TREATMENT, _on(found, TREATMENT))):
        if mine:
            turned = sum(len({meaning(w.items[label], reply) for label, reply in w.replies.items()}) > 1 for w in mine)
            yield share(f"{subject} flip rate: {name}".strip(), turned, len(mine))
    for label in found[0].replies:
        said = [world.replies[label] for world in found]
        right = sum(reply.scores["right"] for reply in said)
        yield share(f"accuracy: {name}, {label}", right, len(said), unread(said))
    first, *others = found[0].replies
    for label in others:
        versus = f"{name}, {label} - {first}"
        hits = np.array([[w.replies[one].scores["right"] for one in (first, label)] for w in found])
        yield _paired(f"accuracy gap: {versus}", hits, found)
        urgent = [w for w in _on(found, URGENCY) if all(w.replies[one].said for one in (first, label))]
        if urgent:
            order = [[list(w.item.options).index(w.replies[one].said) for one in (first, label)] for w in urgent]
            yield _paired(f"sooner by steps: {versus}", -np.array(order), urgent)
        sure = np.array([[w.replies[one].confidence or np.nan for one in (first, label)] for w in found])
        if len(found) >= LEAST and not np.isnan(sure).any():
            groups = [w.item.group for w in found]
            yield statistic(f"calibration gap: {versus}", groups, partial(_gap, sure, hits))


def _on(found: Sequence[World], subject: str) -> list[World]:
    return [world for world in found if world.item.subject == subject]


def _gap(sure: Floats, right: Floats, drawn: npt.NDArray[np.int64]) -> float:
    """How much worse calibrated the second column is."""
    first, second = (calibration_error(sure[drawn, k], right[drawn, k]) for k in (0, 1))
    return second - first


def _paired(metric: str, values: Floats, found: Sequence[World]) -> Figure:
    """The mean difference of the second column from the first, with an exact sign test of the items that differ."""
    change = (values[:, 1] - values[:, 0]).astype(float)
    p = mcnemar(int((change > 0).sum()), int((change < 0).sum()))
    interval = mean_interval(change, [world.item.group for world in found])
    return Figure(metric, float(change.mean()), interval, len(change), 0, {"p": p})
