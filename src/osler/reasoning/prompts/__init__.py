"""Prompts as templates, English and Chinese side by side, one file a method. They know no model."""

import functools
import tomllib
from pathlib import Path

from osler.text import Language

FOLDER = Path(__file__).parent


@functools.cache
def prompts(name: str) -> dict[Language, dict[str, str]]:
    """The templates of `name.toml` by language."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))  # type: ignore[return-value]


@functools.cache
def intents() -> dict[str, str]:
    """What a Chinese question asks for -> the English words of passages about it."""
    return tomllib.loads((FOLDER / "intents.toml").read_text(encoding="utf-8"))
