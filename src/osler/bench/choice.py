"""Questions with options: what an item is, how it is posed, how a reply is read, and what a run of them scores.

Two ways to ask: `letters` takes the likeliest option letter as the next token (quick, but it under-reports chat
models), `generated` lets the model reply through its chat template and reads the letter. It runs nothing itself.
"""

import gzip
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.bench.statistics import macro_f1, mean_interval, statistic_interval, wilson
from osler.errors import InputError, MissingComponent
from osler.models import Message
from osler.nouns import Measurement
from osler.splits import split

PARSER = "2"  # version of `read_reply`
PROMPTS = {
    "en": (
        "You answer medical examination questions. Exactly one option is right unless the question says otherwise.",
        "Give the letter of the right option and nothing else.",
        "Think it through in at most four sentences, then end with a line: Answer: LETTER",
    ),
    "zh": (
        "你正在回答医学考试题。除题目另有说明外，只有一个选项正确。",
        "只回答正确选项的字母，不要写其他内容。",
        "先用不超过四句话分析，最后一行写：答案：字母",
    ),
}
_SAID = re.compile(r"(?:answer|答案)\s*(?:is|为|是)?\s*[:：]?\s*\**\(?([A-J](?:\s*[,、和&]?\s*[A-J])*)\b\)?", re.I)
_ALONE = re.compile(r"^\W*([A-J])(?:\W*$|[.:：)、,*\n]|(?<!A)\s)")  # "A fever ..." is no letter


class Item(NamedTuple):
    """`answer`: key of the right option, or several keys together ("AC"). `group`: what is split and drawn whole."""

    id: str
    group: str
    question: str
    options: dict[str, str]
    answer: str
    language: str = "en"
    subject: str | None = None
    context: str | None = None


class Reply(NamedTuple):
    """One item answered. `choice` is None where the reply names no option or the method abstained; `why` says."""

    id: str
    group: str
    choice: str | None
    right: bool
    confidence: float | None
    output: str | None
    why: str | None
    seconds: float


class ChoiceTask(NamedTuple):
    """`path`: below the data folder; `item`: an item of a row, None for a row that can't be one. `about`: one line."""

    name: str
    about: str
    path: str
    licence: str
    item: Callable[[dict[str, Any]], Item | None]

    def items(self, data: Path, part: str) -> list[Item]:
        """The items of a part (train, tune, report, or all). Raises MissingComponent without the data."""
        items = [item for row in _rows(data / self.path) if (item := self.item(row)) is not None]
        return [item for item in items if part in ("all", split(self.data_set, item.group))]

    @property
    def data_set(self) -> str:
        """Its name in `osler.splits`: the file's, without endings."""
        return Path(self.path).name.partition(".")[0]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        hint = "`bench.data` in osler.toml (or OSLER_BENCH_DATA) names the folder; docs/data.md says what is in it."
        raise MissingComponent("the data set is not there", where=str(path), hint=hint)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"not valid JSON: {error}", where=f"{path}, line {number}") from None
            yield row


# --- posing and reading ---------------------------------------------------------------------------------------


def messages(item: Item, generated: bool) -> list[Message]:
    """The item as a chat."""
    system, letter, think = PROMPTS[item.language]
    options = "\n".join(f"{key}. {text}" for key, text in item.options.items())
    context = f"{item.context}\n\n" if item.context else ""
    user = f"{context}{item.question}\n\n{options}\n\n{think if generated else letter}"
    return [Message("system", system), Message("user", user)]


def prompt_hash(generated: bool) -> str:
    """What the figures of a run depend on beside model and items: prompts and parser."""
    kept = [PROMPTS, "generated" if generated else "letters", PARSER]
    return hashlib.sha256(json.dumps(kept, ensure_ascii=False).encode()).hexdigest()[:16]


def read_reply(text: str, item: Item) -> str | None:
    """The key or keys that a reply names: after "answer" (the last one said), else a letter that opens it, else the
    one option whose whole text stands in it; None if there is none."""
    said = _SAID.findall(text)
    letters = sorted({letter.upper() for letter in re.findall("[A-Ja-j]", said[-1])}) if said else []
    if not letters and (alone := _ALONE.match(text)):
        letters = [alone[1]]
    if letters and all(letter in item.options for letter in letters):
        return "".join(letters)
    named = [key for key, option in item.options.items() if option.strip().lower() in text.lower()]
    return named[0] if len(named) == 1 else None


def shares(scores: dict[str, float]) -> dict[str, float]:
    """Probabilities of the options from log-probabilities of their letters."""
    high = max(scores.values())
    weights = {key: math.exp(score - high) for key, score in scores.items()}
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


# --- scoring --------------------------------------------------------------------------------------------------


def measure(items: Sequence[Item], replies: Sequence[Reply], **about: Any) -> list[Measurement]:
    """Accuracy over all items (no choice is not right, and counted in `unparsed`), accuracy of what was answered, and
    macro-F1 where all items have the same options. `about`: the fields that name the run."""
    n, right = len(replies), np.array([float(reply.right) for reply in replies])
    groups = [reply.group for reply in replies]
    answered = [reply for reply in replies if reply.choice is not None]
    baseline = baselines(items)
    common = {**about, "unparsed": n - len(answered)}
    whole = wilson(int(right.sum()), n) if len(set(groups)) == n else mean_interval(right, groups)
    hits = sum(reply.right for reply in answered)
    rows = [
        Measurement(
            metric="accuracy", value=right.mean() if n else 0.0, interval=whole, n=n, baseline=baseline, **common
        ),
        Measurement(
            metric="accuracy of answered",
            value=hits / len(answered) if answered else 0.0,
            interval=wilson(hits, len(answered)),
            n=len(answered),
            baseline=baseline,
            **common,
        ),
    ]
    if len({tuple(item.options.values()) for item in items}) == 1:
        truth, said = [item.answer for item in items], [reply.choice for reply in replies]
        interval = statistic_interval(
            lambda drawn: macro_f1([truth[i] for i in drawn], [said[i] for i in drawn]), groups
        )
        always = macro_f1(truth, [Counter(truth).most_common(1)[0][0]] * n)
        score = macro_f1(truth, said)
        rows.append(
            Measurement(metric="macro-F1", value=score, interval=interval, n=n, baseline={"majority": always}, **common)
        )
    return rows


def baselines(items: Sequence[Item]) -> dict[str, float]:
    """What the commonest letter and blind guessing would reach."""
    if not items:
        return {}
    commonest = Counter(item.answer for item in items).most_common(1)[0][1]
    guessed = sum(1 / len(item.options) for item in items if len(item.answer) == 1)
    return {"majority": commonest / len(items), "random": guessed / len(items)}


def lettered(texts: Sequence[str]) -> dict[str, str]:
    """Options under the letters A, B, C, ..."""
    return {"ABCDEFGHIJ"[place]: text for place, text in enumerate(texts)}
