"""A record (phenopacket, FHIR, note) as a script: its findings in lay words, its medicines, allergies and results.

The diagnosis that is asked for, with whatever names it, stays out: what a phenopacket or an encounter states, else the
newest open problem, unless one is named. It does not know more of a patient than `record.read`.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from osler.education.patient.script import WORDS, Fact, Script, codes_of, finished
from osler.errors import InputError
from osler.knowledge.concepts.recogniser import findings_of, lay_names, load_recogniser
from osler.knowledge.diagnosis.questions import question_kind
from osler.knowledge.graph import load_graph
from osler.nouns import Finding
from osler.record import Case
from osler.record.case import Condition
from osler.text import Language

_PART = re.compile(r"Abnormal(?:ity of the| |ity of )([\w ]+?)(?: system)?(?: morphology| physiology)?$")
_STATED = ("diagnosis", "encounter-diagnosis")
_VITALS = ("vital-signs", "exam", "examination")


def from_case(case: Case, name: str, diagnosis: str | None = None) -> Script:
    """The script of a case. Raises InputError where it holds no diagnosis to ask for, or nothing to tell."""
    sought = _sought(case, diagnosis, name)
    hidden = {node.id for code in codes_of(sought) if (node := load_graph().find(code))}
    facts = [*_findings(case, hidden), *_person(case, sought)]
    if not facts:
        raise InputError("the record holds no finding that a patient could tell", where=name)
    told = [fact for fact in facts if fact.status == "present" and fact.codes and "past" not in fact.topics]
    first = next((fact for fact in told if fact.kind == "history"), told[0] if told else None)
    words = WORDS[case.language]
    facts = [fact.model_copy(update={"id": f"f{n}"}) for n, fact in enumerate(facts, start=1)]
    fields: dict[str, Any] = {
        "id": case.patient.id or case.digest[:12],
        "language": case.language,
        "age": case.patient.age,
        "sex": case.patient.sex,
        "opening": words["has"].format(lay(first.codes[0], case.language)) if first else words["opening"],
        "diagnosis": sought,
        "facts": facts,
    }
    return finished(fields, [], name)


def _sought(case: Case, diagnosis: str | None, name: str) -> str:
    if diagnosis:
        return diagnosis
    likely = [one for one in case.conditions if one.verification != "refuted"]
    stated = (
        [one for one in likely if one.category in _STATED] or [one for one in likely if not one.abatement] or likely
    )
    chosen = max(stated, key=lambda one: one.recorded or one.onset or "", default=None)
    if chosen is None:
        raise InputError("the record states no diagnosis to ask for", where=name, hint="Name one with --diagnosis.")
    return _named(chosen)


def _named(condition: Condition) -> str:
    """A condition by its identifier, where the graph knows it, else by its label."""
    known = (code.code for code in condition.codes if code.code and load_graph().find(code.code))
    return next(known, _plain(condition.label))


def _plain(label: str) -> str:
    """A label without SNOMED CT's tag and LOINC's brackets."""
    return re.sub(r"\s*\((?:disorder|finding|procedure|situation|event)\)$|\s*\[[^\]]*\]", "", label)


def _findings(case: Case, hidden: set[str]) -> Iterator[Fact]:
    graph, language, seen = load_graph(), case.language, set[str]()
    apart = {one.source for one in (*case.observations, *case.conditions)}  # told by what they are
    for found in findings_of(case, load_recogniser(("hpo",))):
        known = graph.find(found.code)
        if known is None or known.id in hidden or found.experiencer != "patient" or found.source in apart:
            continue
        if known.id in seen or found.status == "uncertain" or found.time == "hypothetical":
            continue
        seen.add(known.id)
        yield _of_finding(found, known.id, language)


def _of_finding(found: Finding, code: str, language: Language) -> Fact:
    graph, words = load_graph(), WORDS[language]
    kind, name = question_kind(graph, code), lay(code, language)
    if kind == "history":
        answer = words["no" if found.status == "absent" else "has"].format(name)
        topics = ["past"] if found.time == "historical" else []
        return Fact(id="", label=found.label, topics=topics, codes=[code], status=found.status, answer=answer)
    names = [graph.label(code), name, *_parts(code)]
    label = graph.label(code, language)
    answer = f"{label}: {words['found' if found.status == 'present' else 'not_found']}"
    return Fact(id="", kind=kind, label=found.label, codes=[code], names=names, status=found.status, answer=answer)


def _parts(code: str) -> list[str]:
    """The parts of the body that a finding is of, by the labels of the broader terms; of several words as one."""
    labels = (load_graph().label(above) for above in load_graph().ancestors(code))
    found = (_PART.match(label) for label in labels)
    return sorted({match[1].replace(" ", "_") for match in found if match})


def lay(code: str, language: Language = "en") -> str:
    """A term in a patient's words: this project's lay words, else its label."""
    label = load_graph().label(code, language)
    if language == "zh":
        return label
    return own_words(code) or (label[:1].lower() + label[1:] if not label[1:2].isupper() else label)


@cache
def own_words(code: str) -> str | None:
    """This project's lay words for a term."""
    found = (one.name for one in lay_names() if one.code == code)
    return next((name for name in found if name.islower() and " " in name and name.isascii()), None)


def _person(case: Case, sought: str) -> Iterator[Fact]:
    """Illnesses, medicines, allergies, operations and results."""
    words = WORDS[case.language]
    taken = [one.label for one in case.medications if one.current]
    if taken:
        yield Fact(
            id="",
            label="medicines",
            topics=["medicines"],
            answer=f"{words['takes'].format(words['and'].join(dict.fromkeys(taken)))}",
        )
    for one in case.allergies:
        if one.verification != "refuted":
            yield Fact(id="", label=one.label, topics=["allergies"], answer=words["allergic"].format(one.label))
    for condition in case.conditions:
        if _named(condition) != sought and _plain(condition.label) != sought and condition.verification != "refuted":
            yield Fact(id="", label=_plain(condition.label), topics=["past"], codes=codes_of(condition.label),
                       answer=words["had"].format(_plain(condition.label)))  # fmt: skip
    for done in case.procedures:
        if done.kind == "procedure":
            yield Fact(
                id="", label=_plain(done.label), topics=["surgery"], answer=words["had"].format(_plain(done.label))
            )
    newest = {one.label: one for one in sorted(case.observations, key=lambda one: one.time or "")}
    for label, seen in newest.items():
        value = (
            f"{seen.value:.4g} {(seen.unit or '').replace('mm[Hg]', 'mmHg').replace('Cel', '°C')}".strip()
            if seen.value is not None
            else seen.text
        )
        if value:
            kind = "examination" if seen.category in _VITALS else "test"
            yield Fact(id="", kind=kind, label=_plain(label), names=[_plain(label)], answer=value)
