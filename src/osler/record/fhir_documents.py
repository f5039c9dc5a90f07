"""The texts of a FHIR record: notes, reports, compositions, narratives and annotations, each as a Document.

Text is taken from the resource or from a Binary of the same input; nothing is fetched from an address.
"""

from collections.abc import Iterator

from osler.record.case import Document, Section
from osler.record.fhir_codes import DOCUMENT_STATUS, concept, concepts, quantity, range_text
from osler.record.fhir_items import Item
from osler.record.narrative import attachment_text, strip_markup
from osler.record.node import Node
from osler.text import language_of


def documents_of(item: Item) -> Iterator[Document]:
    """Every text of the resource that its structured elements do not already say."""
    if item.kind == "DocumentReference":
        yield from _reference(item)
    elif item.kind == "DiagnosticReport":
        yield from _report(item)
    elif item.kind == "Composition":
        yield from _composition(item)
    elif item.kind == "FamilyMemberHistory":
        yield from _family(item)
    elif "text" in item.content and item.node("text").text("status") == "additional":
        # The other narratives repeat the elements; this status says that it holds more.
        yield from _document(item, item.place("text.div"), _narrative(item), "narrative", concept(item, "code").label)
    for note in item.nodes("note") if "note" in item.content else ():
        time = item.checked_time(note.text("time"), "note.time")
        text, title = note.text("text") or "", concept(item, "code").label
        yield from _document(item, note.place("text"), text, "annotation", title, time)


def _document(
    item: Item,
    path: str,
    text: str,
    kind: str | None,
    title: str | None,
    time: str | None = None,
    sections: list[Section] | None = None,
) -> Iterator[Document]:
    if text.strip():
        yield Document(
            source=path,
            id=path,
            title=title,
            kind=kind,
            text=text,
            language=language_of(text),
            time=time,
            sections=sections or [],
            duplicates=item.duplicates,
        )


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
    if data is None:
        attachment.omit("", "the attachment is empty")
        return ""
    text, reason = attachment_text(data, kind)
    if reason:
        attachment.omit("", reason)
    return text or ""


def _reference(item: Item) -> Iterator[Document]:
    kind = concept(item, "type").label
    item.bound("docStatus", DOCUMENT_STATUS)
    if item.status() == "superseded":
        item.omit("", "superseded by another document")
        return
    if not item.has("content"):
        item.omit("content", "the document has no content")
    time = item.time("date", "indexed")
    for content in item.nodes("content"):
        attachment = content.node("attachment")
        if not attachment:
            content.omit("attachment", "the attachment is empty")
        elif text := _attached(attachment, item):
            created = item.checked_time(attachment.text("creation"), "content.attachment.creation")
            title = attachment.text("title") or item.text("description") or kind
            yield from _document(item, attachment.path, text, kind, title, created or time)


def _report(item: Item) -> Iterator[Document]:
    if item.status() == "cancelled":
        item.omit("", "the report was cancelled: not read")
        return
    title = concept(item, "code").label
    time = item.time("effectiveDateTime", "effectivePeriod", "issued")
    found = False
    for form in item.nodes("presentedForm"):
        if text := _attached(form, item):
            found = True
            yield from _document(item, form.path, text, "report", form.text("title") or title, time)
    coded = "; ".join(one.label for one in concepts(item, "conclusionCode", "codedDiagnosis") if one.label)
    if conclusion := (item.text("conclusion") or "").strip() or coded:
        path = item.place("conclusion" if item.text("conclusion") else "conclusionCode")
        yield from _document(item, path, conclusion, "conclusion", title, time)
    elif not found and (text := _narrative(item)):
        yield from _document(item, item.place("text.div"), text, "report", title, time)
    elif not found:
        item.count("", "report without text" + (": its results are read as observations" if item.has("result") else ""))
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
    yield from _document(item, item.path, text, kind, item.text("title") or kind, item.time("date"), sections)


def _family(item: Item) -> Iterator[Document]:
    # A Case has no part for relatives: under this heading, concepts count as theirs.
    item.status()
    who = concept(item, "relationship").label or item.text("name") or "relative"
    had = []
    for one in item.nodes("condition"):
        onset = quantity(one, "onsetAge").text or range_text(one.node("onsetRange")) or one.text("onsetString")
        if label := concept(one, "code").label:
            had.append(f"{label} (onset {onset})" if onset else label)
    if had:
        title, text = "Family history", f"Family history:\n{who}: {', '.join(had)}."
        section = Section(title=title, start=len(title) + 2, end=len(text))
        yield from _document(item, item.path, text, "family history", title, item.time("date"), [section])
    else:
        item.omit("", "family history without a condition")


def _sections(node: Node, depth: int = 0) -> Iterator[tuple[str | None, str]]:
    for section in node.nodes("section"):
        if body := _narrative(section):
            yield section.text("title") or concept(section, "code").label, body
        if depth < 20:
            yield from _sections(section, depth + 1)
