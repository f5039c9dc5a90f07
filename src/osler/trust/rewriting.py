"""What changes of text share: words, terms and sentences put in the place of others. It does not know why."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from random import Random

from osler.knowledge.concepts.matcher import Mention
from osler.knowledge.concepts.recogniser import lay_names, load_recogniser
from osler.knowledge.graph import load_graph

WORD = re.compile(r"(?<![\w-])[A-Za-z]{5,}(?![\w-])")
Edit = Callable[[str, Random], str]


@functools.cache
def rows(name: str) -> tuple[list[str], ...]:
    """The rows of a table of `changes/`."""
    lines = (files("osler.trust") / "changes" / name).read_text(encoding="utf-8").splitlines()
    return tuple(line.split("\t") for line in lines if line and not line.startswith("#"))


def with_parts(text: str, parts: Iterable[tuple[int, int, str]]) -> str:
    """The text with spans replaced; of those that overlap, the first."""
    made, at = [], 0
    for start, end, new in sorted(parts):
        if start >= at:
            made += [text[at:start], new]
            at = end
    return "".join([*made, text[at:]])


def some_words(text: str, luck: Random, edit: Edit, share: float = 0.1, pattern: re.Pattern[str] = WORD) -> str:
    """A share of what the pattern finds edited, at least one; numbers are no words and stay."""
    found = list(pattern.finditer(text))
    chosen = luck.sample(found, max(1, round(share * len(found)))) if found else []
    return with_parts(text, [(*match.span(), edit(match[0], luck)) for match in chosen])


def terms(text: str, luck: Random, others: Callable[[Mention], Sequence[str]]) -> str:
    """Every term that stands there whole, under one of its names, under one of its other names; what the recogniser
    inferred or joined from parts stays as it is. A name is written small where the term is."""
    found = [(one, others(one)) for one in load_recogniser().mentions(text) if one.text.lower() in _names(one.code)]
    chosen = [(one, luck.choice(names)) for one, names in found if names]
    return with_parts(text, [(one.start, one.end, _small(name, one.text)) for one, name in chosen])


def _small(name: str, before: str) -> str:
    return name.lower() if before.islower() and name[1:].islower() else name


@functools.cache
def _names(code: str) -> frozenset[str]:
    node = load_graph().find(code)
    named = (node.label, *node.synonyms, node.label_zh or "") if node else ()
    return frozenset(name.lower() for name in (*named, *(one.name for one in lay_names() if one.code == code)))
