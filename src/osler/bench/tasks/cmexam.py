"""CMExam (Liu et al. 2023): the Chinese licensing examination; some answers have several letters, all must be named."""

from typing import Any

from osler.bench.choice import ChoiceTask, Item


def _item(row: dict[str, Any]) -> Item | None:
    options = {}
    for line in row["Options"].splitlines():
        key, _, text = line.strip().partition(" ")
        if len(key) == 1 and text:
            options[key] = text.strip()
    answer = "".join(sorted(row["Answer"].strip()))
    if len(options) < 2 or not set(answer) <= set(options):
        return None
    return Item(str(row["id"]), str(row["id"]), row["Question"], options, answer, language="zh")


TASK = ChoiceTask(
    name="cmexam",
    about="Chinese licensing examination, up to five options",
    path="qa/cmexam_dev.jsonl.gz",
    licence="Apache-2.0",
    item=_item,
)
