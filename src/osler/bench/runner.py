"""Runs a task with a model and a method, and keeps every reply: a killed run goes on where it stood, item by item.

A run lives in `OSLER_HOME/bench/RUN/`: `run.json` says what was asked, `replies.jsonl` has a line per item, written
whole before the next batch starts. RUN is a hash of all that the figures depend on: the same question twice is asked
once. It knows no task's content.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.bench.choice import ChoiceTask, Item, Reply, measure, messages, prompt_hash, read_reply, shares
from osler.bench.tasks import find_task
from osler.errors import InputError, OslerError
from osler.ledger import canonical
from osler.ledger.chain import now
from osler.models import LanguageModel, Request, ScoreRequest
from osler.nouns import Measurement
from osler.reasoning.ask import Question, answer
from osler.reasoning.registry import find_method
from osler.reasoning.resources import Resources, Run
from osler.settings import Settings

LETTERS, GENERATED = "letters", "generated"
MODEL_METHODS = (LETTERS, GENERATED)  # others are methods of `reasoning`
BATCH = 16
TOKENS = 320  # of a generated reply
Progress = Callable[[int, int], None]


class RunCard(NamedTuple):
    """What was asked. `id` is a hash of the rest but `started`."""

    id: str
    task: str
    data_hash: str
    split: str
    n: int
    seed: int
    model: dict[str, str] | None
    method: str
    prompt_hash: str
    versions: dict[str, str]
    started: str


class Finished(NamedTuple):
    card: RunCard
    replies: list[Reply]
    measurements: list[Measurement]


def run(
    name: str,
    settings: Settings,
    method: str = LETTERS,
    part: str = "report",
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Finished:
    """Ask the items of a task that have no reply yet; all replies with their measurements.

    `limit`: so many items, drawn by `seed`. Raises MissingComponent without the data or the model, InputError for a
    task, method or part that is none; an error of an endpoint half-way leaves what was answered for the next call.
    """
    task = find_task(name)
    if method not in MODEL_METHODS:
        find_method(method)
    items = _drawn(task.items(_data(settings), part), limit, seed)
    if not items:
        raise InputError(f"{name} has no items in its {part} part")
    resources = Resources(settings)
    card = _card(task, items, part, seed, method, resources)
    folder = settings.home / "bench" / card.id
    _keep(folder, card)
    done = {reply.id: reply for reply in replies_of(folder)}
    waiting = [item for item in items if item.id not in done]
    if progress:
        progress(len(done), len(items))
    with (folder / "replies.jsonl").open("a", encoding="utf-8") as out:
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            made = _ask(batch, method, resources)
            out.write("".join(json.dumps(reply._asdict(), ensure_ascii=False) + "\n" for reply in made))
            out.flush()
            os.fsync(out.fileno())
            done.update((reply.id, reply) for reply in made)
            if progress:
                progress(len(done), len(items))
    replies = [done[item.id] for item in items]
    return Finished(card, replies, measurements(card, items, replies))


def show(identifier: str, settings: Settings) -> Finished:
    """A run that was made, by its id or the beginning of it. Raises InputError if there is none or it isn't whole."""
    folders = [path for path in (settings.home / "bench").glob(f"{identifier}*") if (path / "run.json").is_file()]
    if len(folders) != 1:
        raise InputError(f"{len(folders)} runs begin with {identifier!r}", hint="`osler bench list` names them.")
    card = RunCard(**json.loads((folders[0] / "run.json").read_text(encoding="utf-8")))
    done = {reply.id: reply for reply in replies_of(folders[0])}
    if len(done) < card.n:
        raise InputError(
            f"{len(done)} of its {card.n} items are answered", where=card.id, hint="Run it again to go on."
        )
    items = [item for item in find_task(card.task).items(_data(settings), card.split) if item.id in done]
    return Finished(card, [done[item.id] for item in items], measurements(card, items, [done[i.id] for i in items]))


