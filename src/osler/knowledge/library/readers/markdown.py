"""Markdown: headings become sections, the text stays as written, so offsets count in the file itself.

Front matter between two lines of `---` says title, year or date, licence, url, language, valid_from, superseded_by,
retracted; only its plain `key: value` lines are read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Headings, Item, Section, stated
from osler.knowledge.library.readers.files import text_of

_FRONT = re.compile(r"\A---[ \t]*\n(?P<lines>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"(?m)^(\w[\w-]*):[ \t]+(?P<quote>[\"']?)(.+?)(?P=quote)[ \t]*$")
_LINE = re.compile(
    r"(?m)^(?:(?P<fence>```|~~~)|(?P<marks>#{1,6})[ \t]+(?P<heading>[^\n]*?)[ \t#]*$"
    r"|(?P<underlined>\w[^\n|]*)\n(?P<rule>=+|-{2,})[ \t]*$)"
)


def read_markdown(path: Path) -> Iterator[Item]:
    text = text_of(path).replace("\r\n", "\n")
    front = _FRONT.match(text)
    entries = {entry[1].lower(): entry[3] for entry in _ENTRY.finditer(front["lines"])} if front else {}
    headings = Headings()
    sections: list[Section] = []
    title = entries.get("title")
    start, fenced = front.end() if front else 0, False

    def close(end: int) -> None:
        if text[start:end].strip():
            sections.append(Section(headings.path, start, end))

    for line in _LINE.finditer(text, start):
        if line["fence"]:
            fenced = not fenced
        elif not fenced:
            close(line.start())
            heading = line["heading"] or line["underlined"] or ""
            headings.enter(len(line["marks"]) if line["marks"] else 1 + (line["rule"][0] == "-"), heading)
            title = title or heading.strip() or None
            start = line.end()
    close(len(text))
    if not sections:
        raise InputError("holds no text", where=str(path))
    yield DocumentText(str(path), title or path.stem, text, tuple(sections), **stated(entries))
