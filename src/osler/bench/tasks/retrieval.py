"""Search over BEIR folders (Thakur et al. 2021): a corpus, queries, and graded judgements of which documents answer.

Documents count by their best passage. Each corpus becomes a library of its own below `OSLER_HOME/bench/libraries`,
built on the first run; what a kill interrupts goes on with the next. It knows rankings, not how they are made.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.figures import Reply
from osler.bench.task import Bench, Task, rows
from osler.errors import InputError, MissingComponent
from osler.knowledge.library import Library, Mode, run_queries
from osler.knowledge.library.library import LEXICAL, create_library

METRICS = ("nDCG@10", "Recall@100", "MRR")
DEPTH = 100  # documents of a ranking
FUSION = 60  # the constant of reciprocal rank fusion
MODES: dict[str, tuple[Mode, ...]] = {
    "osler": ("hybrid",),
    "bm25": ("bm25",),
    "vectors": ("vector",),
    "rrf": ("bm25", "vector"),
}


class Item(NamedTuple):
    """`relevant`: grades above 0 by document."""

    id: str
    group: str
    query: str
    relevant: dict[str, int]


class Kind(Task):
    prompts = (DEPTH, FUSION, METRICS)

    def __init__(self, keys: dict[str, Any]) -> None:
        super().__init__(keys)
        self._open: dict[Path, Library] = {}

    def read(self, path: Path) -> Iterator[Item]:
        judged = judgements(_one(path, "qrels.tsv", "test.tsv", "qrels/test.tsv"))
        for row in rows(_one(path, "queries.jsonl", "queries.jsonl.gz")):
            name = str(row["_id"])
            if name in judged:
                yield Item(name, name, row["text"], judged[name])

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return {"library": self.library(bench).version}

    def library(self, bench: Bench) -> Library:
        """The corpus as a library, built or completed first. Raises InputError for a line that is no document."""
        embedder = None if bench.settings.models.embedder == LEXICAL else bench.resources.embedder
        made_by = embedder.info.digest[:8] if embedder else LEXICAL
        path = bench.settings.home / "bench" / "libraries" / f"{self.data_set}-{made_by}"
        if path not in self._open:
            corpus = _one(bench.data / self.path, "corpus.jsonl", "corpus.jsonl.gz")
            if not path.exists():
                create_library(path, embedder)
            library = Library(path, (lambda: embedder) if embedder else None)
            report = library.add([corpus], bench.progress, collection=self.data_set)
            if report.errors:
                first = report.errors[0]
                raise InputError(f"the corpus can't be read whole: {first['message']}", where=first["where"])
            self._open[path] = library
        return self._open[path]

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        library, began = self.library(bench), time.perf_counter()
        asked = [(str(number), item.query) for number, item in enumerate(items)]
        found = [_orders(library, asked, mode) for mode in MODES[method]]
        orders = found[0] if len(found) == 1 else [fused(pair) for pair in zip(*found, strict=True)]
        each = round((time.perf_counter() - began) / len(items), 4)
        return [
            self.reply(item, order[:10], scores=judge(order, item.relevant), seconds=each)
            for item, order in zip(items, orders, strict=True)
        ]


def judge(order: Sequence[str], relevant: dict[str, int]) -> dict[str, float]:
    """The ranking's metrics; nDCG with linear gains, as trec_eval's ndcg_cut."""
    discounts = [1 / math.log2(place + 2) for place in range(10)]
    ideal = sorted(relevant.values(), reverse=True)
    gain = sum(relevant.get(name, 0) * weight for name, weight in zip(order, discounts, strict=False))
    best = sum(grade * weight for grade, weight in zip(ideal, discounts, strict=False))
    first = next((1 / place for place, name in enumerate(order, start=1) if name in relevant), 0.0)
    recall = len(set(order[:DEPTH]) & relevant.keys()) / len(relevant)
    return dict(zip(METRICS, (gain / best, recall, first), strict=True))


def fused(orders: Sequence[Sequence[str]]) -> list[str]:
    """Several rankings as one by the sum of 1 / (60 + place); ties by name."""
    scores: defaultdict[str, float] = defaultdict(float)
    for order in orders:
        for place, name in enumerate(order, start=1):
            scores[name] += 1 / (FUSION + place)
    return sorted(scores, key=lambda name: (-scores[name], name))[:DEPTH]


def judgements(path: Path) -> dict[str, dict[str, int]]:
    """Grades above 0 by query and document, of a BEIR table. Raises InputError naming the line."""
    found: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                query, document, grade = line.rstrip("\n").split("\t")
                if number > 1 and int(grade) > 0:
                    found.setdefault(query, {})[document] = int(grade)
            except ValueError:
                where = f"{path}, line {number}"
                raise InputError("not a judgement (query, document, grade by tabs)", where=where) from None
    return found


def _orders(library: Library, asked: Sequence[tuple[str, str]], mode: Mode) -> list[list[str]]:
    orders: list[list[str]] = [[] for _ in asked]
    for line in run_queries(library, asked, DEPTH, mode=mode):
        query, _, document, *_ = line.split(" ")
        orders[int(query)].append(document.replace("%20", " "))
    return orders


def _one(folder: Path, *names: str) -> Path:
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise MissingComponent(f"the folder has no {' or '.join(names)}", where=str(folder))
    return found
