"""Open questions in English and Chinese, judged by a model with criteria of Osler's own (HealthBench's form)."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from osler.bench.metrics.rubric import SCHEMA, SYSTEM, Criterion, judge, rubric_score
from osler.bench.task import Bench, Figure, Reply, rows
from osler.bench.written import WrittenTask, figure
from osler.models import Message


class Item(NamedTuple):
    id: str
    group: str
    language: str
    prompt: str
    criteria: tuple[Criterion, ...]


class Rubric(WrittenTask):
    name = "rubric"
    about = "open questions judged by criteria with points; needs --judge"
    path = str(files("osler.bench") / "data" / "rubric.jsonl")
    licence = "CC0"
    headline = "rubric score"
    prompts = (SYSTEM, SCHEMA)
    batch = 4

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            criteria = tuple(Criterion(text, points) for points, text in row["criteria"])
            yield Item(row["id"], row["id"], row["language"], row["prompt"], criteria)

    def chat(self, item: Item) -> list[Message]:
        return [Message("user", item.prompt)]

    def parse(self, text: str, item: Item) -> str:
        return text

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        bench.judge  # noqa: B018 - without a judge nothing is asked
        return super().ask(items, method, bench)

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        met = judge(item.prompt, said, item.criteria, bench.judge)
        score = rubric_score(item.criteria, met)
        return {"criteria not judged": float(met.count(None))} | ({} if score is None else {"rubric score": score})

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        whole = figure("rubric score", replies)
        whole = whole._replace(unparsed=sum("rubric score" not in reply.scores for reply in replies))
        found = [whole]
        for language in ("en", "zh"):
            mine = [reply for item, reply in zip(items, replies, strict=True) if item.language == language]
            found.append(figure("rubric score", mine, f"rubric score, {language}"))
        return [*found[:1], *(one for one in found[1:] if one.n)]


TASK = Rubric()
