"""PubMedQA (Jin et al. 2019): a question, the abstract without its conclusion, and yes, no or maybe."""

from typing import Any

from osler.bench.choice import ChoiceTask, Item

OPTIONS = {"A": "yes", "B": "no", "C": "maybe"}


def _item(row: dict[str, Any]) -> Item:
    answer = next(key for key, text in OPTIONS.items() if text == row["final_decision"].lower())
    context = " ".join(row["context"]["contexts"])
    return Item(row["pubid"], row["pubid"], row["question"], OPTIONS, answer, context=context)


TASK = ChoiceTask(
    name="pubmedqa",
    about="yes, no or maybe from an abstract; always yes scores .55",
    path="qa/pubmedqa_dev.jsonl.gz",
    licence="MIT",
    item=_item,
)
