"""Where a text names what may be an allergen: in lists under a heading, and in sentences that relate it to a reaction.

It doesn't say whether the patient has the allergy. The words are data (`data/allergy_words.toml`): a known drug or
class is taken from the names, so that only the relation to it has to be read.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from osler.knowledge.drugs import tables
from osler.knowledge.drugs.names import Mention
from osler.record.case import Document
from osler.text import Span, sentences

Kind = Literal["allergy", "intolerance"]
KNOWN = "\ue000"  # stands for each character of a known drug or class in a masked text
SAYS = tables.patterns(__package__, "allergy_words.toml")
_PROSE = tuple(tables.patterns(__package__, "allergy_words.toml", "prose").values())
# Groups of these patterns that hold names.
_NAMES = ("list", "list_zh", "unknown", "unknown_zh", "known", "known2")
_DIAGNOSES = tables.patterns(__package__, "allergy_words.toml", "diagnoses")


class Piece(NamedTuple):
    """A name with what is said around it. `cue`: from where to where the context is asked of; `drug`: what a
    diagnosis such as AERD stands for; `excepted`: named as the exception of a denial."""

    start: int
    end: int
    cue: Span
    remark: str
    kind: Kind | None = None
    drug: str | None = None
    excepted: bool = False


def pieces_of(document: Document, known: Sequence[Mention]) -> list[Piece]:
    """Every name in a statement about allergies, in order; `known`: the drugs and classes that the text names."""
    characters = list(document.text)
    for one in known:
        characters[one.start : one.end] = KNOWN * (one.end - one.start)
    masked = "".join(characters)
    found = dict.fromkeys([*_listed(document, masked), *_prose(document.text, masked)])
    return sorted(found, key=lambda one: (one.start, -one.end))


def severity_of(words: str) -> tuple[Kind | None, bool]:
    """What reactions make of an entry: allergy or intolerance (None where they say nothing), and whether severe."""
    found = {match.lastgroup for match in SAYS["signs"].finditer(words)}
    severe = "severe" in found or ("side" not in found and SAYS["strong"].search(words) is not None)
    if severe or "allergic" in found:
        return "allergy", severe
    return ("intolerance", False) if found else (None, False)


def of_drugs(words: str) -> bool:
    """Whether words on allergies mean those to drugs too, not to food or pollen alone."""
    return not SAYS["not_drugs"].search(words) or SAYS["drugs"].search(words) is not None


def _listed(document: Document, masked: str) -> Iterator[Piece]:
    """Entries of lists under a heading of allergies."""
    text = document.text
    for match in SAYS["heading"].finditer(text):
        for start, end in _bodies(text, match.end(), document) if of_drugs(match.group()) else ():
            yield from _entries(text, masked, start, end)


def _bodies(text: str, start: int, document: Document) -> Iterator[tuple[int, int]]:
    """The lines of a list: what follows the heading on its line and bulleted or tabulated lines below; all lines to the
    next blank one or heading where the heading stands alone."""
    heads = (text.rfind(one.title, 0, one.start) for one in document.sections)
    stop = min((head for head in heads if head >= start), default=len(text))
    ends = [*(match.start() for match in re.compile("\n").finditer(text, start)), len(text)]
    own, table = text[start : ends[0]].strip(" \t*|:："), "|" in text[start : ends[0]]
    if own and not table:
        yield start, ends[0]
    begun = bool(own)
    for begin, end in ((before + 1, end) for before, end in pairwise(ends)):
        line = text[begin:end]
        if not line.strip() and not begun:
            continue
        entry = re.match(r"[ \t]*(?:[-*•]|\d[.)]\s)", line) or (table and "|" in line)
        heading = begin >= stop or re.match(r"[A-Z][A-Z /&]{3,}\b|[A-Za-z /&]{2,30}:\s*$|#", line)
        if not line.strip() or not (entry or not (own or heading)):
            return
        begun = True
        yield begin, end


def _entries(text: str, masked: str, start: int, end: int) -> Iterator[Piece]:
    """The entries of one line. Behind its first sentence one counts that begins with a known name and a remark."""
    for number, span in enumerate(sentences(masked[start:end])):
        first, last = start + span.start, start + span.end
        entry = re.match(rf"{KNOWN}+\s*(?:[-–(\[:,.]|$)", masked[first:last])
        if (number and not entry) or SAYS["telling"].match(masked[first:last]):
            continue
        for begin, stop, remark in names_in(text, first, last):
            yield Piece(begin, stop, Span(begin, stop), remark)


def names_in(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The names of a list with their places and remarks, to the first piece that isn't one."""
    body = text[start:end]
    bare = SAYS["remark"].sub(lambda match: "\x00" * len(match.group()), body)
    splits = [*SAYS["split"].finditer(bare), None]
    at = 0
    for number, split in enumerate(splits):
        stop = split.start() if split else len(bare)
        piece = bare[at:stop]
        lead = SAYS["lead"].match(piece)
        begin = at + (lead.end() if lead else 0)
        halt = SAYS["stop"].search(bare, begin, stop)
        name = bare[begin : halt.start() if halt else stop].split("\x00")[0].rstrip(" -?？!.*\n\t")
        following = next((one.start() for one in splits[number + 1 :] if one), len(bare))
        remark = body[begin + len(name) : stop] + (body[stop:following] if _only_sign(body[stop:following]) else "")
        no_name = _only_sign(name) or SAYS["none"].match(name) or SAYS["general"].match(name)
        if len(name) > 1 and len(name.split()) <= 4 and not no_name:
            yield start + begin, start + begin + len(name), (lead.group() if lead else "") + remark
        if halt and not SAYS["remark"].search(body[halt.start() : stop]):
            return
        at = split.end() if split else stop


