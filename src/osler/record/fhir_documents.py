"""The texts of a FHIR record: notes, reports, compositions, narratives and annotations, each as a Document.

Text is taken from the resource or from a Binary of the same input, out of XHTML or base64; nothing is fetched from an
address and nothing is run; what is no text is refused with its reason.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import Any

from osler.errors import InputError
from osler.record.case import Document, Section
from osler.record.fhir_codes import concept, concepts, written
from osler.record.fhir_items import Item
from osler.record.node import Node
from osler.record.source import decode
from osler.text import language_of

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_TEXT_TYPES = frozenset(("text/plain", "text/markdown", "text/html", "application/xhtml+xml"))
# What is not closed goes on to the end of the text.
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_INSIDE = r"\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>"
_BLOCK = "p|div|br|li|tr|table|ul|ol|h[1-6]|section|article|blockquote|pre|hr|dt|dd"
_BLOCK_TAG, _CELL_TAG = (re.compile(rf"</?(?:{names}){_INSIDE}", re.IGNORECASE) for names in (_BLOCK, "td|th"))
_TAG = re.compile(rf"</?[a-z][\w:.-]*{_INSIDE}|<!doctype[^<>]*>|<\?[^<>]*>", re.IGNORECASE)


def texts_of(item: Item) -> Iterator[dict[str, Any]]:
    """The texts that a resource is there for, each with the fields of its Document that differ from the table."""
    return _READERS[item.kind](item)


def notes_of(item: Item) -> Iterator[Document]:
    """The other texts of a resource: annotations, and a narrative that says more than the elements."""
    texts: list[dict[str, Any]] = []
    if item.kind not in _READERS and "text" in item.content and item.node("text").text("status") == "additional":
        texts += _text(item.place("text.div"), _narrative(item), kind="narrative")
    for note in item.nodes("note") if "note" in item.content else ():
        time = item.checked_time(note.text("time"), "note.time")
        texts += _text(note.place("text"), note.text("text") or "", kind="annotation", time=time)
    for text in texts:
        yield Document(**text, title=concept(item, "code").label, duplicates=item.duplicates)


def _text(path: str, text: str, **fields: Any) -> Iterator[dict[str, Any]]:
    if text.strip():
        known = {name: value for name, value in fields.items() if value is not None}
        yield {**known, "source": path, "id": path, "text": text, "language": language_of(text)}


def _narrative(node: Node) -> str:
    return strip_markup(node.node("text").text("div") or "")


def _attached(attachment: Node, item: Item) -> str:
    """The attachment's text; empty, with a report, where it has none that can be read."""
    data, kind, url = attachment.text("data"), attachment.text("contentType"), attachment.text("url")
    if data is None and url:
        found = item.record.find(item, url)
        if found is None or found.kind != "Binary":
            attachment.omit("url", f"the text lies at {url!r}, which is not in the input")
            return ""
        data, kind = found.text("data"), found.text("contentType") or kind
    text, reason = attachment_text(data, kind) if data else (None, "the attachment is empty")
    if reason:
        attachment.omit("", reason)
    return text or ""


def _reference(item: Item) -> Iterator[dict[str, Any]]:
    item.bound("docStatus")
    if item.status() == "superseded":
        item.omit("", "superseded by another document")
        return
    if not item.has("content"):
        item.omit("content", "the document has no content")
    for content in item.nodes("content"):
        attachment = content.node("attachment")
        if not attachment:
            content.omit("attachment", "the attachment is empty")
        elif text := _attached(attachment, item):
            time = item.checked_time(attachment.text("creation"), "content.attachment.creation")
            yield from _text(attachment.path, text, title=attachment.text("title") or None, time=time)


def _report(item: Item) -> Iterator[dict[str, Any]]:
    if item.status() == "cancelled":
        item.omit("", "the report was cancelled: not read")
        return
    forms = [(form, _attached(form, item)) for form in item.nodes("presentedForm")]
    for form, text in forms:
        yield from _text(form.path, text, title=form.text("title") or None)
    coded = "; ".join(one.label for one in concepts(item, "conclusionCode") if one.label)
    said = (item.text("conclusion") or "").strip()
    if said or coded:
        path = item.place("conclusion" if item.text("conclusion") else "conclusionCode")
        yield from _text(path, said or coded, kind="conclusion")
    elif not any(text for _, text in forms):
        if text := _narrative(item):
            yield from _text(item.place("text.div"), text)
        else:
            results = ": its results are read as observations" if item.has("result") else ""
            item.count("", f"report without text{results}")
    item.has("result")


def _composition(item: Item) -> Iterator[dict[str, Any]]:
    item.status()
    text, sections = "", []
    for title, body in _sections(item):
        text += f"{title}\n" if title else ""
        sections.append(Section(title=title or "", start=len(text), end=len(text) + len(body)))
        text += f"{body}\n\n"
    text = text.rstrip() or _narrative(item)
    if not text:
        item.omit("", "composition without text: the resources it lists are read on their own")
    yield from _text(item.path, text, sections=sections)


def _sections(node: Node, depth: int = 0) -> Iterator[tuple[str | None, str]]:
    for section in node.nodes("section"):
        if body := _narrative(section):
            yield section.text("title") or concept(section, "code").label, body
        if depth < 20:
            yield from _sections(section, depth + 1)


def _family(item: Item) -> Iterator[dict[str, Any]]:
    # A Case has no part for relatives: under this heading, concepts count as theirs.
    item.status()
    who = concept(item, "relationship").label or item.text("name") or "relative"
    had = []
    for one in item.nodes("condition"):
        onset = written(one, "onsetAge", "onsetRange", "onsetString")
        if label := concept(one, "code").label:
            had.append(f"{label} (onset {onset})" if onset else label)
    if had:
        title, text = "Family history", f"Family history:\n{who}: {', '.join(had)}."
        section = Section(title=title, start=len(title) + 2, end=len(text))
        yield from _text(item.path, text, sections=[section])
    else:
        item.omit("", "family history without a condition")


_READERS = {
    "DocumentReference": _reference,
    "DiagnosticReport": _report,
    "Composition": _composition,
    "FamilyMemberHistory": _family,
}


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
