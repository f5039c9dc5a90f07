"""What a reader hands over: the text of one document, its sections and what is known of its origin.

It does not know file formats, passages or the index.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from osler.errors import InputError, OslerError
from osler.text import language_of

# Part of every content hash: raise it when reading or splitting changes, so that documents are indexed anew.
FORMAT = 1
JOINT = "\n\n"
SUP = "\ufdd0"  # no character; stands before superscript text until `flat` has seen what it follows
Headings = tuple[tuple[int, str], ...]  # the path of headings above a text, each with its level


class Section(NamedTuple):
    """A stretch of the document's text, in code points. `heading`: the path of headings above it."""

    heading: str | None
    start: int
    end: int
    page: int | None = None


class Block(NamedTuple):
    """What a reader finds from top to bottom: a paragraph, list or table, or, where it has a `level`, a heading.

    A heading ends those of its level and below; an empty one goes back to the heading above.
    """

    text: str
    level: int | None = None
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

    def complete(self, given: Mapping[str, Any]) -> "DocumentText":
        """With its language, and the fields that the user states where it doesn't say them itself."""
        unsaid = {name: value for name, value in given.items() if not getattr(self, name)}
        return self._replace(language=self.language or language_of(self.text), **unsaid)


class Deletion(NamedTuple):
    """A source says that this document no longer exists (PubMed's DeleteCitation)."""

    document_id: str


Item = DocumentText | Deletion | OslerError  # what a reader yields


def below(headings: Headings, level: int, heading: str) -> Headings:
    """The headings above what follows a heading."""
    return *(above for above in headings if above[0] < level), (level, " ".join(heading.split()))


def path_of(headings: Headings) -> str | None:
    return " > ".join(heading for _, heading in headings if heading) or None


def compose(blocks: Iterable[Block]) -> tuple[str, tuple[Section, ...]]:
    """One text of all blocks, and a section for what follows one heading on one page. Empty blocks are left out."""
    headings: Headings = ()
    texts: list[str] = []
    sections: list[Section] = []
    start, opens = 0, True
    for text, level, page in blocks:
        body = text.strip()
        if level is not None:
            headings, opens = below(headings, level, text), True
        elif body:
            end = start + len(body)
            if opens or page != sections[-1].page:
                sections.append(Section(path_of(headings), start, end, page))
            else:
                sections[-1] = sections[-1]._replace(end=end)
            texts.append(body)
            start, opens = end + len(JOINT), False
    return JOINT.join(texts), tuple(sections)


def whole(name: str, title: str | None, blocks: Iterable[Block], **about: Any) -> DocumentText:
    """A document of blocks. Raises InputError if they hold no text."""
    text, sections = compose(blocks)
    if not text:
        raise InputError("a document without text", where=name)
    return DocumentText(name, title or None, text, sections, **about)


def flat(pieces: Iterable[str]) -> str:
    """One line of text. A raised number after a digit becomes a power: 10<sup>9</sup> is 10^9, not 109."""
    text = "".join(pieces)
    if SUP in text:
        text = re.sub(rf"(?<=\d){SUP}(?=[-+−]?\d)", "^", text).replace(SUP, "")
    return " ".join(text.split())


def table(rows: Iterable[Iterable[str]]) -> str:
    """A line for each row that isn't empty."""
    lines = (" | ".join(row) for row in rows)
    return "\n".join(line for line in lines if line.strip(" |"))


def block_of(element: Any) -> Block:
    """An XML element as text: a list as lines with dashes, a table as its captions and rows, all else on one line."""
    if element.tag == "list":
        return Block("\n".join(f"- {flat(item.itertext())}" for item in element))
    if element.tag in ("table", "table-wrap"):
        captions = [[flat(caption.itertext())] for caption in element.iterfind("caption")]
        rows = ([flat(cell.itertext()) for cell in row] for row in element.iter("row", "tr"))
        return Block(table([*captions, *rows]))
    return Block(flat(element.itertext()))


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
