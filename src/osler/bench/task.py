"""What a task of the bench is: its items, the methods that can answer them, and the figures that replies make.

A task is one file of `tasks/` that subclasses `Task` (or one of its kinds, as `choice.ChoiceTask`). It reads, asks and
scores; drawing, keeping and resuming are the runner's.
"""

import gzip
import hashlib
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from osler.bench.statistics import Interval
from osler.errors import InputError, MissingComponent
from osler.models import Generation, LanguageModel, Message, Request, ScoreRequest, load_model
from osler.reasoning.resources import Resources
from osler.settings import Settings
from osler.splits import split

Progress = Callable[[int, int], None]


Q = TypeVar("Q")
A = TypeVar("A")


class Item(Protocol):
    """One thing to answer: a NamedTuple with at least these. `group`: what is split, drawn and resampled whole."""

    @property
    def id(self) -> str: ...
    @property
    def group(self) -> str: ...
    def _asdict(self) -> dict[str, Any]: ...


class Reply(NamedTuple):
    """One item answered. `said`: what was read out of the output, None where nothing could be, and `why` says why.
    `scores`: this item's value by metric; the task's headline is among them unless the item could not be scored."""

    id: str
    group: str
    said: Any
    scores: dict[str, float]
    output: str | None = None
    why: str | None = None
    confidence: float | None = None
    shares: dict[str, float] | None = None
    seconds: float = 0.0


class Figure(NamedTuple):
    """One number of a run. `unparsed`: items whose reply could not be read, counted apart."""

    metric: str
    value: float
    interval: Interval | None
    n: int
    unparsed: int = 0
    baseline: dict[str, float] = {}


class Method(NamedTuple):
    """A way to answer a task's items. `model`: it asks the language model."""

    name: str
    about: str
    model: bool


class Bench:
    """What asking may draw on: the home's resources, the data folder, and a judge model if one is named. `progress`
    hears of what must be built before the first item is asked."""

    def __init__(self, settings: Settings, judge: str | None = None, progress: Progress | None = None) -> None:
        self.settings, self.progress = settings, progress
        self.resources = Resources(settings)
        self.judge_spec = judge

    @cached_property
    def data(self) -> Path:
        named = self.settings.bench.data
        return Path(named).expanduser() if named else self.settings.home / "data"

    @cached_property
    def judge(self) -> LanguageModel:
        """Raises MissingComponent where no judge was named."""
        if self.judge_spec is None:
            raise MissingComponent("this task needs a judge model", hint="Name one: --judge SPEC.")
        return load_model(self.judge_spec, self.settings)

    def generate(self, chats: Sequence[Sequence[Message]], tokens: int) -> list[Generation]:
        """One greedy reply of the model to each chat; an empty one, cut off, where a chat is too long for it."""
        requests = [Request(messages=list(chat), max_tokens=tokens) for chat in chats]
        return _each(self.resources.model.generate, requests, Generation("", None, "", 0, "length", 0.0))

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """Log-probabilities of labels; none where a chat is too long for the model."""
        return _each(self.resources.model.score, requests, {})


class Task(ABC):
    """`path`: below the data folder (a file, or a folder with several). `headline`: the metric that `compare` pairs by
    default. `prompts`: all text and versions that its figures depend on beside model and items."""

    name: str
    about: str
    path: str
    licence: str
    headline: str = "right"
    prompts: Any = ()
    source: str | None = None  # the file of a user's own task
    batch: int = 16

    @abstractmethod
    def read(self, path: Path) -> Iterator[Item]:
        """All items of the data at `path`."""

    @abstractmethod
    def methods(self) -> dict[str, Method]:
        """The ways to answer it by name, its default first."""

    @abstractmethod
    def ask(self, items: Sequence[Any], method: str, bench: Bench) -> list[Reply]:
        """A reply to each item. Raises what the model raises; what was asked before is already kept."""

    @abstractmethod
    def figures(self, items: Sequence[Any], replies: Sequence[Reply]) -> list[Figure]:
        """What the replies measure, the headline's figure first."""

    @property
    def data_set(self) -> str:
        """Its name in `osler.splits`: the file's, without endings."""
        return Path(self.path).name.partition(".")[0]

    def items(self, data: Path, part: str) -> list[Any]:
        """The items of a part (train, tune, report, or all). Raises MissingComponent without the data, InputError
        naming the place of a row that is none of this task's."""
        path = data / self.path
        if not path.exists():
            hint = "`bench.data` in osler.toml (or OSLER_BENCH_DATA) names the folder; docs/data.md says what is in it."
            raise MissingComponent("the data set is not there", where=str(path), hint=hint)
        found: list[Any] = []
        try:
            for item in self.read(path):
                found.append(item)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration) as error:
            said = f"a row does not have the fields of {self.name}: {type(error).__name__} {error}"
            raise InputError(said, where=f"{path}, after {len(found)} items") from None
        return [item for item in found if part in ("all", self.part(item))]

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        """Of the knowledge that a method draws on."""
        return {}

    def part(self, item: Any) -> str:
        return split(self.data_set, item.group)

    def fingerprint(self) -> str:
        """Of prompts and parsers: part of a run's identity."""
        return hashlib.sha256(json.dumps(self.prompts, ensure_ascii=False, default=list).encode()).hexdigest()[:16]


def _each(ask: Callable[[Sequence[Q]], list[A]], asked: Sequence[Q], nothing: A) -> list[A]:
    """The batch, or its items one by one if one of them can't be asked; `nothing` for that one."""
    try:
        return ask(asked)
    except InputError:
        if len(asked) == 1:
            return [nothing]
        return [answer for one in asked for answer in _each(ask, [one], nothing)]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, gzipped or not. Raises InputError naming the line that isn't one."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _object(line, f"{path}, line {number}")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"the file can't be read: {error}", where=f"{path}, after line {number}") from None


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", where=where) from None
    if not isinstance(row, dict):
        raise InputError("the line is not a JSON object", where=where)
    return row
