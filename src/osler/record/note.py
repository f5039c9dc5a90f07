"""Reads a plain-text note, English or Chinese, into a Case: one document with its sections, age, sex and date.

It finds no concepts: that is the work of `knowledge.concepts`. Offsets are code points into the text as given.
"""

from datetime import date
from typing import Any

from osler.record.case import Case, Document, Patient, Section
from osler.record.demographics import demographics
from osler.record.merge import assemble
from osler.record.omissions import Omissions
from osler.record.tables import pattern, patterns, table
from osler.text import language_of

NOTE = "note"  # id of the one document
LOOKED_THROUGH = 200_000  # code points; a note says whom it is about at its beginning
_HEADINGS = frozenset(table("prose")["headings"].split("|"))
_MONTHS = table("prose")["months"].split()


def read_note(text: str, digest: str) -> Case:
    """The Case of a note. What contradicts itself is reported in `unread`; nothing is guessed."""
    omissions = Omissions()
    document = document_of(text, NOTE, time=_date(text, omissions), sections=sections_of(text))
    return assemble("note", digest, patient_of(text, NOTE, omissions), [document], omissions)


def document_of(text: str, kind: str, **fields: Any) -> Document:
    """The one document of a text."""
    language = language_of(text)
    return Document(source=kind, id=kind, kind=kind, text=text, language=language, start=0, end=len(text), **fields)


def patient_of(text: str, source: str, omissions: Omissions) -> Patient:
    """Age and sex with the place of the first; the rest stays unknown."""
    if len(text) > LOOKED_THROUGH:
        omissions.add(source, f"age and sex were looked for in the first {LOOKED_THROUGH} characters only")
    used, others = demographics(text[:LOOKED_THROUGH])
    for other in others:
        omissions.add(
            f"{source}[{other.start}:{other.end}]",
            f"{text[other.start : other.end]!r} is another age or sex than the first one said: not used",
        )
    return Patient(
        source=source,
        start=used[0].start if used else None,
        end=used[0].end if used else None,
        age=next((said.age for said in used if said.age), None),
        sex=next((said.sex for said in used if said.sex), None),
    )


def sections_of(text: str) -> list[Section]:
    """Headed parts in order; text before the first heading belongs to none."""
    headings = []
    for one in patterns("heading"):
        for match in one.finditer(text):
            title = match["title"].strip()
            # Capitals make a line a heading; Chinese has none.
            if title.lower() in _HEADINGS or (title.isupper() and len(title) > 3):
                headings.append((match.start(), match.end(), title))
    headings.sort()
    sections = []
    ends = [*(start for start, _, _ in headings[1:]), len(text)]
    for (_, start, title), end in zip(headings, ends, strict=False):
        body = text[start:end].lstrip(" \t\r\n:：】]*")
        sections.append(Section(title=title, start=end - len(body), end=end - len(body) + len(body.rstrip())))
    return sections


def _date(text: str, omissions: Omissions) -> str | None:
    heading = pattern("date_heading").search(text[:20_000])
    written = heading["date"].strip() if heading else ""
    found = parse_date(written)
    if heading and found is None:
        place = f"{NOTE}[{heading.start('date')}:{heading.end('date')}]"
        omissions.add(place, f"{written!r} is no date that can be read without guessing (day, month and year)")
    return found


def parse_date(written: str) -> str | None:
    """ISO 8601 of a date at the beginning of `written`; null where day and month can't be told apart."""
    if match := pattern("iso_date").match(written):
        day = _day(match[1], match[2], match[3])
        return f"{day}T{match[4]:0>5}" if day and match[4] and int(match[4].split(":")[0]) < 24 else day
    if (match := pattern("named_date").match(written)) and match[2].lower() in _MONTHS:
        number = match[3] or match[1]
        return _day(match[4], 1 + _MONTHS.index(match[2].lower()), number) if number else None
    if match := pattern("numeric_date").match(written):
        first, second = int(match[1]), int(match[2])
        if first > 12 or second > 12 or first == second:
            return _day(match[3], min(first, second), max(first, second))
    return None


def _day(year: str | int, month: str | int, day: str | int) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
