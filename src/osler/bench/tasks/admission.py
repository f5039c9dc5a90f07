"""The admission test as a task: Osler's own items, each with its checker (`osler models admit` runs and decides)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from osler.bench.admission.checks import Item, evidence_of, mark, request
from osler.bench.admission.decide import parts_of
from osler.bench.choice import Item as Posed
from osler.bench.choice import messages
from osler.bench.figures import Figure, Reply, share, unread
from osler.bench.task import LETTERS, Bench, Task, rows
from osler.models import Message
from osler.reasoning.judging import LABELS, PRIVILEGE, question
from osler.reasoning.prompts import prompts

CHECKS = "1"  # version of the checkers
SCORED = ("options", PRIVILEGE)


class Kind(Task):
    prompts = (prompts("admission"), prompts("cited"), prompts("verify"), CHECKS)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            fixed = {key: row.pop(key) for key in ("id", "kind", "language")}
            yield Item(group=fixed["id"], data=row, **fixed)

    def chat(self, item: Item, method: str) -> list[Message]:
        if item.kind == PRIVILEGE:
            return question(item.data["statement"], evidence_of(item))
        options = item.data["options"]
        return messages(Posed(item.id, item.group, item.data["question"], options, item.answer, item.language), False)

    def labels(self, item: Item) -> list[str]:
        return list(LABELS if item.kind == PRIVILEGE else item.data["options"])

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        return {"passed": float(said == item.answer)}

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        scored = [item for item in items if item.kind in SCORED]
        written = [item for item in items if item.kind not in SCORED]
        replies = super().ask(scored, LETTERS, bench) if scored else []
        generated = bench.resources.model.generate([request(item) for item in written]) if written else []
        for item, made in zip(written, generated, strict=True):
            passed, said, why = mark(item, made)
            scores = {"passed": float(passed)}
            replies.append(self.reply(item, said, scores=scores, output=made.text, why=why, seconds=made.seconds))
        by_id = {reply.id: reply for reply in replies}
        return [by_id[item.id] for item in items]

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        passed = sum(reply.scores["passed"] for reply in replies)
        parts = [
            Figure(f"{part.kind} ({part.language})", part.passed, part.interval, part.n, baseline={"floor": part.floor})
            for part in parts_of(items, replies)
        ]
        return [share("passed", passed, len(replies), unread(replies)), *parts]
