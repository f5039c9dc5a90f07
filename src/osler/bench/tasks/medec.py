"""MEDEC (Ben Abacha et al. 2025): find the one wrong statement of a clinical note, and repair it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.bench.choice import shares
from osler.bench.metrics.likeness import NAME as LIKENESS
from osler.bench.metrics.likeness import likeness
from osler.bench.metrics.rouge import rouge
from osler.bench.statistics import ratio_interval
from osler.bench.task import Bench, Figure, Method, Reply, rows
from osler.bench.written import BESIDE, WrittenTask, figure, knowledge
from osler.models import Message, ScoreRequest

SYSTEM = "You review clinical notes for errors of diagnosis, cause, management, treatment or drugs."
REPAIR = (
    "The numbered sentences are a note that has one wrong statement or none. If nothing is wrong, answer: CORRECT. "
    "Else answer with one line: the number of the wrong sentence, then the corrected sentence."
)
FLAG = "The numbered sentences are a clinical note. Is one statement medically wrong?\nA. yes\nB. no\nAnswer A or B."
_LINE = re.compile(r"^\s*(\d+) (.*?)\s*$", re.M)
_SAID = re.compile(r"^\W*(?:(?:wrong )?sentence |number |error:? ?)*#?(\d{1,3})\b[\s.:)\-–]*(.*)", re.I | re.M)
_CORRECT = re.compile(r"\bcorrect\b(?!ed|ion)|\bno (?:error|mistake)|\bnothing is wrong", re.I)


class Item(NamedTuple):
    """`error`: the number of the wrong sentence, -1 for none; `wrong`: its text. `group`: how the right note begins."""

    id: str
    group: str
    sentences: dict[str, str]
    error: int
    wrong: str
    corrected: str | None


class Said(NamedTuple):
    """`sentence`: -1 for no error, None where only the flag was asked."""

    flag: bool
    sentence: int | None = None
    correction: str | None = None


def group_of(row: dict[str, str]) -> str:
    """What is split whole: variants of a note begin alike once corrected."""
    return " ".join((row["Corrected Text"] if row["Error Flag"] == "1" else row["Text"]).split())[:100]


class Medec(WrittenTask):
    name = "medec"
    about = "find and repair the one wrong statement of a note; 56% have one"
    path = "qa/medec_val.jsonl.gz"
    licence = "CC BY 4.0"
    headline = "flag"
    prompts = (SYSTEM, REPAIR, FLAG, _SAID.pattern, _CORRECT.pattern)
    tokens = 120
    unread = {"flag": 0.0, "sentence": 0.0}
    plain = (Method("letters", "yes or no as the next token: the flag alone", model=True),
             Method("never", "calls every note correct", model=False))  # fmt: skip

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return knowledge(bench)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            numbered = dict(_LINE.findall(row["Sentences"]))
            corrected = row["Corrected Sentence"] if row["Error Flag"] == "1" else None
            error = int(row["Error Sentence ID"])
            yield Item(row["Text ID"], group_of(row), numbered, error, row["Error Sentence"], corrected)

    def chat(self, item: Item, task: str = REPAIR) -> list[Message]:
        note = "\n".join(f"{number} {text}" for number, text in item.sentences.items())
        return [Message("system", SYSTEM), Message("user", f"{task}\n\n{note}")]

    def parse(self, text: str, item: Item) -> Said | None:
        if (found := _SAID.search(text)) and found[1] in item.sentences:
            return Said(True, int(found[1]), found[2].strip() or None)
        return Said(False, -1) if _CORRECT.search(text) else None

    def without_model(self, item: Item, method: str) -> str:
        return "CORRECT"

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        if method != "letters":
            return super().ask(items, method, bench)
        scored = bench.score([ScoreRequest(self.chat(item, FLAG), ["A", "B"]) for item in items])
        replies = []
        for item, scores in zip(items, scored, strict=True):
            if not scores:
                replies.append(Reply(item.id, item.group, None, dict(self.unread), why="too long for the model"))
                continue
            chances = shares(scores)
            said = Said(chances["A"] > chances["B"])
            right = {"flag": float(said.flag == (item.error >= 0))}
            sure = max(chances.values())
            replies.append(Reply(item.id, item.group, said, right, confidence=sure, shares=chances))
        return replies

    def score(self, said: Said, item: Item, bench: Bench) -> dict[str, float]:
        found = {"flag": float(said.flag == (item.error >= 0)), "sentence": float(said.sentence == item.error)}
        if said.correction and item.corrected:
            for name, text in (("", said.correction), (f"unchanged{BESIDE}", item.wrong)):
                like = likeness(text, item.corrected, bench.resources.embedder)
                found[f"{name}correction ROUGE-1"] = rouge(text, item.corrected)["ROUGE-1"]
                found |= {f"{name}correction {LIKENESS}": like} if like is not None else {}
        return found

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        truth = np.array([item.error >= 0 for item in items], dtype=np.float64)
        said = np.array([bool(reply.said and reply.said[0]) for reply in replies], dtype=np.float64)
        hits, both, wrong = truth * said, (truth + said) / 2, float(truth.mean())
        f1 = float(hits.sum() / both.sum()) if both.any() else 0.0
        interval = ratio_interval(hits, both, [item.group for item in items])
        unread = sum(reply.said is None for reply in replies)
        found = [
            figure("flag", replies, "error flag accuracy", always=wrong, never=1 - wrong),
            Figure("error flag F1", f1, interval, len(items), unread, {"always": 2 * wrong / (1 + wrong)}),
            figure("sentence", replies, "error sentence accuracy", never=1 - wrong),
            *(figure(metric, replies) for metric in ("correction ROUGE-1", f"correction {LIKENESS}")),
        ]
        return [one for one in found if one.n]


TASK = Medec()
