"""What a reader hands over: the text of one document, its sections and what is known of its origin.

It does not know file formats, passages or the index.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from osler.text import language_of

# Part of every content hash: raise it when reading or splitting changes, so that documents are indexed anew.
FORMAT = 1
JOINT = "\n\n"


class Section(NamedTuple):
    """A stretch of the document's text, in code points. `heading`: the path of headings above it."""

    heading: str | None
    start: int
    end: int
    page: int | None = None


class Part(NamedTuple):
    """A piece of text on its way to becoming a section."""

    heading: str | None
    text: str
    page: int | None = None


class DocumentText(NamedTuple):
    """One document. `text` is what offsets count in; None means the document doesn't say."""

    document_id: str
    title: str | None
    text: str
    sections: tuple[Section, ...]
    collection: str | None = None
    year: int | None = None
    licence: str | None = None
    url: str | None = None
    language: str | None = None
    valid_from: str | None = None
    superseded_by: str | None = None
    retracted: bool = False

    @property
    def sha256(self) -> str:
        """Hash of everything that is indexed: text, sections and origin."""
        content = json.dumps([FORMAT, *self], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


class Deletion(NamedTuple):
    """A source says that this document no longer exists (PubMed's DeleteCitation)."""

    document_id: str


class Origin(NamedTuple):
    """What the user states about documents that don't say it themselves. `collection` always applies."""

    collection: str
    year: int | None = None
    licence: str | None = None
    url: str | None = None
    valid_from: str | None = None
    superseded_by: str | None = None
    retracted: bool = False

    def complete(self, document: DocumentText) -> DocumentText:
        return document._replace(
            collection=self.collection,
            year=document.year if document.year is not None else self.year,
            licence=document.licence or self.licence,
            url=document.url or self.url,
            language=document.language or language_of(document.text),
            valid_from=document.valid_from or self.valid_from,
            superseded_by=document.superseded_by or self.superseded_by,
            retracted=document.retracted or self.retracted,
        )


def compose(parts: Iterable[Part]) -> tuple[str, tuple[Section, ...]]:
    """One text of many parts, and the sections that say where each lies in it. Empty parts are left out."""
    texts: list[str] = []
    sections: list[Section] = []
    position = 0
    for heading, text, page in parts:
        body = text.strip()
        if not body:
            continue
        sections.append(Section(heading or None, position, position + len(body), page))
        texts.append(body)
        position += len(body) + len(JOINT)
    return JOINT.join(texts), tuple(sections)


class Headings:
    """The path of headings while a document is read from top to bottom."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, str]] = []

    def enter(self, level: int, heading: str) -> None:
        while self._stack and self._stack[-1][0] >= level:
            self._stack.pop()
        self._stack.append((level, " ".join(heading.split())))

    @property
    def path(self) -> str | None:
        return " > ".join(heading for _, heading in self._stack if heading) or None
