"""MEDEC (Ben Abacha et al. 2025): find the one wrong statement of a clinical note, and repair it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.bench.figures import BESIDE, Figure, Reply, figure
from osler.bench.metrics.texts import LIKENESS, likeness, rouge
from osler.bench.task import GENERATED, Bench, Task, rows, table
from osler.models import Message

PROMPT: dict[str, str] = table("prompts")["medec"]
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


class Kind(Task):
    prompts = (*PROMPT.values(), _SAID.pattern, _CORRECT.pattern)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            numbered = dict(_LINE.findall(row["Sentences"]))
            corrected = row["Corrected Sentence"] if row["Error Flag"] == "1" else None
            error = int(row["Error Sentence ID"])
            yield Item(row["Text ID"], group_of(row), numbered, error, row["Error Sentence"], corrected)

    def chat(self, item: Item, method: str) -> list[Message]:
        note = "\n".join(f"{number} {text}" for number, text in item.sentences.items())
        task = PROMPT["repair" if method == GENERATED else "flag"]
        return [Message("system", PROMPT["system"]), Message("user", f"{task}\n\n{note}")]

    def parse(self, text: str, item: Item) -> Said | None:
        if (found := _SAID.search(text)) and found[1] in item.sentences:
            return Said(True, int(found[1]), found[2].strip() or None)
        return Said(False, -1) if _CORRECT.search(text) else None

    def chosen(self, label: str) -> Said:
        return Said(label == "A")

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        return self.reply(item, Said(False, -1), output="CORRECT")

    def score(self, said: Said, item: Item, bench: Bench) -> dict[str, float]:
        found = {"flag": float(said.flag == (item.error >= 0))}
        if said.sentence is not None:
            found["sentence"] = float(said.sentence == item.error)
        if said.correction and item.corrected:
            for name, text in (("", said.correction), (f"unchanged{BESIDE}", item.wrong)):
                like = likeness(text, item.corrected, bench.resources.embedder)
                found[f"{name}correction ROUGE-1"] = rouge(text, item.corrected)["ROUGE-1"]
                found |= {f"{name}correction {LIKENESS}": like} if like is not None else {}
        return found

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        wrong = float(np.mean([item.error >= 0 for item in items]))
        flags = []
        for item, reply in zip(items, replies, strict=True):
            there, said = float(item.error >= 0), float(bool(reply.said and reply.said[0]))
            flags.append(reply._replace(scores={"hit": there * said, "there": there, "said": said}))
        f1 = figure("hit", flags, "error flag F1", per=("there", "said"), baseline={"always": 2 * wrong / (1 + wrong)})
        found = [
            figure("flag", replies, "error flag accuracy", baseline={"always": wrong, "never": 1 - wrong}),
            f1._replace(n=len(items)),
            figure("sentence", replies, "error sentence accuracy", baseline={"never": 1 - wrong}),
            *(figure(metric, replies) for metric in ("correction ROUGE-1", f"correction {LIKENESS}")),
        ]
        return [one for one in found if one.n]
