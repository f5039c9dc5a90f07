"""Which sentences of a document speak to the program that reads it: they are data, and are neither quoted nor shown.

Patterns are data (`prompts/commands.toml`). What they miss still can't act: fences, constrained citations, listed tools
and verification stand behind them.
"""

import functools
import re
import tomllib
import unicodedata

from osler.reasoning.prompts import FOLDER
from osler.text import Span, sentences

_TAG = r"</?(?:passage|system|assistant|evidence|instructions?|证据|资料|系统|指令)\b[^>]*>"
_HIDDEN = [
    re.compile(r"<!--.*?-->|<(script|style|template)\b.*?</\1>", re.S | re.I),
    re.compile(r"<[^>]+(?:display\s*:\s*none|hidden)[^>]*>.*?</\w+>", re.S | re.I),
    re.compile(f"{_TAG}.*{_TAG}", re.S | re.I),  # all between fences that pose as ours
    re.compile(r"^#{2,} ?(?:system|instructions?)\b.*?(?:^#{2,}[^\n]*$|\Z)", re.S | re.I | re.M),
    re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{40,}={0,2}(?![\w+/])"),  # an encoded text
]
AFTER = 2  # sentences after a command, on its line, that belong to it


@functools.cache
def _patterns() -> re.Pattern[str]:
    table = tomllib.loads((FOLDER / "commands.toml").read_text(encoding="utf-8"))
    return re.compile("|".join(f"(?:{pattern})" for found in table.values() for pattern in found), re.I)


def commanding(text: str) -> list[Span]:
    """The sentences of a text that address a program, with what follows them on their line; comments, hidden elements
    and encoded blobs. Letters that can't be seen, or only look like others, hide none."""
    found = [Span(match.start(), match.end()) for pattern in _HIDDEN for match in pattern.finditer(text)]
    after, line = 0, -1
    for span in sentences(text):
        after = AFTER + 1 if is_command(text[span.start : span.end]) else after - 1
        if after > 0 and (after > AFTER or text.find("\n", line, span.start) < 0):
            found.append(span)
            line = span.end
        else:
            after = 0
    return sorted(found)


def is_command(sentence: str) -> bool:
    return _patterns().search(_plain(sentence)) is not None


def without_commands(text: str) -> str:
    """The text with a mark in place of each sentence that addresses a program."""
    at, kept = 0, []
    for start, end in commanding(text):
        if end > at:
            kept += [text[at:start], "[…]"]
            at = end
    return "".join([*kept, text[at:]])


_LOOKALIKES = str.maketrans(
    "аеорсхіјѕԁңүһԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναι", "aeopcxijsdnyhwABEKMHOPCTXIJSABEZHIKMNOPTYXovai"
)


def _plain(text: str) -> str:
    """Look-alike letters as the usual ones, tag characters as what they spell, and nothing invisible."""
    shown = "".join(
        chr(ord(c) - 0xE0000) if 0xE0020 <= ord(c) <= 0xE007E else c
        for c in text
        if 0xE0020 <= ord(c) <= 0xE007E or unicodedata.category(c) != "Cf"
    )
    return unicodedata.normalize("NFKC", shown).translate(_LOOKALIKES)
