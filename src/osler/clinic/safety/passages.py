"""Evidence out of the record: the sentence of a document that holds a place, or an entry such as a medication."""

import functools

from osler.nouns import Evidence, Source
from osler.record.case import Document
from osler.text import Span, sentences


@functools.lru_cache(maxsize=16)
def _units(text: str) -> tuple[Span, ...]:
    return tuple(sentences(text))


def sentence_at(text: str, place: int) -> Span:
    """The sentence that holds the place; the whole text where none does."""
    return next((unit for unit in _units(text) if unit.start <= place < unit.end), Span(0, len(text)))


def passage(document: Document, place: int) -> Evidence:
    """The sentence of the document as evidence, `<document>#<start>-<end>`."""
    start, end = sentence_at(document.text, place)
    source = Source(title=document.title, document_id=document.id, start=start, end=end)
    return Evidence(id=f"{document.id}#{start}-{end}", kind="record", text=document.text[start:end], source=source)


def entry(source: str, text: str) -> Evidence:
    """An entry of the record, named by its path."""
    return Evidence(id=source, kind="record", text=text, source=Source(document_id=source))
