"""Does the evidence support the statement? From MEDEC: the corrected note, with its corrected or its wrong sentence.

The corrected sentence stands word for word in its evidence, so what is hard here is to reject the wrong one.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from osler.bench.choice import ChoiceTask, Item
from osler.bench.figures import Figure, Reply, figure
from osler.bench.task import Bench, Method, rows, table
from osler.bench.tasks.medec import group_of
from osler.nouns import Evidence
from osler.reasoning.verify import verify

OPTIONS = {"A": "yes", "B": "no"}
QUESTION: str = table("prompts")["inference"]["question"]


class Kind(ChoiceTask):
    prompts = (ChoiceTask.prompts, QUESTION)

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            if row["Error Flag"] == "1":
                for key, answer, field in (("right", "A", "Corrected Sentence"), ("wrong", "B", "Error Sentence")):
                    question = QUESTION.format(statement=row[field].strip())
                    note = row["Corrected Text"].strip()
                    yield Item(f"{row['Text ID']}-{key}", group_of(row), question, OPTIONS, answer, context=note)

    def methods(self) -> dict[str, Method]:
        return {method.name: method for method in self.ways}

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        statement = item.question.partition("\n")[2]
        made = verify(statement, [Evidence(id="note", kind="case", text=item.context or "")])
        said = f"{made.verdict}: {'; '.join(made.reasons)}"
        scores = {"contradiction named": float(made.verdict == "contradicted")} if item.answer == "B" else {}
        return self.reply(item, "A" if made.verdict == "supported" else "B", output=said, scores=scores)

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        named = [reply for reply in replies if "contradiction named" in reply.scores]
        return super().figures(items, replies) + ([figure("contradiction named", named)] if named else [])
