"""Decks as Anki packages (.apkg): written with genanki, read from the three forms that Anki has written since 2.0.

The forms are those of Anki's own reader (its source, `rslib/src/import_export/package`): a zip of an SQLite
collection (`collection.anki2`, `.anki21`, or `.anki21b` in Zstandard) and of media under numbers, with a list of their
names in JSON or, beside `.anki21b`, protobuf. A package is a stranger's file: all of it is bounded, no name of it
becomes a path, and of its HTML only the text is kept.
"""

import hashlib
import html
import io
import json
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from osler.education.cards.deck import CardDraft, media_folder
from osler.errors import InputError
from osler.models.files import write_atomically
from osler.nouns import Noun
from osler.settings import Settings
from osler.text import language_of

MODEL = 1_607_392_319  # of the note type, the same in every package so that Anki takes it for the same
MOST_BYTES = 256 * 1024 * 1024  # of a collection, and of all media together
MOST_FILE, MOST_NAMES = 64 * 1024 * 1024, 200_000
OLDER = 'Export it from Anki with "Support older Anki versions" ticked.'
_COLLECTIONS = ("collection.anki21b", "collection.anki21", "collection.anki2")  # where there are several, the first
_SUFFIX = re.compile(r"\.(?:png|jpe?g|gif|webp|bmp|tiff?|mp3|ogg|wav|m4a|flac|mp4|webm|mov)$", re.IGNORECASE)
_MARKER = re.compile(r"\[(image: |sound:)([^\]\n]+)\]")
_CLOZE = re.compile(r"\{\{c(\d+)::(.*?)(?:::(.*?))?\}\}", re.DOTALL)
_STYLE = ".card { font: 18px sans-serif; text-align: left; } .sources { color: #666; }"


class Imported(Noun):
    """What came of a package. `left_out`: what did not come, and why."""

    notes: int
    cards: list[CardDraft]
    media: int
    left_out: list[str]


def write_apkg(drafts: Iterable[CardDraft], name: str, settings: Settings) -> bytes:
    """A package of the cards, a subdeck a topic, new to the scheduler; the same cards get the same ids each time."""
    import genanki  # type: ignore[import-untyped]

    sides = {"qfmt": "{{Front}}", "afmt": "{{FrontSide}}<hr id=answer>{{Back}}", "name": "Card"}
    model = genanki.Model(MODEL, "Osler", [{"name": "Front"}, {"name": "Back"}], [sides], css=_STYLE)
    decks: dict[str, Any] = {}
    media: dict[str, None] = {}
    for draft in drafts:
        title = f"{name}::{draft.topic.replace('::', ':')}"
        deck = decks.setdefault(title, genanki.Deck(_number(title), title))
        tags = [re.sub(r"\s+", "_", tag) for tag in (*draft.tags, draft.kind)]
        fields = [_html(draft.front, draft.media), _html(draft.back, draft.media)]
        deck.add_note(genanki.Note(model, fields, tags=tags, guid=genanki.guid_for(draft.front, draft.back)))
        media.update(dict.fromkeys(draft.media.values()))
    folder, target = media_folder(settings), io.BytesIO()
    files = [str(folder / file) for file in media if (folder / file).is_file()]
    genanki.Package(list(decks.values()), files).write_to_file(target)
    return target.getvalue()


def read_apkg(path: Path, settings: Settings) -> Imported:
    """The notes of a package as cards: the first field asks, the others answer; of a cloze a card a gap. Tags and the
    media that cards name are kept; when Anki would ask is not. Raises InputError for what is no such package."""
    try:
        with zipfile.ZipFile(path) as package:
            return _read(package, path, settings)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"not an Anki package: {error}", where=str(path)) from None
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"the collection can't be read: {error}", where=str(path), hint=OLDER) from None


def _read(package: zipfile.ZipFile, path: Path, settings: Settings) -> Imported:
    there = set(package.namelist())
    main = next((name for name in _COLLECTIONS if name in there), None)
    if main is None or len(there) > MOST_NAMES:
        raise InputError("not an Anki package: it holds no collection", where=str(path), hint=OLDER)
    new = main == _COLLECTIONS[0]
    content = _bounded(package, main, MOST_BYTES, new)
    listed = _bounded(package, "media", MOST_FILE, new) if "media" in there else b"{}"
    numbers = _entries(listed) if new else {name: number for number, name in json.loads(listed or b"{}").items()}
    kept, room, left_out = dict[str, str](), MOST_BYTES, list[str]()

    def keep(name: str) -> bool:
        """Take a file that a card names into the home, under a hash of its content."""
        nonlocal room
        number, suffix = numbers.get(name), _SUFFIX.search(name)
        if name not in kept and number in there and suffix and room > 0:
            data = _bounded(package, number, min(MOST_FILE, room), new)
            room -= len(data)
            kept[name] = hashlib.sha256(data).hexdigest()[:32] + suffix.group().lower()
            write_atomically(media_folder(settings) / kept[name], data)
        if name not in kept:
            left_out.append(
                f"{name}: {'a kind of file that is not taken' if number in there else 'not in the package'}"
            )
        return name in kept

    cards, notes = [], _notes(content, new)
    for note in notes:
        made = list(_sides(note.fields))
        left_out += [] if made else [f"note {note.id}: no back"]
        for front, back in made:
            named = dict.fromkeys(name for _, name in _MARKER.findall(f"{front}\n{back}"))
            cards.append(CardDraft(
                front=front, back=back, kind="note", topic=note.deck, source={"package": path.name},
                tags=note.tags, language=language_of(f"{front} {back}"),
                media={name: kept[name] for name in named if keep(name)},
            ))  # fmt: skip
    return Imported(notes=len(notes), cards=cards, media=len(kept), left_out=list(dict.fromkeys(left_out)))


