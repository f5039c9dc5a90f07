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


class _Tables(NamedTuple):
    """Headings and values by their lower-case text, the adverbs that a cue may have inside, and the automaton that
    finds the cues."""

    headings: dict[str, str]
    values: dict[str, str]
    adverb: re.Pattern[str]
    automaton: Any


@functools.cache
def _tables() -> _Tables:
    import ahocorasick  # type: ignore[import-not-found, import-untyped, unused-ignore]

    cues: dict[str, dict[tuple[str, str], Cue]] = {}
    said: dict[str, dict[str, str]] = {"heading": {}, "value": {}, "skip": {}}
    for language in ("en", "zh"):
        for pattern, category, direction, *reach in data_rows(f"cues_{language}.tsv"):
            for phrase in _expanded(pattern):
                if direction in said:
                    said[direction][phrase] = category
                else:
                    cue = Cue(category, direction, reach[0] if reach else _reach(category))
                    cues.setdefault(phrase, {})[category, direction] = cue
    automaton = ahocorasick.Automaton()
    for phrase, meanings in cues.items():
        automaton.add_word(phrase, (len(phrase), tuple(meanings.values())))
    automaton.make_automaton()
    adverbs = "|".join(sorted(map(re.escape, said["skip"]), key=len, reverse=True))
    return _Tables(said["heading"], said["value"], re.compile(rf"(?<= )(?:{adverbs}) "), automaton)


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
    tables = _tables()
    # cues write a digit as 0: "in 0000", "00 years ago"
    plain = _DIGIT.sub("0", low)
    for text, places in ((plain, None), _without(plain, tables.adverb)):
        for last, (length, meanings) in tables.automaton.iter(text):
            start, end = last - length + 1, last + 1
            if _bounded(text, start, end):
                found.append((places[start], places[last] + 1, meanings) if places else (start, end, meanings))
    found.sort(key=lambda hit: hit[0] - hit[1])
    outside = [hit for hit in found if not overlaps(inside, hit[0], hit[1])]
    touching = [hit for hit in _longest(found, len(low)) if overlaps(inside, hit.start, hit.end)]
    return _longest(outside, len(low)), touching


def _without(text: str, adverb: re.Pattern[str]) -> tuple[str, list[int]]:
    """The text without adverbs, and where each character stood; empty where there are none."""
    places: list[int] = []
    start = 0
    for match in adverb.finditer(text):
        places.extend(range(start, match.start()))
        start = match.end()
    if not start:
        return "", places
    places.extend(range(start, len(text)))
    return "".join(text[place] for place in places), places


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


def heading(name: str) -> str | None:
    """What a heading, in lower case, lends to the text below it; "significant past history" is a past history."""
    known, words = _tables().headings, name.split()
    tails = [name, *(" ".join(words[-count:]) for count in (3, 2) if len(words) > count)]
    effect = next((known[tail] for tail in tails if tail in known), None)
    kin = effect == "historical" and words[0] in ("maternal", "paternal", "mother's", "father's", "parental", "family")
    return "family" if kin else effect


def values() -> dict[str, str]:
    """What a word after "X:" says of X."""
    return _tables().values
