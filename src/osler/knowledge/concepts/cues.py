"""Cues of context and where they stand in a text: negations, doubts, relatives, headings, as data in two languages; and
marks right at a mention: "fever (-)", "[ ] rash", "cough: yes", "syncope? denied".

The data files say what a cue means; this module only finds them. It knows nothing of clauses and scopes.
"""

import functools
import itertools
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.knowledge.concepts.tables import data_rows, patterns
from osler.text import Span, has_chinese

_SAYS = patterns("cues")
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
def _said(of: str) -> dict[str, str]:
    """The category of each heading (`heading`) or word after "X:" (`value`)."""
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


def lowered(text: str) -> str:
    low = text.lower().replace("’", "'")
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def find_cues(low: str, spans: Sequence[tuple[int, int]]) -> list[Cue]:
    """Cues on word boundaries, of overlapping ones the longest. One that touches a mention (`spans`, sorted) hides none
    of those outside all mentions."""
    found: list[tuple[int, int, list[tuple[str, str, str]]]] = []
    # cues write a digit as 0: "in 0000", "00 years ago"
    plain = _DIGIT.sub("0", low)
    for text, places in ((plain, range(len(plain))), _without(plain)):
        for last, (length, meanings) in _automaton().iter(text):
            start = last - length + 1
            if _apart(text[start - 1 : start], text[start]) and _apart(text[last], text[last + 1 : last + 2]):
                found.append((places[start], places[last] + 1, meanings))
    found.sort(key=lambda cue: cue[0] - cue[1])
    outside = [cue for cue in found if not over(spans, cue[0], cue[1])]
    touching = [cue for cue in _longest(found, len(low)) if over(spans, cue.start, cue.end)]
    return sorted([*_longest(outside, len(low)), *touching])


def _without(text: str) -> tuple[str, Sequence[int]]:
    """The text without adverbs, and where each character stood; empty where there are none."""
    cut = {place for match in _SAYS["adverb"].finditer(text) for place in range(*match.span())}
    places = [place for place in range(len(text)) if place not in cut] if cut else []
    return "".join(text[place] for place in places), places


def _longest(found: list[tuple[int, int, list[tuple[str, str, str]]]], length: int) -> list[Cue]:
    """Of overlapping cues (sorted by length) the longest."""
    taken = bytearray(length)
    kept: list[Cue] = []
    for start, end, meanings in found:
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            kept.extend(Cue(start, end, *meaning) for meaning in meanings)
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
    known, words = _said("heading"), name.split()
    tails = [name, *(" ".join(words[-count:]) for count in (3, 2) if len(words) > count)]
    effect = next((known[tail] for tail in tails if tail in known), None)
    return "family" if effect == "historical" and words[0] in _OF_KIN else effect


def marked(low: str, mention: Span) -> str | None:
    """The category (negated, affirmed, uncertain, historical, family) that a mark lends; None without one."""
    line = low[low.rfind("\n", 0, mention.start) + 1 : mention.start]
    box = _boxed(low, line, mention)
    if box:
        return box
    signed = _SAYS["signed"].search(line)
    if signed and line[: signed.start() + 1].strip() not in ("", "-", "–", "+"):
        return "affirmed" if signed[1] == "+" else "negated"
    match = _SAYS["written"].match(low, mention.end)
    if match is None:
        return None
    written = word = match[match.lastindex or 0].strip("() ")
    sign = _SAYS["sign"].fullmatch(written)
    if sign:
        return sign.lastgroup
    while word and word not in _said("value"):
        word = word.rpartition(" ")[0]
    category = _said("value").get(word)
    # "depression - no suicidal ideation" denies something else
    elsewhere = category == "family" or (
        word in ("no", "not") and low[mention.end + 1 : mention.end + 2] in tuple("-–—")
    )
    return None if word != written and elsewhere else category


def _boxed(low: str, line: str, mention: Span) -> str | None:
    """A box before the name, or behind it on a line that begins with a name: "cough [x] yes [ ] no"."""
    first = match = _SAYS["box_after"].match(low, mention.end)
    if match and not _SAYS["boxes_after"].fullmatch(line + low[mention.start :].partition("\n")[0]):
        first = match = None
    while match:
        if match[2] and _checked(match[1]):
            return _said("value").get(match[2])
        match = _SAYS["box_after"].match(low, match.end())
    if first is None:
        first = _SAYS["box_before"].search(line)
        first = None if first and _SAYS["boxes_after"].fullmatch(line) else first
    return ("affirmed" if _checked(first[1]) else "negated") if first else None


def _checked(box: str) -> bool:
    return box.strip("[( )]") not in ("", "☐", "□", "✗", "✘")
