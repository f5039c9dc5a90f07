"""The admission test as a task: Osler's own items, each with its checker (`osler models admit` runs and decides)."""

import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from osler.bench.admission.checks import Item, mark, request
from osler.bench.admission.decide import parts_of
from osler.bench.choice import Item as Posed
from osler.bench.choice import messages, shares
from osler.bench.statistics import wilson
from osler.bench.task import Bench, Figure, Method, Reply, Task, rows
from osler.models import ScoreRequest
from osler.reasoning.prompts import prompts

CHECKS = "1"  # version of the checkers


class Admission(Task):
    name = "admission"
    about = "Osler's own admission test: options, faithful summaries, cited answers, JSON, negation, refusal, Chinese"
    path = str(files("osler.bench") / "admission" / "items.jsonl")
    licence = "CC0"
    headline = "passed"
    prompts = (prompts("admission"), prompts("cited"), CHECKS)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            fixed = {key: row.pop(key) for key in ("id", "kind", "language")}
            yield Item(group=fixed["id"], data=row, **fixed)

    def part(self, item: Item) -> str:
        return "report"

    def methods(self) -> dict[str, Method]:
        return {"admission": Method("admission", "as the product would ask", model=True)}

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        written = [item for item in items if item.kind != "options"]
        generated = bench.resources.model.generate([request(item) for item in written]) if written else []
        made = {item.id: text for item, text in zip(written, generated, strict=True)}
        replies = []
        for item in items:
            if item.kind == "options":
                replies.append(self._scored(item, bench))
                continue
            text, checked = made[item.id].text, mark(item, made[item.id])
            scores = {"passed": float(checked.passed)}
            reply = Reply(item.id, item.group, checked.said, scores, text, checked.why, seconds=made[item.id].seconds)
            replies.append(reply)
        return replies

    def _scored(self, item: Item, bench: Bench) -> Reply:
        began = time.perf_counter()
        options = dict(item.data["options"])
        posed = Posed(item.id, item.group, item.data["question"], options, item.answer, item.language)
        [scores] = bench.resources.model.score([ScoreRequest(messages(posed, generated=False), list(options))])
        likely = shares(scores)
        choice = max(likely, key=likely.__getitem__)
        passed = {"passed": float(choice == item.answer)}
        seconds = round(time.perf_counter() - began, 4)
        return Reply(item.id, item.group, choice, passed, None, None, likely[choice], likely, seconds)

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        passed, n = int(sum(reply.scores["passed"] for reply in replies)), len(replies)
        unread = {item.kind: 0 for item in items}
        for item, reply in zip(items, replies, strict=True):
            unread[item.kind] += reply.said is None
        whole = Figure("passed", passed / n, wilson(passed, n), n, sum(unread.values()))
        return [whole] + [
            Figure(f"{part.kind} ({part.language})", part.passed, part.interval, part.n, baseline={"floor": part.floor})
            for part in parts_of(items, replies)
        ]


TASK = Admission()
