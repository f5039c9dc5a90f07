"""HTML by trafilatura: the main text without menus and footers; headings become sections."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from osler.errors import InputError
from osler.knowledge.library.documents import Block, Item, block_of, whole, year_of
from osler.knowledge.library.readers.files import contents

HTML = rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
_POWER = re.compile(rb"(?i)(?<=\d)\s*<sup\b[^>]*>\s*(?=[-+]?\d)")
_RAISED = re.compile(rb"(?i)</?su[bp]\b[^>]*>")
_DATED = re.compile(rb"(?i)article:(?:published|modified)|datepublished|datemodified|dc\.date|citation_\w*date")


def read_html(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    import trafilatura
    from lxml import etree  # type: ignore[import-untyped]

    data = _RAISED.sub(b"", _POWER.sub(b"^", contents(path, stream)))  # 10<sup>9</sup> would become 109
    if not re.match(HTML, data):
        data = b"<html><body>" + data + b"</body></html>"
    try:
        found: Any = trafilatura.bare_extraction(
            data, include_comments=False, include_tables=True, with_metadata=True, favor_recall=True
        )
    except (ValueError, etree.LxmlError, RecursionError) as error:
        raise InputError(f"can't be read as HTML: {error}", where=str(path)) from None
    if found is None or found.body is None:
        raise InputError("a document without text", where=str(path))
    year = year_of(found.date) if _DATED.search(data) else None  # a date guessed from the text may be any date
    about = {"year": year, "licence": found.license or None, "url": found.url or None}
    yield whole(str(path), found.title or path.stem, map(_block, found.body), **about)


def _block(element: Any) -> Block:
    if element.tag != "head":
        return block_of(element)
    level = str(element.get("rend") or "h2")[1:2]
    return Block("".join(element.itertext()), int(level) if level.isdigit() else 2)
