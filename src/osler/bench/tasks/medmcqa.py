"""MedMCQA (Pal et al. 2022): Indian postgraduate entrance questions, short and factual."""

from osler.bench.choice import ChoiceTask, Item, lettered

TASK = ChoiceTask(
    name="medmcqa",
    about="Indian postgraduate entrance questions, four options",
    path="qa/medmcqa_dev.jsonl.gz",
    licence="MIT",
    item=lambda row: Item(
        row["id"],
        row["id"],
        row["question"],
        lettered([row["opa"], row["opb"], row["opc"], row["opd"]]),
        "ABCD"[int(row["cop"]) - 1],  # counted from 1
        subject=row["subject_name"],
    ),
)
