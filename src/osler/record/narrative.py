"""Plain text out of what records wrap text in: XHTML narratives and base64 attachments.

Nothing is fetched and nothing is run; what is no text is refused with its reason.
"""

import base64
import binascii
import html
import re

from osler.errors import InputError
from osler.record.source import decode

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_TEXT_TYPES = frozenset(("text/plain", "text/markdown", "text/html", "application/xhtml+xml"))
# What is not closed goes on to the end of the text.
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_INSIDE = r"\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>"
_BLOCK = "p|div|br|li|tr|table|ul|ol|h[1-6]|section|article|blockquote|pre|hr|dt|dd"
_BLOCK_TAG, _CELL_TAG = (re.compile(rf"</?(?:{names}){_INSIDE}", re.IGNORECASE) for names in (_BLOCK, "td|th"))
_TAG = re.compile(rf"</?[a-z][\w:.-]*{_INSIDE}|<!doctype[^<>]*>|<\?[^<>]*>", re.IGNORECASE)


def strip_markup(markup: str) -> str:
    """The text of an (X)HTML fragment, one line a block, without scripts, styles and attributes."""
    text = _HIDDEN.sub("", _CDATA.sub(lambda match: html.escape(match[1]), markup))
    # Line breaks in the source are white space in HTML; only elements begin a line.
    text = _CELL_TAG.sub(" ", _BLOCK_TAG.sub("\n", re.sub(r"\s+", " ", text)))
    lines = (" ".join(line.split()) for line in html.unescape(_TAG.sub("", text)).split("\n"))
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
