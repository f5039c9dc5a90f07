"""The consult: one case in; findings, red flags, differential, next questions, alerts and a cited answer out.

It walks the rooms in the order of the architecture page and calls nothing above it. It knows no disease itself. Common
things are held to be common, except for a phenopacket, which is written where a rare disease is sought.
"""

from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic import summary
from osler.clinic.edits import Edit, edited
from osler.clinic.impression import with_impression
from osler.clinic.safety import drug_safety, red_flags
from osler.knowledge.concepts.recogniser import findings_of
from osler.knowledge.diagnosis import common_diseases, explain, next_questions, rank
from osler.nouns import Alert, Answer, Coverage, Evidence, Finding, NextQuestion, Noun, RankedDisease, RedFlag, Trace
from osler.reasoning.resources import Resources, Run
from osler.record.case import Case
from osler.text import Language

CONSIDERED = 100  # diseases ranked; the questions weigh more of them than the page shows
DRUGS = ("DRUGBANK:", "osler.drug:")
FOR = range(5, 10)  # characters between a drug and what it is taken for: " for ", " for her "


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


def consult(case: Case, resources: Resources, edits: Sequence[Edit] = (), safety_only: bool = False) -> Outcome:
    """The whole walk for one case, with the findings as a clinician edited them; `safety_only`: as far as red flags and
    drug safety. Raises MissingComponent where the knowledge itself can't be loaded."""
    settings = resources.settings
    language: Language = case.language if settings.consult.language == "auto" else settings.consult.language
    run = Run(resources, "consult")

    findings = edited(findings_of(case, resources.recogniser), edits)
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
    if observed and not safety_only:
        sex, age, general = case.patient.sex, case.patient.age, case.kind != "phenopacket"
        about = {"observed": observed, "excluded": excluded, "sex": sex, "age": age, "general": general}
        ranked = rank(observed, excluded, sex, age, top=CONSIDERED, general=general)
        run.note("diagnosis.rank", about, [[item.id, round(item.score, 9)] for item in ranked])
        shown = ranked[: settings.consult.differential]
        differential = explain(shown, observed, excluded, sex=sex, age=age, general=general)
        questions = next_questions(observed, excluded, ranked, settings.consult.questions, language, sex)

    if safety_only:
        answer = summary.no_answer("safety_only", run, language)
    else:
        answer = summary.answer(case, told, flags, differential, questions, run, language)
        answer = with_impression(answer, run, language)
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
    """HPO codes of the patient with this status, in order of appearance: the present illness.

    What is only feared or planned is left out, and so is a common disease known from before ("history of diabetes",
    "warfarin for my atrial fibrillation"): it is no finding to be explained.
    """
    known: set[str] = set() if status != "present" else _known_diseases(findings)
    codes = (
        finding.code
        for finding in findings
        if finding.code.startswith("HP:")
        and finding.status == status
        and finding.experiencer == "patient"
        and finding.time != "hypothetical"
        and finding.code not in known
    )
    return list(dict.fromkeys(codes))


def _known_diseases(findings: Sequence[Finding]) -> set[str]:
    """Phenotypes by whose words the record names a common disease of the past, or one for which a drug is taken."""
    ends = {(item.source, item.end + n) for item in findings if item.code.startswith(DRUGS) and item.end for n in FOR}
    past = {
        (item.source, item.start, item.text)
        for item in findings
        if item.code in common_diseases() and (item.time == "historical" or (item.source, item.start) in ends)
    }
    return {item.code for item in findings if (item.source, item.start, item.text) in past}
