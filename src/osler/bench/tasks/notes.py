"""From a dialogue to a clinician's note: ACI-Bench (Yim et al. 2023) and MTS-Dialog (Ben Abacha et al. 2023).

Beside every score stands the dialogue's own, taken as the note (`copy`), and for support that of the human's note.
"""

import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.figures import BESIDE, Reply
from osler.bench.metrics.texts import LIKENESS, concept_f1, concepts_of, likeness, rouge, support_rate
from osler.bench.task import Bench, Task, rows, table
from osler.clinic.reports import draft, kinds
from osler.models import Message
from osler.reasoning.resources import Run
from osler.record import read_text
from osler.text import sentences

SPEAKER = re.compile(r"^\s*\[(doctor|patient)\]\s*", re.M)
LABEL = re.compile(r"\b(?:Doctor|Patient): ")
CONCEPTS, SUPPORT = "concept F1", "support rate"
PROMPT: dict[str, Any] = table("prompts")["notes"]


def drafted(dialogue: str, bench: Bench) -> str:
    """Osler's visit note without a model: what was said, sorted, without the speakers' names."""
    kind, run = kinds(bench.settings)["visit-note"], Run(bench.resources, "bench")
    case = read_text(SPEAKER.sub(lambda match: f"{match[1].title()}: ", dialogue), "dialogue")
    made = draft(kind, case, run, case.language, quoted=True)
    return "\n".join(LABEL.sub("", one.text) for part in made.sections for one in part.statements)


class Item(NamedTuple):
    id: str
    group: str
    dialogue: str
    reference: str
    asked: str


class Kind(Task):
    """`fields`: of a row, its id and the human's text; a third names the section that is asked for alone."""

    fields: list[str]

    def __init__(self, keys: dict[str, Any]) -> None:
        super().__init__(keys)
        self.prompts = (*PROMPT.values(), self.tokens)
        self.length = 0  # words of the middle reference

    def read(self, path: Path) -> Iterator[Item]:
        read = [self.item(row) for row in rows(path)]
        self.length = int(statistics.median(len(item.reference.split()) for item in read))
        yield from read

    def item(self, row: dict[str, Any]) -> Item:
        identifier, reference, *section = (row[field] for field in self.fields)
        asked = PROMPT["note"]
        if section:
            asked = PROMPT["section"].format(section=PROMPT["sections"].get(section[0], section[0].lower()))
        return Item(identifier, identifier, row["dialogue"], reference, asked)

    def chat(self, item: Item, method: str) -> list[Message]:
        return [Message("system", PROMPT["system"]), Message("user", f"{item.asked}\n\n{item.dialogue}")]

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        ways = {"copy": lambda: item.dialogue, "lead": lambda: self.lead(item.dialogue)}
        text = ways.get(method, lambda: drafted(item.dialogue, bench))()
        return self.reply(item, text or None, output=text, why=None if text else "empty reply")

    def lead(self, dialogue: str) -> str:
        """Its first sentences, until they have as many words as the middle reference."""
        lead: list[str] = []
        for start, end in sentences(dialogue):
            if sum(len(sentence.split()) for sentence in lead) >= self.length:
                break
            lead.append(dialogue[start:end])
        return "\n".join(lead)

    def score(self, said: str, item: Item, bench: Bench) -> dict[str, float]:
        found = self.compared(said, item, bench)
        copied = found if said == item.dialogue else self.compared(item.dialogue, item, bench)
        found |= {f"copy{BESIDE}{metric}": value for metric, value in copied.items()}
        supported = {SUPPORT: said, f"reference{BESIDE}{SUPPORT}": item.reference}
        rates = {metric: support_rate(text, item.dialogue) for metric, text in supported.items()}
        return found | {metric: rate for metric, rate in rates.items() if rate is not None}

    def compared(self, text: str, item: Item, bench: Bench) -> dict[str, float]:
        """A candidate beside the reference."""
        recogniser = bench.resources.recogniser
        more = {
            LIKENESS: likeness(text, item.reference, bench.resources.embedder),
            CONCEPTS: concept_f1(concepts_of(text, recogniser), concepts_of(item.reference, recogniser)),
        }
        return rouge(text, item.reference) | {metric: value for metric, value in more.items() if value is not None}
