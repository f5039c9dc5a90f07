"""Runs of the bench as one page that opens offline: tables, pictures, paired comparisons, the worst examples.

No script and no other host; the file holds what it shows. It measures nothing anew.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from itertools import combinations
from typing import Any

import jinja2

from osler import __version__
from osler.bench.compare import Comparison, compare
from osler.bench.pictures import Row, bars, coverage_picture, reliability_diagram
from osler.bench.runner import Finished, RunCard
from osler.bench.selective import LEAST, confident
from osler.bench.statistics import coverage_curve, holm, reliability, wilson
from osler.bench.task import Reply
from osler.errors import InputError
from osler.ledger.chain import now
from osler.text import shorten

EXAMPLES, FIELD = 12, 1500  # worst examples of a run; code points of a field
SUBJECTS = (2, 24)  # least and most subjects that make a picture


def report(finished: Sequence[Finished]) -> str:
    """The page as HTML. Runs of one task are compared in pairs."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["interval"] = lambda pair: f"[{pair[0]:.3f}, {pair[1]:.3f}]" if pair else ""
    page = environment.from_string((files("osler.bench") / "pages" / "report.html.jinja").read_text(encoding="utf-8"))
    return page.render(
        runs=[_section(run) for run in finished], compared=_compared(finished), made=now()[:16], version=__version__
    )


def _section(run: Finished) -> dict[str, Any]:
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
    tested = [k for k, row in enumerate(found) if row.p is not None]
    adjusted = dict(zip(tested, holm([p for row in found if (p := row.p) is not None]), strict=True))
    return [row._replace(adjusted=adjusted.get(k)) for k, row in enumerate(found)]


def _pictures(run: Finished) -> list[tuple[str, str]]:
    found = []
    headline = run.task.headline
    confidence, right, _ = confident(run.replies, headline)
    if len(right) >= LEAST:
        found.append(
            (reliability_diagram(reliability(confidence, right)), "On the dashed line a confidence is what it says.")
        )
        curve = coverage_picture([("", *coverage_curve(confidence, right))])
        found.append((curve, "Further left, fewer and surer answers. A flat line: the confidence tells nothing."))
    if subjects := _subjects(run):
        mean = sum(r.scores[headline] for r in run.replies if headline in r.scores) / max(1, len(run.replies))
        found.append(
            (bars("By subject", subjects, mean), "By subject, with 95% intervals; the dashed line is the whole.")
        )
    return found


def _subjects(run: Finished) -> list[Row]:
    """Share right by subject (or kind, or language) of the items, where items have one and are right or wrong."""
    by_subject: dict[str, list[float]] = {}
    for item, reply in zip(run.items, run.replies, strict=True):
        name = getattr(item, "subject", None) or getattr(item, "kind", None)
        if name and run.task.headline in reply.scores:
            by_subject.setdefault(str(name), []).append(reply.scores[run.task.headline])
    if not SUBJECTS[0] <= len(by_subject) <= SUBJECTS[1] or not all(
        v in (0, 1) for vs in by_subject.values() for v in vs
    ):
        return []
    return [
        Row(name, sum(values) / len(values), wilson(int(sum(values)), len(values)), len(values))
        for name, values in sorted(by_subject.items())
    ]


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
    value = reply.scores.get(headline, 0.0)
    verdict = "wrong" if headline in ("right", "passed") else f"{headline} {value:.2f}"
    if reply.said is None:
        verdict = f"not read: {reply.why}"
    asked = [
        (name, value)
        for name, value in item._asdict().items()
        if value and name not in ("id", "group", "language", "kind")
    ]
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
