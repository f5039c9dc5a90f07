"""Reads the data files of the room: rows of its tables and its regular expressions. It knows not what they mean."""

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Iterator


def _text(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(f"data/{name}").read_text(encoding="utf-8")


def data_rows(name: str) -> Iterator[list[str]]:
    """Rows of a table, without comments."""
    return (line.split("\t") for line in _text(name).splitlines() if line and not line.startswith("#"))


@functools.cache
def patterns(table: str) -> dict[str, re.Pattern[str]]:
    """The regular expressions of a table of `patterns.toml`; `<<word>>` stands for that entry of its table `words`."""
    content = tomllib.loads(_text("patterns.toml"))
    words = content["words"]
    return {
        name: re.compile(re.sub("<<(.+?)>>", lambda match: words[match[1]], pattern))
        for name, pattern in content[table].items()
    }
