"""What the index keeps of a passage: columns to filter and search by, and in one piece all that a reader is shown."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from osler.knowledge.library.documents import DocumentText
from osler.knowledge.library.passages import Passage
from osler.text import has_chinese

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

FIELDS = (
    "id", "document_id", "sha256", "ordinal", "collection", "title", "section", "text", "page", "year", "licence",
    "url", "language", "start", "end", "valid_from", "superseded_by", "retracted",
)  # fmt: skip
SHOWN = tuple(name for name in FIELDS if name not in ("sha256", "collection", "language"))
LATIN = re.compile(r"[A-Za-z]{2,}")
Columns = dict[str, list[Any]]  # the values of `FIELDS`


def columns_of(documents: Iterable[tuple[DocumentText, Sequence[Passage]]]) -> Columns:
    """The columns of documents with their passages."""
    rows = [
        {**about, **passage._asdict()}
        for document, passages in documents
        for about in [{**document._asdict(), "sha256": document.sha256}]
        for passage in passages
    ]
    return {name: [row[name] for row in rows] for name in FIELDS}


def bodies(columns: Columns) -> list[str]:
    """What is searched and embedded of each passage: its title and headings, then its text; nothing twice."""
    return [_body(*parts) for parts in zip(columns["title"], columns["section"], columns["text"], strict=True)]


def _body(title: str | None, section: str | None, text: str) -> str:
    headings = (section or "").removeprefix(f"{title} > ")
    above = [part for part in (title, headings) if part and not text.startswith(part)]
    return "\n".join([*dict.fromkeys(above), text])


def table_of(columns: Columns, vectors: npt.NDArray[Any] | None, dimension: int | None) -> "pa.Table":
    """The store's table. `vectors`: shape (rows, dimension), any float type; None for none.

    `english` and `chinese` hold what is searched, for an index each: text in both scripts is in both.
    """
    import orjson
    import pyarrow as pa

    text, number = pa.string(), pa.int32()
    types = {
        "id": text, "document_id": text, "sha256": text, "ordinal": number, "collection": text, "english": text,
        "chinese": text, "year": number, "licence": text, "language": text, "retracted": pa.bool_(),
        "shown": pa.binary(),
    }  # fmt: skip
    searched = [(body, has_chinese(body)) for body in bodies(columns)]
    made = {
        "english": [body if not chinese or LATIN.search(body) else None for body, chinese in searched],
        "chinese": [body if chinese else None for body, chinese in searched],
        "shown": [orjson.dumps(row) for row in zip(*(columns[name] for name in SHOWN), strict=True)],
    }
    arrays = {name: pa.array(made.get(name, columns.get(name)), kind) for name, kind in types.items()}
    if dimension:
        flat = np.ascontiguousarray([] if vectors is None else vectors, dtype=np.float16).ravel()
        arrays["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(flat), dimension)
    return pa.table(arrays)


def shown_of(column: "pa.ChunkedArray") -> list[dict[str, Any]]:
    """What is shown of passages, by name, from the column `shown`."""
    import orjson

    return [dict(zip(SHOWN, orjson.loads(row), strict=True)) for row in column.to_pylist()]
