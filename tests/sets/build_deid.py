"""Convert the de-identification sources (`deid/*.md`, inline `[[TYPE|text]]`) to `deid_notes.jsonl`.

It knows the markup and the naming of notes, nothing of what is or isn't an identifier. Run it after
editing a source; `--counts` prints the table that `DEID.md` shows.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SOURCES = HERE / "deid"
NOTES = HERE / "deid_notes.jsonl"
TYPES = tuple(
    "NAME DATE AGE PHONE FAX EMAIL SSN MRN ID ADDRESS ZIP HOSPITAL URL IP "
    "VEHICLE DEVICE BIOMETRIC ACCOUNT LICENSE OTHER".split()
)
STYLES = ("emergency", "letter", "discharge", "ward", "form")
_HEADING = re.compile(r"^### ((?:en|zh)-[a-z]+-\d{3})$", re.M)
_MARK = re.compile(r"\[\[([A-Z]+)\|(.+?)\]\]", re.S)


class Span(NamedTuple):
    """One identifier: code-point offsets into the note (end exclusive), its type and its text."""

    start: int
    end: int
    type: str
    text: str


class Note(NamedTuple):
    """One note; `id` is language-style-number."""

    id: str
    language: str
    style: str
    text: str
    spans: list[Span]

    def line(self) -> str:
        """Return the note as its line of the JSON Lines file."""
        return json.dumps(self._asdict() | {"spans": [s._asdict() for s in self.spans]}, ensure_ascii=False)


def parse(note_id: str, marked: str) -> Note:
    """Strip the markup of one note; raise ValueError where it is broken or names an unknown type."""
    text, spans, last = "", [], 0
    for match in _MARK.finditer(marked):
        if match[1] not in TYPES:
            raise ValueError(f"{note_id}: unknown type {match[1]}")
        text += marked[last : match.start()]
        spans.append(Span(len(text), len(text) + len(match[2]), match[1], match[2]))
        text += match[2]
        last = match.end()
    text += marked[last:]
    if "[[" in text or "]]" in text:
        raise ValueError(f"{note_id}: unclosed or nested markup")
    language, style, _ = note_id.split("-")
    return Note(note_id, language, style, text, spans)


def notes() -> Iterator[Note]:
    """Yield every note of the sources, file by file in name order; text before a file's first note is skipped."""
    for path in sorted(SOURCES.glob("*.md")):
        parts = _HEADING.split(path.read_text(encoding="utf-8"))
        for note_id, body in zip(parts[1::2], parts[2::2], strict=True):
            yield parse(note_id, body.strip())


def counts() -> str:
    """Return the Markdown table of spans by type (rows) and language-style (columns), with note counts."""
    built = list(notes())
    columns = [(lang, style) for lang in ("en", "zh") for style in STYLES]
    spans = Counter((n.language, n.style, s.type) for n in built for s in n.spans)
    size = Counter((n.language, n.style) for n in built)
    rows = [
        "| | " + " | ".join(f"{lang} {style}" for lang, style in columns) + " | all |",
        "|---|" + "---:|" * (len(columns) + 1),
        "| notes | " + " | ".join(str(size[c]) for c in columns) + f" | {len(built)} |",
    ]
    for kind in TYPES:
        cells = [spans[(*c, kind)] for c in columns]
        rows.append(f"| {kind} | " + " | ".join(map(str, cells)) + f" | {sum(cells)} |")
    totals = [sum(spans[(*c, kind)] for kind in TYPES) for c in columns]
    return "\n".join([*rows, "| all spans | " + " | ".join(map(str, totals)) + f" | {sum(totals)} |"])


if __name__ == "__main__":
    if "--counts" in sys.argv:
        print(counts())
    else:
        NOTES.write_text("".join(n.line() + "\n" for n in notes()), encoding="utf-8")
