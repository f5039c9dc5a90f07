"""The starter library: one compact file of passages with quantised vectors, unpacked into a library on first use.

The pack is Parquet (zstd); a vector is 384 signed bytes and a scale. It does not know where the texts came from:
`scripts/build_library.py` and `data/ATTRIBUTION.md` do.
"""

import contextlib
import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, IntegrityError, MissingComponent
from osler.knowledge.folders import locked
from osler.knowledge.library.passages import passage_id
from osler.knowledge.library.rows import FIELDS, Columns, table_of
from osler.knowledge.library.store import Store, read_card

if TYPE_CHECKING:
    from osler.knowledge.library.library import Progress

PACK = "starter.pack"
MANIFEST = "manifest.json"
COLUMNS = tuple(name for name in FIELDS if name != "id")  # ids follow from them


def restore(packed: npt.NDArray[np.int8], scale: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Vectors (n, d) of signed bytes and a scale a row (n,), normalised again, as half precision."""
    vectors = packed.astype(np.float32) * scale[:, None]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16)


def manifest() -> dict[str, Any]:
    """Counts, hashes, sources and embedder of the shipped pack. Raises MissingComponent if it isn't installed."""
    try:
        text = (files("osler.knowledge.library") / "data" / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingComponent(
            "the starter library isn't part of this installation", hint="`scripts/build_library.py` builds it."
        ) from None
    described: dict[str, Any] = json.loads(text)
    return described


def refresh(path: Path, progress: "Progress | None" = None) -> None:
    """Make sure that `path` holds the starter library of this installation; unpack it if it doesn't.

    Raises MissingComponent without a pack, IntegrityError if the pack isn't the one of its manifest.
    """
    described = manifest()
    if _present(path) == described["sha256"]:
        return
    with locked(path, wait=True):
        if _present(path) != described["sha256"]:  # another process may have done it meanwhile
            _unpack(path, described, progress)


def _present(path: Path) -> str | None:
    """The hash of the pack that the library at `path` was made of."""
    with contextlib.suppress(InputError):
        return read_card(path).get("pack")
    return None


def _unpack(path: Path, described: dict[str, Any], progress: "Progress | None") -> None:
    """Make the starter library at `path`: all of it or nothing."""
    data = (files("osler.knowledge.library") / "data" / PACK).read_bytes()
    if hashlib.sha256(data).hexdigest() != described["sha256"]:
        raise IntegrityError("is not the file its manifest describes", where=PACK, hint="Install the package again.")
    tell, total = progress or (lambda done, of: None), int(described["passages"])
    tell(0, total)
    rows = table_of(*read_pack(data), (described["embedder"] or {}).get("dimension"))
    tell(total // 2, total)
    Store.create(path, described["embedder"], rows, replace=True, pack=described["sha256"])
    tell(total, total)


def read_pack(data: bytes) -> tuple[Columns, npt.NDArray[np.float16] | None]:
    """The values of `FIELDS` for the passages of a pack, and their vectors (n, d) if it has them."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    packed = pq.read_table(io.BytesIO(data))
    columns: Columns = {name: packed[name].to_pylist() for name in COLUMNS}
    keys = zip(columns["document_id"], columns["sha256"], columns["ordinal"], strict=True)
    columns["id"] = [passage_id(*key) for key in keys]
    if "vector" not in packed.column_names:
        return columns, None
    raw = packed["vector"].combine_chunks()
    signed = np.frombuffer(raw.buffers()[1], dtype=np.int8).reshape(-1, raw.type.byte_width)[: len(packed)]
    return columns, restore(signed, packed["scale"].to_numpy())
