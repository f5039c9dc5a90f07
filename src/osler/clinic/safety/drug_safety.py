"""Drug safety of one case: what the record's drugs do to each other and to its allergies, and what wasn't checked.

Silence is never safety: every drug and question without data is listed in the coverage. No dose, kidney, pregnancy or
disease rules yet.
"""

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.safety import allergy as allergies
from osler.clinic.safety.allergy import Allergen
from osler.clinic.safety.crosswalk import coded, load_crosswalk
from osler.clinic.safety.drugs import Classes, Drug, load_classes, load_names
from osler.clinic.safety.duplicates import duplicates
from osler.clinic.safety.interactions import SEVERITIES, Knowledge, between, load_interactions, uncovered
from osler.knowledge.graph import Graph
from osler.nouns import Alert, Coverage, Evidence, Finding, NotChecked, Source
from osler.record.case import Case, Document
from osler.settings import Settings
from osler.text import sentences

_NOT_CHECKED = (
    ("dose", "no dose limits are known"),
    ("renal and hepatic function", "no dose or drug rules for kidney or liver are known"),
    ("pregnancy and breastfeeding", "no rules are known"),
    ("conditions", "no rules for drugs against diseases are known"),
    ("food, herbs and alcohol", "only what the record names as a drug is seen"),
    ("age", "no rules for children or the old are known"),
)
_ALLERGIC = re.compile(r"allerg|anaphyla|hypersensitiv|intoleran|过敏|不耐受", re.IGNORECASE)
_NOT_TAKEN = re.compile(
    r"\b(?:stopp?ed|discontinued|held|withheld|avoid|overdos\w*|swallowed|never taken|previously"
    r"|used to|ran out of|refus\w+"
    r"|declin\w+|consider\w*|suggest\w*|asks? about|level|screen)\b|停用|停服|已停|曾服|避免|过量|拟用|建议",
    re.IGNORECASE,
)


class DrugSafety(NamedTuple):
    alerts: list[Alert]
    coverage: Coverage
    evidence: list[Evidence]


class Taken(NamedTuple):
    """A drug the patient takes. `entry`: the medication's label, None where only a note tells of it."""

    drug: Drug
    evidence: Evidence
    entry: str | None


class _Reading(NamedTuple):
    taken: list[Taken]
    allergens: list[Allergen]
    records: dict[str, Evidence]
    gaps: list[NotChecked]
    mapped: int
    unmapped: list[str]


def drug_safety(case: Case, findings: Sequence[Finding], graph: Graph, settings: Settings) -> DrugSafety:
    """Alerts (most severe first), their coverage and evidence.

    Raises InputError naming file and line where a set or crosswalk of the settings can't be used.
    """
    knowledge = load_interactions(settings.safety.interactions)
    classes = load_classes()
    reading = _read(case, findings, graph, load_crosswalk(settings.safety.crosswalk))
    drugs = list(dict.fromkeys(taken.drug for taken in reading.taken))
    evidence = dict(reading.records)
    alerts = [
        *_interactions(drugs, reading, knowledge, classes, evidence),
        *_allergies(drugs, reading, classes, evidence),
        *_duplicates(reading, classes),
    ]
    alerts.sort(key=lambda alert: SEVERITIES.index(alert.severity))
    used = {identifier for alert in alerts for identifier in alert.evidence}
    coverage = _coverage(drugs, reading, knowledge, classes)
    return DrugSafety(alerts, coverage, [item for item in evidence.values() if item.id in used])