def runs(settings: Settings) -> list[RunCard]:
    """All runs of the home, oldest first."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in (settings.home / "bench").glob("*/run.json")]
    return sorted((RunCard(**card) for card in cards), key=lambda card: card.started)


def measurements(card: RunCard, items: Sequence[Item], replies: Sequence[Reply]) -> list[Measurement]:
    about: dict[str, Any] = {
        "task": card.task,
        "model": card.model["spec"] if card.model else None,
        "method": card.method,
        "split": card.split,
        "prompt_hash": card.prompt_hash,
        "data_hash": card.data_hash,
        "versions": card.versions,
        "seconds": round(sum(reply.seconds for reply in replies), 3),
    }
    return measure(items, replies, **about)


def replies_of(folder: Path) -> Iterator[Reply]:
    """The replies kept in a run's folder; a last line that a kill cut off is passed over and asked again."""
    path = folder / "replies.jsonl"
    if not path.is_file():
        return
    whole = path.read_bytes()
    if not whole.endswith(b"\n"):
        whole = whole[: whole.rfind(b"\n") + 1]
        path.write_bytes(whole)
    for line in whole.splitlines():
        yield Reply(**json.loads(line))


# --- asking ---------------------------------------------------------------------------------------------------


def _ask(batch: Sequence[Item], method: str, resources: Resources) -> list[Reply]:
    if method == LETTERS:
        return _letters(batch, resources.model)
    if method == GENERATED:
        return _generated(batch, resources.model)
    return [_reasoned(item, method, resources) for item in batch]


def _letters(batch: Sequence[Item], model: LanguageModel) -> list[Reply]:
    began = time.perf_counter()
    scored = model.score([ScoreRequest(messages(item, generated=False), list(item.options)) for item in batch])
    each = (time.perf_counter() - began) / len(batch)
    replies = []
    for item, scores in zip(batch, scored, strict=True):
        probabilities = shares(scores)
        choice = max(probabilities, key=probabilities.__getitem__)
        replies.append(_reply(item, choice, probabilities[choice], None, None, each))
    return replies


def _generated(batch: Sequence[Item], model: LanguageModel) -> list[Reply]:
    requests = [Request(messages=messages(item, generated=True), max_tokens=TOKENS) for item in batch]
    replies = []
    for item, made in zip(batch, model.generate(requests), strict=True):
        choice = read_reply(made.text, item)
        why = None if choice else ("cut off" if made.finish == "length" else "names no option")
        replies.append(_reply(item, choice, None, made.text, why, made.seconds))
    return replies


def _reasoned(item: Item, method: str, resources: Resources) -> Reply:
    began = time.perf_counter()
    question = Question(text=item.question, options=item.options, context=item.context, id=item.id, method=method)
    try:
        made = answer(question, Run(resources, "bench"))
    except OslerError as error:
        if error.exit_code == 3:  # a missing component fails every item alike
            raise
        return _reply(item, None, None, None, f"error: {error.message}", time.perf_counter() - began)
    why = made.abstained.reason if made.abstained else None if made.choice else "chose none"
    said = " ".join(statement.text for statement in made.statements)
    return _reply(item, made.choice, made.confidence, said, why, time.perf_counter() - began)


def _reply(
    item: Item, choice: str | None, confidence: float | None, output: str | None, why: str | None, seconds: float
) -> Reply:
    return Reply(item.id, item.group, choice, choice == item.answer, confidence, output, why, round(seconds, 4))


# --- what a run is --------------------------------------------------------------------------------------------


def _card(task: ChoiceTask, items: Sequence[Item], part: str, seed: int, method: str, resources: Resources) -> RunCard:
    model = None
    if method != "extractive":
        info = resources.model.info
        model = {"spec": info.spec, "digest": info.digest}
    versions = {"osler": __version__}
    if method not in MODEL_METHODS:
        versions |= Run(resources, "bench").knowledge()
    asked: dict[str, Any] = {
        "task": task.name,
        "data_hash": hashlib.sha256(canonical([item._asdict() for item in items])).hexdigest()[:16],
        "split": part,
        "n": len(items),
        "seed": seed,
        "model": model,
        "method": method,
        "prompt_hash": prompt_hash(method == GENERATED) if method in MODEL_METHODS else "",
        "versions": versions,
    }
    return RunCard(id=hashlib.sha256(canonical(asked)).hexdigest()[:12], started=now(), **asked)


def _keep(folder: Path, card: RunCard) -> None:
    if not (folder / "run.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / ".run.json"
        part.write_text(json.dumps(card._asdict(), indent=1, ensure_ascii=False), encoding="utf-8")
        part.replace(folder / "run.json")


def _drawn(items: Sequence[Item], limit: int | None, seed: int) -> list[Item]:
    """`limit` items in an order that `seed` decides and other items don't disturb; all in their order without it."""
    if limit is None or limit >= len(items):
        return list(items)
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\x1f{item.id}".encode()).digest())[:limit]


def _data(settings: Settings) -> Path:
    return Path(settings.bench.data).expanduser() if settings.bench.data else settings.home / "data"
