"""The evidence a question is answered from: passages of the library, or the sentences of a given context.

A Chinese question also searches with the English names of its concepts. It does not choose among passages.
"""

import re
from collections.abc import Sequence

from osler.nouns import Evidence, Source
from osler.reasoning.extract import Sentence, score_sentences
from osler.reasoning.prompts import intents
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import has_chinese

_PARAGRAPH = re.compile(r"\n\s*\n|\n")


def passages_for(question: Question, run: Run, extra: str = "") -> list[Evidence]:
    """Passages, best first. `extra`: words that narrow the search (an option of the question)."""
    if question.context is not None:
        return given(question)
    query = f"{question.text} {extra}".strip()
    k = run.settings.library.passages
    found = run.search(query, k)
    if names := other_language(query, run):
        translated = run.search(names, k)
        ids = {item.id for item in translated}
        found = _interleave(translated, [item for item in found if item.id not in ids])
    return found


def given(question: Question) -> list[Evidence]:
    """The paragraphs of the text that was given with the question; none where none was."""
    parts = [part for part in _PARAGRAPH.split(question.context or "") if part.strip()]
    return [
        Evidence(id=f"context:{number}", kind="passage", text=part.strip(), source=Source(title="given context"))
        for number, part in enumerate(parts, start=1)
    ]


def sentences_for(question: Question, evidence: Sequence[Evidence], run: Run, extra: str = "") -> list[Sentence]:
    """Sentences of `evidence` that speak to the question, best first, each compared in its own language."""
    asked = f"{question.text} {extra}".strip()
    english = other_language(asked, run)
    theirs = [item for item in evidence if english and not has_chinese(item.text)]
    found = score_sentences(english, theirs, run) if theirs else []
    found += score_sentences(asked, [item for item in evidence if item not in theirs], run)
    return sorted(found, key=lambda item: (-item.score, item.text))


def other_language(text: str, run: Run) -> str:
    """What a Chinese text asks, in English: its recognised concepts and its intent. Empty where none is known."""
    if not has_chinese(text):
        return ""
    codes = dict.fromkeys(item.code for item in run.resources.recogniser.find(text))
    nodes = [run.resources.graph.find(code) for code in codes]
    names = list({node.label.lower(): None for node in nodes if node is not None})
    wanted = [english for chinese, english in intents().items() if chinese in text]
    return " ".join([*names, *dict.fromkeys(wanted)]) if names else ""


def _interleave(first: list[Evidence], second: list[Evidence]) -> list[Evidence]:
    mixed = [item for pair in zip(first, second, strict=False) for item in pair]
    shorter = min(len(first), len(second))
    return mixed + first[shorter:] + second[shorter:]
