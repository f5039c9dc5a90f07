"""HTML by trafilatura: the main text without menus and footers; headings become sections."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Headings, Part, compose, flat, year_of
from osler.knowledge.library.readers.registry import Item, contents, reader

_START = re.compile(
    rb"(?is)^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
)
_POWER = re.compile(rb"(?i)(?<=\d)\s*<sup\b[^>]*>\s*(?=[-+]?\d)")
_RAISED = re.compile(rb"(?i)</?su[bp]\b[^>]*>")
_DATED = re.compile(rb"(?i)article:(?:published|modified)|datepublished|datemodified|dc\.date|citation_\w*date")


@reader("html", (".html", ".htm", ".xhtml"), sniff=lambda head: _START.match(head) is not None)
def read_html(path: Path) -> Iterator[Item]:
    import trafilatura
    from lxml import etree  # type: ignore[import-untyped]

    data = _RAISED.sub(b"", _POWER.sub(b"^", contents(path)))  # 10<sup>9</sup> would become 109
    if not _START.match(data):
        data = b"<html><body>" + data + b"</body></html>"
    try:
        found: Any = trafilatura.bare_extraction(
            data, include_comments=False, include_tables=True, with_metadata=True, favor_recall=True
        )
    except (ValueError, etree.LxmlError, RecursionError) as error:
        raise InputError(f"can't be read as HTML: {error}", where=str(path)) from None
    parts = list(_parts(found.body)) if found is not None and found.body is not None else []
    text, sections = compose(parts)
    if not text:
        raise InputError("an HTML page without text", where=str(path))
    dated = _DATED.search(data)  # a date guessed from the text may be any date
    yield DocumentText(
        str(path),
        found.title or path.stem,
        text,
        sections,
        year=year_of(found.date) if dated else None,
        licence=found.license or None,
        url=found.url or None,
    )


def _parts(body: Any) -> Iterator[Part]:
    headings = Headings()
    lines: list[str] = []
    for block in body:
        if block.tag == "head":
            yield Part(headings.path, "\n\n".join(lines))
            lines = []
            level = str(block.get("rend") or "h2")
            headings.enter(int(level[1]) if level[1:2].isdigit() else 2, "".join(block.itertext()))
        else:
            lines.append(_text(block))
    yield Part(headings.path, "\n\n".join(lines))


def _text(block: Any) -> str:
    if block.tag == "table":
        rows = (" | ".join(flat(cell.itertext()) for cell in row.iter("cell")) for row in block.iter("row"))
        return "\n".join(row for row in rows if row.strip(" |"))
    if block.tag == "list":
        return "\n".join(f"- {flat(item.itertext())}" for item in block.iter("item"))
    return flat(block.itertext())
