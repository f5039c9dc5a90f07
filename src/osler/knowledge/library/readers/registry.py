"""Chooses the reader of a file and keeps each within its bounds. It knows no format itself."""

import functools
import gzip
import importlib
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from osler.errors import InputError, OslerError
from osler.knowledge.library.documents import Deletion, DocumentText
from osler.text import language_of

Item = DocumentText | Deletion | OslerError
Read = Callable[[Path], Iterator[Item]]
Sniff = Callable[[bytes], bool]

MODULES = ("pdf", "docx", "pubmed", "beir", "html", "markdown", "plain")
HEAD = 4096
MAX_BYTES = 100 * 2**20  # of a file that is read as a whole
MAX_TEXT = 50_000_000  # code points of one document
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Chinese encodings with the first bytes of their everyday characters: text read in the wrong one has few of them.
_CHINESE = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}


class Format(NamedTuple):
    """A file format: `sniff` tells it by its first bytes; where none does, the extension decides.

    `streamed`: read piece by piece in bounded memory, so a file may have any size.
    """

    name: str
    extensions: tuple[str, ...]
    read: Read
    sniff: Sniff | None
    streamed: bool


FORMATS: dict[str, Format] = {}


def reader(
    name: str, extensions: tuple[str, ...], sniff: Sniff | None = None, streamed: bool = False
) -> Callable[[Read], Read]:
    """Register the reader of a format."""

    def register(read: Read) -> Read:
        FORMATS[name] = Format(name, extensions, read, sniff, streamed)
        return read

    return register


@functools.cache
def load_formats() -> None:
    for module in MODULES:
        importlib.import_module(f"osler.knowledge.library.readers.{module}")


def read(path: Path) -> Iterator[Item]:
    """The documents of one file.

    Raises InputError, naming the file, when it can't be read at all; yields the error when only a part can't.
    """
    load_formats()
    where = str(path)
    try:
        size = path.stat().st_size
        if not size:
            raise InputError("the file is empty", where=where)
        with opened(path) as stream:
            chosen = choose(path, stream.read(HEAD))
        if size > MAX_BYTES and not chosen.streamed:
            raise _too_large(size, where)
        nothing = True
        for item in chosen.read(path):
            if isinstance(item, DocumentText) and len(item.text) > MAX_TEXT:
                item = InputError(f"more than {MAX_TEXT:,} characters of text in one document", where=where)
            yield item
            nothing = False
        if nothing:
            raise InputError(f"holds nothing that can be read as {chosen.name}", where=where)
    except OslerError:
        raise
    except (OSError, ValueError, KeyError, EOFError, RecursionError, zlib.error) as error:
        raise InputError(f"can't be read: {error}", where=where) from None


def choose(path: Path, head: bytes) -> Format:
    """The format of a file by its first bytes, else by its name; a text without an extension is plain text."""
    for known in FORMATS.values():
        if known.sniff is not None and known.sniff(head):
            return known
    suffix = next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "")
    for known in FORMATS.values():
        if suffix in known.extensions:
            return known
    if suffix or b"\0" in head:
        extensions = ", ".join(extension for known in FORMATS.values() for extension in known.extensions)
        raise InputError("is of no known format", where=str(path), hint=f"Known: {extensions}.")
    return FORMATS["plain"]


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked when it is gzip."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def contents(path: Path) -> bytes:
    """A whole file, unpacked when it is gzip. Raises InputError above `MAX_BYTES`."""
    with opened(path) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _too_large(len(data), str(path))
    return data


def _too_large(size: int, where: str) -> InputError:
    return InputError(f"{size / 2**20:.0f} MB is more than {MAX_BYTES // 2**20} MB", where=where, hint="Split it.")


def text_of(path: Path) -> str:
    """Text of a file: UTF-8, UTF-16 with its mark, Chinese GB 18030 or Big5. Raises InputError for anything else."""
    data = contents(path)
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text = next((text for name in _CHINESE if (text := _chinese(data, name))), "")
        if not text:
            line = data[: error.start].count(b"\n") + 1
            raise InputError(
                f"is not {encoding} text (byte {error.start})", where=f"{path}:{line}", hint="Save it as UTF-8."
            ) from None
    if "\0" in text:
        raise InputError("holds binary data", where=str(path))
    if not text.strip():
        raise InputError("holds no text", where=str(path))
    return text


def _chinese(data: bytes, encoding: str) -> str:
    """The text if `data` is Chinese in this encoding, else nothing."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return ""
    first, last = _CHINESE[encoding]
    characters = [c for c in text if not c.isascii() and not unicodedata.category(c).startswith("P")]
    everyday = sum(first <= character.encode(encoding)[0] <= last for character in characters)
    return text if language_of(text) == "zh" and everyday >= 0.85 * len(characters) else ""


def files_under(paths: Iterable[Path]) -> list[Path]:
    """The files named and those of the folders named, sorted, without hidden ones. InputError if a path is neither."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_file():
            found[path.resolve()] = None
        elif not path.is_dir():
            raise InputError("no such file or folder", where=str(path))
        else:
            for file in sorted(path.rglob("*")):
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
                    found[file.resolve()] = None
    return list(found)
