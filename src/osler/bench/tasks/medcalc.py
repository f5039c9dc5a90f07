"""MedCalc-Bench (Khandekar et al. 2024), verified: a number, date or gestational age computed from a patient's note."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.bench.figures import Figure, Reply, figure, parts
from osler.bench.task import Bench, Task, rows, table
from osler.errors import InputError
from osler.models import Message
from osler.reasoning.calculators import calculate, case_values

PROMPT: dict[str, str] = table("prompts")["medcalc"]
_ANSWER = re.compile(r"(?:answer|result|答案)\**\s*(?:is|为|是)?\s*[:：=]?", re.I)
_NUMBER = re.compile(r"(?<![\w.])[-−–]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<![\w.])[-−–]?\.\d+")
_NEAR = re.compile(r"(?:[^\n.]|\.(?=\d)){0,40}?\d")
_DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_WEEKS = re.compile(r"(\d+)\s*weeks?\D{0,12}?(\d+)\s*days?", re.I)


class Item(NamedTuple):
    """`low`, `high`: what a number must lie between; `gold`: numbers of a date (month, day, year) or (weeks, days)."""

    id: str
    group: str
    note: str
    question: str
    kind: str
    gold: tuple[int, ...]
    low: float
    high: float


class Kind(Task):
    prompts = (*PROMPT.values(), *(rule.pattern for rule in (_ANSWER, _NUMBER, _NEAR, _DATE, _WEEKS)))

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            kind, answer = row["Output Type"], row["Ground Truth Answer"]
            gold = () if kind != "date" else _values(answer)
            low, high = (0.0, 0.0) if gold else (float(row["Lower Limit"]), float(row["Upper Limit"]))
            group = row["Calculator ID"]
            yield Item(row["Row Number"], group, row["Patient Note"], row["Question"], kind, gold, low, high)

    def chat(self, item: Item, method: str) -> list[Message]:
        asked = f"{item.note}\n\n{item.question}\n\n{PROMPT['ask']}"
        return [Message("system", PROMPT["system"]), Message("user", asked)]

    def parse(self, text: str, item: Item) -> float | list[int] | None:
        return read_number(text) if not item.gold else list(_values(_tail(text) or text, len(item.gold))) or None

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        """By the calculator of the case, from the data set's own structured values: no note is read, no model asked."""
        row = next(row for row in rows(bench.data / self.path) if row["Row Number"] == item.id)
        try:
            one, values = case_values(row["Calculator Name"], ast.literal_eval(row["Relevant Entities"]))
            value = calculate(one.id, values).value
        except InputError as error:
            return self.reply(item, None, why=str(error))
        if not isinstance(value, str):
            return self.reply(item, float(value))
        year, *rest = map(int, re.findall(r"\d+", value))
        return self.reply(item, [*rest, year] if len(rest) == 2 else [year, *rest])

    def score(self, said: float | list[int], item: Item, bench: Bench) -> dict[str, float]:
        return {"right": float(_right(said, item))}

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        numbers = sorted({value for item in items if not item.gold for value in (item.low, item.high)})
        best = max((sum(_right(value, item) for item in items) / len(items) for value in numbers), default=0.0)
        found = [
            figure("right", replies, "accuracy", baseline={"one number for all": best}),
            figure("right", [reply for reply in replies if reply.said is not None], "accuracy of answered"),
        ]
        kinds = parts(items, replies, lambda item: item.kind, sorted({item.kind for item in items}))
        return found + [figure("right", mine, f"accuracy, {kind}") for kind, mine in kinds]


def read_number(text: str) -> float | None:
    """The first number after the last "answer", else what the last equals sign gives, else the only number there is."""
    tail = _tail(text)
    if tail is None and "=" in text:
        tail = text.rpartition("=")[2]
    found = _NUMBER.findall(text if tail is None else tail)
    if not found or (tail is None and len(found) > 1):
        return None
    return float(re.sub(r"[,\s]", "", found[0]).replace("−", "-").replace("–", "-"))


def _tail(text: str) -> str | None:
    """What follows the last "answer" with a digit behind it in its sentence."""
    ends = [match.end() for match in _ANSWER.finditer(text) if _NEAR.match(text[match.end() :])]
    return text[ends[-1] :] if ends else None


def _values(text: str, wanted: int | None = None) -> tuple[int, ...]:
    """The numbers of a date (3) or of weeks and days (2), whichever is wanted."""
    date, weeks = _DATE.search(text), _WEEKS.search(text)
    found = date if wanted == 3 or (wanted is None and date) else weeks
    return tuple(map(int, found.groups())) if found else ()


def _right(said: float | list[int], item: Item) -> bool:
    if item.gold or not isinstance(said, float):
        return isinstance(said, list) and tuple(said) == item.gold
    return item.low - 1e-6 <= said <= item.high + 1e-6
