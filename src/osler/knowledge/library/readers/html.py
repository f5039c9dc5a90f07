"""HTML by trafilatura: the main text without menus and footers; headings become sections."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.knowledge.library.documents import Headings, Item, Part, flat, whole, year_of
from osler.knowledge.library.readers.files import contents

HTML = re.compile(
    rb"(?is)^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
)
_POWER = re.compile(rb"(?i)(?<=\d)\s*<sup\b[^>]*>\s*(?=[-+]?\d)")
_RAISED = re.compile(rb"(?i)</?su[bp]\b[^>]*>")
_DATED = re.compile(rb"(?i)article:(?:published|modified)|datepublished|datemodified|dc\.date|citation_\w*date")


def read_html(path: Path) -> Iterator[Item]:
    import trafilatura
    from lxml import etree  # type: ignore[import-untyped]

    data = _RAISED.sub(b"", _POWER.sub(b"^", contents(path)))  # 10<sup>9</sup> would become 109
    if not HTML.match(data):
        data = b"<html><body>" + data + b"</body></html>"
    try:
        found: Any = trafilatura.bare_extraction(
            data, include_comments=False, include_tables=True, with_metadata=True, favor_recall=True
        )
    except (ValueError, etree.LxmlError, RecursionError) as error:
        raise InputError(f"can't be read as HTML: {error}", where=str(path)) from None
    parts = list(_parts(found.body)) if found is not None and found.body is not None else []
    if not parts:
        raise InputError("an HTML page without text", where=str(path))
    year = year_of(found.date) if _DATED.search(data) else None  # a date guessed from the text may be any date
    about = {"year": year, "licence": found.license or None, "url": found.url or None}
    yield whole(path, "an HTML page", found.title, parts, **about)


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
