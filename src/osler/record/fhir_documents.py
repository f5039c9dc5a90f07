"""The texts of a FHIR record: notes, reports, compositions, narratives and annotations, each as a Document.

Text is taken from the resource or from a Binary of the same input; nothing is fetched from an address.
"""

from collections.abc import Iterator
from typing import Any

from osler.record.case import Document, Section
from osler.record.fhir_codes import concept, concepts, written
from osler.record.fhir_items import Item
from osler.record.narrative import attachment_text, strip_markup
from osler.record.node import Node
from osler.text import language_of


def documents_of(item: Item) -> Iterator[Document]:
    """Every text of the resource that its structured elements do not already say."""
    if item.kind in _READERS:
        yield from _READERS[item.kind](item)
    elif "text" in item.content and item.node("text").text("status") == "additional":
        # The other narratives repeat the elements; this status says that it holds more.
        yield from _document(item, item.place("text.div"), _narrative(item), "narrative", concept(item, "code").label)
    for note in item.nodes("note") if "note" in item.content else ():
        text, time = note.text("text") or "", item.checked_time(note.text("time"), "note.time")
        yield from _document(item, note.place("text"), text, "annotation", concept(item, "code").label, time=time)


def _document(
    item: Item, path: str, text: str, kind: str | None, title: str | None, **fields: Any
) -> Iterator[Document]:
    if text.strip():
        fields |= {"source": path, "id": path, "duplicates": item.duplicates}
        yield Document(title=title, kind=kind, text=text, language=language_of(text), **fields)


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


def _reference(item: Item) -> Iterator[Document]:
    kind = concept(item, "type").label
    item.bound("docStatus")
    if item.status() == "superseded":
        item.omit("", "superseded by another document")
        return
    if not item.has("content"):
        item.omit("content", "the document has no content")
    time = item.time("date")
    for content in item.nodes("content"):
        attachment = content.node("attachment")
        if not attachment:
            content.omit("attachment", "the attachment is empty")
        elif text := _attached(attachment, item):
            created = item.checked_time(attachment.text("creation"), "content.attachment.creation")
            title = attachment.text("title") or item.text("description") or kind
            yield from _document(item, attachment.path, text, kind, title, time=created or time)


def _report(item: Item) -> Iterator[Document]:
    if item.status() == "cancelled":
        item.omit("", "the report was cancelled: not read")
        return
    title, time = concept(item, "code").label, item.time("effectiveDateTime", "effectivePeriod", "issued")
    forms = [(form, _attached(form, item)) for form in item.nodes("presentedForm")]
    for form, text in forms:
        yield from _document(item, form.path, text, "report", form.text("title") or title, time=time)
    coded = "; ".join(one.label for one in concepts(item, "conclusionCode") if one.label)
    said = (item.text("conclusion") or "").strip()
    if said or coded:
        path = item.place("conclusion" if item.text("conclusion") else "conclusionCode")
        yield from _document(item, path, said or coded, "conclusion", title, time=time)
    elif not any(text for _, text in forms):
        if text := _narrative(item):
            yield from _document(item, item.place("text.div"), text, "report", title, time=time)
        else:
            results = ": its results are read as observations" if item.has("result") else ""
            item.count("", f"report without text{results}")
    item.has("result")


def _composition(item: Item) -> Iterator[Document]:
    kind = concept(item, "type").label
    item.status()
    text, sections = "", []
    for title, body in _sections(item):
        text += f"{title}\n" if title else ""
        sections.append(Section(title=title or "", start=len(text), end=len(text) + len(body)))
        text += f"{body}\n\n"
    text = text.rstrip() or _narrative(item)
    if not text:
        item.omit("", "composition without text: the resources it lists are read on their own")
    title, time = item.text("title") or kind, item.time("date")
    yield from _document(item, item.path, text, kind, title, time=time, sections=sections)


def _sections(node: Node, depth: int = 0) -> Iterator[tuple[str | None, str]]:
    for section in node.nodes("section"):
        if body := _narrative(section):
            yield section.text("title") or concept(section, "code").label, body
        if depth < 20:
            yield from _sections(section, depth + 1)


def _family(item: Item) -> Iterator[Document]:
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
        time = item.time("date")
        yield from _document(item, item.path, text, "family history", title, time=time, sections=[section])
    else:
        item.omit("", "family history without a condition")


_READERS = {
    "DocumentReference": _reference,
    "DiagnosticReport": _report,
    "Composition": _composition,
    "FamilyMemberHistory": _family,
}
