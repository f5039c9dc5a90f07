"""The Case: what is known of one patient, each part with its source span or FHIR path.

It knows no ontology: codes are kept as the record gives them (`system|code` where there is no CURIE).
"""

from typing import Literal

from osler.nouns import Finding, Noun
from osler.text import Language

CaseKind = Literal["note", "fhir", "phenopacket", "dialogue"]
Sex = Literal["male", "female", "other", "unknown"]


class Code(Noun):
    """A code as the record gives it. `system`: URI or name of the code system, null for free text."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Part(Noun):
    """Base of all parts of a case. `source`: FHIR path, or `note id` with `start`/`end` in code points;
    `duplicates`: sources of equal parts that were merged into this one."""

    source: str
    start: int | None = None
    end: int | None = None
    duplicates: list[str] = []


class Patient(Part):
    """Demographics. `age`: ISO 8601 duration at the case's reference time; `birth_date`: ISO 8601 date."""

    id: str | None = None
    identifiers: list[str] = []
    name: str | None = None
    sex: Sex | None = None
    birth_date: str | None = None
    age: str | None = None
    deceased: str | bool | None = None
    pregnant: bool | None = None


class Named(Part):
    """A part that a code or a text names."""

    label: str
    codes: list[Code] = []


class Condition(Named):
    """A problem or diagnosis of the record. Times are ISO 8601 with offset."""

    status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | None = None
    verification: Literal["confirmed", "provisional", "differential", "unconfirmed", "refuted"] | None = None
    category: str | None = None
    onset: str | None = None
    abatement: str | None = None
    recorded: str | None = None


class Medication(Named):
    """A drug the patient takes or took. `dose` is free text as written; `status` the record's own word."""

    status: str | None = None
    dose: str | None = None
    route: str | None = None
    reason: str | None = None
    started: str | None = None
    ended: str | None = None

    @property
    def current(self) -> bool:
        return self.status in (None, "active", "on-hold", "intended", "draft", "unknown")


class Allergy(Named):
    status: Literal["active", "inactive", "resolved"] | None = None
    verification: Literal["unconfirmed", "presumed", "confirmed", "refuted"] | None = None
    criticality: Literal["low", "high", "unable-to-assess"] | None = None
    kind: str | None = None
    reactions: list[str] = []
    recorded: str | None = None


class Observation(Named):
    """One measurement or answer. `value` with UCUM `unit`, or `text` for a coded or written result, the codes of
    which are `value_codes`."""

    value: float | None = None
    unit: str | None = None
    text: str | None = None
    value_codes: list[Code] = []
    low: float | None = None
    high: float | None = None
    interpretation: str | None = None
    category: str | None = None
    status: str | None = None
    time: str | None = None


class Procedure(Named):
    kind: Literal["procedure", "immunisation"] = "procedure"
    status: str | None = None
    started: str | None = None
    ended: str | None = None


class Encounter(Part):
    label: str | None = None
    id: str | None = None
    kind: str | None = None
    status: str | None = None
    started: str | None = None
    ended: str | None = None
    reason: str | None = None


class Turn(Noun):
    """One turn of a dialogue; offsets into the document's text."""

    speaker: Literal["doctor", "patient", "other"]
    start: int
    end: int


class Section(Noun):
    """A headed part of a document; offsets of its body, the heading left out."""

    title: str
    start: int
    end: int


class Document(Part):
    """A text of the record. Findings point into `text`, code points as given."""

    id: str
    title: str | None = None
    kind: str | None = None
    text: str
    language: Language
    time: str | None = None
    turns: list[Turn] = []
    sections: list[Section] = []


class Unread(Noun):
    """What a reader could not use, where it stands and why. `count`: how many such elements one line stands for
    (its path then has `[*]` and ends in `x count`)."""

    path: str
    reason: str
    count: int = 1


class Case(Noun):
    """All that is known of one patient. `digest`: SHA-256 of the input bytes; `reference_time`: the moment the
    case speaks of (its newest entry), against which ages are counted. `onset`: earliest onset of a feature that is
    present, an ISO 8601 duration or HPO onset term."""

    kind: CaseKind
    digest: str
    language: Language
    patient: Patient
    reference_time: str | None = None
    onset: str | None = None
    conditions: list[Condition] = []
    medications: list[Medication] = []
    allergies: list[Allergy] = []
    observations: list[Observation] = []
    procedures: list[Procedure] = []
    encounters: list[Encounter] = []
    documents: list[Document] = []
    findings: list[Finding] = []
    unread: list[Unread] = []
