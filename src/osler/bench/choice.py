"""Questions with options: how an item is posed, how a reply is read, and what a run of them scores.

Two ways to ask a model: `letters` takes the likeliest option letter as the next token (quick, but it under-reports chat
models), `generated` lets it reply through its chat template and reads the letter. Every method of `osler ask` is a
third. A public set is a TOML file of `tasks/` that says which field of a row is what.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from osler.bench.figures import Figure, Reply, figure, share, statistic, unread
from osler.bench.memory import COSTS, Spent
from osler.bench.selective import selective_figures
from osler.bench.task import GENERATED, LETTERS, Bench, Method, Task, rows
from osler.errors import InputError, OslerError
from osler.models import Message
from osler.reasoning.ask import Question, answer
from osler.reasoning.asking import PARSER, chat, read_reply
from osler.reasoning.prompts import prompts, prompts_digest
from osler.reasoning.registry import methods as ask_methods
from osler.reasoning.resources import Run
from osler.statistics import macro_f1
from osler.text import Language

LETTERED = "ABCDEFGHIJ"
PROMPTS = {  # language: system, for a letter, for a generated reply
    language: [words[name] for name in ("system", "letter", "think")] for language, words in prompts("choice").items()
}


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
    """Questions, whatever they are read from."""

    prompts: Any = (PROMPTS, PARSER)
    ways: tuple[Method, ...] = (
        Method(LETTERS, "the likeliest option letter as the next token", model=True),
        Method(GENERATED, "a reply through the chat template, its letter read", model=True),
    )
    unread = {"right": 0.0}
    unreadable = "names no option"

    def methods(self) -> dict[str, Method]:
        asked = (
            Method(m.name, f"osler ask --method {m.name}", model=m.calls != "none") for m in ask_methods().values()
        )
        return super().methods() | {method.name: method for method in asked}

    def chat(self, item: Item, method: str) -> list[Message]:
        return messages(item, method == GENERATED)

    def labels(self, item: Item) -> list[str]:
        return list(item.options)

    def parse(self, text: str, item: Item) -> str | None:
        return read_reply(text, item.options)

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        return {"right": float(said == item.answer)}

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        question = Question(text=item.question, options=item.options, context=item.context, id=item.id, method=method)
        asks = ask_methods()[method].calls != "none"
        resources = bench.remembering if asks else bench.resources
        try:
            made = answer(question, Run(resources, "bench"))
        except OslerError as error:
            if error.exit_code == 3:  # a missing component fails every item alike
                raise
            return self.reply(item, None, why=f"error: {error.message}")
        why = made.abstained.reason if made.abstained else None if made.choice else "chose none"
        said = " ".join(statement.text for statement in made.statements)
        confidence = made.confidence or (max(made.shares.values()) if made.shares else None)
        spent = bench.spent() if asks else Spent()
        more = {"confidence": confidence, "shares": made.shares, "seconds": spent.seconds}
        return self.reply(item, made.choice, output=said, why=why, scores=spent.costs() if asks else {}, **more)

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        if method not in ask_methods():
            return {}
        return {**Run(bench.resources, "bench").knowledge(), "prompts": prompts_digest()}

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        """Accuracy over all items (no choice is not right, and counted in `unparsed`), accuracy of what was answered,
        macro-F1 where all items have the same options, and what the confidence is worth where there is one."""
        truth, said = [item.answer for item in items], [reply.said for reply in replies]
        commonest, most = Counter(truth).most_common(1)[0]
        guessed = sum(1 / len(item.options) for item in items if len(item.answer) == 1)
        baseline = {"majority": most / len(items), "random": guessed / len(items)}
        answered = [reply for reply in replies if reply.said is not None]
        hits, lost = sum(reply.scores["right"] for reply in answered), unread(replies)
        found = [
            figure("right", replies, "accuracy", baseline=baseline),
            share("accuracy of answered", hits, len(answered), lost, baseline),
        ]
        if len({tuple(item.options.values()) for item in items}) == 1:
            found.append(
                statistic(
                    "macro-F1",
                    [reply.group for reply in replies],
                    lambda drawn: macro_f1([truth[i] for i in drawn], [said[i] for i in drawn]),
                    lost,
                    {"majority": macro_f1(truth, [commonest] * len(truth))},
                )
            )
        costs = [figure(name, replies) for name in COSTS if any(name in reply.scores for reply in replies)]
        return [*found, *selective_figures(replies, truth), *costs]


class QuestionSet(ChoiceTask):
    """A public set by the keys of its file. `row`: Jinja expressions over a row of the data for `question`, `options`
    and `answer`, and where they are given `id`, `group`, `subject`, `context` and `only`. `unfit`: rows whose answer is
    none of their options are left out, not refused."""

    row: dict[str, str]
    language = "en"
    unfit = False

    def read(self, path: Path) -> Iterator[Item]:
        fields = _fields({"id": "id"} | self.row)
        for number, value in enumerate(map(fields, rows(path)), start=1):
            if not value.get("only", True):
                continue
            options, answer = posed(value["options"], value["answer"])
            if len(options) >= 2 and answer:
                identifier, subject, context = str(value["id"]), value.get("subject"), value.get("context")
                group = value.get("group", identifier)
                yield Item(identifier, group, value["question"], options, answer, self.language, subject, context)
            elif not self.unfit:
                said = f"the answer {value['answer']!r} is none of the options {', '.join(options)}"
                raise InputError(said, where=f"{path}, question {number}")


def _fields(expressions: dict[str, str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What expressions make of a row. Raises KeyError for a field that the row does not have."""
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined)
    environment.filters["lines"] = _lines
    environment.filters["last_like"] = _last_like
    compiled = environment.compile_expression(f"[{', '.join(expressions.values())}]")

    def made(row: dict[str, Any]) -> dict[str, Any]:
        try:
            found = dict(zip(expressions, compiled(row) or (), strict=True))
        except jinja2.TemplateError as error:
            raise KeyError(str(error)) from None
        if missing := [key for key, value in found.items() if isinstance(value, jinja2.Undefined)]:
            raise KeyError(f"no {missing[0]}")
        return found

    return made


