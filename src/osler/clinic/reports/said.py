"""What a text says, unit by unit: a sentence of a note or turn, or a question with its answer, and what it is about.

A unit is quoted, never reworded. Its topic comes from a linear model over the embedder's vectors, so that both
languages and spoken as well as written words are sorted alike (scripts/train_topics.py). It knows no template.
"""

import functools
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from osler.knowledge.concepts.dialogue import is_question
from osler.models.embedder import Embedder
from osler.nouns import Evidence, Source
from osler.record.case import Document
from osler.text import sentences

MODEL = Path(__file__).parent / "topics.json"
SPEAKERS = ("doctor", "patient", "asked", "note")
LABELS = {"en": {"doctor": "Doctor: ", "patient": "Patient: "}, "zh": {"doctor": "医生：", "patient": "患者："}}
_HEADING = re.compile(r"^([A-Za-z][A-Za-z /&-]{0,40}|[\u4e00-\u9fff]{2,8})[:：]")
_ALLERGY = re.compile(r"(?i)\b(?:allerg(?:y|ies|ic)|anaphyla\w+|nkd?a)\b|过敏")
Speaker = Literal["doctor", "patient", "asked", "note"]


class Unit(NamedTuple):
    """`text`: as a report quotes it; `heading`: of the part of a note that it stands in."""

    speaker: Speaker
    text: str
    document: str
    start: int
    end: int
    heading: str = ""

    def evidence(self) -> Evidence:
        source = Source(document_id=self.document, section=self.heading or None, start=self.start, end=self.end)
        return Evidence(id=f"{self.document}#{self.start}-{self.end}", kind="record", text=self.text, source=source)


def units_of(document: Document) -> list[Unit]:
    """The units of a document in their order; a doctor's question stands with its answer."""
    if not document.turns:
        return list(_of_note(document))
    return list(_of_dialogue(document))


def _of_note(document: Document) -> Iterator[Unit]:
    """The sentences of a note, each with the heading it stands under: of its line, else of its part of the note."""
    inline, before = "", 0
    for start, end in sentences(document.text):
        part = next((one.title for one in document.sections if one.start <= start < one.end), "")
        said = " ".join(document.text[start:end].split())
        match = _HEADING.match(said)
        if match and match[1].lower() in _headings():
            inline = match[1]
        elif "\n" in document.text[before:start]:
            inline = ""
        before = end
        if any(character.isalnum() for character in said) and said.strip(" :：") not in (part, inline):
            yield Unit("note", said, document.id, start, end, inline or part)


def _of_dialogue(document: Document) -> Iterator[Unit]:
    asked: tuple[int, int] | None = None  # a question that waits for its answer
    for turn in document.turns:
        spans = [(turn.start + a, turn.start + b) for a, b in sentences(document.text[turn.start : turn.end])]
        if turn.speaker == "doctor":
            if asked is not None:
                yield _unit("doctor", document, [asked])
                asked = None
            cut = len(spans)
            while cut and is_question(document.text[slice(*spans[cut - 1])]):
                cut -= 1
            yield from (_unit("doctor", document, [span]) for span in spans[:cut])
            if cut < len(spans):
                asked = (spans[cut][0], spans[-1][1])
        elif spans and asked is not None:
            yield _unit("asked", document, [asked, (spans[0][0], spans[-1][1])])
            asked = None
        else:
            yield from (_unit("patient", document, [span]) for span in spans)


def _unit(speaker: Speaker, document: Document, spans: Sequence[tuple[int, int]]) -> Unit:
    labels = LABELS[document.language]
    who = ("doctor", "patient") if speaker == "asked" else (speaker,)
    quoted = (
        labels[one] + " ".join(document.text[start:end].split()) for one, (start, end) in zip(who, spans, strict=True)
    )
    return Unit(speaker, " ".join(quoted), document.id, spans[0][0], spans[-1][1])


@functools.cache
def _headings() -> dict[str, str]:
    """Known headings with the topic of what stands under them."""
    by_topic = tomllib.loads((MODEL.parent / "headings.toml").read_text(encoding="utf-8"))
    return {name.strip(): topic for topic, names in by_topic.items() for name in names.split(";")}


@functools.cache
def _model() -> tuple[list[str], np.ndarray]:
    """Topics, and their weights over (vector, speaker, 1). Shape (dimensions + 5, topics)."""
    made = json.loads(MODEL.read_text(encoding="utf-8"))
    return made["topics"], np.array(made["weights"], np.float32)


def features(units: Sequence[Unit], embedder: Embedder) -> np.ndarray:
    """What the model sees of each unit. Shape (units, dimensions + 5)."""
    vectors = embedder.embed_queries([f"{unit.heading}: {unit.text}" if unit.heading else unit.text for unit in units])
    speakers = np.array([[unit.speaker == name for name in SPEAKERS] for unit in units], np.float32)
    return np.hstack([10 * vectors, speakers, np.ones((len(units), 1), np.float32)])


def topics_of(units: Sequence[Unit], embedder: Embedder) -> list[list[str]]:
    """The two topics each unit is likeliest about, the first by its words of allergy or its heading where there are
    any, else by the model; `none` for courtesies."""
    if not units:
        return []
    names, weights = _model()
    found = []
    for unit, places in zip(units, (-(features(units, embedder) @ weights)).argsort(1)[:, :2], strict=True):
        likely = names[places[0]], names[places[1]]
        known = "allergy" if _ALLERGY.search(unit.text) else _headings().get(unit.heading.lower())
        found.append([known or likely[0], likely[1]])
    return found
