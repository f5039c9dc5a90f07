"""Prompts as templates, English and Chinese side by side, one file a method. They know no model."""

import functools
import hashlib
import tomllib
from pathlib import Path

from osler.text import Language

FOLDER = Path(__file__).parent


@functools.cache
def prompts(name: str) -> dict[Language, dict[str, str]]:
    """The templates of `name.toml` by language."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))  # type: ignore[return-value]


@functools.cache
def prompts_digest() -> str:
    """A hash of all templates and examples: what a measurement of a method depends on beside its code."""
    texts = [path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in (".toml", ".jsonl")]
    return hashlib.sha256(b"\x1f".join(texts)).hexdigest()[:16]


@functools.cache
def intents() -> dict[str, str]:
    """What a Chinese question asks for -> the English words of passages about it."""
    return tomllib.loads((FOLDER / "intents.toml").read_text(encoding="utf-8"))
