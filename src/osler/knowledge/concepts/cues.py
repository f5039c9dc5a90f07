"""Cues of context and where they stand in a text: negations, doubts, relatives, headings, as data in two languages.

The data files say what a cue means; this module only finds them. It knows nothing of clauses and scopes.
"""

import functools
import itertools
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.knowledge.concepts.normal import data_rows
from osler.text import CJK

_BRACES = re.compile(r"\{([^{}]*)\}")
_CHINESE = re.compile(f"[{CJK}]")
_DIGIT = re.compile(r"[0-9]")


class Cue(NamedTuple):
    """A cue as written in the data file. `reach`: clause (ends at a comma) or list (goes on over commas)."""

    category: str
    direction: str
    reach: str


class Hit(NamedTuple):
    start: int
    end: int
    cue: Cue


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, str], Any]:
    """Headings and values by their lower-case text, and the automaton that finds the cues."""
    import ahocorasick  # type: ignore[import-not-found, import-untyped, unused-ignore]

    cues: dict[str, dict[tuple[str, str], Cue]] = {}
    headings: dict[str, str] = {}
    values: dict[str, str] = {}
    for language in ("en", "zh"):
        for pattern, category, direction, *reach in data_rows(f"cues_{language}.tsv"):
            for phrase in _expanded(pattern):
                if direction == "heading":
                    headings[phrase] = category
                elif direction == "value":
                    values[phrase] = category
                else:
                    cue = Cue(category, direction, reach[0] if reach else _reach(category))
                    cues.setdefault(phrase, {})[category, direction] = cue
    automaton = ahocorasick.Automaton()
    for phrase, meanings in cues.items():
        automaton.add_word(phrase, (len(phrase), tuple(meanings.values())))
    automaton.make_automaton()
    return headings, values, automaton


def _reach(category: str) -> str:
    return "clause" if category == "uncertain" else "list"


def _expanded(pattern: str) -> list[str]:
    """`{is|was} seen` stands for "is seen" and "was seen"; an empty choice for none."""
    parts = _BRACES.split(pattern)
    choices = [part.split("|") if index % 2 else [part] for index, part in enumerate(parts)]
    return [" ".join("".join(choice).split()) for choice in itertools.product(*choices)]


def lowered(text: str) -> str:
    low = text.lower().replace("’", "'")
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def find_cues(low: str, spans: Sequence[tuple[int, int]]) -> tuple[list[Hit], list[Hit]]:
    """Cues on word boundaries, the longest first: those outside all mentions, and those that touch one."""
    inside = sorted(spans)
    found: list[tuple[int, int, tuple[Cue, ...]]] = []
    # cues write a digit as 0: "in 0000", "00 years ago"
    for last, (length, meanings) in _tables()[2].iter(_DIGIT.sub("0", low)):
        start, end = last - length + 1, last + 1
        if _bounded(low, start, end):
            found.append((start, end, meanings))
    found.sort(key=lambda hit: hit[0] - hit[1])
    outside = [hit for hit in found if not overlaps(inside, hit[0], hit[1])]
    touching = [hit for hit in _longest(found, len(low)) if overlaps(inside, hit.start, hit.end)]
    return _longest(outside, len(low)), touching


def _longest(found: list[tuple[int, int, tuple[Cue, ...]]], length: int) -> list[Hit]:
    """Of overlapping cues (sorted by length) the longest."""
    taken = bytearray(length)
    kept: list[Hit] = []
    for start, end, meanings in found:
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.extend(Hit(start, end, cue) for cue in meanings)
    kept.sort()
    return kept


def _bounded(low: str, start: int, end: int) -> bool:
    first, last = low[start], low[end - 1]
    if first.isalnum() and not _CHINESE.match(first) and start and low[start - 1].isalnum():
        return bool(_CHINESE.match(low[start - 1]))
    if last.isalnum() and not _CHINESE.match(last) and end < len(low) and low[end].isalnum():
        return bool(_CHINESE.match(low[end]))
    return True


def over(spans: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The spans (sorted, at most a few nested) that meet start..end."""
    at = bisect_left(spans, (end, 0))
    return [span for span in spans[max(0, at - 6) : at] if span[0] < end and start < span[1]]


def overlaps(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    return bool(over(spans, start, end))


def headings() -> dict[str, str]:
    """What each heading lends to the text below it, by its lower-case name."""
    return _tables()[0]


def values() -> dict[str, str]:
    """What a word after "X:" says of X."""
    return _tables()[1]
