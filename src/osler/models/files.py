"""GGUF files without loading them: what their header says, and their digest (kept until the file changes).

Follows the GGUF specification, versions 2 and 3. It does not know tensors or how a model is run.
"""

import functools
import hashlib
import json
import os
import secrets
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from osler.errors import InputError, MissingComponent

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


class Header(NamedTuple):
    """`context`: tokens the model was trained for. `chat`: the file holds a chat template."""

    architecture: str
    context: int | None
    licence: str | None
    chat: bool


def read_header(path: Path) -> Header:
    """Raises MissingComponent if there is no file, InputError if it is not a whole GGUF header."""
    try:
        state = path.stat()
        return _read_header(path, state.st_size, state.st_mtime_ns)
    except FileNotFoundError:
        raise MissingComponent("no such model file", where=str(path), hint="Give the path of a GGUF file.") from None
    except OSError as error:
        raise InputError(f"the model file can't be read: {error.strerror}", where=str(path)) from None


@functools.lru_cache(maxsize=8)  # a vocabulary takes half a second to pass over, and every privilege asks for it
def _read_header(path: Path, size: int, changed: int) -> Header:
    values: dict[str, Any] = {}
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF" or _number(file, "<I") not in (2, 3):
                raise InputError("this is not a GGUF file (version 2 or 3)", where=str(path))
            file.read(8)  # number of tensors
            for _ in range(_number(file, "<Q")):
                key = _string(file, size)
                values[key] = _value(file, _number(file, "<I"), size)
    except (struct.error, KeyError, UnicodeDecodeError, EOFError):
        raise InputError("the GGUF file is cut off or damaged", where=str(path), hint="Copy it again.") from None
    architecture = str(values.get("general.architecture", "unknown"))
    context, licence = values.get(f"{architecture}.context_length"), values.get("general.license")
    return Header(architecture, context, licence, chat="tokenizer.chat_template" in values)


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _string(file: BinaryIO, size: int) -> str:
    length = _number(file, "<Q")
    if length > size - file.tell():
        raise EOFError
    return file.read(length).decode()


def _value(file: BinaryIO, kind: int, size: int) -> Any:
    """A metadata value; arrays (vocabularies) are passed over and given as None."""
    if kind == _STRING:
        return _string(file, size)
    if kind != _ARRAY:
        return _number(file, _SCALARS[kind])
    inner, count = _number(file, "<I"), _number(file, "<Q")
    if inner in _SCALARS:
        file.seek(count * struct.calcsize(_SCALARS[inner]), os.SEEK_CUR)
    else:
        for _ in range(count):
            if inner == _STRING:
                file.seek(_number(file, "<Q"), os.SEEK_CUR)
            else:
                _value(file, inner, size)
    if file.tell() > size:
        raise EOFError
    return None


def file_digest(path: Path, home: Path) -> str:
    """sha256 of a file, hex; read again only if its size or time of change differs from `home`/cache/digests.json."""
    status, cache = path.stat(), home / "cache" / "digests.json"
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    known: dict[str, str] = {}
    with suppress(OSError, ValueError):  # only a cache: made again
        known = json.loads(cache.read_bytes())
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        write_atomically(cache, json.dumps(known).encode())
    return known[key]


def write_atomically(path: Path, content: bytes) -> None:
    """The whole new content or the whole old one, also when the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