def _read(case: Case, findings: Sequence[Finding], graph: Graph, crosswalk: dict[str, str]) -> _Reading:
    reading = _Reading([], [], {}, [], 0, [])
    mapped = 0
    for medication in case.medications:
        if not medication.current:
            continue
        codes = coded(medication.codes, crosswalk, graph)
        drugs = [Drug(i, graph.label(i)) for i in codes.targets if graph.node(i).kind == "drug"]
        mapped += len(codes.targets)
        by_name = not drugs
        drugs = drugs or load_names().of(medication.label)
        how = f" (matched by name: {', '.join(drug.label for drug in drugs)})" if by_name and drugs else ""
        reading.unmapped.extend(f"{code} {medication.label}{how}" for code in codes.unmapped)
        if not drugs:
            reading.gaps.append(
                NotChecked(what=medication.label, why="not recognised as a drug, so nothing about it was checked")
            )
        item = _evidence(medication.source, f"Medication: {medication.label}{how}")
        reading.records[item.id] = item
        reading.taken.extend(Taken(drug, item, medication.label) for drug in drugs)
    for allergy in case.allergies:
        if allergy.status in ("inactive", "resolved") or allergy.verification == "refuted":
            continue
        codes = coded(allergy.codes, crosswalk, graph)
        mapped += len(codes.targets)
        one = allergies.allergen(allergy)
        if one is None and codes.targets:
            one = Allergen(
                allergy.label,
                tuple(Drug(i, graph.label(i)) for i in codes.targets if graph.node(i).kind == "drug"),
                (),
                allergy.criticality == "high",
                allergy.source,
            )
        how = " (matched by name)" if one else ""
        reading.unmapped.extend(f"{code} {allergy.label}{how}" for code in codes.unmapped)
        if one is None or not (one.drugs or one.classes):
            reading.gaps.append(
                NotChecked(what=f"allergy: {allergy.label}", why="names no drug or drug class that is known")
            )
            continue
        item = _evidence(allergy.source, f"Allergy: {allergy.label}")
        reading.records[item.id] = item
        reading.allergens.append(one)
    for condition in case.conditions:
        codes = coded(condition.codes, crosswalk, graph)
        mapped += len(codes.targets)
        named = any(finding.source == condition.source for finding in findings)
        how = " (matched by name)" if named else ""
        reading.unmapped.extend(f"{code} {condition.label}{how}" for code in codes.unmapped)
    _read_notes(case, findings, graph, reading)
    return reading._replace(mapped=mapped, unmapped=list(dict.fromkeys(reading.unmapped)))


def _read_notes(case: Case, findings: Sequence[Finding], graph: Graph, reading: _Reading) -> None:
    """Drugs that the notes name as taken now, or as allergies."""
    documents = {document.id: document for document in case.documents}
    for finding in findings:
        document = documents.get(finding.source or "")
        if document is None or finding.start is None or finding.end is None:
            continue
        if finding.status != "present" or finding.experiencer != "patient" or finding.time != "current":
            continue
        node = graph.find(finding.code)
        if node is None or node.kind != "drug":
            continue
        start, end = _sentence(document, finding.start)
        words, item = document.text[start:end], _passage(document, start, end)
        drugs = load_names().of(finding.text or finding.label) or [Drug(node.id, node.label)]
        if _ALLERGIC.search(words):
            name = finding.text or finding.label
            reading.allergens.append(
                allergies.allergen_of(name, bool(re.search(r"anaphyla|休克", words, re.I)), item.id)
                or Allergen(name, tuple(drugs), (), False, item.id)
            )
            reading.records[item.id] = item
        elif not _NOT_TAKEN.search(words):
            reading.records[item.id] = item
            reading.taken.extend(Taken(drug, item, None) for drug in drugs)


def _interactions(
    drugs: Sequence[Drug], reading: _Reading, knowledge: Knowledge, classes: Classes, evidence: dict[str, Evidence]
) -> list[Alert]:
    alerts: list[Alert] = []
    for a, b in itertools.combinations(drugs, 2):
        rows = between(a, b, knowledge, classes)
        if not rows:
            continue
        first = rows[0]
        for row in rows:
            if row.severity == first.severity:
                text = f"{a.label} with {b.label}: {row.mechanism}. {row.management}."
                evidence[row.id] = Evidence(
                    id=row.id, kind="passage", text=text, source=Source(title=row.source, year=row.year)
                )
        alerts.append(
            Alert(
                kind="interaction",
                severity=first.severity,
                drugs=[a.label, b.label],
                message=f"{a.label} with {b.label}: {first.mechanism}.",
                management=f"{first.management}.",
                evidence=[*(row.id for row in rows if row.severity == first.severity), *_of(reading, a, b)],
            )
        )
    return alerts


