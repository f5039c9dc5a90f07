"""Solved questions that methods show before the one they ask: Osler's own, English and Chinese (CC0).

None of them stands in a public test set; `osler bench leak` holds that.
"""

import functools
import json
from pathlib import Path

import numpy as np

from osler.reasoning.asking import Example
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import Language, language_of

FILE = Path(__file__).parent / "prompts" / "examples.jsonl"


@functools.cache
def examples(language: Language) -> list[Example]:
    """All of a language, in the order of the file."""
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [Example(**row) for row in rows if row["language"] == language]


def nearest(question: Question, n: int, run: Run) -> list[Example]:
    """The `n` most like the question by their embeddings, the nearest last (next to the question)."""
    known = examples(language_of(question.text))
    embedder = run.resources.embedder
    cosines = embedder.embed_queries([one.question for one in known]) @ embedder.embed_queries([question.text])[0]
    return [known[place] for place in np.argsort(-cosines, kind="stable")[:n][::-1]]
