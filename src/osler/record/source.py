"""Bytes in, text or JSON out: bounded reading, gzip, encodings, and whether the content is JSON, JSON lines or prose.

It opens no more of a file than its limit allows and knows nothing of any kind of record.
"""

import gzip
import re
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from osler.errors import InputError

if TYPE_CHECKING:
    from msgspec import Raw

Shape = Literal["json", "ndjson", "text"]

JSON_LIMIT = 100_000_000  # bytes, unpacked; some 100,000 FHIR resources
TEXT_LIMIT = 50_000_000  # bytes, unpacked; far above any note
_GZIP = b"\x1f\x8b"
_MARKUP = re.compile(r"<(?:\?xml|!doctype|html|Bundle|ClinicalDocument|[A-Z]\w+\s+xmlns=)", re.IGNORECASE)
_NEXT_LINE = re.compile(r"\n\s*\S")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # tabs, line and page breaks, escapes may stand


def load(path: str | Path) -> bytes:
    """The bytes of a file (`-`: standard input), unpacked if gzipped. Raises InputError naming the file."""
    if str(path) == "-":
        return unpack(_bounded(sys.stdin.buffer, "standard input"), "standard input")
    try:
        with open(path, "rb") as file:
            return unpack(_bounded(file, str(path)), str(path))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise InputError(f"can't be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from None


def unpack(data: bytes, name: str) -> bytes:
    """The data, unpacked if gzipped, never more than the limit of its kind."""
    if data.startswith(_GZIP):
        try:
            with gzip.open(BytesIO(data), "rb") as file:
                data = _bounded(file, f"{name} (unpacked)")
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"the gzip file is damaged or cut off: {error}", where=name) from None
    is_json = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    return _within(data, name, JSON_LIMIT if is_json else TEXT_LIMIT)


def _bounded(file: BinaryIO | gzip.GzipFile, name: str) -> bytes:
    return _within(file.read(JSON_LIMIT + 1), name, JSON_LIMIT)


def _within(data: bytes, name: str, limit: int) -> bytes:
    if len(data) > limit:
        said = f"larger than the {limit // 1_000_000} MB that can be one patient's record"
        raise InputError(said, where=name, hint="Split it: one patient, one record.")
    return data


def decode(data: bytes, name: str, charset: str | None = None) -> str:
    """The text of the bytes: in the charset, else UTF-8, UTF-16 or UTF-32 by mark, or GB18030 where that gives Chinese.

    Raises InputError for empty, binary and undecodable input, naming the place where it fails.
    """
    from osler.record.tables import table

    head, known = data[:8].decode("latin-1"), table("source")
    for signature, (what, hint) in known["signatures"].items():
        if head.startswith(signature):
            raise InputError(f"this is {what}, not a record that can be read", where=name, hint=hint)
    encoding = charset or next((one for mark, one in known["marks"].items() if head.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        chinese = _gb18030(data) if encoding == "utf-8" else None
        if chinese is None:
            said = f"the text is not valid {encoding.upper()}: byte {data[error.start]:#04x} at offset {error.start}"
            raise InputError(said, where=name, hint="Save it as UTF-8.") from None
        text = chinese
    except (LookupError, UnicodeError):
        raise InputError(f"{encoding!r} is no encoding of text that is known", where=name) from None
    if not text.strip("\ufeff\u200b \t\r\n\x0b\x0c\x85\xa0\u3000"):
        raise InputError("the input is empty", where=name)
    # JSON is spared this: none that can be parsed holds control characters.
    if not text.startswith("{") and (found := _CONTROLS.search(text)):
        said = f"the input is binary: control character {ord(found[0]):#04x} at offset {found.start()}"
        raise InputError(said, where=name, hint="Give text (UTF-8), FHIR JSON or phenopacket JSON.")
    return text


def _gb18030(data: bytes) -> str | None:
    # Nearly any byte pair decodes as GB18030, so the result must also be Chinese: most of what is not ASCII lies among
    # the common characters (GB 2312) or full-width marks, and in runs. Latin-1 text gives rare characters and stray
    # pairs between Latin letters instead.
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = "".join(character for character in text if character > "\x7f")
    common = len(foreign.encode("gb2312", "ignore")) // 2
    return text if re.search(r"[\u4e00-\u9fff]{2}", text) and common >= 0.9 * len(foreign) else None


def shape_of(text: str, name: str) -> Shape:
    """Whether the text is JSON, JSON lines or prose. Raises InputError for markup that no reader takes."""
    import msgspec

    head = text.lstrip("\ufeff \t\r\n")
    if _MARKUP.match(head):
        hint = "Give FHIR as JSON, or the text of the note."
        raise InputError("XML and HTML records are not read", where=name, hint=hint)
    if not (head.startswith("{") or re.match(r"\[\s*(?:[{\[\]]|$)", head)):
        return "text"
    more = _NEXT_LINE.search(head)  # searched, not split off: the text may be large
    try:
        return "ndjson" if more and isinstance(msgspec.json.decode(head[: more.start()]), dict) else "json"
    except (msgspec.DecodeError, RecursionError):
        return "json"


def parse(data: "bytes | Raw", name: str, line: int = 1, kind: Any = Any) -> Any:
    """JSON in UTF-8 bytes that begin on this line, as `kind`. Raises InputError with line and column if malformed."""
    import msgspec
    import orjson

    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise InputError("malformed JSON: it is nested too deeply", where=name) from None
    except msgspec.DecodeError as failed:
        try:
            orjson.loads(data)  # says the line and column
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno + line - 1}, column {error.colno}"
            raise InputError(f"malformed JSON at {place}: {error.msg}", where=name) from None
        raise InputError(f"malformed JSON in what begins on line {line}: {failed}", where=name) from None