def _lines(text: str) -> dict[str, str]:
    """Lines that begin with the letter of an option."""
    lines = (line.strip().partition(" ") for line in text.splitlines())
    return {key: option.strip() for key, _, option in lines if len(key) == 1 and option}


def _last_like(texts: list[str], pattern: str) -> int | None:
    """The number of the last text in which a pattern is found."""
    return max((number for number, text in enumerate(texts) if re.search(pattern, text, re.I)), default=None)


def posed(choices: list[Any] | dict[str, Any], target: Any) -> tuple[dict[str, str], str | None]:
    """Options by letter, and the letters that a target names: keys of the choices, if those have letters; else the
    number of one from 0, its text, or its letter. None where it names none of them."""
    text = str(target).strip()
    if isinstance(choices, dict) and all(key in LETTERED for key in choices):
        letters = "".join(sorted(text))
        return choices, letters if text and set(letters) <= choices.keys() else None
    options = lettered([str(choice) for choice in (choices.values() if isinstance(choices, dict) else choices)])
    if isinstance(target, int) or text.isdigit():
        return options, list(options)[int(text)] if int(text) < len(options) else None
    named = [key for key, option in options.items() if option.strip() == text]
    return options, named[0] if len(named) == 1 else text if text in options else None


def messages(item: Item, generated: bool) -> list[Message]:
    """The item as a chat."""
    question = Question(text=item.question, options=item.options)
    style, language = "think" if generated else "letter", cast(Language, item.language)
    return chat(question, style, language=language, before=item.context or "")


def lettered(texts: Sequence[str]) -> dict[str, str]:
    """Options under the letters A, B, C, ..."""
    return {LETTERED[place]: text for place, text in enumerate(texts)}
