"""Plain text and Markdown: the text stays as written, so offsets count in the file itself; headings become sections.

Front matter between two lines of `---` says title, year or date, licence, url, language, valid_from, superseded_by,
retracted; only its plain `key: value` lines are read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Headings, Item, Section, below, path_of, stated
from osler.knowledge.library.readers.files import text_of

_FRONT = re.compile(r"\A---[ \t]*\n(?P<lines>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"(?m)^(\w[\w-]*):[ \t]+(?P<quote>[\"']?)(.+?)(?P=quote)[ \t]*$")
_LINE = re.compile(
    r"(?m)^(?:(?P<fence>```|~~~)|(?P<marks>#{1,6})[ \t]+(?P<heading>[^\n]*?)[ \t#]*$"
    r"|(?P<underlined>\w[^\n|]*)\n(?P<rule>=+|-{2,})[ \t]*$)|\Z"
)


def read_plain(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    text = text_of(path, stream)
    yield DocumentText(str(path), path.stem, text, (Section(None, 0, len(text)),))


def read_markdown(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    text = text_of(path, stream).replace("\r\n", "\n")
    front = _FRONT.match(text)
    entries = {entry[1].lower(): entry[3] for entry in _ENTRY.finditer(front["lines"])} if front else {}
    title, headings, sections = entries.get("title"), Headings(), []
    start, fenced = front.end() if front else 0, False
    for line in _LINE.finditer(text, start):
        end = line.start()
        if line["fence"]:
            fenced = not fenced
        elif not fenced or end == len(text):
            if text[start:end].strip():
                sections.append(Section(path_of(headings), start, end))
            heading = line["heading"] or line["underlined"] or ""
            headings = below(headings, len(line["marks"] or (line["rule"] or "")[:1].replace("-", "--")), heading)
            title, start = title or heading.strip() or None, line.end()
    if not sections:
        raise InputError("holds no text", where=str(path))
    yield DocumentText(str(path), title or path.stem, text, tuple(sections), **stated(entries))
