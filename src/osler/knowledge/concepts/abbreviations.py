"""Abbreviations that a text defines itself: "tuberous sclerosis (TS)" makes every later TS that disease.

The long form must end at the bracket and hold the letters of the short one in order (after Schwartz and Hearst 2003).
It knows no list of abbreviations.
"""

import re
from collections.abc import Sequence

from osler.knowledge.concepts.matcher import Mention
from osler.knowledge.concepts.tables import patterns

_SAYS = patterns("abbreviations")


def with_abbreviations(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions and, for each abbreviation defined beside one, its other occurrences. A definition in the text
    replaces what the abbreviation would mean elsewhere."""
    defined: dict[str, dict[str, Mention]] = {}
    for mention in mentions:
        short = _defined(text, mention)
        if short:
            defined.setdefault(short, {})[mention.kind] = mention
    if not defined:
        return list(mentions)
    kept = [mention for mention in mentions if mention.text not in defined]
    covered: dict[str, bytearray] = {}
    for mention in kept:
        taken = covered.setdefault(mention.kind, bytearray(len(text)))
        taken[mention.start : mention.end] = b"\x01" * len(mention.text)
    for match in _SAYS["word"].finditer(text):
        meanings = defined.get(match.group()) or defined.get(match.group().removesuffix("s")) or {}
        for kind, meaning in meanings.items():
            if not any(covered.get(kind, b"")[match.start() : match.end()]):
                kept.append(meaning._replace(start=match.start(), end=match.end(), text=match.group()))
    return sorted(kept, key=lambda mention: (mention.start, -mention.end, mention.kind))


def _defined(text: str, mention: Mention) -> str | None:
    """The abbreviation beside a mention that stands for it."""
    match = _SAYS["behind"].match(text, mention.end)
    if match is None and text[mention.end : mention.end + 1] in (")", "]", "）"):
        match = _SAYS["before"].search(text, max(0, mention.start - 14), mention.start)
    if match is None:
        return None
    short, long = match["short"], mention.text.lower()
    if sum(character.isupper() or character.isdigit() for character in short) < 2:
        return None
    if not long.isascii():  # the letters of a Chinese name's abbreviation are those of its English name
        return short
    letters = [character for character in short.lower() if character.isalpha()]
    kept = all(digit in long for digit in short if digit.isdigit()) and len(short) < len(long)
    # the letters stand in the name in order, the first one at the head of a word
    return short if kept and re.search(rf"\b{'.*'.join(letters)}", long, re.DOTALL) else None
