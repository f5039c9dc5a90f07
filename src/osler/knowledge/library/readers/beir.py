"""BEIR `corpus.jsonl`: one document a line with `_id`, `title`, `text`; `_id` is kept as the document's id."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from osler.errors import InputError
from osler.knowledge.library.documents import DocumentText, Item, Section, stated

MAX_LINE = 16 * 2**20
BAD_START = 20  # lines; a file that begins with so many bad ones is something else


def read_beir(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    found, number = False, 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            item: Item = _document(line.removeprefix(b"\xef\xbb\xbf"), where)
            found = True
        except InputError as error:
            item = error
        if number > BAD_START and not found:
            raise InputError("is no BEIR corpus", where=str(path), hint="Each line is {_id, title, text}.")
        yield item
        while len(line) == MAX_LINE and not line.endswith(b"\n"):  # the rest of a line that is too long
            line = stream.readline(MAX_LINE)


def _document(line: bytes, where: str) -> DocumentText:
    if len(line) == MAX_LINE:
        raise InputError(f"a line of more than {MAX_LINE // 2**20} MB", where=where)
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"is not a JSON object: {error}", where=where) from None
    if not isinstance(row, dict) or not isinstance(row.get("_id"), str | int) or row["_id"] == "":
        raise InputError("a document needs an `_id`", where=where)
    title, text = row.get("title") or "", row.get("text") or ""
    if not isinstance(title, str) or not isinstance(text, str):
        raise InputError("`title` and `text` must be strings", where=where)
    body = text if text.strip() else title
    if not body.strip():
        raise InputError("a document without text", where=where)
    about: dict[str, Any] = {**(row["metadata"] if isinstance(row.get("metadata"), dict) else {}), **row}
    return DocumentText(str(row["_id"]), title.strip() or None, body, (Section(None, 0, len(body)),), **stated(about))
