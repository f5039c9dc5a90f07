"""Which drugs a note says are taken or planned, and which are stopped, held, denied or another person's.

The nearest word of use decides, not the sentence: "stopped ibuprofen; warfarin 5 mg" stops one drug. A drug that is
only planned or considered is checked like one taken: before the first dose a warning is worth most. It knows no doses.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from osler.clinic.safety.passages import sentence_at
from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.context import Context, contexts
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.names import Drug, Mention, mentions
from osler.record.case import Document
from osler.text import Span


class Use(NamedTuple):
    """`drugs`: more than one for a combination; `taken`: now or as planned, not stopped, held, denied, of the past or
    another person's; `start`, `end`: the name in the document."""

    drugs: tuple[Drug, ...]
    taken: bool
    start: int
    end: int


_SAYS = tables.patterns(__package__, "use_words.toml")


def uses_of(document: Document, besides: Sequence[Span]) -> list[Use]:
    """Every drug that a note names, with its use; what stands in a place of `besides` (allergies) is left out."""
    text = document.text
    found = [one for one in mentions(text) if not any(s.start < one.end and one.start < s.end for s in besides)]
    around = contexts(text, [(one.start, one.end) for one in found])
    used: list[Use] = []
    for number, (one, context) in enumerate(zip(found, around, strict=True)):
        denied = dialogue.status_in(text, document.turns, one.start, "present") == "absent"
        if not denied and not _SAYS["no_drug"].match(text, one.end):
            used.append(Use(one.drugs, _is_taken(text, one, found[number + 1 :], context), one.start, one.end))
    return used


def _is_taken(text: str, one: Mention, later: Sequence[Mention], context: Context) -> bool:
    unit = sentence_at(text, one.start)
    # "took her neighbour's alprazolam" is taken all the same
    borrowed = _SAYS["owner"].search(text, unit.start, one.start)
    if context.experiencer != "patient" and not (borrowed and _SAYS["swallowed"].search(text, unit.start, unit.end)):
        return False
    if _stopped_behind(text, one, later, unit.end):
        return False
    said = _cue(_heading(text, unit.start) + text[unit.start : one.start], text[one.end : one.end + 20])
    if said == "planned" and later and _SAYS["exchange"].search(text, unit.start, one.start):
        # "changed her furosemide to torsemide"
        return not _SAYS["into"].fullmatch(text, one.end, later[0].start)
    if said is None:
        past = context.time == "historical" and not _SAYS["own_dose"].match(text, one.end)
        return context.status != "absent" and not past
    return said != "left"


def _cue(before: str, behind: str) -> str | None:
    """What the nearest word of use before a name says: taken, planned or left. A comma ends "stopped" for a name with
    a dose of its own."""
    said: str | None = None
    at = 0
    for match in _SAYS["cues"].finditer(before):
        kind = match.lastgroup
        if kind == "taken" and said == "left" and not before[at : match.start()].strip():
            continue
        said = None if kind == "bar" else kind
        at = match.end()
    if said == "left" and re.search("[,，]", before[at:]) and _SAYS["own_dose"].match(behind):
        return "taken"
    return said


def _heading(text: str, start: int) -> str:
    """The line that heads a list ("Medications held:"), for an entry of it; else nothing."""
    *above, own = text[:start].split("\n")
    if _SAYS["bullet"].match(text, start - len(own)):
        line = next((line for line in reversed(above) if not _SAYS["bullet"].match(line)), "")
        return f"{line} " if line.rstrip().endswith((":", "：")) else ""
    return ""


def _stopped_behind(text: str, one: Mention, later: Sequence[Mention], stop: int) -> bool:
    """ "warfarin was stopped", "ibuprofen (held)"; "A and B were stopped" for both."""
    match = _SAYS["behind"].match(text, one.end, stop)
    if match and not any(0 <= other.start - match.end() < 4 for other in later):
        return True
    at = one.end
    for other in later:
        joined = _SAYS["joined"].fullmatch(text, at, other.start)
        if other.start >= stop or joined is None or (not joined.group()):
            break
        at = other.end
        if _SAYS["plural"].match(text, at, stop) or (
            re.search(r"\band\b|和|及|、", joined.group()) and re.match("均?已?停", text[at:])
        ):
            return True
    return False


def unrecognised(document: Document) -> Iterator[str]:
    """Names that stand where drugs stand, with a dose or in a list of medications, and are no known drug."""
    text = document.text
    known = mentions(text)

    def free(start: int, end: int) -> bool:
        return not any(one.start < end and start < one.end for one in known)

    for match in _SAYS["dosed"].finditer(text):
        plain = _SAYS["cues"].fullmatch(match["name"]) or _SAYS["ordinary"].search(match["name"])
        if free(*match.span()) and not plain:
            yield match["name"].strip()
    for heading in _SAYS["list"].finditer(text):
        at = heading.start("own")
        for entry in re.split(r"[,;，；、。]|\.(?!\d)", heading["own"]):
            start = text.find(entry, at)
            at = start + len(entry)
            name = re.split(r"\d|\(", entry)[0].strip(" -*•:：")
            if 3 < len(name) < 40 and len(name.split()) <= 3 and free(start, at) and not _SAYS["nothing"].match(name):
                yield name
