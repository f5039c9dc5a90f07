"""Drug safety of one case: what the record's drugs do to each other and to its allergies, and what wasn't checked.

Silence is never safety: every drug and question without data is listed in the coverage. No dose, kidney, pregnancy or
disease rules yet.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.safety import allergy as allergies
from osler.clinic.safety.allergy import Allergen
from osler.clinic.safety.crosswalk import coded, load_crosswalk
from osler.clinic.safety.drugs import Classes, Drug, load_classes, load_names
from osler.clinic.safety.duplicates import duplicates
from osler.clinic.safety.interactions import SEVERITIES, Knowledge, between, in_force, uncovered
from osler.clinic.safety.stated_allergies import allergies_of, denies
from osler.clinic.safety.uses import unrecognised, uses_of
from osler.knowledge.graph import Graph
from osler.nouns import Alert, Coverage, Evidence, Finding, NotChecked, Source
from osler.record.case import Allergy, Case, Condition, Document, Medication
from osler.settings import Settings
from osler.text import Span, sentences

_NOT_CHECKED = (
    ("dose", "no dose limits are known"),
    ("renal and hepatic function", "no dose or drug rules for kidney or liver are known"),
    ("pregnancy and breastfeeding", "no rules are known"),
    ("conditions", "no rules for drugs against diseases are known"),
    ("food, herbs and alcohol", "only what the record names as a drug is seen"),
    ("age", "no rules for children or the old are known"),
)
# SNOMED CT: no known allergy, no known drug allergy. Those for food and environment say nothing of drugs.
_NO_ALLERGY_CODES = frozenset(("716186003", "409137002"))


class DrugSafety(NamedTuple):
    alerts: list[Alert]
    coverage: Coverage
    evidence: list[Evidence]


class Taken(NamedTuple):
    """A drug the patient takes or is to take, with where the record says so."""

    drug: Drug
    evidence: Evidence


class _Reading(NamedTuple):
    """What the case says. `left`: drugs named as stopped, denied or another person's; `entries`: the drugs of each
    product, by its label."""

    taken: list[Taken]
    allergens: list[Allergen]
    records: dict[str, Evidence]
    gaps: list[NotChecked]
    codes: list[int]
    unmapped: list[str]
    denied: list[Evidence]
    labels: dict[str, str]
    left: list[Drug]
    planned: list[Drug]
    entries: dict[str, list[Drug]]

    def label(self, drug: Drug) -> str:
        """The drug in the language of the record, where its name is known."""
        return self.labels.get(drug.id, drug.label)

    def take(self, drugs: Sequence[Drug], item: Evidence) -> None:
        self.records[item.id] = item
        self.taken.extend(Taken(drug, item) for drug in drugs)

    def miss(self, what: str, why: str) -> None:
        gap = NotChecked(what=what, why=why)
        self.gaps.extend([gap] if gap not in self.gaps else [])

    def code(self, part: Condition | Medication | Allergy, graph: Graph, crosswalk: dict[str, str]) -> list[Drug]:
        """The drugs that the codes of a part mean; every code is counted."""
        found = coded(part.codes, crosswalk, graph)
        self.codes.append(len(found.targets))
        return [Drug(one, graph.label(one)) for one in found.targets if graph.node(one).kind == "drug"]

    def unmap(self, part: Condition | Medication | Allergy, how: str, graph: Graph, crosswalk: dict[str, str]) -> None:
        self.unmapped.extend(f"{code} {part.label}{how}" for code in coded(part.codes, crosswalk, graph).unmapped)


def drug_safety(case: Case, findings: Sequence[Finding], graph: Graph, settings: Settings) -> DrugSafety:
    """Alerts (most severe first), their coverage and evidence.

    Raises InputError naming file and line where a set or crosswalk of the settings can't be used.
    """
    knowledge = in_force(settings)
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
    reading = _Reading([], [], {}, [], [], [], [], labels, [], [], {})
    for medication in case.medications:
        if not medication.current:
            continue
        drugs = reading.code(medication, graph, crosswalk)
        named = [] if drugs else load_names().of(medication.label)
        how = f" (matched by name: {', '.join(drug.label for drug in named)})" if named else ""
        reading.unmap(medication, how, graph, crosswalk)
        if not drugs and not named:
            reading.miss(medication.label, "not recognised as a drug, so nothing about it was checked")
        reading.take(drugs or named, _evidence(medication.source, f"Medication: {medication.label}{how}"))
        reading.entries.setdefault(medication.label, drugs or named)
    for allergy in case.allergies:
        if allergy.status in ("inactive", "resolved") or allergy.verification == "refuted":
            continue
        if denies(allergy.label) or any(code.code in _NO_ALLERGY_CODES for code in allergy.codes):
            reading.denied.append(_evidence(allergy.source, allergy.label))
            continue
        one = allergies.recorded(allergy, reading.code(allergy, graph, crosswalk))
        reading.unmap(allergy, " (matched by name)" if one else "", graph, crosswalk)
        if one is None:
            reading.miss(f"allergy: {allergy.label}", "names no drug or drug class that is known")
            continue
        item = _evidence(allergy.source, f"Allergy: {allergy.label}")
        reading.records[item.id] = item
        reading.allergens.append(one)
    for condition in case.conditions:
        reading.code(condition, graph, crosswalk)
        named_so = any(finding.source == condition.source for finding in findings)
        reading.unmap(condition, " (matched by name)" if named_so else "", graph, crosswalk)
    for document in case.documents:
        _read_uses(document, reading, _read_allergies(document, reading))
    return reading._replace(unmapped=list(dict.fromkeys(reading.unmapped)))


def _read_uses(document: Document, reading: _Reading, besides: Sequence[Span]) -> None:
    """Takes in the drugs that a note names; a product that the record or an earlier note holds is no second entry."""
    for use in uses_of(document, besides):
        if use.status == "left":
            reading.left.extend(use.drugs)
            continue
        reading.take(use.drugs, _passage(document, *_sentence(document, use.start)))
        reading.planned.extend(use.drugs if use.status == "planned" else ())
        if not any(set(use.drugs) <= set(known) and len(use.drugs) == len(known) for known in reading.entries.values()):
            reading.entries[document.text[use.start : use.end]] = list(use.drugs)
    for name in unrecognised(document):
        reading.miss(name, "not recognised as a drug, so nothing about it was checked")


def _read_allergies(document: Document, reading: _Reading) -> list[Span]:
    """Takes in the allergies that a document states; gives the places that speak of them."""
    said = allergies_of(document)
    for one in said.stated:
        item = _passage(document, *_sentence(document, one.start))
        allergen = allergies.stated(one, item.id)
        if allergen is None:
            reading.miss(f"allergy: {one.name}", "names no drug or drug class that is known")
        elif not any(_same(allergen, known) for known in reading.allergens):
            reading.records[item.id] = item
            reading.allergens.append(allergen)
    reading.denied.extend(_passage(document, *_sentence(document, start)) for start, _ in said.denied)
    return said.places


def _same(one: Allergen, known: Allergen) -> bool:
    """Whether a known allergen says the same and at least as much."""
    same = set(one.drugs) <= set(known.drugs) and set(one.classes) <= set(known.classes)
    weaker = (one.severe, one.certain, one.kind == "allergy") <= (known.severe, known.certain, known.kind == "allergy")
    return same and weaker


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
        message = f"{label} in a patient with {how} {match.allergen.kind} to {match.allergen.label}: {match.message}."
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
    alerts: list[Alert] = []
    for one in duplicates(reading.entries, classes):
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
    left = [drug for drug in dict.fromkeys(reading.left) if drug not in drugs]
    if left:
        names = ", ".join(reading.label(drug) for drug in left)
        gaps.append(NotChecked(what=names, why="named as stopped, held, denied, of the past or of another person"))
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
        codes_mapped=sum(reading.codes),
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
