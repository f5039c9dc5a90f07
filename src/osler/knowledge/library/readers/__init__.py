"""Readers: from a file to the documents in it. One file a format; content decides, the name only where it must.

It does not know passages or the index. A reader yields documents, deletions and, for a part that can't be used,
the error that says where; the rest of the file is still read.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from osler.errors import InputError, OslerError
from osler.knowledge.library.documents import DocumentText, Item
from osler.knowledge.library.readers.beir import read_beir
from osler.knowledge.library.readers.docx import read_docx
from osler.knowledge.library.readers.files import files_under, opened
from osler.knowledge.library.readers.html import HTML, read_html
from osler.knowledge.library.readers.pdf import read_pdf
from osler.knowledge.library.readers.pubmed import PUBMED, read_pubmed
from osler.knowledge.library.readers.text import read_markdown, read_plain

__all__ = ["FORMATS", "files_under", "items", "read"]
HEAD = 4096
MAX_TEXT = 50_000_000  # code points of one document


class Format(NamedTuple):
    """A file format: the pattern `begins` tells it by its first bytes; where none does, the extension decides."""

    name: str
    extensions: tuple[str, ...]
    read: Callable[[Path, IO[bytes]], Iterator[Item]]
    begins: bytes = rb"(?!)"


PLAIN = Format("plain", (".txt", ".text"), read_plain)
FORMATS = (
    Format("pdf", (".pdf",), read_pdf, rb"(?s).{0,1019}%PDF-"),
    Format("docx", (".docx",), read_docx, rb"PK\x03\x04"),
    Format("pubmed", (".xml", ".nxml"), read_pubmed, PUBMED),
    Format("beir", (".jsonl", ".ndjson"), read_beir, rb'(?s)\s*\{.*"_id"'),
    Format("html", (".html", ".htm", ".xhtml"), read_html, HTML),
    Format("markdown", (".md", ".markdown"), read_markdown),
    PLAIN,
)


def items(file: Path) -> Iterator[Item]:
    """As `read`, but a file that can't be read at all yields its error too."""
    try:
        yield from read(file)
    except OslerError as error:
        yield error


def read(path: Path) -> Iterator[Item]:
    """The documents of one file.

    Raises InputError, naming the file, when it can't be read at all; yields the error when only a part can't.
    """
    where = str(path)
    try:
        if not path.stat().st_size:
            raise InputError("the file is empty", where=where)
        with opened(path) as stream:
            chosen = choose(path, stream.read(HEAD))
            stream.seek(0)
            nothing = True
            for item in chosen.read(path, stream):
                if isinstance(item, DocumentText) and len(item.text) > MAX_TEXT:
                    item = InputError(f"more than {MAX_TEXT:,} characters of text in one document", where=where)
                yield item
                nothing = False
        if nothing:
            raise InputError(f"holds nothing that can be read as {chosen.name}", where=where)
    except (OSError, ValueError, KeyError, EOFError, RecursionError, zlib.error) as error:
        raise InputError(f"can't be read: {error}", where=where) from None


def choose(path: Path, head: bytes) -> Format:
    """The format of a file by its first bytes, else by its name; a text without an extension is plain text."""
    suffix = next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "")
    told = [known for known in FORMATS if re.match(known.begins, head)]
    told = told or [known for known in FORMATS if suffix in known.extensions]
    if told:
        return told[0]
    if suffix or b"\0" in head:
        extensions = ", ".join(extension for known in FORMATS for extension in known.extensions)
        raise InputError("is of no known format", where=str(path), hint=f"Known: {extensions}.")
    return PLAIN
