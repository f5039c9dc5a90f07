"""Reads a doctor–patient dialogue into a Case: the text as given, with a turn for every label of a speaker.

It knows the labels of speakers in English and Chinese and nothing of what they say, but for the patient's age.
"""

import re
from collections import Counter
from itertools import pairwise
from typing import Literal, cast

from osler.record.case import Case, Patient, Turn
from osler.record.demographics import parse_number
from osler.record.merge import assemble
from osler.record.note import document_of, patient_of
from osler.record.omissions import Omissions
from osler.record.tables import pattern
from osler.record.times import OLDEST, duration

DIALOGUE = "dialogue"  # id of the one document
Speaker = Literal["doctor", "patient", "other"]


# A speaker called by name, at the beginning of a line.
_NAMED = re.compile(r"^[ \t]*([A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,2}|[\u4e00-\u9fff]{2,4})[ \t]*[:：]", re.M)


def labels_of(text: str) -> list[re.Match[str]]:
    """The labels of the turns; the last group of each is who speaks. Where only one side has a label that is known, and
    one name stands before several other turns, it is the other side's."""
    labels = list(pattern("label").finditer(text))
    sides = Counter(label.lastgroup for label in labels if label.lastgroup in ("doctor", "patient"))
    if len(sides) != 1 or sides.total() < 2:
        return labels
    taken = {label.start() for label in labels}
    names = Counter(found[1] for found in _NAMED.finditer(text) if found.start() not in taken)
    often = [name for name, times in names.items() if times > 1]
    if len(often) != 1:
        return labels
    other = "patient" if "doctor" in sides else "doctor"
    named = re.finditer(rf"^[ \t]*(?P<{other}>{re.escape(often[0])})[ \t]*[:：][ \t]*", text, re.M)
    return sorted([*labels, *named], key=lambda label: label.start())


def is_dialogue(text: str) -> bool:
    """Whether the text is one: it begins with a label, has two turns or more, and most lines carry a label."""
    labels = labels_of(text[:200_000])
    lines = sum(bool(line.strip()) for line in text[:200_000].split("\n"))
    begins = bool(labels) and not text[: labels[0].start()].strip("\ufeff \t\r\n")
    return begins and len(labels) >= 2 and 2 * len(labels) >= lines


def read_dialogue(text: str, digest: str) -> Case:
    """The Case of a dialogue. A turn's offsets leave its label out; text before the first label is reported."""
    omissions = Omissions()
    labels = labels_of(text)
    ends = [label.start() for label in labels[1:]] + [len(text)]
    turns = []
    for label, end in zip(labels, ends, strict=True):
        start, said = label.end(), text[label.end() : end].rstrip()
        turns.append(Turn(speaker=cast(Speaker, label.lastgroup), start=start, end=start + len(said)))
    lead = text[: labels[0].start()] if labels else text
    if lead.strip():
        omissions.add(f"{DIALOGUE}[0:{len(lead)}]", "text before the first speaker belongs to no turn")
    patient = _asked_age(text, turns, patient_of(text, DIALOGUE, omissions))
    return assemble("dialogue", digest, patient, [document_of(text, DIALOGUE, turns=turns)], omissions)


def _asked_age(text: str, turns: list[Turn], patient: Patient) -> Patient:
    # "How old are you?" "Twenty six." says the age only in two turns.
    for asked, answered in pairwise(turns) if patient.age is None else ():
        if (asked.speaker, answered.speaker) == ("doctor", "patient") and pattern("how_old").search(
            text, asked.start, asked.end
        ):
            answer = text[answered.start : min(answered.end, answered.start + 60)]
            match = pattern("answer").search(answer)
            years = int(parse_number(match["number"]) or 0) if match else 0
            if match and 0 < years <= OLDEST:
                start, end = answered.start + match.start(), answered.start + match.end()
                place = {} if patient.start is not None else {"start": start, "end": end}
                return patient.model_copy(update={"age": duration(years=years), **place})
    return patient