class _Note(NamedTuple):
    id: int
    fields: list[str]
    tags: list[str]
    deck: str


def _notes(content: bytes, new: bool) -> list[_Note]:
    """The notes of a collection; each with the deck of its first card."""
    if not content.startswith(b"SQLite format 3\x00"):
        raise ValueError("it is no SQLite database")
    database = sqlite3.connect(":memory:")
    try:
        # One written with a log (versions 2) can't be opened in memory; a package holds no log (SQLite's file format).
        database.deserialize(content[:18] + b"\x01\x01" + content[20:])
        database.execute("PRAGMA trusted_schema=OFF")
        kinds = dict(database.execute("SELECT name, type FROM sqlite_schema").fetchall())
        if any(kinds.get(name) != "table" for name in ("notes", "cards", "decks" if new else "col")):
            raise ValueError("a table is missing")  # nor is a view of endless rows one
        if new:
            decks = {id: name.replace("\x1f", "::") for id, name in database.execute("SELECT id, name FROM decks")}
        else:
            (text,) = database.execute("SELECT decks FROM col").fetchone()
            decks = {int(id): deck["name"] for id, deck in json.loads(text).items()}
        joined = "SELECT n.id, n.flds, n.tags, min(c.did) FROM notes n LEFT JOIN cards c ON c.nid = n.id GROUP BY n.id"
        rows = database.execute(joined).fetchall()
    finally:
        database.close()
    return [
        _Note(id, list(map(_plain, fields.split("\x1f"))), tags.split(), decks.get(deck) or "Anki")
        for id, fields, tags, deck in rows
    ]


def _sides(fields: list[str]) -> Iterator[tuple[str, str]]:
    first, rest = fields[0], [field for field in fields[1:] if field]
    for gap in dict.fromkeys(number for number, _, _ in _CLOZE.findall(first)):
        front = first
        for match in _CLOZE.finditer(first):
            front = front.replace(match[0], f"[{match[3] or '…'}]" if match[1] == gap else match[2])
        yield front, "\n".join([_CLOZE.sub(r"\2", first), *rest])
    if first and rest and not _CLOZE.search(first):
        yield first, "\n".join(rest)


class _Text(HTMLParser):
    """The text of a field, lines as its blocks and breaks make them, images as markers."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        if tag == "img" and (name := dict(attrs).get("src")):
            self.parts.append(f"[image: {name}]")
        elif tag in ("br", "p", "div", "li", "tr", "hr"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _plain(field: str) -> str:
    reader = _Text()
    reader.feed(field)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).replace("\x00", "").split("\n"))
    return "\n".join(line for line in lines if line)


def _html(text: str, media: dict[str, str]) -> str:
    """Escaped, with breaks, and with what stands for a file in Anki's own words."""

    def shown(match: re.Match[str]) -> str:
        file = media.get(html.unescape(match[2]))
        if file is None:
            return match[0]
        return f"[sound:{file}]" if match[1] == "sound:" else f'<img src="{file}">'

    return _MARKER.sub(shown, html.escape(text, quote=False)).replace("\n", "<br>")


def _bounded(package: zipfile.ZipFile, name: str, most: int, packed: bool) -> bytes:
    """A member's content. Raises InputError if it is larger than `most` bytes, whatever its headers say."""
    with package.open(name) as member:
        content = member.read(most + 1)
    if packed and len(content) <= most:
        import pyarrow as pa  # type: ignore[import-untyped]

        parts, size = [], 0
        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            while size <= most and (part := stream.read(1 << 20)):
                parts.append(part)
                size += len(part)
        content = b"".join(parts)
    if len(content) > most:
        raise InputError(f"`{name}` is larger than {most:,} bytes unpacked", where=package.filename)
    return content


def _entries(listed: bytes) -> dict[str, str]:
    """Name to number of the media, from Anki's protobuf `MediaEntries`: entry 1, in it name 1 and, if given, number
    255."""
    names = {}
    for number, entry in enumerate(_fields(listed)[1]):
        said = _fields(entry)
        names[said[1][0].decode()] = str(said[255][0] if said.get(255) else number)
    return names


def _fields(message: bytes) -> dict[int, list[Any]]:
    """A protobuf message's varints and byte strings by field number (protobuf's encoding guide)."""
    found: dict[int, list[Any]] = {1: []}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128 or shift > 63:
                return value

    while at < len(message):
        key = varint()
        if key & 7 not in (0, 2):
            raise ValueError("an unknown list of media")
        value: Any = varint()
        if key & 7 == 2:
            value, at = message[at : at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def _number(text: str) -> int:
    """A deck's id, the same each time: a positive 31-bit number."""
    return 1 << 30 | int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 2