def _allergies(
    drugs: Sequence[Drug], reading: _Reading, classes: Classes, evidence: dict[str, Evidence]
) -> list[Alert]:
    alerts: list[Alert] = []
    for match in allergies.matches(reading.allergens, drugs, classes):
        ids = [match.allergen.source, *_of(reading, match.drug)]
        message = f"{match.drug.label} in a patient with an allergy to {match.allergen.label}: {match.message}."
        if match.cross is not None:
            source = Source(title=match.cross.source, year=match.cross.year)
            evidence[match.cross.id] = Evidence(
                id=match.cross.id, kind="passage", text=f"{message} {match.management}", source=source
            )
            ids.insert(0, match.cross.id)
        alerts.append(
            Alert(
                kind="allergy",
                severity=match.severity,
                drugs=[match.drug.label],
                message=message,
                management=match.management,
                evidence=list(dict.fromkeys(ids)),
            )
        )
    return alerts


def _duplicates(reading: _Reading, classes: Classes) -> list[Alert]:
    entries: dict[str, list[Drug]] = {}
    for taken in reading.taken:
        if taken.entry is not None and taken.drug not in entries.setdefault(taken.entry, []):
            entries[taken.entry].append(taken.drug)
    alerts: list[Alert] = []
    for one in duplicates(entries, classes):
        labels = [drug.label for drug in one.drugs]
        what = (
            f"{labels[0]} stands in more than one entry"
            if one.shared is None
            else f"{' and '.join(labels)} are all {classes.labels[one.shared]}"
        )
        alerts.append(
            Alert(
                kind="duplicate",
                severity="moderate",
                drugs=labels,
                message=f"Duplicate therapy: {what}.",
                management="Confirm that both are meant; add the doses, or stop one.",
                evidence=_of(reading, *one.drugs),
            )
        )
    return alerts


def _coverage(drugs: Sequence[Drug], reading: _Reading, knowledge: Knowledge, classes: Classes) -> Coverage:
    pairs = list(itertools.combinations(drugs, 2))
    silent = sum(not between(a, b, knowledge, classes) for a, b in pairs)
    gaps = list(reading.gaps)
    gaps += [
        NotChecked(what=drug.label, why=f"no interaction data for {drug.label}")
        for drug in uncovered(drugs, knowledge, classes)
    ]
    if silent:
        gaps.append(
            NotChecked(
                what=f"{silent} of {len(pairs)} drug pairs",
                why="no set has an entry on them, which doesn't mean they are safe",
            )
        )
    if knowledge.skipped:
        gaps.append(
            NotChecked(
                what=f"{len(knowledge.skipped)} rows of loaded sets",
                why=f"their drugs are not known, the first at {knowledge.skipped[0]}",
            )
        )
    checked = [f"drug-drug interactions ({len(pairs)} pairs of {len(drugs)} drugs)"] if pairs else []
    if drugs:
        checked += [f"drug-allergy ({len(reading.allergens)} allergies)", "duplicate therapy"]
    return Coverage(
        checked=checked,
        not_checked=[*gaps, *(NotChecked(what=what, why=why) for what, why in _NOT_CHECKED)],
        codes_mapped=reading.mapped,
        codes_unmapped=reading.unmapped,
        knowledge=knowledge.versions,
    )


def _of(reading: _Reading, *drugs: Drug) -> list[str]:
    """Ids of the record elements that name these drugs."""
    return list(dict.fromkeys(taken.evidence.id for taken in reading.taken if taken.drug in drugs))


def _evidence(source: str, text: str) -> Evidence:
    return Evidence(id=source, kind="record", text=text, source=Source(document_id=source))


def _sentence(document: Document, place: int) -> tuple[int, int]:
    return next(
        ((span.start, span.end) for span in sentences(document.text) if span.start <= place < span.end),
        (0, len(document.text)),
    )


def _passage(document: Document, start: int, end: int) -> Evidence:
    source = Source(title=document.title, document_id=document.id, start=start, end=end)
    return Evidence(id=f"{document.id}#{start}-{end}", kind="record", text=document.text[start:end], source=source)
