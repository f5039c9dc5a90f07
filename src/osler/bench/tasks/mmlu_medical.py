"""MMLU (Hendrycks et al. 2021), its six medical subjects. Many texts repeat: they are split by how they begin."""

from osler.bench.choice import ChoiceTask, Item, lettered

TASK = ChoiceTask(
    name="mmlu_medical",
    about="six medical subjects of MMLU, four options",
    path="qa/mmlu_medical.jsonl.gz",
    licence="MIT",
    item=lambda row: Item(
        row["id"],
        row["question"][:160],
        row["question"],
        lettered(row["choices"]),
        "ABCD"[int(row["answer"])],
        subject=row["subject"],
    ),
)
