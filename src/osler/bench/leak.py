"""Contamination: which items of a task share a run of 13 words with a training file (Brown et al. 2020, GPT-3 app. C).

Words for English, characters for Chinese. A hit is a reason to look, not a proof; no hit is none of cleanliness
(paraphrases are not seen).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.task import Task, lines_of
from osler.settings import Settings
from osler.text import words

N = 13


class Leak(NamedTuple):
    """`leaked`: ids of items with a common run; `clean`: of those without one; `short`: of those with fewer than `N`
    words, which can't be checked."""

    task: str
    files: list[str]
    leaked: list[str]
    clean: list[str]
    short: list[str]

    @property
    def share(self) -> float:
        return len(self.leaked) / max(1, len(self.leaked) + len(self.clean))


def find_leaks(task: Task, data: Path, files: Sequence[Path]) -> Leak:
    """All parts of a task against training files (JSON Lines with any text fields, or plain text, gzipped or not).

    Raises InputError naming a file that can't be read.
    """
    owners: dict[int, list[str]] = {}
    items = {item.id: _grams(" ".join(texts_of(item._asdict()))) for item in task.items(data, "all")}
    for identifier, grams in items.items():
        for gram in grams:
            owners.setdefault(gram, []).append(identifier)
    found: set[str] = set()
    for path in files:
        for text in _file(path):
            found.update(name for gram in _grams(text) & owners.keys() for name in owners[gram])
    return Leak(
        task.name,
        [str(path) for path in files],
        leaked=[name for name in items if name in found],
        clean=[name for name, grams in items.items() if grams and name not in found],
        short=[name for name, grams in items.items() if not grams],
    )


def near_test_items(settings: Settings) -> Callable[[str], bool] | None:
    """Whether a text shares a run of words with an item of a question task; None where no data folder is named."""
    from osler.bench.choice import QuestionSet
    from osler.bench.tasks import tasks

    if not settings.bench.data:
        return None
    data, known = Path(settings.bench.data).expanduser(), set[int]()
    for task in tasks().values():
        if isinstance(task, QuestionSet) and (data / task.path).exists():
            for item in task.items(data, "all"):
                known.update(_grams(" ".join(texts_of(item._asdict()))))
    return (lambda text: not known.isdisjoint(_grams(text))) if known else None


def _grams(text: str) -> set[int]:
    """Hashes of all runs of `N` words; a Chinese character is a word."""
    tokens = words(text.lower())
    return {hash(tuple(tokens[start : start + N])) for start in range(len(tokens) - N + 1)}


def texts_of(value: Any) -> Iterator[str]:
    """All texts inside a JSON value but identifiers' fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("id", "group", "subject", "language", "answer"):
                yield from texts_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_of(item)


def _file(path: Path) -> Iterator[str]:
    """The texts of a file, a JSON object or a paragraph at a time."""
    paragraph: list[str] = []
    for line in lines_of(path):
        if line.lstrip().startswith(("{", "[")):
            try:
                yield " ".join(texts_of(json.loads(line)))
                continue
            except ValueError:
                pass  # a text that begins with a bracket
        if line.strip():
            paragraph.append(line)
        else:
            yield " ".join(paragraph)
            paragraph = []
    yield " ".join(paragraph)
