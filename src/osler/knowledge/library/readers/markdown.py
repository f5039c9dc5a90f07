"""Markdown: headings become sections, the text stays as written, so offsets count in the file itself."""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Headings, Section
from osler.knowledge.library.readers.registry import Item, decode, reader

_LINE = re.compile(r"(?m)^(?:(?P<fence>```|~~~)|(?P<marks>#{1,6})[ \t]+(?P<heading>[^\n]*?)[ \t#]*$)")


@reader("markdown", (".md", ".markdown"))
def read_markdown(path: Path) -> Iterator[Item]:
    text = decode(path.read_bytes(), str(path)).replace("\r\n", "\n")
    headings = Headings()
    sections: list[Section] = []
    title: str | None = None
    start, fenced = 0, False

    def close(end: int) -> None:
        if text[start:end].strip():
            sections.append(Section(headings.path, start, end))

    for line in _LINE.finditer(text):
        if line["fence"]:
            fenced = not fenced
        elif not fenced:
            close(line.start())
            headings.enter(len(line["marks"]), line["heading"])
            title = title or line["heading"].strip() or None
            start = line.end()
    close(len(text))
    if not sections:
        raise InputError("holds no text", where=str(path))
    yield DocumentText(str(path), title or path.stem, text, tuple(sections))
