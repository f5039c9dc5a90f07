"""The public sets that are known by name: how a row of each teaches. Only parts that `splits.py` gives to training, and
only sets whose manifest allows it.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from osler.adaptation.data.readers import Row
from osler.bench.choice import ChoiceTask, messages
from osler.bench.task import rows
from osler.bench.tasks import find_task
from osler.bench.tasks.medec import group_of
from osler.errors import InputError, MissingComponent
from osler.splits import SHARES, split

# Sets of questions with options: the bench's task of the same data.
_QUESTIONS = {"medmcqa_dev": "medmcqa", "cmexam_dev": "cmexam", "pubmedqa_dev": "pubmedqa"}


class Listed(NamedTuple):
    """A line of `MANIFEST.tsv`: what may be done with a set."""

    name: str
    path: str
    licence: str
    use: str


def listed(name: str, data: Path) -> Listed:
    """Raises MissingComponent without a manifest, InputError for a set that is not in it."""
    manifest = data / "MANIFEST.tsv"
    if not manifest.is_file():
        hint = "`bench.data` in osler.toml (or OSLER_BENCH_DATA) names the folder of the data sets."
        raise MissingComponent("there is no manifest of data sets", where=str(manifest), hint=hint)
    with manifest.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["set"] == name:
                return Listed(name, row["path"], row["licence"], row["use"])
    raise InputError(f"no data set {name!r} in the manifest", where=str(manifest))


def shared(name: str, data: Path) -> Iterator[Row]:
    """The training part of a set. Raises InputError for one that nothing is known of."""
    if name in _QUESTIONS:
        yield from _questions(name, data)
        return
    reader = _READERS.get(name)
    if reader is None or name not in SHARES:
        known = ", ".join(f"set:{one}" for one in (*_QUESTIONS, *_READERS))
        raise InputError(f"how {name!r} would teach is not known", hint=f"Known: {known}; or give its file.")
    for number, value in enumerate(rows(data / listed(name, data).path), start=1):
        for made in reader(value, f"{name}, line {number}"):
            if split(name, made.group) == "train":
                yield made


def _questions(name: str, data: Path) -> Iterator[Row]:
    """As the bench poses them, the letter as the answer."""
    task = find_task(_QUESTIONS[name])
    assert isinstance(task, ChoiceTask)
    for item in task.items(data, "train"):
        turns = [{"role": one.role, "content": one.content} for one in messages(item, generated=False)]
        turns.append({"role": "assistant", "content": item.answer})
        check = {"option": item.answer, "options": item.options}
        yield Row("instruction", {"messages": turns, "check": check}, item.group, f"{name}, {item.id}")


def _chat(asked: str, answer: str, group: str, where: str) -> Iterator[Row]:
    turns = [{"role": "user", "content": asked.strip()}, {"role": "assistant", "content": answer.strip()}]
    if all(turn["content"] for turn in turns):
        yield Row("instruction", {"messages": turns}, group, where)


def _medquad(row: dict[str, Any], where: str) -> Iterator[Row]:
    return _chat(row["question"], row["answer"], str(row.get("document_id") or row["id"].rpartition("-")[0]), where)


def _bentsao(row: dict[str, Any], where: str) -> Iterator[Row]:
    asked = "\n\n".join(part for part in (row["instruction"], row.get("input")) if part)
    return _chat(asked, row["output"], row["instruction"], where)


def _huatuo(row: dict[str, Any], where: str) -> Iterator[Row]:
    return _chat(row["Question"], row["Response"], row["id"], where)


def _medsafety(row: dict[str, Any], where: str) -> Iterator[Row]:
    return _chat(row["harmful_medical_request"], row["safe_response"], row["id"], where)


def _medec(row: dict[str, Any], where: str) -> Iterator[Row]:
    """The corrected sentence against the wrong one, in its note."""
    if row["Error Flag"] != "1":
        return
    before = row["Text"].partition(row["Error Sentence"])[0].strip()
    asked = f"{before}\n\nWrite the next sentence of this note."
    value = {"prompt": asked, "chosen": row["Corrected Sentence"], "rejected": row["Error Sentence"]}
    if before and value["chosen"] != value["rejected"]:
        yield Row("preference", value, group_of(row), where)


_READERS: dict[str, Callable[[dict[str, Any], str], Iterator[Row]]] = {
    "medquad_qa": _medquad, "bentsao_zh": _bentsao, "huatuo_o1_demo": _huatuo, "medsafety_train": _medsafety,
    "medec_val": _medec,
}  # fmt: skip
