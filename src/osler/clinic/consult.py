"""The consult: one case in; findings, red flags, differential, next questions, alerts and a cited answer out.

It walks the rooms in the order of the architecture page and calls nothing above it. It knows no disease itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic import summary
from osler.clinic.impression import with_impression
from osler.clinic.safety import drug_safety, red_flags
from osler.knowledge.concepts.recogniser import findings_of
from osler.knowledge.diagnosis import explain, next_questions, rank
from osler.nouns import Alert, Answer, Coverage, Evidence, Finding, NextQuestion, Noun, RankedDisease, RedFlag, Trace
from osler.reasoning.resources import Resources, Run
from osler.record.case import Case
from osler.text import Language

CONSIDERED = 100  # diseases ranked; the questions weigh more of them than the page shows


class Consult(Noun):
    """The contract of `osler consult --json`."""

    case: Case
    findings: list[Finding] = []
    red_flags: list[RedFlag] = []
    differential: list[RankedDisease] = []
    next_questions: list[NextQuestion] = []
    alerts: list[Alert] = []
    coverage: Coverage = Coverage()
    answer: Answer
    evidence: list[Evidence] = []
    trace_id: str | None = None


class Outcome(NamedTuple):
    consult: Consult
    trace: Trace


def consult(case: Case, resources: Resources) -> Outcome:
    """The whole walk for one case. Raises MissingComponent where the knowledge itself can't be loaded."""
    settings = resources.settings
    language: Language = case.language if settings.consult.language == "auto" else settings.consult.language
    run = Run(resources, "consult")

    findings = findings_of(case, resources.recogniser)
    flags, flag_evidence = red_flags(case, findings, resources.graph, language)
    safety = drug_safety(case, findings, resources.graph, settings)
    for item in [*flag_evidence, *safety.evidence]:
        run.cite(item)

    # A code that no source knows stays among the findings and is reported; nothing is concluded from it.
    unknown = list(dict.fromkeys(item.code for item in findings if resources.graph.find(item.code) is None))
    told = [item for item in findings if item.code not in unknown]
    observed, excluded = phenotypes(told, "present"), phenotypes(told, "absent")
    differential: list[RankedDisease] = []
    questions: list[NextQuestion] = []
    if observed:
        about = {"observed": observed, "excluded": excluded, "sex": case.patient.sex, "age": case.patient.age}
        ranked = rank(observed, excluded, sex=case.patient.sex, age=case.patient.age, top=CONSIDERED)
        run.note("diagnosis.rank", about, [[item.id, round(item.score, 9)] for item in ranked])
        differential = explain(ranked[: settings.consult.differential], observed, excluded, sex=case.patient.sex)
        questions = next_questions(observed, excluded, ranked, settings.consult.questions, language, case.patient.sex)

    answer = with_impression(summary.answer(case, told, flags, differential, questions, run, language), run, language)
    known = {**safety.coverage.knowledge, **run.knowledge()}
    unmapped = [*safety.coverage.codes_unmapped, *unknown]
    coverage = safety.coverage.model_copy(update={"knowledge": known, "codes_unmapped": unmapped})
    return Outcome(
        Consult(
            case=case,
            findings=findings,
            red_flags=flags,
            differential=differential,
            next_questions=questions,
            alerts=safety.alerts,
            coverage=coverage,
            answer=answer,
            evidence=list(run.evidence.values()),
            trace_id=run.id,
        ),
        run.trace(answer.method),
    )


def phenotypes(findings: Sequence[Finding], status: str) -> list[str]:
    """HPO codes of the patient with this status, in order of appearance; what is only feared or planned is left out."""
    codes = (
        finding.code
        for finding in findings
        if finding.code.startswith("HP:")
        and finding.status == status
        and finding.experiencer == "patient"
        and finding.time != "hypothetical"
    )
    return list(dict.fromkeys(codes))
