"""Runs a task with a model and a method, and keeps every reply: a killed run goes on where it stood, item by item.

`OSLER_HOME/bench/answers/KEY.jsonl` has a line per item, written whole before the next batch starts; KEY is a hash of
model, method, prompts and knowledge, so what was once answered is never asked again, whatever draw it was for.
`OSLER_HOME/bench/runs/RUN.json` says what a run asked. It knows no task's content.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.bench.figures import Reply
from osler.bench.method_figures import keep_figure
from osler.bench.task import Bench, Item, Progress, Task
from osler.bench.tasks import find_task
from osler.errors import InputError
from osler.ledger import canonical
from osler.ledger.chain import now
from osler.models import LanguageModel
from osler.models.files import write_atomically
from osler.nouns import Measurement
from osler.settings import Settings


class RunCard(NamedTuple):
    """What was asked. `id` is a hash of the rest but `started`; `source`: the task's own file, if it is a user's;
    `answers`: the file its replies are kept in."""

    id: str
    task: str
    source: str | None
    data_hash: str
    split: str
    n: int
    limit: int | None
    seed: int
    model: dict[str, str] | None
    judge: dict[str, str] | None
    method: str
    prompt_hash: str
    versions: dict[str, str]
    answers: str
    started: str


class Finished(NamedTuple):
    """A run with its items, the replies to them in the same order, and what they measure."""

    card: RunCard
    task: Task
    items: list[Any]
    replies: list[Reply]
    measurements: list[Measurement]


def run(
    name: str,
    settings: Settings,
    method: str | None = None,
    part: str = "report",
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    judge: str | None = None,
) -> Finished:
    """Ask the items of a task (its name, or a user's task file) that have no reply yet; all replies, measured.

    `method`: the task's first if none is named. `limit`: so many items, drawn by `seed`. Raises MissingComponent
    without the data or the model, InputError for a task, method or part that is none; an error of an endpoint half-way
    leaves what was answered for the next call.
    """
    task, bench = find_task(name), Bench(settings, judge, progress)
    items = drawn(task.items(bench.data, part), limit, seed)
    if not items:
        raise InputError(f"{name} has no items in its {part} part")
    card = card_of(task, items, part, limit, seed, method, bench)
    written = json.dumps(card._asdict(), indent=1, ensure_ascii=False).encode()
    write_atomically(settings.home / "bench" / "runs" / f"{card.id}.json", written)
    finished = _finished(card, task, items, answered(task, items, card, bench, progress))
    if finished.measurements:
        keep_figure(card.id, card.started, finished.measurements[0], settings)
    return finished


def answered(
    task: Task, items: Sequence[Any], card: RunCard, bench: Bench, progress: Progress | None = None
) -> list[Reply]:
    """The replies to items by the card's model and method, in their order: asked and kept where none is kept yet. The
    items need not be those of the card: an audit asks changed ones."""
    hashes = [_hash(item) for item in items]
    with _answers(bench.settings, card) as (done, keep):
        waiting = list({key: item for item, key in zip(items, hashes, strict=True) if key not in done}.values())
        if progress:
            progress(len(items) - len(waiting), len(items))
        for start in range(0, len(waiting), task.batch):
            batch = waiting[start : start + task.batch]
            keep(zip(map(_hash, batch), task.ask(batch, card.method, bench), strict=True))
            if progress:
                progress(len(items) - len(waiting) + start + len(batch), len(items))
        return [done[key] for key in hashes]


def show(identifier: str, settings: Settings) -> Finished:
    """A run that was made, by its id or the beginning of it.

    Raises InputError if there is none, if it isn't whole, or if its data is no longer what it was.
    """
    paths = list((settings.home / "bench" / "runs").glob(f"{identifier}*.json"))
    if len(paths) != 1:
        raise InputError(f"{len(paths)} runs begin with {identifier!r}", hint="`osler bench list` names them.")
    card = _read_card(paths[0])
    task = find_task(card.source or card.task)
    items = drawn(task.items(Bench(settings).data, card.split), card.limit, card.seed)
    if data_hash(items) != card.data_hash:
        raise InputError("the data of this run has changed since", where=card.id, hint="Run it again.")
    done = dict(replies_of(settings.home / "bench" / "answers" / card.answers))
    found = [done[key] for key in map(_hash, items) if key in done]
    if len(found) < card.n:
        raise InputError(
            f"{len(found)} of its {card.n} items are answered", where=card.id, hint="Run it again to go on."
        )
    return _finished(card, task, items, found)


def runs(settings: Settings) -> list[RunCard]:
    """All runs of the home, oldest first."""
    cards = [_read_card(path) for path in (settings.home / "bench" / "runs").glob("*.json")]
    return sorted(cards, key=lambda card: card.started)


def _read_card(path: Path) -> RunCard:
    try:
        return RunCard(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        hint = "Delete it and run again: its replies are kept."
        raise InputError("not the card of a run", where=str(path), hint=hint) from None


def replies_of(path: Path) -> Iterator[tuple[str, Reply]]:
    """(item's hash, reply) of a file of answers; a last line that a kill cut off is taken away and asked again."""
    if not path.is_file():
        return
    whole = path.read_bytes()
    if not whole.endswith(b"\n"):
        os.truncate(path, whole.rfind(b"\n") + 1)
    for number, line in enumerate(whole[: whole.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            row = json.loads(line)
            yield row.pop("item"), Reply(**row)
        except (ValueError, KeyError, TypeError):
            hint = "Take the line out: its item will be asked again."
            raise InputError("not a reply of the bench", where=f"{path}, line {number}", hint=hint) from None


def _finished(card: RunCard, task: Task, items: Sequence[Any], replies: Sequence[Reply]) -> Finished:
    shared = ("task", "method", "split", "prompt_hash", "data_hash", "versions")
    about: dict[str, Any] = {key: value for key, value in card._asdict().items() if key in shared}
    about["model"] = card.model["spec"] if card.model else None
    about["seconds"] = round(sum(reply.seconds for reply in replies), 3)
    rows = [Measurement(**figure._asdict(), **about) for figure in task.figures(items, replies)]
    return Finished(card, task, list(items), list(replies), rows)


@contextmanager
def _answers(settings: Settings, card: RunCard) -> Iterator[tuple[dict[str, Reply], Callable[[Any], None]]]:
    """The replies there are, and how to keep more: on disk when it returns. One process at a time."""
    path = settings.home / "bench" / "answers" / card.answers
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError("another process is asking the same", where=card.id, hint="Wait for it.") from None
        done = dict(replies_of(path))

        def keep(made: Any) -> None:
            for key, reply in made:
                out.write(json.dumps({"item": key, **reply._asdict()}, ensure_ascii=False) + "\n")
                done[key] = reply
            out.flush()
            os.fsync(out.fileno())

        yield done, keep


# --- what a run is --------------------------------------------------------------------------------------------


def _method(task: Task, name: str | None) -> str:
    known = task.methods()
    if name is not None and name not in known:
        raise InputError(f"unknown method {name!r} for {task.name}", hint=f"Known: {', '.join(known)}.")
    return name or next(iter(known))


def card_of(
    task: Task, items: Sequence[Item], part: str, limit: int | None, seed: int, named: str | None, bench: Bench
) -> RunCard:
    """What asking these items comes to. `named`: the method, the task's first if none is. Raises InputError for one
    that is none of the task's, MissingComponent without the model."""
    method = _method(task, named)
    depends: dict[str, Any] = {
        "task": task.name,
        "source": task.source,
        "model": _named(bench.resources.model) if task.methods()[method].model else None,
        "judge": _named(bench.judge) if bench.judge_spec is not None else None,
        "method": method,
        "prompt_hash": task.fingerprint(),
        "versions": {"osler": __version__, **task.versions(method, bench)},
    }
    answers = f"{hashlib.sha256(canonical(depends)).hexdigest()[:16]}.jsonl"
    drawn = {"split": part, "data_hash": data_hash(items), "n": len(items), "limit": limit, "seed": seed}
    asked = {**depends, **drawn, "answers": answers}
    return RunCard(id=hashlib.sha256(canonical(asked)).hexdigest()[:12], started=now(), **asked)


def _named(model: LanguageModel) -> dict[str, str]:
    return {"spec": model.info.spec, "digest": model.info.digest}


def _hash(item: Item) -> str:
    return hashlib.sha256(canonical(item._asdict())).hexdigest()[:16]


def data_hash(items: Sequence[Item]) -> str:
    return hashlib.sha256("".join(map(_hash, items)).encode()).hexdigest()[:16]


def drawn(items: Sequence[Item], limit: int | None, seed: int) -> list[Any]:
    """`limit` items in an order that `seed` decides and other items don't disturb; all in their order without it."""
    if limit is None or limit >= len(items):
        return list(items)
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\x1f{item.id}".encode()).digest())[:limit]
