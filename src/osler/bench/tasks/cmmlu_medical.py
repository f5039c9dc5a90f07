"""CMMLU (Li et al. 2023), its medical subjects. Licensed for non-commercial use: results only."""

from typing import Any

from osler.bench.choice import ChoiceTask, Item


def _item(row: dict[str, Any]) -> Item | None:
    if row["split"] == "dev":  # the official few-shot examples
        return None
    options = {key: row[key] for key in "ABCD"}
    return Item(row["id"], row["id"], row["Question"], options, row["Answer"], language="zh", subject=row["subject"])


TASK = ChoiceTask(
    name="cmmlu_medical",
    about="medical subjects of CMMLU, four options",
    path="qa/cmmlu_medical_dev.jsonl",
    licence="CC BY-NC-SA 4.0",
    item=_item,
)
