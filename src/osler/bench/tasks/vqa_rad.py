"""VQA-RAD (Lau et al. 2018): questions on radiology images.

`blind` asks a text model without the image: what language alone gives, which a model that sees must beat.
"""

import base64
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.bench.figures import Figure, Reply, figure, parts
from osler.bench.task import GENERATED, Bench, Task, rows, table
from osler.models import Message, Request
from osler.models.vision import vision_model

PROMPT: dict[str, str] = table("prompts")["vqa_rad"]
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


class Kind(Task):
    prompts = (*PROMPT.values(), _ARTICLES.pattern, _MARKS.pattern, _YES_NO.pattern)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path / "train.jsonl"):
            closed = row["answer_type"].strip() == "CLOSED"
            yield Item(str(row["qid"]), row["image_name"], row["question"], normalised(str(row["answer"])), closed)

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        if method != GENERATED:
            return super().ask(items, GENERATED, bench)
        model = vision_model(bench.settings)
        folder = bench.data / "images" / "vqa_rad" / "images"
        requests = [
            Request(messages=self.chat(item, method), max_tokens=self.tokens, images=[_png(folder / item.group)])
            for item in items
        ]
        made = model.generate(requests)
        replies = [self._heard(item, one) for item, one in zip(items, made, strict=True)]
        return [self._scored(reply, item, bench) for item, reply in zip(items, replies, strict=True)]

    def chat(self, item: Item, method: str) -> list[Message]:
        return [Message("system", PROMPT["system"]), Message("user", f"{item.question}\n{PROMPT['ask']}")]

    def parse(self, text: str, item: Item) -> str | None:
        said = normalised(text.splitlines()[0])
        found = _YES_NO.match(said)
        return found[1] if found else said or None

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        scores = {"right": float(said == item.answer)}
        return scores if item.closed else scores | {F1: token_f1(said, item.answer)}

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        found = [figure("right", replies, "accuracy, all", baseline=_majority(items))]
        for kind, mine in parts(items, replies, _kind, ("closed", "open")):
            name = "accuracy, closed" if kind == "closed" else "accuracy, open, exact match"
            found.append(figure("right", mine, name, baseline=_majority([one for one in items if _kind(one) == kind])))
            found += [figure(F1, mine, f"open, {F1}")] if kind == "open" else []
        return [row for row in found if row.n]


def normalised(text: str) -> str:
    """Lower case without marks and articles, one blank between words."""
    return " ".join(_ARTICLES.sub(" ", _MARKS.sub(" ", text.lower())).split())


def token_f1(said: str, answer: str) -> float:
    """Of the words two normalised texts have in common, as SQuAD scores it (Rajpurkar et al. 2016)."""
    first, second = said.split(), answer.split()
    common = sum((Counter(first) & Counter(second)).values())
    return 2 * common / (len(first) + len(second)) if common else 0.0


def _png(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _kind(item: Item) -> str:
    return "closed" if item.closed else "open"


def _majority(items: Sequence[Item]) -> dict[str, float]:
    """What the commonest answer to all would reach."""
    return {"majority": max(Counter(item.answer for item in items).values(), default=0) / max(len(items), 1)}
