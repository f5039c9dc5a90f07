"""MedQA (Jin et al. 2021): United States licensing vignettes with four options."""

from osler.bench.choice import ChoiceTask, Item

TASK = ChoiceTask(
    name="medqa",
    about="USMLE vignettes, four options",
    path="qa/medqa_us_dev.jsonl.gz",
    licence="MIT",
    item=lambda row: Item(row["id"], row["id"], row["question"], row["options"], row["answer_idx"]),
)
