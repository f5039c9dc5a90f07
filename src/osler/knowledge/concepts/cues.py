"""Cues of context and where they stand in a text: negations, doubts, relatives, headings, as data in two languages.

The data files say what a cue means; this module only finds them. It knows nothing of clauses and scopes.
"""

import functools
import itertools
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.knowledge.concepts.tables import data_rows
from osler.text import has_chinese

_DIGIT = re.compile(r"[0-9]")
_OF_KIN = ("maternal", "paternal", "mother's", "father's", "parental", "family")


class Cue(NamedTuple):
    """A cue in a text, with what the data file says of it. `reach`: clause (ends at a comma) or list (goes on over
    commas)."""

    start: int
    end: int
    category: str
    direction: str
    reach: str


@functools.cache
def _rows() -> list[tuple[str, str, str, str]]:
    """Each cue, its category, direction and reach; `{is|was} seen` stands for "is seen" and "was seen"."""
    rows: list[tuple[str, str, str, str]] = []
    for pattern, category, direction, *reach in (*data_rows("cues_en.tsv"), *data_rows("cues_zh.tsv")):
        parts = [part.split("|") for part in re.split(r"[{}]", pattern)]
        for choice in itertools.product(*parts):
            default = "clause" if category == "uncertain" else "list"
            rows.append((" ".join("".join(choice).split()), category, direction, reach[0] if reach else default))
    return rows


@functools.cache
def said(of: str) -> dict[str, str]:
    """The category of each heading (`heading`) or word after "X:" (`value`); adverbs that cues may hold (`skip`)."""
    return {phrase: category for phrase, category, direction, _ in _rows() if direction == of}


@functools.cache
def _automaton() -> Any:
    import ahocorasick  # type: ignore[import-not-found, import-untyped, unused-ignore]

    cues: dict[str, dict[tuple[str, str], str]] = {}
    for phrase, category, direction, reach in _rows():
        if direction in ("forward", "backward", "both"):
            cues.setdefault(phrase, {})[category, direction] = reach
    automaton = ahocorasick.Automaton()
    for phrase, meanings in cues.items():
        automaton.add_word(phrase, (len(phrase), [(*key, reach) for key, reach in meanings.items()]))
    automaton.make_automaton()
    return automaton


@functools.cache
def _adverb() -> re.Pattern[str]:
    return re.compile(rf"(?<= )(?:{'|'.join(sorted(map(re.escape, said('skip')), key=len, reverse=True))}) ")


def lowered(text: str) -> str:
    low = text.lower().replace("’", "'")
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def find_cues(low: str, spans: Sequence[tuple[int, int]]) -> tuple[list[Cue], list[Cue]]:
    """Cues on word boundaries, the longest first: those outside all mentions (`spans`, sorted), and those that touch
    one."""
    found: list[tuple[int, int, list[tuple[str, str, str]]]] = []
    # cues write a digit as 0: "in 0000", "00 years ago"
    plain = _DIGIT.sub("0", low)
    for text, places in ((plain, range(len(plain))), _without(plain, _adverb())):
        for last, (length, meanings) in _automaton().iter(text):
            start = last - length + 1
            if _apart(text[start - 1 : start], text[start]) and _apart(text[last], text[last + 1 : last + 2]):
                found.append((places[start], places[last] + 1, meanings))
    found.sort(key=lambda cue: cue[0] - cue[1])
    outside = [cue for cue in found if not over(spans, cue[0], cue[1])]
    touching = [cue for cue in _longest(found, len(low)) if over(spans, cue.start, cue.end)]
    return _longest(outside, len(low)), touching


def _without(text: str, adverb: re.Pattern[str]) -> tuple[str, Sequence[int]]:
    """The text without adverbs, and where each character stood; empty where there are none."""
    cuts = [match.span() for match in adverb.finditer(text)]
    if not cuts:
        return "", ()
    kept = zip([0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)], strict=True)
    places = [place for start, end in kept for place in range(start, end)]
    return "".join(text[place] for place in places), places


def _longest(found: list[tuple[int, int, list[tuple[str, str, str]]]], length: int) -> list[Cue]:
    """Of overlapping cues (sorted by length) the longest."""
    taken = bytearray(length)
    kept: list[Cue] = []
    for start, end, meanings in found:
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.extend(Cue(start, end, *meaning) for meaning in meanings)
    kept.sort()
    return kept


def _apart(left: str, right: str) -> bool:
    """Whether two neighbours are no part of one word."""
    return not (left.isalnum() and right.isalnum()) or has_chinese(left + right)


def over(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The spans (sorted, at most a few nested) that meet start..end."""
    at = bisect_left(spans, (end, 0))
    return [span for span in spans[max(0, at - 6) : at] if span[0] < end and start < span[1]]


def heading(name: str) -> str | None:
    """What a heading, in lower case, lends to the text below it; "significant past history" is a past history."""
    known, words = said("heading"), name.split()
    tails = [name, *(" ".join(words[-count:]) for count in (3, 2) if len(words) > count)]
    effect = next((known[tail] for tail in tails if tail in known), None)
    return "family" if effect == "historical" and words[0] in _OF_KIN else effect
