"""BEIR `corpus.jsonl`: one document a line with `_id`, `title`, `text`; `_id` is kept as the document's id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Section
from osler.knowledge.library.readers.registry import Item, open_stream, reader

MAX_LINE = 16 * 2**20


@reader("beir", (".jsonl", ".ndjson"), sniff=lambda head: head.lstrip()[:1] == b"{" and b'"_id"' in head)
def read_beir(path: Path) -> Iterator[Item]:
    with open_stream(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE):
            number += 1
            where = f"{path}:{number}"
            if len(line) == MAX_LINE:
                raise InputError(f"a line of more than {MAX_LINE // 2**20} MB", where=where)
            if line.strip():
                yield _document(line, where)


def _document(line: bytes, where: str) -> Item:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return InputError(f"is not a JSON object: {error}", where=where)
    if not isinstance(row, dict) or not isinstance(row.get("_id"), str | int) or row["_id"] == "":
        return InputError("a document needs an `_id`", where=where)
    title, text = row.get("title") or "", row.get("text") or ""
    if not isinstance(title, str) or not isinstance(text, str):
        return InputError("`title` and `text` must be strings", where=where)
    body = text if text.strip() else title
    if not body.strip():
        return InputError("a document without text", where=where)
    extra: dict[str, Any] = {**(row["metadata"] if isinstance(row.get("metadata"), dict) else {}), **row}
    return DocumentText(
        str(row["_id"]),
        title.strip() or None,
        body,
        (Section(None, 0, len(body)),),
        year=extra["year"] if isinstance(extra.get("year"), int) else None,
        licence=_string(extra.get("licence") or extra.get("license")),
        url=_string(extra.get("url")),
    )


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
