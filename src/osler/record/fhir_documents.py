"""The texts of a FHIR record: notes, reports, compositions, narratives and annotations, each as a Document.

Text is taken from the resource or from a Binary of the same input; nothing is fetched from an address.
"""

from collections.abc import Iterator
from typing import Any

from osler.record import fhir_types as r4
from osler.record.case import Document, Section
from osler.record.fhir_codes import bound, label_of
from osler.record.fhir_parts import Place
from osler.record.narrative import attachment_text, strip_markup
from osler.text import language_of

TEXTS = frozenset(("DocumentReference", "DiagnosticReport", "Composition"))  # resources that are texts
_DOCUMENT_STATUS = frozenset("preliminary final amended entered-in-error".split())


def documents_of(resource: Any, place: Place) -> Iterator[Document]:
    """Every text of the resource that its structured elements do not already say."""
    match resource:
        case r4.DocumentReference():
            yield from _reference(resource, place)
        case r4.DiagnosticReport():
            yield from _report(resource, place)
        case r4.Composition():
            yield from _composition(resource, place)
        case r4.Resource(text=r4.Narrative(status="additional", div=str() as div)):
            # The other narratives repeat the elements; this status says that it holds more.
            yield from _document(strip_markup(div), f"{place.path}.text.div", "narrative", label_of(resource.code))
    for index, note in enumerate(getattr(resource, "note", ())):
        if note.text:
            title = label_of(resource.code)
            time = place.time(note.time, f"note[{index}].time")
            yield from _document(note.text, f"{place.path}.note[{index}].text", "annotation", title, time)


def _document(
    text: str,
    path: str,
    kind: str | None,
    title: str | None = None,
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
        )


def _attached(attachment: r4.Attachment, path: str, place: Place) -> str | None:
    """The attachment's text; null, with a report, where it has none that can be read."""
    data, kind = attachment.data, attachment.content_type
    if data is None and attachment.url:
        found = place.find(attachment.url)
        if found is None or not isinstance(found.value, r4.Binary):
            place.omissions.add(f"{path}.url", f"the text lies at {attachment.url!r}, which is not in the input")
            return None
        data, kind = found.value.data, found.value.content_type or kind
    if data is None:
        place.omissions.add(path, "the attachment is empty")
        return None
    text, reason = attachment_text(data, kind)
    if reason:
        place.omissions.add(path, reason)
    return text


def _reference(resource: r4.DocumentReference, place: Place) -> Iterator[Document]:
    status = place.status(resource.status)
    bound(resource.doc_status, _DOCUMENT_STATUS, f"{place.path}.docStatus", place.omissions)
    if status == "superseded":
        place.omissions.add(place.path, "superseded by another document")
        return
    title, time = resource.description or label_of(resource.type), place.time(resource.date, "date")
    if not resource.content:
        place.omissions.add(f"{place.path}.content", "the document has no content")
    for index, content in enumerate(resource.content):
        path = f"{place.path}.content[{index}].attachment"
        if content.attachment is None:
            place.omissions.add(path, "the attachment is empty")
        elif text := _attached(content.attachment, path, place):
            created = place.time(content.attachment.creation, f"content[{index}].attachment.creation")
            kind = label_of(resource.type)
            yield from _document(text, path, kind, content.attachment.title or title, created or time)


def _report(resource: r4.DiagnosticReport, place: Place) -> Iterator[Document]:
    place.status(resource.status)
    time = (
        place.time(resource.effective_date_time, "effectiveDateTime")
        or place.time((resource.effective_period or r4.Period()).start, "effectivePeriod.start")
        or place.time(resource.issued, "issued")
    )
    title = label_of(resource.code)
    found = False
    for index, form in enumerate(resource.presented_form):
        path = f"{place.path}.presentedForm[{index}]"
        if text := _attached(form, path, place):
            found = True
            yield from _document(text, path, "report", form.title or title, time)
    conclusion = resource.conclusion or "; ".join(filter(None, map(label_of, resource.conclusion_code)))
    if conclusion.strip():
        field = "conclusion" if resource.conclusion else "conclusionCode"
        yield from _document(conclusion, f"{place.path}.{field}", "conclusion", title, time)
    elif not found and resource.text and resource.text.div and (text := strip_markup(resource.text.div)):
        yield from _document(text, f"{place.path}.text.div", "report", title, time)
    elif not found:
        reason = (
            "report without text: its results are read as observations" if resource.result else "report without text"
        )
        place.omissions.group(f"{place.path}({place.kind})", reason)


def _composition(resource: r4.Composition, place: Place) -> Iterator[Document]:
    place.status(resource.status)
    text, sections = "", []
    for title, body in _sections(resource.section):
        text += f"{title}\n" if title else ""
        sections.append(Section(title=title or "", start=len(text), end=len(text) + len(body)))
        text += f"{body}\n\n"
    if not text and resource.text and resource.text.div:
        text = strip_markup(resource.text.div)
    if not text.strip():
        place.omissions.add(place.path, "composition without text: the resources it lists are read on their own")
    time = place.time(resource.date, "date")
    title = resource.title or label_of(resource.type)
    yield from _document(text.rstrip(), place.path, label_of(resource.type), title, time, sections)


def _sections(sections: list[r4.Section], depth: int = 0) -> Iterator[tuple[str | None, str]]:
    for section in sections:
        body = strip_markup(section.text.div) if section.text and section.text.div else ""
        if body:
            yield section.title or label_of(section.code), body
        if depth < 20:
            yield from _sections(section.section, depth + 1)
