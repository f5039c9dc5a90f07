"""Cuts a document into passages of about a thousand characters at sentence and paragraph boundaries.

A passage is an exact slice of the document's text and never crosses a heading. It does not know the index.
"""

import hashlib
from itertools import groupby, pairwise
from typing import NamedTuple

from osler.knowledge.library.documents import DocumentText
from osler.text import Span, sentences

# Code points. A Chinese character is about one token of the embedder, which reads 512; an English word 1.3.
SIZE = {"en": 1000, "zh": 400}
SLACK = 1.4  # a section this much larger than the size still stays whole


class Passage(NamedTuple):
    """`text` is the slice `start` to `end` (code points) of the document's text; `id` names content and place."""

    id: str
    ordinal: int
    text: str
    section: str | None
    page: int | None
    start: int
    end: int


def passage_id(document_id: str, sha256: str, ordinal: int) -> str:
    """Names a passage by its document, that document's content and its place in it."""
    key = f"{document_id}\x1f{sha256}".encode("utf-8", "surrogatepass")
    return f"{hashlib.sha256(key).hexdigest()[:16]}-{ordinal}"


def passages_of(document: DocumentText) -> list[Passage]:
    """The passages of a document in reading order.

    Neighbouring sections under one heading (the pages of a PDF) are cut as one run; a passage has the page it
    starts on. Ids depend on the document's id and content only.
    """
    size = SIZE.get(document.language or "en", SIZE["en"])
    digest = document.sha256
    passages: list[Passage] = []
    for heading, group in groupby(document.sections, key=lambda section: section.heading):
        run = list(group)
        for start, end in _cut(document.text, Span(run[0].start, run[-1].end), size):
            page = next(section.page for section in reversed(run) if section.start <= start)
            name = passage_id(document.document_id, digest, len(passages))
            text = document.text[start:end]
            passages.append(Passage(name, len(passages), text, heading, page, start, end))
    return passages


def _cut(text: str, run: Span, size: int) -> list[Span]:
    """Spans of about `size` code points that cover the sentences of a run."""
    units = [
        piece
        for start, end in sentences(text[run.start : run.end])
        for piece in _pieces(text, Span(run.start + start, run.start + end), size)
    ]
    if not units:
        return []
    length = units[-1].end - units[0].start
    if length <= SLACK * size:
        return [Span(units[0].start, units[-1].end)]
    target = length / -(-length // size)
    spans: list[Span] = []
    first = units[0].start
    for unit, following in pairwise(units):
        reached = unit.end - first
        full = reached + (following.end - unit.end) / 2 > target
        paragraph = "\n\n" in text[unit.end : following.start]
        if full or (paragraph and reached > 0.7 * target):
            spans.append(Span(first, unit.end))
            first = following.start
    end = units[-1].end
    if spans and end - first < 0.3 * size and end - spans[-1].start < SLACK * size:
        first = spans.pop().start
    return [*spans, Span(first, end)]


def _pieces(text: str, unit: Span, size: int) -> list[Span]:
    """A unit that is no sentence of a usual length (a table row, a list without stops) cut at spaces."""
    pieces: list[Span] = []
    start, end = unit
    while end - start > SLACK * size:
        cut = max(text.rfind(mark, start + size // 2, start + size) for mark in (" ", "，", "；", "、", "\t"))
        cut = start + size if cut < 0 else cut + 1
        pieces.append(Span(start, start + len(text[start:cut].rstrip())))
        start = cut + (len(text[cut:end]) - len(text[cut:end].lstrip()))
    return [*pieces, Span(start, end)] if start < end else pieces
