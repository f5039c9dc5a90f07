"""The tables of this room (`data/*.toml`): patterns, headings, elements, codes. Readers hold no lists."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "data"
_FRAGMENT = re.compile(r"\{([a-z_]+)\}")


@cache
def table(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def fragment(name: str) -> str:
    """A part of the patterns of prose, with the parts that it is made of."""
    return _filled(table("prose")["fragments"][name])


def _filled(written: str) -> str:
    joined = "".join(line.lstrip() for line in written.split("\n"))
    return _FRAGMENT.sub(lambda match: fragment(match[1]), joined)


@cache
def patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of prose under this name, most of which are one."""
    written = table("prose")["patterns"][name]
    listed = [written] if isinstance(written, str) else written
    return tuple(re.compile(_filled(one), re.IGNORECASE | re.MULTILINE) for one in listed)


def pattern(name: str) -> re.Pattern[str]:
    """The one pattern of prose under this name."""
    (found,) = patterns(name)
    return found
