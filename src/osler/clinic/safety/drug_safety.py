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
from osler.clinic.safety.stated_allergies import DENIED, allergies_of
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
_NOT_TAKEN = re.compile(
    r"\b(?:stopp?ed|discontinued|held|withheld|avoid|overdos\w*|swallowed|never taken|previously"
    r"|used to|ran out of|refus\w+"
    r"|declin\w+|consider\w*|suggest\w*|asks? about|level|screen)\b|停用|停服|已停|曾服|避免|过量|拟用|建议",
    re.IGNORECASE,
)
# Past history also names what is taken today: "长期服用阿司匹林", "AF on warfarin".
_TAKEN = re.compile(
    r"\b(?:on|takes|taking|daily|nightly|currently|still|od|bd|bid|tds|tid|qd|mg)\b|长期|规律|目前|现服|口服|平素|每日|每天|给予|今",
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
    denied: list[Evidence]
    labels: dict[str, str]

    def label(self, drug: Drug) -> str:
        """The drug in the language of the record, where its name is known."""
        return self.labels.get(drug.id, drug.label)


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
    labels = load_names().chinese if case.language == "zh" else {}
    reading = _Reading([], [], {}, [], 0, [], [], labels)
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
        if DENIED.search(allergy.label):
            reading.denied.append(_evidence(allergy.source, allergy.label))
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
    """Drugs that the notes name as taken now, and the allergies that they state."""
    documents = {document.id: document for document in case.documents}
    places: dict[str, list[tuple[int, int]]] = {}
    for document in case.documents:
        places[document.id] = _read_allergies(document, reading)
    for finding in findings:
        found_in = documents.get(finding.source or "")
        if found_in is None or finding.start is None or finding.end is None:
            continue
        if finding.status != "present" or finding.experiencer != "patient" or finding.time == "hypothetical":
            continue
        node = graph.find(finding.code)
        if node is None or node.kind != "drug":
            continue
        if any(start < finding.end and finding.start < end for start, end in places[found_in.id]):
            continue
        item = _passage(found_in, *_sentence(found_in, finding.start))
        if _NOT_TAKEN.search(item.text) or (finding.time == "historical" and not _TAKEN.search(item.text)):
            continue
        drugs = load_names().of(finding.text or finding.label) or [Drug(node.id, node.label)]
        reading.records[item.id] = item
        reading.taken.extend(Taken(drug, item, None) for drug in drugs)


def _read_allergies(document: Document, reading: _Reading) -> list[tuple[int, int]]:
    """Takes in the allergies that a document states; gives the places that speak of them."""
    said = allergies_of(document)
    for one in said.stated:
        item = _passage(document, *_sentence(document, one.start))
        allergen = allergies.allergen_in(one.name, one.severe, item.id, one.certain)
        if allergen is None and one.listed:
            gap = NotChecked(what=f"allergy: {one.name}", why="names no drug or drug class that is known")
            reading.gaps.extend([gap] if gap not in reading.gaps else [])
        elif allergen is not None and not any(_same(allergen, known) for known in reading.allergens):
            reading.records[item.id] = item
            reading.allergens.append(allergen)
    reading.denied.extend(_passage(document, *_sentence(document, start)) for start, _ in said.denied)
    return said.places


def _same(one: Allergen, known: Allergen) -> bool:
    """Whether a known allergen says the same and at least as much."""
    same = set(one.drugs) <= set(known.drugs) and set(one.classes) <= set(known.classes)
    return same and known.severe >= one.severe and known.certain >= one.certain


def _interactions(
    drugs: Sequence[Drug], reading: _Reading, knowledge: Knowledge, classes: Classes, evidence: dict[str, Evidence]
) -> list[Alert]:
    alerts: list[Alert] = []
    for a, b in itertools.combinations(drugs, 2):
        rows = between(a, b, knowledge, classes)
        if not rows:
            continue
        first, named = rows[0], [reading.label(a), reading.label(b)]
        for row in rows:
            if row.severity == first.severity:
                text = f"{named[0]} with {named[1]}: {row.mechanism}. {row.management}."
                evidence[row.id] = Evidence(
                    id=row.id, kind="passage", text=text, source=Source(title=row.source, year=row.year)
                )
        alerts.append(
            Alert(
                kind="interaction",
                severity=first.severity,
                drugs=named,
                message=f"{named[0]} with {named[1]}: {first.mechanism}.",
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
        label, how = reading.label(match.drug), "an" if match.allergen.certain else "a possible"
        message = f"{label} in a patient with {how} allergy to {match.allergen.label}: {match.message}."
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
                drugs=[label],
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
        labels = [reading.label(drug) for drug in one.drugs]
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
        checked.append("duplicate therapy")
    if reading.allergens:
        count = f"{len(reading.allergens)} {'allergy' if len(reading.allergens) == 1 else 'allergies'}"
        checked += [f"drug-allergy ({count})"] if drugs else []
    elif reading.denied:
        checked.append("drug-allergy (the record states that there are none)")
    elif not any(gap.what.startswith("allergy: ") for gap in gaps):
        gaps.append(NotChecked(what="allergies", why="the record names none and does not say there are none"))
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
