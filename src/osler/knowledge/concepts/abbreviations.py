"""Abbreviations that a text defines itself: "tuberous sclerosis (TS)" makes every later TS that disease.

The long form must end at the bracket and hold the letters of the short one in order (after Schwartz and Hearst 2003).
It knows no list of abbreviations.
"""

import re
from collections.abc import Sequence

from osler.knowledge.concepts.matcher import Mention

_SHORT = re.compile(r"\s?[(\[（](?:简称)?(?P<short>[A-Za-z][A-Za-z0-9-]{1,9})(?:[;,，；][^)\]）]{0,40})?[)\]）]")
_LONG_IN_BRACKETS = re.compile(r"(?<![A-Za-z0-9-])(?P<short>[A-Z][A-Za-z0-9-]{1,9})\s?[(\[（]$")

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


def with_abbreviations(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions and, for each abbreviation defined beside one, its other occurrences. A definition in the text
    replaces what the abbreviation would mean elsewhere."""
    defined: dict[str, list[Mention]] = {}
    for mention in mentions:
        short = _defined(text, mention)
        if short:
            defined.setdefault(short, []).append(mention)
    if not defined:
        return list(mentions)
    kept = [mention for mention in mentions if mention.text not in defined]
    covered: dict[str, bytearray] = {}
    for mention in kept:
        taken = covered.setdefault(mention.kind, bytearray(len(text)))
        taken[mention.start : mention.end] = b"\x01" * len(mention.text)
    for match in _TOKEN.finditer(text):
        meanings = defined.get(match.group()) or defined.get(match.group().removesuffix("s")) or []
        for kind, meaning in {meaning.kind: meaning for meaning in meanings}.items():
            if not any(covered.get(kind, b"")[match.start() : match.end()]):
                kept.append(meaning._replace(start=match.start(), end=match.end(), text=match.group()))
    return sorted(kept, key=lambda mention: (mention.start, -mention.end, mention.kind))


def _defined(text: str, mention: Mention) -> str | None:
    after = _SHORT.match(text, mention.end)
    before = _LONG_IN_BRACKETS.search(text, max(0, mention.start - 14), mention.start)
    match = after or (before if text[mention.end : mention.end + 1] in (")", "]", "）") else None)
    if match is None:
        return None
    short = match["short"]
    capitals = sum(character.isupper() or character.isdigit() for character in short)
    if capitals < 2 or (mention.text.isascii() and len(short) >= len(mention.text)) or short.isdigit():
        return None
    # the letters of a Chinese name's abbreviation are those of its English name
    return short if not mention.text.isascii() or _abbreviates(short, mention.text) else None


def _abbreviates(short: str, long: str) -> bool:
    """Whether the letters of `short` stand in `long` in order, the first one at its first letter's word."""
    letters = [character for character in short.lower() if character.isalpha()]
    words = long.lower()
    if not letters or any(digit not in words for digit in short if digit.isdigit()):
        return False
    return bool(re.search(rf"\b{'.*'.join(letters)}", words, re.DOTALL))
