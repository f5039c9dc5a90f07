"""Reads a room's data folder, and the CSV and JSON tables of users, and says which file and line can't be used.

It knows no drug: what a column or pattern means is up to the caller. `room`: the package whose folder `data` it reads.
"""

import csv
import importlib.resources
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.errors import InputError


class Row(NamedTuple):
    """One row, its values trimmed. `where`: "file:line" (CSV) or "file, item n" (JSON)."""

    values: dict[str, str]
    where: str


def _text(room: str, name: str) -> str:
    return (importlib.resources.files(room) / "data" / name).read_text(encoding="utf-8")


def shipped(room: str, name: str) -> list[Row]:
    """The rows of a table."""
    return list(_csv(_text(room, name), name, ()))


def toml(room: str, name: str) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(_text(room, name))


def patterns(room: str, name: str, table: str = "says") -> dict[str, re.Pattern[str]]:
    """The regular expressions of a table of a TOML file, compiled without regard to case; `<<word>>` in them stands for
    that entry of its table `words`, a list there for any of its items. A list in the table gives one each, numbered."""
    content = toml(room, name)

    def whole(text: str) -> str:
        return re.sub("<<([a-z0-9_]+)>>", lambda match: whole(word(content["words"][match[1]])), text)

    def word(value: str | list[str]) -> str:
        return value if isinstance(value, str) else "|".join(value)

    entries = {key: [value] if isinstance(value, str) else value for key, value in content[table].items()}
    named = {key if len(v) == 1 else f"{key}.{n}": text for key, v in entries.items() for n, text in enumerate(v)}
    return {key: re.compile(whole(text), re.IGNORECASE) for key, text in named.items()}


def given(path: str, columns: Sequence[str]) -> list[Row]:
    """The rows of a user's file: CSV with a header, or a JSON list of objects. Raises InputError with file and line."""
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the table can't be read: {error}", where=path) from None
    return list(_json(text, path, columns) if file.suffix.lower() == ".json" else _csv(text, path, columns))


def _csv(text: str, name: str, columns: Sequence[str]) -> Iterator[Row]:
    reader = csv.DictReader(text.splitlines())
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"columns are missing: {', '.join(missing)}.", where=f"{name}:1")
    for values in reader:
        where = f"{name}:{reader.line_num}"
        if None in values or None in values.values():
            raise InputError("the row has another number of fields than the header.", where=where)
        yield Row({column: value.strip() for column, value in values.items()}, where)


def _json(text: str, name: str, columns: Sequence[str]) -> Iterator[Row]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", where=name) from None
    if not isinstance(content, list):
        raise InputError("a list of objects is expected.", where=name)
    for number, item in enumerate(content, 1):
        where = f"{name}, item {number}"
        if not isinstance(item, dict) or any(column not in item for column in columns):
            raise InputError(f"an object with {', '.join(columns)} is expected.", where=where)
        yield Row({str(key): "" if value is None else str(value).strip() for key, value in item.items()}, where)
