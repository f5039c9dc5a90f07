"""Opens files and keeps each within its bounds: gzip, encodings, sizes, folders. It knows no document format."""

import gzip
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

from osler.errors import InputError
from osler.text import language_of

MAX_BYTES = 100 * 2**20  # of a file that is read as a whole
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Chinese encodings with the first bytes of their everyday characters: text read in the wrong one has few of them.
_CHINESE = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked when it is gzip."""
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def contents(path: Path, stream: IO[bytes]) -> bytes:
    """What the opened file holds. Raises InputError above `MAX_BYTES`, before it is read where its size says so."""
    size = path.stat().st_size
    data = stream.read(MAX_BYTES + 1) if size <= MAX_BYTES else b""
    if max(size, len(data)) > MAX_BYTES:
        why = f"{max(size, len(data)) / 2**20:.0f} MB is more than {MAX_BYTES // 2**20} MB"
        raise InputError(why, where=str(path), hint="Split it.")
    return data


def text_of(path: Path, stream: IO[bytes]) -> str:
    """Text of a file: UTF-8, UTF-16 with its mark, Chinese GB 18030 or Big5. Raises InputError for anything else."""
    data = contents(path, stream)
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        text = next((text for name in _CHINESE if (text := _chinese(data, name))), "")
        if not text:
            line, why = data[: error.start].count(b"\n") + 1, f"is not {encoding} text (byte {error.start})"
            raise InputError(why, where=f"{path}:{line}", hint="Save it as UTF-8.") from None
    if "\0" in text or not text.strip():
        raise InputError("holds binary data" if "\0" in text else "holds no text", where=str(path))
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
        if not path.is_file() and not path.is_dir():
            raise InputError("no such file or folder", where=str(path))
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
                found[file.resolve()] = None
    return list(found)
