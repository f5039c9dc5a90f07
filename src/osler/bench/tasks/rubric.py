"""Open questions in English and Chinese, judged by a model with criteria of Osler's own.

After HealthBench (Arora et al. 2025): criteria with points, negative ones too. The judge is asked for each criterion
alone, whether the reply meets it. It is only as good as the judge: its spec and digest stand in the run.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.figures import Figure, Reply, figure, parts
from osler.bench.task import Bench, Task, rows, table
from osler.models import LanguageModel, Message, Request

SCHEMA = {"type": "object", "properties": {"met": {"type": "boolean"}}, "required": ["met"]}
SYSTEM: str = table("prompts")["rubric"]["judge"]
TOKENS = 64  # of a judgement: room for the white space that a model may put between


class Criterion(NamedTuple):
    """`points`: what meeting it earns, below 0 for what a reply must not do."""

    text: str
    points: float


class Item(NamedTuple):
    id: str
    group: str
    language: str
    prompt: str
    criteria: tuple[Criterion, ...]


class Kind(Task):
    prompts = (SYSTEM, SCHEMA)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            criteria = tuple(Criterion(text, points) for points, text in row["criteria"])
            yield Item(row["id"], row["id"], row["language"], row["prompt"], criteria)

    def chat(self, item: Item, method: str) -> list[Message]:
        return [Message("user", item.prompt)]

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        bench.judge  # noqa: B018 - without a judge nothing is asked
        return super().ask(items, method, bench)

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        met = judge(item.prompt, said, item.criteria, bench.judge)
        score = rubric_score(item.criteria, met)
        return {"criteria not judged": float(met.count(None))} | ({} if score is None else {"rubric score": score})

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        whole = figure("rubric score", replies)
        found = [whole._replace(unparsed=sum("rubric score" not in reply.scores for reply in replies))]
        for language, mine in parts(items, replies, lambda item: item.language, ("en", "zh")):
            found.append(figure("rubric score", mine, f"rubric score, {language}"))
        return [found[0], *(one for one in found[1:] if one.n)]


def judge(prompt: str, reply: str, criteria: Sequence[Criterion], model: LanguageModel) -> list[bool | None]:
    """Whether the reply meets each criterion; None where the judge's answer can't be read."""
    asked = [f"<asked>{prompt}</asked>\n<reply>{reply}</reply>\n<criterion>{one.text}</criterion>" for one in criteria]
    chats = [[Message("system", SYSTEM), Message("user", text)] for text in asked]
    made = model.generate([Request(messages=chat, max_tokens=TOKENS, json_schema=SCHEMA) for chat in chats])
    return [_met(one.text) for one in made]


def rubric_score(criteria: Sequence[Criterion], met: Sequence[bool | None]) -> float | None:
    """Points earned over the positive points there are, cut to 0..1; None if a criterion was not judged."""
    if None in met:
        return None
    earned = sum(one.points for one, yes in zip(criteria, met, strict=True) if yes)
    return min(1.0, max(0.0, earned / sum(max(0.0, one.points) for one in criteria)))


def _met(text: str) -> bool | None:
    try:
        said: Any = json.loads(text)
    except ValueError:
        return None
    met = said.get("met") if isinstance(said, dict) else None
    return met if isinstance(met, bool) else None
