"""The desk every door comes to: a case or a question in, an answer out that is in the ledger before it is handed over.

It knows neither terminal nor HTTP, and not how an answer is made.
"""

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from osler.clinic.consult import Consult, Outcome, consult
from osler.clinic.edits import Edit
from osler.clinic.reports import Kind, Report, draft
from osler.ledger import Ledger
from osler.nouns import Answer, Evidence, Trace, dump
from osler.reasoning.ask import Question, answer
from osler.reasoning.resources import Resources, Run
from osler.record import Case, read
from osler.settings import Settings
from osler.text import Language


class Answered(NamedTuple):
    answer: Answer
    evidence: list[Evidence]
    trace: Trace


class Desk:
    """What one home's doors share: its resources, loaded when first needed, and its ledger. `who`: who sits at it, if
    it is one person; a door of many notes that by itself."""

    def __init__(self, settings: Settings, who: str | None = None) -> None:
        self.settings, self._who = settings, who
        self.resources = Resources(settings)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def consult(self, content: bytes, name: str, kind: Any = None, edits: Sequence[Edit] = ()) -> Outcome:
        """Consult on a record's bytes. Raises InputError for a record or edit that can't be used."""
        return self.consult_case(read(content, kind=kind, name=name), content, name, kind, edits)

    def consult_case(
        self,
        case: Case,
        content: bytes,
        name: str,
        kind: Any = None,
        edits: Sequence[Edit] = (),
        safety_only: bool = False,
    ) -> Outcome:
        """The same for a record that was read already; `safety_only`: as far as red flags and drug safety."""
        outcome = consult(case, self.resources, edits, safety_only)
        given: dict[str, Any] = {"name": name, "kind": kind, "base64": base64.b64encode(content).decode()}
        if edits:
            given["edits"] = dump(list(edits))
        if safety_only:
            given["safety_only"] = True
        self.keep("consult", given, dump(outcome.consult), outcome.trace, case.patient.id or case.digest)
        return outcome

    def ask(self, question: Question, subject: str | None = None) -> Answered:
        """Answer a question; `subject`: the patient it is about, if it is about one."""
        run = Run(self.resources, "ask")
        made = answer(question, run)
        evidence, trace = list(run.evidence.values()), run.trace(made.method)
        said = {"answer": dump(made), "evidence": dump(evidence)}
        self.keep("ask", question.model_dump(), said, trace, subject)
        return Answered(made, evidence, trace)

    def report(self, kind: Kind, content: bytes, name: str, language: Language | None = None) -> Report:
        """A draft report of a kind from a record's bytes."""
        case = read(content, name=name)
        run = Run(self.resources, "report")
        made = draft(kind, case, run, language or case.language)
        given = {
            "name": name,
            "kind": dump(kind),
            "language": made.language,
            "base64": base64.b64encode(content).decode(),
        }
        self.keep("report", given, dump(made), run.trace("report"), case.patient.id or case.digest)
        return made

    def keep(self, kind: str, given: dict[str, Any], output: Any, trace: Trace, subject: str | None = None) -> None:
        """Enter what was given and made into the ledger; what another room makes with these resources, too."""
        payload = {"input": given, "trace": dump(trace), "output": output, "who": self._who}
        self.ledger.append(kind, payload, subject=subject, id=trace.id)


__all__ = ["Answered", "Consult", "Desk", "Edit", "Question"]
