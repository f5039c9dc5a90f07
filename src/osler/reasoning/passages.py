"""The evidence a question is answered from: passages of the library, or the sentences of a given context.

A Chinese question also searches with the English names of its concepts. It does not choose among passages.
"""

import re

from osler.nouns import Evidence, Source
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import has_chinese

_PARAGRAPH = re.compile(r"\n\s*\n|\n")


def passages_for(question: Question, run: Run, extra: str = "") -> list[Evidence]:
    """Passages, best first. `extra`: words that narrow the search (an option of the question)."""
    if question.context is not None:
        parts = [part for part in _PARAGRAPH.split(question.context) if part.strip()]
        return [
            Evidence(id=f"context:{number}", kind="passage", text=part.strip(), source=Source(title="given context"))
            for number, part in enumerate(parts, start=1)
        ]
    query = f"{question.text} {extra}".strip()
    k = run.settings.library.passages
    found = run.search(query, k)
    if names := other_language(query, run):
        translated = run.search(names, k)
        ids = {item.id for item in translated}
        found = _interleave(translated, [item for item in found if item.id not in ids])
    return found


def other_language(text: str, run: Run) -> str:
    """English names of the concepts that a Chinese text names; empty for other texts and where none is known."""
    if not has_chinese(text):
        return ""
    codes = dict.fromkeys(item.code for item in run.resources.recogniser.find(text))
    nodes = [run.resources.graph.find(code) for code in codes]
    return " ".join(node.label for node in nodes if node is not None)


def _interleave(first: list[Evidence], second: list[Evidence]) -> list[Evidence]:
    mixed = [item for pair in zip(first, second, strict=False) for item in pair]
    shorter = min(len(first), len(second))
    return mixed + first[shorter:] + second[shorter:]
