"""Reads a doctor–patient dialogue into a Case: the text as given, with a turn for every label of a speaker.

It knows the labels of speakers in English and Chinese and nothing of what they say, but for the patient's age.
"""

import re
from itertools import pairwise
from typing import Literal, NamedTuple, cast

from osler.record.case import Case, Patient, Turn
from osler.record.demographics import WRITTEN_NUMBER, parse_number
from osler.record.merge import assemble
from osler.record.note import document_of, patient_of
from osler.record.omissions import Omissions
from osler.record.times import OLDEST, duration

DIALOGUE = "dialogue"  # id of the one document
Speaker = Literal["doctor", "patient", "other"]
_DOCTOR = r"doctor|dr|physician|clinician|provider|d|医生|医师|大夫|医"
_PATIENT = r"patient|pt|p|患者|病人|患儿|患"
# Guests are whoever else is in the room: their spelling varies in the public sets (Guest_clinican, Gest_family).
_OTHER = (
    r"gu?est[_ ]?\w*|patient[_ ]guest|family|nurse|mother|father|parent|child|wife|husband|caregiver|interpreter|"
    r"家属|护士|母亲|父亲|陪同"
)
_LABEL = re.compile(
    rf"^[ \t\ufeff]*(?:\*\*)?(?P<open>\[)?(?:(?P<other>{_OTHER})|(?P<doctor>{_DOCTOR})|(?P<patient>{_PATIENT}))"
    r"(?(open)\][ \t]*[:：]?|\.?[ \t]*(?:\([\d:.]+\))?[ \t]*[:：])(?:\*\*)?[ \t]*",  # bold; the time in brackets
    re.IGNORECASE | re.MULTILINE,
)
_HOW_OLD = re.compile(r"how old are you\b(?! when)|what(?:'s| is) your age|多大|几岁|年龄", re.IGNORECASE)
# "Five decades" and "two kids" are no ages: after the number comes nothing more, or years.
_ANSWER = re.compile(
    rf"(?<!\w)(?P<number>\d{{1,3}}|{WRITTEN_NUMBER})(?=\s*(?:years?|yrs?|now|sir|ma'am|and|[,.;!?，。]|岁|$))",
    re.IGNORECASE,
)


class Label(NamedTuple):
    start: int
    end: int
    speaker: Speaker


def labels_of(text: str) -> list[Label]:
    """Where each turn's label stands and who speaks."""
    return [Label(match.start(), match.end(), cast(Speaker, match.lastgroup)) for match in _LABEL.finditer(text)]


def is_dialogue(text: str) -> bool:
    """Whether the text is one: it begins with a label, has two turns or more, and most lines carry a label."""
    labels = labels_of(text[:200_000])
    lines = sum(bool(line.strip()) for line in text[:200_000].split("\n"))
    begins = bool(labels) and not text[: labels[0].start].strip("\ufeff \t\r\n")
    return begins and len(labels) >= 2 and 2 * len(labels) >= lines


def read_dialogue(text: str, digest: str) -> Case:
    """The Case of a dialogue. A turn's offsets leave its label out; text before the first label is reported."""
    omissions = Omissions()
    labels = labels_of(text)
    ends = [label.start for label in labels[1:]] + [len(text)]
    turns = [
        Turn(speaker=label.speaker, start=label.end, end=label.end + len(text[label.end : end].rstrip()))
        for label, end in zip(labels, ends, strict=True)
    ]
    lead = text[: labels[0].start] if labels else text
    if lead.strip():
        omissions.add(f"{DIALOGUE}[0:{len(lead)}]", "text before the first speaker belongs to no turn")
    patient = _asked_age(text, turns, patient_of(text, DIALOGUE, omissions))
    return assemble("dialogue", digest, patient, [document_of(text, DIALOGUE, turns=turns)], omissions)


def _asked_age(text: str, turns: list[Turn], patient: Patient) -> Patient:
    # "How old are you?" "Twenty six." says the age only in two turns.
    for asked, answered in pairwise(turns) if patient.age is None else ():
        if (asked.speaker, answered.speaker) == ("doctor", "patient") and _HOW_OLD.search(text, asked.start, asked.end):
            answer = text[answered.start : min(answered.end, answered.start + 60)]
            match = _ANSWER.search(answer)
            years = int(parse_number(match["number"]) or 0) if match else 0
            if match and 0 < years <= OLDEST:
                start, end = answered.start + match.start(), answered.start + match.end()
                place = {} if patient.start is not None else {"start": start, "end": end}
                return patient.model_copy(update={"age": duration(years=years), **place})
    return patient