def _only_sign(words: str) -> bool:
    """Whether words are a reaction and no name: "rash, hives" behind a name."""
    bare = words.strip(" ,;、，；.")
    match = SAYS["signs"].match(bare)
    return match is not None and match.end() >= len(bare) - 3


def _prose(text: str, masked: str) -> Iterator[Piece]:
    for drug, diagnosis in _DIAGNOSES.items():
        for match in diagnosis.finditer(text):
            at = Span(*match.span())
            yield Piece(at.start, at.end, at, match.group(), "allergy", drug)
    for unit in sentences(text):
        sentence = masked[unit.start : unit.end]
        for match in (found for pattern in _PROSE for found in pattern.finditer(sentence)):
            groups = {name: value for name, value in match.groupdict().items() if value is not None}
            around = Span(unit.start + match.start(), unit.start + match.end())
            intolerance: Kind | None = "intolerance" if {"side", "side_zh"} & set(groups) else None
            why = groups.get("why", "")
            if groups.get("effect") == "" or (SAYS["reason"].search(why) and severity_of(why)[0] is None):
                continue
            for name in (name for name in _NAMES if name in groups):
                start, end = (unit.start + place for place in match.span(name))
                if name.startswith("unknown") and SAYS["no_allergen"].match(text[start:end]):
                    continue
                for begin, stop, remark in names_in(text, start, end):
                    beside = text[around.start : start] + text[end : max(end, around.end)]
                    remark = f"{beside} {remark} {_behind(text, stop, unit.end)}"
                    if "allerg" in match.group().lower() or not SAYS["relief"].search(text[begin:stop]):
                        cue = Span(min(around.start, begin), max(around.end, stop))
                        yield Piece(begin, stop, cue, remark, intolerance, None, "except" in groups)


def _behind(text: str, start: int, end: int) -> str:
    """Words up to the next name of the list or the sentence's end, a bracket whole."""
    match = re.compile(r"[,;、，；。\n]|\.(?!\d)").search(text, start, end)
    bracket = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]").match(text, start, end)
    return text[start : max(match.start() if match else end, bracket.end() if bracket else 0)]
