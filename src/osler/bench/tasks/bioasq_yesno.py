"""BioASQ yes/no questions (Tsatsaronis et al. 2015) with their gold snippets: reading, not retrieval."""

from typing import Any

from osler.bench.choice import ChoiceTask, Item

OPTIONS = {"A": "yes", "B": "no"}


def _item(row: dict[str, Any]) -> Item:
    snippets = [entry["text"] if isinstance(entry, dict) else entry for entry in row["snippets"]]
    answer = "A" if row["exact_answer"].strip().lower() == "yes" else "B"
    return Item(row["id"], row["id"], row["body"], OPTIONS, answer, context="\n".join(snippets))


TASK = ChoiceTask(
    name="bioasq_yesno",
    about="expert yes/no questions with gold snippets; always yes scores about .65",
    path="qa/bioasq_yesno_dev.jsonl.gz",
    licence="CC BY 2.5",
    item=_item,
)
