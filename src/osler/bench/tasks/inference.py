"""Does the evidence support the statement? From MEDEC: the corrected note, with its corrected or its wrong sentence.

The corrected sentence stands word for word in its evidence, so what is hard here is to reject the wrong one.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from osler.bench.choice import GENERATED, LETTERS, ChoiceTask, Item, measure
from osler.bench.task import Bench, Figure, Method, Reply, rows
from osler.bench.tasks.medec import group_of
from osler.bench.written import figure
from osler.nouns import Evidence
from osler.reasoning.verify import verify

VERIFIER = "verifier"
OPTIONS = {"A": "yes", "B": "no"}
QUESTION = "Does the note above support this statement?\n{statement}"


class Inference(ChoiceTask):
    prompts = (ChoiceTask.prompts, QUESTION)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            if row["Error Flag"] == "1":
                for key, answer, field in (("right", "A", "Corrected Sentence"), ("wrong", "B", "Error Sentence")):
                    question = QUESTION.format(statement=row[field].strip())
                    note = row["Corrected Text"].strip()
                    yield Item(f"{row['Text ID']}-{key}", group_of(row), question, OPTIONS, answer, context=note)

    def methods(self) -> dict[str, Method]:
        models = {name: method for name, method in super().methods().items() if name in (LETTERS, GENERATED)}
        return {VERIFIER: Method(VERIFIER, "Osler's rules; supported is yes, all else no", model=False), **models}

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return {}

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        return [_verified(item) for item in items] if method == VERIFIER else super().ask(items, method, bench)

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        named = [reply for reply in replies if "contradiction named" in reply.scores]
        return [*measure(items, replies), *([figure("contradiction named", named)] if named else [])]


def _verified(item: Item) -> Reply:
    began = time.perf_counter()
    statement = item.question.partition("\n")[2]
    made = verify(statement, [Evidence(id="note", kind="case", text=item.context or "")])
    choice = "A" if made.verdict == "supported" else "B"
    scores = {"right": float(choice == item.answer)}
    if item.answer == "B":
        scores["contradiction named"] = float(made.verdict == "contradicted")
    said = f"{made.verdict}: {'; '.join(made.reasons)}"
    return Reply(item.id, item.group, choice, scores, said, seconds=round(time.perf_counter() - began, 4))


TASK = Inference(
    "inference", "does a note support a statement; half do", "qa/medec_val.jsonl.gz", "CC BY 4.0", lambda row: None
)
