"""Plain text out of what records wrap text in: XHTML narratives and base64 attachments.

Nothing is fetched and nothing is run; what is no text is refused with its reason.
"""

import base64
import binascii
import html
import re
from html.parser import HTMLParser

from osler.errors import InputError
from osler.record.source import decode

_BLOCKS = frozenset("p div br li tr table ul ol h1 h2 h3 h4 h5 h6 section article blockquote pre hr dt dd".split())
_HIDDEN = frozenset(("script", "style", "head", "title"))
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_TEXT_TYPES = frozenset(("text/plain", "text/markdown", "text/html", "application/xhtml+xml"))
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_DOCTYPE = re.compile(r"<!doctype[^>\[]*>", re.IGNORECASE)
_DECLARATION = re.compile(r"<!(?!--)")


class _Stripper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in _HIDDEN
        self.parts.append("\n" if tag in _BLOCKS else " " if tag in ("td", "th") else "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(self.hidden - (tag in _HIDDEN), 0)
        self.parts.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            # Line breaks in the source are white space in HTML; only elements begin a line.
            self.parts.append(re.sub(r"\s+", " ", data))


def strip_markup(markup: str) -> str:
    """The text of an (X)HTML fragment, one line a block, without scripts, styles and attributes."""
    # The parser raises on declarations that it does not know, and drops the text of the sections that it does.
    plain = _CDATA.sub(lambda match: html.escape(match[1]), _DOCTYPE.sub("", markup))
    plain = _DECLARATION.sub("&lt;!", plain)
    parser = _Stripper()
    parser.feed(plain)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def attachment_text(data: str, content_type: str | None) -> tuple[str | None, str | None]:
    """Text of a base64 attachment, or null and why there is none. Without a charset it is decoded as a file is."""
    declared = (content_type or "text/plain").split(";")[0].strip().lower()
    if declared not in _TEXT_TYPES:
        return None, f"attachment of type {declared} is not read"
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None, "attachment is not valid base64"
    charset = _CHARSET.search(content_type or "")
    try:
        text = decode(raw, "attachment", charset.group(1) if charset else None)
    except InputError as error:
        return None, error.message
    return (strip_markup(text) if "html" in declared else text), None
