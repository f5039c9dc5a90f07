"""From marks to privileges: a floor for each kind, and the kinds that each privilege rests on.

A kind is passed when the lower end of its 95% interval is above its floor, so a small lucky run admits nothing. The
floors are Osler's own decision, stated in `data/admission.toml` and docs/decisions/admission.md. It asks no model.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.bench.admission.checks import Item
from osler.bench.figures import Reply
from osler.bench.task import table
from osler.statistics import wilson


class Part(NamedTuple):
    """One kind of one language, or several together: share passed, interval, floor that its lower end must exceed."""

    kind: str
    language: str
    passed: float
    interval: tuple[float, float]
    n: int
    floor: float

    @property
    def holds(self) -> bool:
        return self.interval[0] > self.floor


class Decision(NamedTuple):
    task: str
    granted: bool
    parts: list[Part]


def parts_of(items: Sequence[Item], replies: Sequence[Reply]) -> list[Part]:
    """Every kind in English, and again in Chinese."""
    kinds = dict.fromkeys(item.kind for item in items)
    found = [_part(items, replies, language, kind) for language in ("en", "zh") for kind in kinds]
    return [part for part in found if part.n]


def decide(items: Sequence[Item], replies: Sequence[Reply]) -> list[Decision]:
    """Each privilege with the parts it rests on, English ones; "chinese" rests on the Chinese options above their
    majority and on the other Chinese items of its kinds taken together."""
    words = table("admission")
    resting = {task: [_part(items, replies, "en", kind) for kind in kinds] for task, kinds in words["needed"].items()}
    together = _part(items, replies, "zh", *words["chinese"]["kinds"], floor=words["chinese"]["floor"])
    resting["chinese"] = [_part(items, replies, "zh", "options"), together]
    return [Decision(task, all(part.holds for part in parts), parts) for task, parts in resting.items()]


def measured(decision: Decision, run: str) -> dict[str, Any]:
    """What a privilege row keeps: its weakest part as the headline, every part, and the run they come from."""
    weakest = min(decision.parts, key=lambda part: part.interval[0] - part.floor)
    parts = [{**part._asdict(), "holds": part.holds} for part in decision.parts]
    headline = {"metric": f"{weakest.kind} passed", "value": weakest.passed, "interval": list(weakest.interval)}
    return {**headline, "n": weakest.n, "floor": weakest.floor, "parts": parts, "run": run}


def _part(
    items: Sequence[Item], replies: Sequence[Reply], language: str, *kinds: str, floor: float | None = None
) -> Part:
    marks = {reply.id: reply.scores["passed"] for reply in replies}
    mine = [item for item in items if item.kind in kinds and item.language == language]
    passed, n = int(sum(marks[item.id] for item in mine)), len(mine)
    if floor is None:
        keys = [item.answer for item in mine]
        commonest = max((keys.count(key) for key in keys), default=0) / max(1, n)
        floor = commonest if kinds == ("options",) else table("admission")["floors"][kinds[0]]
    return Part(", ".join(kinds), language, passed / max(1, n), wilson(passed, n), n, floor)
