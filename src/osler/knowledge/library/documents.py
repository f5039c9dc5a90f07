"""What a reader hands over: the text of one document, its sections and what is known of its origin.

It does not know file formats, passages or the index.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from osler.errors import InputError, OslerError
from osler.text import language_of

# Part of every content hash: raise it when reading or splitting changes, so that documents are indexed anew.
FORMAT = 1
JOINT = "\n\n"
RAISED = "\x02"  # stands before superscript text until `flat` has seen what it follows


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


Item = DocumentText | Deletion | OslerError  # what a reader yields


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
        unsaid = {name: value for name, value in self._asdict().items() if not getattr(document, name)}
        return document._replace(language=document.language or language_of(document.text), **unsaid)


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


def whole(path: Path, kind: str, title: str | None, parts: Iterable[Part], **about: Any) -> DocumentText:
    """The one document of a file, named by its path. Raises InputError if it has no text."""
    text, sections = compose(parts)
    if not text:
        raise InputError(f"{kind} without text", where=str(path))
    return DocumentText(str(path), title or path.stem, text, sections, **about)


def flat(pieces: Iterable[str]) -> str:
    """One line of text. A raised number after a digit becomes a power: 10<sup>9</sup> is 10^9, not 109."""
    text = re.sub(rf"(?<=\d){RAISED}(?=[-+−]?\d)", "^", "".join(pieces)).replace(RAISED, "")
    return " ".join(text.split())


def year_of(value: object) -> int | None:
    """The first year that a date or a text names."""
    found = re.search(r"(?<!\d)(1[5-9]|20)\d\d(?!\d)", str(value))
    return int(found.group()) if found else None


def stated(about: Mapping[str, Any]) -> dict[str, Any]:
    """What named fields of a source say of a document, as fields of `DocumentText`; what can't be used is left out."""

    def first(*names: str) -> str | None:
        values = (about.get(name) for name in names)
        return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)

    language = (first("language", "lang") or "")[:2].lower()
    return {
        "year": year_of(about.get("year") or first("date", "published") or ""),
        "licence": first("licence", "license"),
        "url": first("url", "source_url", "link"),
        "language": language if language in ("en", "zh") else None,
        "valid_from": first("valid_from"),
        "superseded_by": first("superseded_by"),
        "retracted": str(about.get("retracted", "")).lower() in ("true", "yes", "1"),
    }


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
