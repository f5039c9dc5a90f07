"""Bytes in, text out: bounded reading, gzip, encodings, and which kind of record the content is.

It opens no more of a file than its limit allows and knows of each kind only what tells it apart.
"""

import gzip
import json
import os
import re
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn

from osler.errors import InputError

Shape = Literal["json", "ndjson", "text"]

JSON_LIMIT = 100_000_000  # bytes, unpacked; some 100,000 FHIR resources
TEXT_LIMIT = 50_000_000  # bytes, unpacked; far above any note
_SIGNATURES = (
    (b"%PDF", "a PDF file", "Add it to a library with `osler ingest`, or give its text."),
    (b"PK\x03\x04", "a ZIP or Office file", "Give the text or the FHIR JSON inside."),
    (b"{\\rtf", "an RTF file", "Save it as plain text."),
    (b"\x89PNG", "an image", "Give the text or FHIR JSON of the record."),
    (b"\xff\xd8\xff", "an image", "Give the text or FHIR JSON of the record."),
)
_MARKUP = re.compile(r"<(?:\?xml|!doctype|html|Bundle|ClinicalDocument|[A-Z]\w+\s+xmlns=)", re.IGNORECASE)
_CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32), 127])  # tabs, line and page breaks, escapes may stand


def load(path: str | Path) -> bytes:
    """The bytes of a file (`-`: standard input), unpacked if gzipped. Raises InputError naming the file."""
    name = "standard input" if str(path) == "-" else str(path)
    try:
        if str(path) == "-":
            return unpack(_bounded(sys.stdin.buffer, name), name)
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > JSON_LIMIT:
                _too_large(name, JSON_LIMIT)
            if size > TEXT_LIMIT and file.read(2) != b"\x1f\x8b":
                file.seek(0)
                if file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
                    _too_large(name, TEXT_LIMIT)
            file.seek(0) if file.seekable() else None
            return unpack(_bounded(file, name), name)
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", where=name) from None
    except ValueError as error:  # a path with a NUL
        raise InputError(f"can't be read: {error}", where=name) from None


def unpack(data: bytes, name: str) -> bytes:
    """The data, unpacked if gzipped, never more than the limit."""
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(BytesIO(data), "rb") as file:
                data = _bounded(file, f"{name} (unpacked)")
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"the gzip file is damaged or cut off: {error}", where=name) from None
    if len(data) > JSON_LIMIT:
        _too_large(name, JSON_LIMIT)
    return data


def _bounded(file: BinaryIO | gzip.GzipFile, name: str) -> bytes:
    data = file.read(JSON_LIMIT + 1)
    if len(data) > JSON_LIMIT:
        _too_large(name, JSON_LIMIT)
    return data


def _too_large(name: str, limit: int) -> NoReturn:
    raise InputError(
        f"larger than the {limit // 1_000_000} MB that can be one patient's record",
        where=name,
        hint="Split it: one patient, one record.",
    )


def decode(data: bytes, name: str) -> str:
    """The text of the bytes: UTF-8, UTF-16 or UTF-32 by mark, or GB18030 where that gives Chinese text.

    Raises InputError for empty, binary and undecodable input, naming the byte where it fails.
    """
    if not data.strip():
        raise InputError("the input is empty", where=name)
    for signature, what, hint in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(f"this is {what}, not a record that can be read", where=name, hint=hint)
    text = _decode(data, name)
    if not text.strip("\ufeff\u200b \t\r\n\x0b\x0c\x85\xa0\u3000"):
        raise InputError("the input is empty", where=name)
    encoded = text.encode()
    if len(encoded.translate(None, _CONTROLS)) != len(encoded):
        place, byte = next((place, byte) for place, byte in enumerate(encoded) if byte in _CONTROLS)
        raise InputError(
            f"the input is binary: control character {byte:#04x} at byte {place}",
            where=name,
            hint="Give text (UTF-8), FHIR JSON or phenopacket JSON.",
        )
    return text


def _decode(data: bytes, name: str) -> str:
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"))
    for mark, encoding in (*marks, (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                failed = error
                break
    if failed.encoding == "utf-8" and (chinese := _gb18030(data)) is not None:
        return chinese
    byte, encoding = failed.object[failed.start], failed.encoding.upper()
    raise InputError(
        f"the text is not valid {encoding}: byte {byte:#04x} at offset {failed.start}",
        where=name,
        hint="Save it as UTF-8.",
    )


def _gb18030(data: bytes) -> str | None:
    # Nearly any byte pair decodes as GB18030, so the result must also be Chinese: most of what is not ASCII lies among
    # the common characters (GB 2312) or full-width marks. Latin-1 text gives rare characters and stray pairs instead.
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [character for character in text if character > "\x7f"]
    common = 0
    for character in foreign:
        try:
            common += len(character.encode("gb2312")) == 2
        except UnicodeEncodeError:
            continue
    return text if len(foreign) >= 2 and common >= 0.9 * len(foreign) and _runs(text) else None


def _runs(text: str) -> bool:
    # Accented words such as "café" yield lone characters between Latin letters; Chinese stands in runs.
    return re.search(r"[\u4e00-\u9fff]{2}", text) is not None


def shape_of(text: str, name: str) -> Shape:
    """Whether the text is JSON, JSON lines or prose. Raises InputError for markup that no reader takes."""
    head = text.lstrip("\ufeff \t\r\n")
    if _MARKUP.match(head):
        raise InputError(
            "XML and HTML records are not read", where=name, hint="Give FHIR as JSON, or the text of the note."
        )
    if not (head.startswith("{") or re.match(r"\[\s*(?:[{\[\]]|$)", head)):
        return "text"
    lines = [line for line in head.split("\n", 400) if line.strip()]
    if len(lines) > 1 and head.startswith("{"):
        try:
            whole = json.loads(lines[0])
        except (ValueError, RecursionError):
            return "json"
        return "ndjson" if isinstance(whole, dict) else "json"
    return "json"


def malformed(data: bytes, name: str, first_line: int = 1) -> NoReturn:
    """Raise InputError with line and column for JSON that does not parse, or is nested beyond reason."""
    import orjson

    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"malformed JSON at line {error.lineno + first_line - 1}, column {error.colno}: {error.msg}", where=name
        ) from None
    except RecursionError:
        pass
    raise InputError("the JSON is nested too deeply or holds a number that is out of range", where=name)
