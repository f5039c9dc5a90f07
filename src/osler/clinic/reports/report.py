"""The report and its parts, as programs read them."""

from typing import Literal

from osler.nouns import Alert, Evidence, ModelReference, Noun, RedFlag, Statement
from osler.text import Language

Status = Literal["draft", "edited", "signed", "amended"]


class Part(Noun):
    """A section under its title. `key`: its name in the template; `note`: what stands there beside the statements: that
    nothing is recorded, or what is left to the clinician."""

    key: str
    title: str
    statements: list[Statement] = []
    note: str | None = None


class Omission(Noun):
    """Something of the record that the report doesn't say (`evidence`: where the record says it), or something a report
    needs that the record doesn't have."""

    what: str
    evidence: list[str] = []


class Removed(Noun):
    """A sentence that a model wrote and the check took out."""

    text: str
    why: str


class Report(Noun):
    """The contract of `osler report --json`. `red_flags`, `alerts`: what to look at before signing, no part of the
    text."""

    kind: str
    title: str
    language: Language
    status: Status = "draft"
    sections: list[Part] = []
    omissions: list[Omission] = []
    removed: list[Removed] = []
    red_flags: list[RedFlag] = []
    alerts: list[Alert] = []
    evidence: list[Evidence] = []
    model: ModelReference | None = None
    withheld: str | None = None
    notice: str
    trace_id: str | None = None
