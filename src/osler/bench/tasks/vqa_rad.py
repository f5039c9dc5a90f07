"""VQA-RAD (Lau et al. 2018): questions on radiology images.

`blind` asks a text model without the image: what language alone gives, which a model that sees must beat.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.bench.task import Bench, Figure, Method, Reply, rows
from osler.bench.written import GENERATED, WrittenTask, figure
from osler.errors import MissingComponent
from osler.models import Message

SYSTEM = "You answer questions on radiology images. You can't see the image: give the likeliest answer."
ASK = "Answer yes or no if that answers it, else with as few words as you can. Write nothing else."
F1 = "token F1"
_ARTICLES = re.compile(r"\b(?:an?|the)\b")
_MARKS = re.compile(r"[^\w\s]|_")
_YES_NO = re.compile(r"(?:answer )?(?:is )?(yes|no)\b")


class Item(NamedTuple):
    """`answer`: normalised. `group`: the image's name. `closed`: answered by yes, no or an option in the question."""

    id: str
    group: str
    question: str
    answer: str
    closed: bool


class VqaRad(WrittenTask):
    name = "vqa_rad"
    about = "questions on 314 radiology images, closed and open"
    path = "images/vqa_rad"
    licence = "CC0"
    prompts = (SYSTEM, ASK, _ARTICLES.pattern, _MARKS.pattern, _YES_NO.pattern)
    tokens = 24
    unread = {"right": 0.0}

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path / "train.jsonl"):
            closed = row["answer_type"].strip() == "CLOSED"
            yield Item(str(row["qid"]), row["image_name"], row["question"], normalised(str(row["answer"])), closed)

    def methods(self) -> dict[str, Method]:
        return {
            "blind": Method("blind", "a text model without the image", model=True),
            GENERATED: Method(GENERATED, "a vision model with the image", model=False),
        }

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        if method == GENERATED:  # the one place where images would go to a model
            raise MissingComponent("no vision model is configured", hint="The method `blind` asks without the image.")
        return super().ask(items, GENERATED, bench)

    def chat(self, item: Item) -> list[Message]:
        return [Message("system", SYSTEM), Message("user", f"{item.question}\n{ASK}")]

    def parse(self, text: str, item: Item) -> str | None:
        said = normalised(text.splitlines()[0])
        found = _YES_NO.match(said)
        return found[1] if found else said or None

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        scores = {"right": float(said == item.answer)}
        return scores if item.closed else scores | {F1: token_f1(said, item.answer)}

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        found = [figure("right", replies, "accuracy, all", majority=_majority(items))]
        for name, closed in (("closed", True), ("open, exact match", False)):
            pairs = [(item, reply) for item, reply in zip(items, replies, strict=True) if item.closed == closed]
            majority = _majority([item for item, _ in pairs])
            found.append(figure("right", [reply for _, reply in pairs], f"accuracy, {name}", majority=majority))
        opened = [reply for item, reply in zip(items, replies, strict=True) if not item.closed]
        return [row for row in (*found, figure(F1, opened, f"open, {F1}")) if row.n]


def normalised(text: str) -> str:
    """Lower case without marks and articles, one blank between words."""
    return " ".join(_ARTICLES.sub(" ", _MARKS.sub(" ", text.lower())).split())


def token_f1(said: str, answer: str) -> float:
    """Of the words two normalised texts have in common, as SQuAD scores it (Rajpurkar et al. 2016)."""
    first, second = said.split(), answer.split()
    common = sum((Counter(first) & Counter(second)).values())
    return 2 * common / (len(first) + len(second)) if common else 0.0


def _majority(items: Sequence[Item]) -> float:
    """What the commonest answer to all would reach."""
    return max(Counter(item.answer for item in items).values(), default=0) / max(len(items), 1)


TASK = VqaRad()
