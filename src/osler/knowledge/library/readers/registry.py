"""Chooses the reader of a file and keeps each within its bounds. It knows no format itself."""

import functools
import gzip
import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from osler.errors import InputError, OslerError
from osler.knowledge.library.documents import Deletion, DocumentText

Item = DocumentText | Deletion | OslerError
Read = Callable[[Path], Iterator[Item]]
Sniff = Callable[[bytes], bool]

MODULES = ("pdf", "docx", "pubmed", "beir", "html", "markdown", "plain")
HEAD = 4096
MAX_BYTES = 100 * 2**20  # of a file that is read as a whole
MAX_TEXT = 50_000_000  # code points of one document
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
STREAMED = frozenset({"pubmed", "beir"})  # read piece by piece: bounded by MAX_STREAM only
MAX_STREAM = 8 * 2**30


class Format(NamedTuple):
    """A file format: `sniff` tells it by its first bytes; without one the extension decides."""

    name: str
    extensions: tuple[str, ...]
    read: Read
    sniff: Sniff | None


FORMATS: dict[str, Format] = {}


def reader(name: str, extensions: tuple[str, ...], sniff: Sniff | None = None) -> Callable[[Read], Read]:
    """Register the reader of a format."""

    def register(read: Read) -> Read:
        FORMATS[name] = Format(name, extensions, read, sniff)
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
        with path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", where=where) from None
    if size == 0:
        raise InputError("the file is empty", where=where)
    chosen = choose(path, opened_head(path, head))
    if size > MAX_BYTES and chosen.name not in STREAMED:
        raise InputError(
            f"{size / 2**20:.0f} MB is more than the {MAX_BYTES // 2**20} MB that a {chosen.name} file may have",
            where=where,
            hint="Split it.",
        )
    try:
        for item in chosen.read(path):
            if isinstance(item, DocumentText) and len(item.text) > MAX_TEXT:
                item = InputError(f"more than {MAX_TEXT:,} characters of text in one document", where=where)
            yield item
    except OslerError:
        raise
    except (OSError, ValueError, KeyError, EOFError, RecursionError, zlib.error) as error:
        raise InputError(f"can't be read as {chosen.name}: {error}", where=where) from None


def choose(path: Path, head: bytes) -> Format:
    """The format of a file by its first bytes, else by its name; a text without an extension is plain text."""
    for known in FORMATS.values():
        if known.sniff is not None and known.sniff(head):
            return known
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    by_name = [known for known in FORMATS.values() if suffixes and suffixes[-1] in known.extensions]
    if by_name and by_name[0].sniff is not None:
        raise InputError(f"is named like {by_name[0].name}, but its content is not", where=str(path))
    binary = b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if binary or (suffixes and not by_name):
        extensions = ", ".join(extension for known in FORMATS.values() for extension in known.extensions)
        what = "is binary and of no known format" if binary else "is of no known format"
        raise InputError(what, where=str(path), hint=f"Known: {extensions}.")
    return by_name[0] if by_name else FORMATS["plain"]


def opened_head(path: Path, head: bytes) -> bytes:
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        with gzip.open(path) as stream:
            return stream.read(HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the gzip file is damaged: {error}", where=str(path)) from None


class _Bounded:
    """A read-only stream that refuses to give more than `MAX_STREAM` bytes (a decompression bomb)."""

    def __init__(self, stream: IO[bytes], where: str) -> None:
        self._stream, self._where, self._left = stream, where, MAX_STREAM

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise InputError(f"unpacks to more than {MAX_STREAM // 2**30} GB", where=self._where)
        return data

    def read(self, size: int = -1) -> bytes:
        return self._count(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._count(self._stream.readline(size))

    def __enter__(self) -> "_Bounded":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def open_stream(path: Path) -> _Bounded:
    """The bytes of a file, unpacked when it is gzip, in bounded memory."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return _Bounded(cast(IO[bytes], gzip.open(path)) if packed else path.open("rb"), str(path))


def decode(data: bytes, where: str) -> str:
    """Text of a file: UTF-8, UTF-16 with its mark, or Chinese GB 18030. Raises InputError for anything else."""
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text = _chinese(data)
        if not text:
            line = data[: error.start].count(b"\n") + 1
            raise InputError(
                f"is not {encoding} text (byte {error.start})", where=f"{where}:{line}", hint="Save it as UTF-8."
            ) from None
    if "\0" in text:
        raise InputError("holds binary data", where=where)
    return text


def _chinese(data: bytes) -> str:
    from osler.text import language_of

    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return text if language_of(text) == "zh" else ""


def files_under(paths: Iterable[Path]) -> list[Path]:
    """The files named and those of the folders named, sorted, without hidden ones. InputError if a path is missing."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError("no such file or folder", where=str(path))
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            hidden = path.is_dir() and any(part.startswith(".") for part in file.relative_to(path).parts)
            if file.is_file() and not hidden:
                found[file.resolve()] = None
    return list(found)
