"""One file of named arrays and string tables, each compressed by itself and decoded only when first asked for.

The file is written whole by `write_pack` (same content, same bytes) and never changed. It knows nothing of
what the arrays mean.
"""

import json
import mmap
import os
import secrets
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.errors import IntegrityError, MissingComponent

MAGIC = b"OSLERPK1"
Array = NDArray[Any]


def write_pack(
    path: Path, header: Mapping[str, Any], arrays: Mapping[str, Array], strings: Mapping[str, Sequence[str]]
) -> None:
    """Write one-dimensional `arrays`, `strings` (without line breaks) and the JSON `header` to `path`, atomically."""
    blobs: dict[str, tuple[str, bytes]] = {}
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        blobs[name] = (little.dtype.str, zlib.compress(little.tobytes(), 9))
    for name, table in strings.items():
        if any("\n" in text for text in table):
            raise ValueError(f"string table {name} holds a line break")
        blobs[name] = ("text", zlib.compress("\n".join(table).encode(), 9) if table else b"")
    start, sections = 0, {}
    for name, (dtype, blob) in blobs.items():
        sections[name] = (start, len(blob), dtype)
        start += len(blob)
    head = json.dumps({"header": header, "sections": sections}, ensure_ascii=False, separators=(",", ":")).encode()
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")  # its own, for another process may write too
    with temporary.open("wb") as file:
        file.write(MAGIC + len(head).to_bytes(4, "little") + head)
        for _, blob in blobs.values():
            file.write(blob)
    os.replace(temporary, path)


class Pack:
    """A pack opened for reading: `header`, `array(name)`, `strings(name)`.

    Raises MissingComponent if the file is absent, IntegrityError if it isn't a whole pack.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            raise MissingComponent("the knowledge pack is missing", str(path), "Reinstall osler.") from None
        if self._bytes[:8] != MAGIC:
            raise IntegrityError("this is not a knowledge pack", str(path), "Reinstall osler.")
        length = int.from_bytes(self._bytes[8:12], "little")
        head = json.loads(self._bytes[12 : 12 + length])
        self.header: dict[str, Any] = head["header"]
        self._sections: dict[str, tuple[int, int, str]] = {
            name: (12 + length + start, size, dtype) for name, (start, size, dtype) in head["sections"].items()
        }
        self._cache: dict[str, Any] = {}

    def array(self, name: str) -> Array:
        """The array, read-only."""
        array: Array = self._section(name)
        return array

    def strings(self, name: str) -> list[str]:
        table: list[str] = self._section(name)
        return table

    def column(self, name: str) -> list[Any]:
        """A section as a list, whichever it is."""
        return list(self.strings(name)) if self._sections[name][2] == "text" else self.array(name).tolist()

    def _section(self, name: str) -> Any:
        if name not in self._cache:
            start, size, dtype = self._sections[name]
            try:
                raw = zlib.decompress(self._bytes[start : start + size]) if size else b""
            except zlib.error:
                raise IntegrityError(f"section {name} is damaged", str(self._path), "Reinstall osler.") from None
            text = dtype == "text"
            self._cache[name] = (raw.decode().split("\n") if size else []) if text else np.frombuffer(raw, dtype)
        return self._cache[name]

    def sizes(self) -> dict[str, int]:
        """Compressed bytes of each section."""
        return {name: size for name, (_, size, _) in self._sections.items()}
