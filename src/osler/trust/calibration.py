"""What a model's shares of options are worth: a temperature and a conformal threshold by kind of question.

Fitted on tune parts, measured on report parts, stored beside the model's privileges and used for `Answer.confidence`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from osler.bench.choice import ChoiceTask, Item
from osler.bench.figures import Figure, Reply, share, statistic
from osler.bench.runner import Finished, run
from osler.bench.selective import LEAST, TARGET, confident
from osler.bench.task import Progress
from osler.errors import InputError
from osler.ledger.chain import now
from osler.models.privileges import Calibration, Privileges
from osler.nouns import Measurement
from osler.reasoning.calibrated import kind, tempered
from osler.settings import Settings
from osler.statistics import calibration_error, conformal_threshold, mean_interval
from osler.trust.audit import TASKS, configured, measured

TEMPERATURES = np.exp(np.linspace(-1.5, 3.5, 201))


class Asked(NamedTuple):
    """A question that the model gave shares for."""

    item: Item
    reply: Reply
    shares: dict[str, float]

    @property
    def kind(self) -> str:
        return kind("zh" if self.item.language == "zh" else "en", bool(self.item.context))


def audit(
    settings: Settings,
    model: str,
    method: str | None = None,
    tasks: tuple[str, ...] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> list[Measurement]:
    """Fit on the tasks' tune parts and store it in the home's privilege sheet; the rows of their report parts."""
    mine = configured(settings, model)
    parts = [
        [run(name, mine, method, part, limit, progress=progress) for part in ("tune", "report")]
        for name in tasks or TASKS
    ]
    asked = [(one.card.task, each) for one, _ in parts for each in _asked(one)]
    fitted = {}
    for what in dict.fromkeys(each.kind for _, each in asked):
        alike = [each for _, each in asked if each.kind == what]
        named = sorted({name for name, each in asked if each.kind == what})
        if len(alike) >= LEAST and parts[0][0].card.model:
            fitted[what] = fit(alike, parts[0][0].card.model["digest"], what, named)
    Privileges(mine).calibrate(list(fitted.values()))
    return [row for _, finished in parts for row in _rows(finished, fitted)]


def fit(asked: Sequence[Asked], digest: str, what: str, tasks: Sequence[str]) -> Calibration:
    """The temperature under which the right options were likeliest (Guo et al. 2017), and the least chance of an option
    that stays (split conformal)."""
    surprise = [-sum(np.log(_chance(one, t)) for one in asked) for t in TEMPERATURES]
    temperature = round(float(TEMPERATURES[int(np.argmin(surprise))]), 4)
    least = conformal_threshold(np.array([_chance(one, temperature) for one in asked]), TARGET)
    about = {"model": digest, "kind": what, "n": len(asked), "tasks": list(tasks), "date": now(), "promised": TARGET}
    return Calibration(temperature=temperature, least=round(least, 6), **about)


def _chance(one: Asked, temperature: float) -> float:
    """Of the right option; never nothing, so that one sure mistake can be weighed."""
    return max(tempered(one.shares, temperature)[one.item.answer], 1e-9)


def _asked(finished: Finished) -> list[Asked]:
    """The replies with shares to questions with one right option. Raises InputError where the method gives none."""
    if not isinstance(finished.task, ChoiceTask):
        raise InputError(f"{finished.card.task} has no options to be sure of", hint="Calibration takes question tasks.")
    pairs = zip(finished.items, finished.replies, strict=True)
    found = [Asked(item, reply, reply.shares) for item, reply in pairs if reply.shares and item.answer in reply.shares]
    if not found:
        raise InputError(f"{finished.card.method} gives no shares of options", hint="The method letters does.")
    return found


def _rows(finished: Finished, fitted: dict[str, Calibration]) -> list[Measurement]:
    """Of a report part: calibration error before and after, coverage and size of the sets."""
    known = [(one, fitted[one.kind]) for one in _asked(finished) if one.kind in fitted]
    if not known:
        return []
    chances = [tempered(one.shares, by.temperature) for one, by in known]
    before = [one.reply for one, _ in known]
    after = [reply._replace(confidence=max(made.values())) for reply, made in zip(before, chances, strict=True)]
    sure, right, groups = confident(after)
    raw = calibration_error(*confident(before)[:2])
    sizes = [float(sum(c >= by.least for c in made.values())) for made, (_, by) in zip(chances, known, strict=True)]
    held = sum(made[one.item.answer] >= by.least for made, (one, by) in zip(chances, known, strict=True))
    options = float(np.mean([len(made) for made in chances]))
    beside = {"before": raw, "temperature": known[0][1].temperature, "accuracy": float(right.mean())}
    figures = [
        statistic("calibration error", groups, lambda drawn: calibration_error(sure[drawn], right[drawn]), 0, beside),
        share("conformal coverage", held, len(known), baseline={"promised": TARGET}),
        Figure("conformal set size", float(np.mean(sizes)), mean_interval(sizes), len(sizes), 0, {"options": options}),
    ]
    return [measured(finished.card, before, figure) for figure in figures]
