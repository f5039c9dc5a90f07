"""Drafts a report: the record's facts under a template's headings, each checked against where it is from.

Deterministic, so that no model privilege is needed; a model with the privilege `report` may then word it. What the
template wants and the record lacks is said to be missing; what the record has and the draft leaves out is listed.
"""

import functools
from collections.abc import Sequence

from osler.clinic.reports.facts import WORDS, Fact, facts_of
from osler.clinic.reports.kinds import Kind, Section
from osler.clinic.reports.report import Omission, Part, Removed, Report
from osler.clinic.reports.written import written
from osler.clinic.safety import drug_safety, red_flags
from osler.knowledge.concepts.recogniser import findings_of
from osler.nouns import ModelReference, Statement, Verdict
from osler.reasoning.privilege import withheld
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.record.case import Case
from osler.text import Language, words

WEIGHTY = ("allergy", "abnormal", "new_drug")  # left out of a template, they are named


def draft(kind: Kind, case: Case, run: Run, language: Language, quoted: bool = False) -> Report:
    """The report of a kind on one case; `quoted`: no model is asked, whatever it may."""
    facts = facts_of(case, run.resources, language)
    used: set[int] = set()
    parts = [part(section, facts, used, run, language) for section in kind.sections]
    missing = [
        Omission(what=WORDS[language]["none_said"].format(what=s.title[language]))
        for s, made in zip(kind.sections, parts, strict=True)
        if s.required and not made.statements
    ]
    why, removed = "" if quoted else withheld("report", language, run), list[Removed]()
    if why is None:
        parts, removed = written(parts, kind.title[language], run, language)
    findings = findings_of(case, run.resources.recogniser)
    flags, flagged = red_flags(case, findings, run.resources.graph, language)
    safety = drug_safety(case, findings, run.resources.graph, run.settings)
    for item in [*flagged, *safety.evidence]:
        run.cite(item)
    return Report(
        kind=kind.name,
        title=kind.title[language],
        language=language,
        sections=parts,
        omissions=[*missing, *omitted(facts, parts, run)],
        removed=removed,
        model=by_model(run) if why is None else None,
        withheld=why or None,
        red_flags=flags,
        alerts=safety.alerts,
        evidence=list(run.evidence.values()),
        notice=WORDS[language]["worded" if why is None else "notice"],
        trace_id=run.id,
    )


def by_model(run: Run) -> ModelReference:
    info = run.resources.model.info
    return ModelReference(spec=info.spec, digest=info.digest)


def part(section: Section, facts: Sequence[Fact], used: set[int], run: Run, language: Language) -> Part:
    """One section: its facts by topic, then in the record's order; each fact once a report."""
    said: list[Statement] = []
    for topic in section.topics:
        for place, fact in enumerate(facts):
            if fact.topic == topic and place not in used and len(said) < section.most:
                used.add(place)
                said.append(stated(fact, section.key, run, language))
    missing = [WORDS[language]["missing"]] if section.required and not said else []
    note = " ".join([*missing, *([section.open[language]] if section.open else [])])
    return Part(key=section.key, title=section.title[language], statements=said, note=note or None)


def stated(fact: Fact, section: str, run: Run, language: Language) -> Statement:
    ids = [run.cite(item) for item in fact.evidence]
    return Statement(text=fact.text, evidence=ids, verdict=checked(fact, language), section=section)


def checked(fact: Fact, language: Language) -> Verdict:
    """The verdict on a fact's words: supported where all but those of the fixed forms are in its evidence."""
    known = {word for item in fact.evidence for word in words(item.text)}
    own = set(words(fact.text)) - forms(language)
    return "supported" if own and own <= known else verify(fact.text, fact.evidence).verdict


@functools.cache
def forms(language: Language) -> frozenset[str]:
    """The words of the fixed forms."""
    return frozenset(word for form in WORDS[language].values() for word in words(form))


def omitted(facts: Sequence[Fact], parts: Sequence[Part], run: Run) -> list[Omission]:
    """What a reader must not miss and no statement of the report cites, whoever wrote the statements."""
    cited = {id for one in parts for statement in one.statements for id in statement.evidence}
    found = []
    for fact in facts:
        ids = [run.cite(item) for item in fact.evidence]
        if (fact.must or fact.topic in WEIGHTY) and not cited.intersection(ids):
            found.append(Omission(what=fact.text, evidence=ids))
    return found
