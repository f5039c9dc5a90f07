"""Plain text: the file as it stands, so offsets count in the file itself."""

from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Section
from osler.knowledge.library.readers.registry import Item, decode, reader


@reader("plain", (".txt", ".text"))
def read_plain(path: Path) -> Iterator[Item]:
    text = decode(path.read_bytes(), str(path))
    if not text.strip():
        raise InputError("holds no text", where=str(path))
    yield DocumentText(str(path), path.stem, text, (Section(None, 0, len(text)),))
