"""Are questions that are not medical told from medical ones, and does it keep the extractive path from answering them?

    OSLER_BENCH_DATA=DATA python benchmarks/scope.py [--part tune|report] [--each 25]

tests/sets/off_topic.jsonl beside as many questions of BioASQ (experts), MedicationQA (patients) and zh_im (Chinese).
*Outside*: `osler.reasoning.scope` says so; *answered*: the extractive path answers.
"""

import argparse
import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler import __version__
from osler.bench.runner import drawn
from osler.bench.task import Bench, rows
from osler.bench.tasks import find_task
from osler.reasoning.ask import Question, answer
from osler.reasoning.passages import passages_for
from osler.reasoning.resources import Run
from osler.reasoning.scope import nearness, outside
from osler.settings import load_settings
from osler.splits import split
from osler.statistics import statistic_interval, wilson

OFF = Path(__file__).resolve().parents[1] / "tests" / "sets" / "off_topic.jsonl"


class Judged(NamedTuple):
    kind: str
    near: float
    outside: bool
    answered: bool


def questions(bench: Bench, part: str, each: int) -> Iterator[tuple[str, str]]:
    for row in rows(OFF):
        if split("off_topic", row["id"]) == part:
            yield f"not medical, {row['language']}", row["question"]
    for item in drawn(find_task("bioasq_yesno").items(bench.data, part), each, 0):
        yield "BioASQ", item.question
    for item in drawn(find_task("retrieval_zh").items(bench.data, part), each, 0):
        yield "zh_im", item.query
    lay = (row for row in rows(bench.data / "qa/medicationqa.jsonl") if split("medicationqa", str(row["id"])) == part)
    for row in islice(lay, each):
        yield "MedicationQA", row["question"]


def auroc(judged: Sequence[Judged], drawn: Iterable[int]) -> float:
    """Of low nearness as a sign of what is not medical."""
    here = [judged[k] for k in drawn]
    off = np.array([one.near for one in here if one.kind.startswith("not medical")])
    med = np.array([one.near for one in here if not one.kind.startswith("not medical")])
    return float(np.mean((off[:, None] < med) + 0.5 * (off[:, None] == med))) if len(off) and len(med) else 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("tune", "report"), default="tune")
    parser.add_argument("--each", type=int, default=25)
    asked = parser.parse_args()
    bench = Bench(load_settings())
    judged = []
    for kind, text in questions(bench, asked.part, asked.each):
        run, question = Run(bench.resources, "bench"), Question(text=text, method="extractive")
        found = passages_for(question, run)
        far, made = outside(question, found, run), answer(question, run)
        judged.append(Judged(kind, nearness(text, found, run), far, made.abstained is None))
    print(f"osler {__version__}, {asked.part} parts\n")
    print("| questions | n | nearness, median | outside | answered |\n|---|---:|---:|---|---:|")
    for kind in dict.fromkeys(one.kind for one in judged):
        mine = [one for one in judged if one.kind == kind]
        hits, n = sum(one.outside for one in mine), len(mine)
        low, high = wilson(hits, n)
        answered, median = sum(one.answered for one in mine), np.median([one.near for one in mine])
        print(f"| {kind} | {n} | {median:.3f} | {hits} [{low:.2f}, {high:.2f}] | {answered} |")
    for language, ends in (("English", ("en", "BioASQ", "MedicationQA")), ("Chinese", ("zh", "zh_im"))):
        here = [one for one in judged if one.kind.endswith(ends)]
        low, high = statistic_interval(functools.partial(auroc, here), range(len(here)))
        print(f"\nAUROC of nearness, {language}: {auroc(here, range(len(here))):.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
