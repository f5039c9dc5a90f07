"""Plain text: the file as it stands, so offsets count in the file itself."""

from collections.abc import Iterator
from pathlib import Path

from osler.knowledge.library.documents import DocumentText, Section
from osler.knowledge.library.readers.registry import Item, reader, text_of


@reader("plain", (".txt", ".text"))
def read_plain(path: Path) -> Iterator[Item]:
    text = text_of(path)
    yield DocumentText(str(path), path.stem, text, (Section(None, 0, len(text)),))
