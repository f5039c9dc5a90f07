"""Runs of the bench as one page that opens offline: tables, pictures, paired comparisons, the worst examples.

No script and no other host; the file holds what it shows. It measures nothing anew.
"""

import json
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from osler import __version__
from osler.bench.compare import Comparison, adjusted, compare
from osler.bench.figures import Figure, Reply, share
from osler.bench.pictures import bars, coverage_picture, reliability_diagram, template
from osler.bench.runner import Finished, RunCard
from osler.bench.selective import LEAST, confident
from osler.errors import InputError
from osler.ledger.chain import now
from osler.statistics import coverage_curve, reliability
from osler.text import shorten

EXAMPLES, FIELD = 12, 1500  # worst examples of a run; code points of a field
SUBJECTS = range(2, 25)  # how many subjects make a picture
UNSHOWN = ("id", "group", "language", "kind")


def report(finished: Sequence[Finished]) -> str:
    """The page as HTML. Runs of one task are compared in pairs."""
    runs, compared = [section(run) for run in finished], _compared(finished)
    return template("report.html.jinja").render(runs=runs, compared=compared, made=now()[:16], version=__version__)


def section(run: Finished) -> dict[str, Any]:
    """What a page shows of a run: its figures, pictures, worst examples, and the command that makes it again."""
    return {
        "card": run.card,
        "about": run.task.about,
        "model": run.card.model["spec"] if run.card.model else "no model",
        "rows": run.measurements,
        "pictures": _pictures(run),
        "examples": _examples(run),
        "command": _command(run.card),
    }


def _compared(finished: Sequence[Finished]) -> list[Comparison]:
    found = []
    for first, second in combinations(finished, 2):
        if first.card.task == second.card.task:
            try:
                found.append(compare(first, second))
            except InputError:  # no item or no metric in common: nothing to compare
                continue
    return adjusted(found)


def _pictures(run: Finished) -> list[tuple[str, str]]:
    """(picture, caption)."""
    found = []
    sure, right, _ = confident(run.replies, run.task.headline)
    if len(right) >= LEAST:
        diagram = reliability_diagram(reliability(sure, right))
        curve = coverage_picture([("", *coverage_curve(sure, right))])
        found.append((diagram, "On the dashed line a confidence is what it says."))
        found.append((curve, "Further left, fewer and surer answers. A flat line: the confidence tells nothing."))
    scores = [reply.scores[run.task.headline] for reply in run.replies if run.task.headline in reply.scores]
    if subjects := _subjects(run):
        drawn = bars("By subject", subjects, sum(scores) / len(scores))
        found.append((drawn, "By subject, with 95% intervals; the dashed line is the whole."))
    return found


def _subjects(run: Finished) -> list[Figure]:
    """Share right by subject (or kind) of the items, where items have one and are right or wrong."""
    by_subject: dict[str, list[float]] = {}
    for item, reply in zip(run.items, run.replies, strict=True):
        name = getattr(item, "subject", None) or getattr(item, "kind", None)
        if name and run.task.headline in reply.scores:
            by_subject.setdefault(str(name), []).append(reply.scores[run.task.headline])
    if len(by_subject) not in SUBJECTS or not all(value in (0, 1) for one in by_subject.values() for value in one):
        return []
    return [share(name, sum(values), len(values)) for name, values in sorted(by_subject.items())]


def _examples(run: Finished) -> list[dict[str, Any]]:
    """The worst replies: least of the headline metric, the most sure of them first; then what could not be read."""
    headline = run.task.headline
    items = {item.id: item for item in run.items}
    scored = [reply for reply in run.replies if reply.said is not None and reply.scores.get(headline, 1.0) < 0.5]
    scored.sort(key=lambda reply: (reply.scores[headline], -(reply.confidence or 0.0)))
    unread = [reply for reply in run.replies if reply.said is None]
    half = EXAMPLES // 2
    chosen = scored[: EXAMPLES - min(half, len(unread))] + unread[:half]
    return [_example(items[reply.id], reply, headline) for reply in chosen]


def _example(item: Any, reply: Reply, headline: str) -> dict[str, Any]:
    verdict = "wrong" if headline in ("right", "passed") else f"{headline} {reply.scores.get(headline, 0.0):.2f}"
    if reply.said is None:
        verdict = f"not read: {reply.why}"
    asked = [(name, value) for name, value in item._asdict().items() if value and name not in UNSHOWN]
    said = [("said", reply.said), ("why", reply.why), ("reply", reply.output)]
    fields = [(name, _text(value)) for name, value in asked + said if value is not None]
    begins = shorten(next((value for _, value in asked if isinstance(value, str)), ""), 90)
    return {"id": reply.id, "begins": begins, "verdict": verdict, "confidence": reply.confidence, "fields": fields}


def _text(value: Any) -> str:
    if isinstance(value, dict) and all(isinstance(v, str | int | float) for v in value.values()):
        return shorten("\n".join(f"{key}  {text}" for key, text in value.items()), FIELD)
    return shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), FIELD)


def _command(card: RunCard) -> str:
    parts = [f"osler bench run {card.source or card.task} --method {card.method} --split {card.split}"]
    if card.limit is not None:
        parts.append(f"--limit {card.limit} --seed {card.seed}")
    parts += [f"--{name} {value['spec']}" for name, value in (("model", card.model), ("judge", card.judge)) if value]
    return " ".join(parts)
