"""From a dialogue to a clinician's note: ACI-Bench (Yim et al. 2023) and MTS-Dialog (Ben Abacha et al. 2023).

Beside every score stands the dialogue's own, taken as the note (`copy`), and for support that of the human's note.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.metrics.concepts import concept_f1, concepts_of
from osler.bench.metrics.likeness import NAME as LIKENESS
from osler.bench.metrics.likeness import likeness
from osler.bench.metrics.rouge import rouge
from osler.bench.metrics.support import support_rate
from osler.bench.task import Bench, Figure, Method, Reply, rows
from osler.bench.written import BESIDE, WrittenTask, figure, knowledge
from osler.models import Message
from osler.text import sentences

CONCEPTS, SUPPORT = "concept F1", "support rate"
METRICS = ("ROUGE-1", "ROUGE-2", "ROUGE-L", LIKENESS, CONCEPTS, SUPPORT)
SYSTEM = "You write clinical documentation. Write only what the dialogue says, in a clinician's words."
NOTE = (
    "Write the visit note of this dialogue, with the headings CHIEF COMPLAINT, HISTORY OF PRESENT ILLNESS, PHYSICAL "
    "EXAM, RESULTS, ASSESSMENT AND PLAN. Leave out a heading that has nothing under it."
)
SECTION = "Write the section {section} of the medical note from this dialogue, as plain sentences without its heading."
SECTIONS = {
    "FAM/SOCHX": "family and social history",
    "GENHX": "history of present illness",
    "PASTMEDICALHX": "past medical history",
    "CC": "chief complaint",
    "PASTSURGICAL": "past surgical history",
    "ROS": "review of systems",
    "GYNHX": "gynecologic history",
    "EDCOURSE": "course in the emergency department",
    "OTHER_HISTORY": "other history",
}


class Item(NamedTuple):
    id: str
    group: str
    dialogue: str
    reference: str
    asked: str


class Notes(WrittenTask):
    headline = "ROUGE-L"
    licence = "CC BY 4.0"
    batch = 4
    plain = (
        Method("copy", "the dialogue itself", model=False),
        Method("lead", "the dialogue's first sentences, as long as the references are", model=False),
    )

    def __init__(self, name: str, about: str, path: str, tokens: int, item: Callable[[dict[str, Any]], Item]) -> None:
        self.name, self.about, self.path, self.tokens, self.item = name, about, path, tokens, item
        self.prompts = (SYSTEM, NOTE, SECTION, SECTIONS, tokens)
        self.length = 0  # words of the middle reference

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return knowledge(bench)

    def read(self, path: Path) -> Iterator[Item]:
        read = [self.item(row) for row in rows(path)]
        self.length = int(statistics.median(len(item.reference.split()) for item in read))
        yield from read

    def chat(self, item: Item) -> list[Message]:
        return [Message("system", SYSTEM), Message("user", f"{item.asked}\n\n{item.dialogue}")]

    def parse(self, text: str, item: Item) -> str:
        return text

    def without_model(self, item: Item, method: str) -> str:
        if method == "copy":
            return item.dialogue
        lead: list[str] = []
        for start, end in sentences(item.dialogue):
            if sum(len(sentence.split()) for sentence in lead) >= self.length:
                break
            lead.append(item.dialogue[start:end])
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

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        by_metric = {metric: figure(metric, replies) for metric in METRICS}
        return [by_metric.pop(self.headline), *by_metric.values()]


def _visit(row: dict[str, Any]) -> Item:
    return Item(row["encounter_id"], row["encounter_id"], row["dialogue"], row["note"], NOTE)


def _section(row: dict[str, Any]) -> Item:
    name = row["section_header"]
    asked = SECTION.format(section=SECTIONS.get(name, name.lower()))
    return Item(row["ID"], row["ID"], row["dialogue"], row["section_text"], asked)


TASKS = (
    Notes("acibench", "visit dialogue to the whole note", "notes/acibench_valid.jsonl", 700, _visit),
    Notes("mtsdialog", "short dialogue to one section of a note", "notes/mtsdialog_valid.jsonl", 220, _section),
)
