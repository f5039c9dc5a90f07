"""What a task of the bench is: its items, the methods that can answer them, and the figures that replies make.

A task is a TOML file of `tasks/` that says what it is, and a kind (`Kind` in a module there, a subclass of `Task`) that
reads, poses and scores; the ways to ask a model are written here once. Drawing, keeping and resuming are the runner's.
"""

import functools
import gzip
import hashlib
import json
import time
import tomllib
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from osler.bench.figures import Figure, Reply, figure
from osler.bench.memory import Remembering, Spent
from osler.errors import InputError, MissingComponent
from osler.models import Generation, LanguageModel, Message, Request, ScoreRequest, load_model
from osler.reasoning.asking import shares
from osler.reasoning.resources import Resources
from osler.settings import Settings
from osler.splits import split

Progress = Callable[[int, int], None]
LETTERS, GENERATED = "letters", "generated"

Q = TypeVar("Q")
A = TypeVar("A")


class Item(Protocol):
    """One thing to answer: a NamedTuple with at least these. `group`: what is split, drawn and resampled whole."""

    @property
    def id(self) -> str: ...
    @property
    def group(self) -> str: ...
    def _asdict(self) -> dict[str, Any]: ...


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

    @functools.cached_property
    def data(self) -> Path:
        named = self.settings.bench.data
        return Path(named).expanduser() if named else self.settings.home / "data"

    @functools.cached_property
    def judge(self) -> LanguageModel:
        """Raises MissingComponent where no judge was named."""
        if self.judge_spec is None:
            raise MissingComponent("this task needs a judge model", hint="Name one: --judge SPEC.")
        return load_model(self.judge_spec, self.settings)

    @functools.cached_property
    def remembering(self) -> Resources:
        """The same resources with a model that is asked nothing twice, in this run or another."""
        found = Resources(self.settings)
        found.__dict__ |= self.resources.__dict__
        found.__dict__["model"] = Remembering(self.resources.model, self.settings.home / "bench" / "calls")
        return found

    def spent(self) -> Spent:
        """What the remembering model was asked since the last time."""
        model = self.remembering.model
        assert isinstance(model, Remembering)
        return model.take()

    def generate(self, chats: Sequence[Sequence[Message]], tokens: int) -> list[Generation]:
        """One greedy reply of the model to each chat; an empty one, cut off, where a chat is too long for it."""
        requests = [Request(messages=list(chat), max_tokens=tokens) for chat in chats]
        return _each(self.resources.model.generate, requests, Generation("", None, "", 0, "length", 0.0))

    def shares(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        """Probabilities of labels as the next token; none where a chat is too long for the model."""
        nothing: dict[str, float] = {}
        return [shares(scores) for scores in _each(self.resources.model.score, requests, nothing)]


class Task(ABC):
    """A task by the keys of its file. `path`: below the data folder (a file, or a folder with several), or below this
    package where `ours`. `undivided`: all its items are of the report part. `headline`: the metric that `compare` pairs
    by default. `ways`: the methods, its default first. `tokens`: of a generated reply. `unread`: what a reply scores
    that can't be read; empty where it is only counted apart. `knows`: the resources whose versions its figures depend
    on. `measured`: arguments of `figure`. `prompts` is the code's part: all text and versions that its figures depend
    on beside model and items."""

    name: str
    about: str
    path: str
    licence: str
    headline: str = "right"
    prompts: Any = ()
    ways: tuple[Method, ...] = (Method(GENERATED, "a reply through the chat template", model=True),)
    tokens: int = 320
    unread: dict[str, float] = {}
    unreadable: str = "can't be read"
    knows: tuple[str, ...] = ()
    measured: Sequence[dict[str, Any]] = ()
    undivided: bool = False
    source: str | None = None  # the file of a user's own task
    batch: int = 16

    def __init__(self, keys: dict[str, Any]) -> None:
        vars(self).update(keys)
        if "ours" in keys:
            self.path = str(files("osler.bench") / self.path)
        if "methods" in keys:
            self.ways = tuple(Method(**method) for method in vars(self).pop("methods"))

    @abstractmethod
    def read(self, path: Path) -> Iterator[Item]:
        """All items of the data at `path`."""

    def figures(self, items: Sequence[Any], replies: Sequence[Reply]) -> list[Figure]:
        """What the replies measure, the headline's figure first."""
        return [figure(replies=replies, **keys) for keys in self.measured]

    def chat(self, item: Any, method: str) -> list[Message]:
        """The item as posed to a model."""
        raise NotImplementedError(method)

    def parse(self, text: str, item: Any) -> Any | None:
        """What a generated reply says; None if that can't be read. Empty texts don't come here."""
        return text

    def labels(self, item: Any) -> list[str]:
        """What `letters` chooses from."""
        return ["A", "B"]

    def chosen(self, label: str) -> Any:
        """What a label says."""
        return label

    def answer(self, item: Any, method: str, bench: Bench) -> Reply:
        """The reply of a method of the task's own; its seconds are added to, scores beside those it has filled in."""
        raise NotImplementedError(method)

    def score(self, said: Any, item: Any, bench: Bench) -> dict[str, float]:
        """What was said, by metric; metrics that don't apply to the item are left out."""
        return {}

    # --- asking, the same for all ---------------------------------------------------------------------------------

    def methods(self) -> dict[str, Method]:
        """The ways to answer it by name, its default first."""
        return {method.name: method for method in self.ways}

    def ask(self, items: Sequence[Any], method: str, bench: Bench) -> list[Reply]:
        """A reply to each item. Raises what the model raises; what was asked before is already kept."""
        if method == GENERATED:
            made = bench.generate([self.chat(item, method) for item in items], self.tokens)
            replies = [self._heard(item, one) for item, one in zip(items, made, strict=True)]
        elif method == LETTERS:
            began = time.perf_counter()
            shares = bench.shares([ScoreRequest(self.chat(item, method), self.labels(item)) for item in items])
            each = round((time.perf_counter() - began) / len(items), 4)
            replies = [self._preferred(item, one, each) for item, one in zip(items, shares, strict=True)]
        else:
            replies = [self._timed(item, method, bench) for item in items]
        return [self._scored(reply, item, bench) for item, reply in zip(items, replies, strict=True)]

    def reply(self, item: Item, said: Any, **more: Any) -> Reply:
        """Not scored yet, but for what `more` may hold."""
        return Reply(item.id, item.group, said, more.pop("scores", {}), **more)

    def _heard(self, item: Item, made: Generation) -> Reply:
        text = made.text.strip()
        said = self.parse(text, item) if text else None
        why = None if said is not None else self.unreadable if text else "empty reply"
        if made.finish == "length":
            why = "cut off"
        return self.reply(item, said, output=text, why=why, seconds=round(made.seconds, 4))

    def _preferred(self, item: Item, shares: dict[str, float], seconds: float) -> Reply:
        if not shares:
            return self.reply(item, None, why="too long for the model", seconds=seconds)
        best = max(shares, key=shares.__getitem__)
        return self.reply(item, self.chosen(best), confidence=shares[best], shares=shares, seconds=seconds)

    def _timed(self, item: Item, method: str, bench: Bench) -> Reply:
        began = time.perf_counter()
        reply = self.answer(item, method, bench)
        return reply._replace(seconds=round(reply.seconds + time.perf_counter() - began, 4))

    def _scored(self, reply: Reply, item: Item, bench: Bench) -> Reply:
        scores = dict(self.unread) if reply.said is None else self.score(reply.said, item, bench)
        return reply._replace(scores=scores | reply.scores)

    # --- its data -------------------------------------------------------------------------------------------------

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
        found = dict(bench.resources.graph.versions) if "graph" in self.knows else {}
        return found | ({"embedder": bench.resources.embedder.info.digest[:16]} if "embedder" in self.knows else {})

    def part(self, item: Any) -> str:
        return "report" if self.undivided else split(self.data_set, item.group)

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


@functools.cache
def table(name: str) -> dict[str, Any]:
    """A table of words of `data/`: prompts, kinds, cues."""
    return tomllib.loads((files("osler.bench") / "data" / f"{name}.toml").read_text(encoding="utf-8"))


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a file, gzipped or not. Raises InputError saying after which it can't be read."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                number += 1
                yield line
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"the file can't be read: {error}", where=f"{path}, after line {number}") from None


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, gzipped or not. Raises InputError naming the line that isn't one."""
    for number, line in enumerate(lines_of(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not valid JSON: {error}", where=f"{path}, line {number}") from None
        if not isinstance(row, dict):
            raise InputError("the line is not a JSON object", where=f"{path}, line {number}")
        yield row
