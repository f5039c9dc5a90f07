"""Questions with options: how an item is posed, how a reply is read, and what a run of them scores.

Two ways to ask a model: `letters` takes the likeliest option letter as the next token (quick, but it under-reports chat
models), `generated` lets it reply through its chat template and reads the letter. Every method of `osler ask` is a
third.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.bench.selective import selective_figures
from osler.bench.statistics import macro_f1, mean_interval, statistic_interval, wilson
from osler.bench.task import Bench, Figure, Method, Reply, Task, rows
from osler.errors import InputError, OslerError
from osler.models import Message, ScoreRequest
from osler.reasoning.ask import Question, answer
from osler.reasoning.registry import methods as ask_methods
from osler.reasoning.resources import Run

LETTERS, GENERATED = "letters", "generated"
TOKENS = 320  # of a generated reply
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


class ChoiceTask(Task):
    """A set of questions. `item`: an item of a row, None for a row that can't be one."""

    prompts: Any = (PROMPTS, PARSER)

    def __init__(self, name: str, about: str, path: str, licence: str, item: "Callable[[dict[str, Any]], Item | None]"):
        self.name, self.about, self.path, self.licence, self.item = name, about, path, licence, item

    def read(self, path: Path) -> Iterator[Item]:
        for number, row in enumerate(rows(path), start=1):
            item = self.item(row)
            if item is None:
                continue
            if len(item.options) < 2 or not item.answer or not set(item.answer) <= item.options.keys():
                said = f"the answer {item.answer!r} is none of the options {', '.join(item.options)}"
                raise InputError(said, where=f"{path}, question {number}")
            yield item

    def methods(self) -> dict[str, Method]:
        own = (
            Method(LETTERS, "the likeliest option letter as the next token", model=True),
            Method(GENERATED, "a reply through the chat template, its letter read", model=True),
        )
        asked = (
            Method(m.name, f"osler ask --method {m.name}", model=m.calls != "none") for m in ask_methods().values()
        )
        return {method.name: method for method in (*own, *asked)}

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        if method == LETTERS:
            return _letters(items, bench)
        if method == GENERATED:
            return _generated(items, bench)
        return [_reasoned(item, method, bench) for item in items]

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return {} if method in (LETTERS, GENERATED) else Run(bench.resources, "bench").knowledge()

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        return measure(items, replies)


# --- posing and reading ---------------------------------------------------------------------------------------


def messages(item: Item, generated: bool) -> list[Message]:
    """The item as a chat."""
    system, letter, think = PROMPTS[item.language]
    named = any(text != key for key, text in item.options.items())  # else the question itself lists them
    options = "\n".join(f"{key}. {text}" for key, text in item.options.items()) if named else ""
    context = f"{item.context}\n\n" if item.context else ""
    user = f"{context}{item.question}\n\n{options}\n\n{think if generated else letter}"
    return [Message("system", system), Message("user", user)]


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


# --- asking ---------------------------------------------------------------------------------------------------


def _letters(items: Sequence[Item], bench: Bench) -> list[Reply]:
    began = time.perf_counter()
    asked = [ScoreRequest(messages(item, generated=False), list(item.options)) for item in items]
    scored = bench.score(asked)
    each = (time.perf_counter() - began) / len(items)
    replies = []
    for item, scores in zip(items, scored, strict=True):
        if not scores:
            replies.append(_reply(item, None, each, why="too long for the model"))
            continue
        probabilities = shares(scores)
        choice = max(probabilities, key=probabilities.__getitem__)
        replies.append(_reply(item, choice, each, confidence=probabilities[choice], shares=probabilities))
    return replies


def _generated(items: Sequence[Item], bench: Bench) -> list[Reply]:
    replies = []
    made = bench.generate([messages(item, generated=True) for item in items], TOKENS)
    for item, reply in zip(items, made, strict=True):
        choice = read_reply(reply.text, item)
        why = None if choice else ("cut off" if reply.finish == "length" else "names no option")
        replies.append(_reply(item, choice, reply.seconds, output=reply.text, why=why))
    return replies


def _reasoned(item: Item, method: str, bench: Bench) -> Reply:
    began = time.perf_counter()
    question = Question(text=item.question, options=item.options, context=item.context, id=item.id, method=method)
    try:
        made = answer(question, Run(bench.resources, "bench"))
    except OslerError as error:
        if error.exit_code == 3:  # a missing component fails every item alike
            raise
        return _reply(item, None, time.perf_counter() - began, why=f"error: {error.message}")
    why = made.abstained.reason if made.abstained else None if made.choice else "chose none"
    said = " ".join(statement.text for statement in made.statements)
    seconds = time.perf_counter() - began
    return _reply(item, made.choice, seconds, output=said, why=why, confidence=made.confidence)


def _reply(item: Item, choice: str | None, seconds: float, **more: Any) -> Reply:
    right = {"right": float(choice == item.answer)}
    return Reply(item.id, item.group, choice, right, seconds=round(seconds, 4), **more)


# --- scoring --------------------------------------------------------------------------------------------------


def measure(items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
    """Accuracy over all items (no choice is not right, and counted in `unparsed`), accuracy of what was answered,
    macro-F1 where all items have the same options, and what the confidence is worth where there is one."""
    n, right = len(replies), np.array([reply.scores["right"] for reply in replies])
    groups = [reply.group for reply in replies]
    answered = [reply for reply in replies if reply.said is not None]
    baseline, unread = baselines(items), n - len(answered)
    whole = wilson(int(right.sum()), n) if len(set(groups)) == n else mean_interval(right, groups)
    hits = int(sum(reply.scores["right"] for reply in answered))
    share = hits / len(answered) if answered else 0.0
    found = [
        Figure("accuracy", float(right.mean()) if n else 0.0, whole, n, unread, baseline),
        Figure("accuracy of answered", share, wilson(hits, len(answered)), len(answered), unread, baseline),
    ]
    if len({tuple(item.options.values()) for item in items}) == 1:
        truth, said = [item.answer for item in items], [reply.said for reply in replies]
        interval = statistic_interval(
            lambda drawn: macro_f1([truth[i] for i in drawn], [said[i] for i in drawn]), groups
        )
        always = macro_f1(truth, [Counter(truth).most_common(1)[0][0]] * n)
        found.append(Figure("macro-F1", macro_f1(truth, said), interval, n, unread, {"majority": always}))
    truths = [item.answer for item in items]
    return [*found, *selective_figures(replies, truths)]


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
