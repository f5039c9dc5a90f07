"""Drug safety of one case: what the record's drugs do to each other and to its allergies, and what wasn't checked.

Silence is never safety: every drug and question without data is listed in the coverage. No dose, kidney, pregnancy or
disease rules yet.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from osler.clinic.safety import allergy as allergies
from osler.clinic.safety.passages import entry, passage
from osler.clinic.safety.stated_allergies import Allergen, allergies_of, denies
from osler.clinic.safety.uses import unrecognised, uses_of
from osler.errors import InputError
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.interactions import (
    SEVERITIES,
    Interaction,
    Knowledge,
    Severity,
    between,
    in_force,
    uncovered,
)
from osler.knowledge.drugs.names import Classes, Drug, load_classes, load_names
from osler.knowledge.graph import Graph
from osler.nouns import Alert, Coverage, Evidence, Finding, NotChecked, Source
from osler.record.case import Allergy, Case, Condition, Document, Medication
from osler.settings import Settings
from osler.text import Span

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


@dataclass
class _Reading:
    """What the case says. `taken`: the ids of what names each drug; `entries`: the drugs of each product, by its label;
    `left`: drugs named as stopped, denied or another person's; `labels`: names in the language of the record."""

    graph: Graph
    crosswalk: dict[str, str]
    labels: dict[str, str]
    taken: dict[Drug, list[str]] = field(default_factory=dict)
    entries: dict[str, list[Drug]] = field(default_factory=dict)
    left: list[Drug] = field(default_factory=list)
    allergens: list[Allergen] = field(default_factory=list)
    no_allergies: bool = False
    evidence: dict[str, Evidence] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # ids of elements by what and why
    mapped: int = 0
    unmapped: list[str] = field(default_factory=list)

    def label(self, drug: Drug) -> str:
        return self.labels.get(drug.id, drug.label)

    def take(self, drugs: Sequence[Drug], item: Evidence) -> None:
        self.evidence[item.id] = item
        for drug in drugs:
            self.taken.setdefault(drug, []).append(item.id)

    def avoid(self, allergen: Allergen | None, name: str, item: Evidence) -> None:
        if allergen is None:
            self.miss(f"allergy: {name}", "names no drug or drug class that is known")
        elif not any(allergies.covers(known, allergen) for known in self.allergens):
            self.evidence[item.id] = item
            self.allergens.append(allergen._replace(source=item.id))

    def miss(self, what: str, why: str, *where: str) -> None:
        self.gaps.setdefault((what, why), []).extend(where)

    def targets(self, part: Condition | Medication | Allergy) -> dict[str, str | None]:
        """What each code of a part means in the graph; None for one that has no place there."""
        found: dict[str, str | None] = {}
        for code in part.codes:
            if code.code:
                written = f"{code.system}|{code.code}" if code.system else code.code
                target = self.crosswalk.get(written) or self.crosswalk.get(code.code) or f"{code.system}:{code.code}"
                found[written] = self.graph.canonical(target) or self.graph.canonical(code.code)
        return found

    def code(self, part: Condition | Medication | Allergy) -> list[Drug]:
        """The drugs that the codes of a part mean; every code is counted."""
        known = list(dict.fromkeys(one for one in self.targets(part).values() if one is not None))
        self.mapped += len(known)
        return [Drug(one, self.graph.label(one)) for one in known if self.graph.node(one).kind == "drug"]

    def unmap(self, part: Condition | Medication | Allergy, how: str) -> None:
        self.unmapped += [f"{code} {part.label}{how}" for code, known in self.targets(part).items() if known is None]

    def cite(self, row: Interaction, text: str, *drugs: Drug) -> str:
        """The id of a row's sentence; a class row has one for each pair of drugs it is said of."""
        known = self.evidence.get(row.id)
        identifier = row.id if known is None or known.text == text else ":".join((row.id, *(one.id for one in drugs)))
        source = Source(title=row.source, year=row.year)
        self.evidence[identifier] = Evidence(id=identifier, kind="passage", text=text, source=source)
        return identifier

    def named_by(self, *drugs: Drug) -> list[str]:
        """Ids of the record elements that name these drugs."""
        return list(dict.fromkeys(itertools.chain.from_iterable(self.taken[drug] for drug in drugs)))


@functools.lru_cache(maxsize=4)
def load_crosswalk(path: str | None) -> dict[str, str]:
    """A user's map from codes without an open one (RxNorm, SNOMED CT, ...) to identifiers of the graph: CSV with the
    columns code (bare, or `system|code`), target and label. Raises InputError naming file and line for an empty code or
    target."""
    table: dict[str, str] = {}
    for row in tables.given(path, ("code", "target")) if path else ():
        code, target = row.values["code"], row.values["target"]
        if not code or not target:
            raise InputError("code or target is empty.", where=row.where)
        table[code] = target
    return table


def drug_safety(case: Case, findings: Sequence[Finding], graph: Graph, settings: Settings) -> DrugSafety:
    """Alerts (most severe first), their coverage and evidence.

    Raises InputError naming file and line where a set or crosswalk of the settings can't be used.
    """
    knowledge, classes = in_force(settings), load_classes()
    reading = _read(case, findings, graph, load_crosswalk(settings.safety.crosswalk))
    found = (_interactions(reading, knowledge, classes), _allergies(reading, classes), _duplicates(reading, classes))
    alerts = sorted(itertools.chain(*found), key=lambda alert: SEVERITIES.index(alert.severity))
    used = {identifier for alert in alerts for identifier in alert.evidence}
    evidence = [item for item in reading.evidence.values() if item.id in used]
    return DrugSafety(alerts, _coverage(reading, knowledge, classes), evidence)


def _read(case: Case, findings: Sequence[Finding], graph: Graph, crosswalk: dict[str, str]) -> _Reading:
    reading = _Reading(graph, crosswalk, load_names().chinese if case.language == "zh" else {})
    for medication in case.medications:
        if medication.current:
            _read_medication(medication, reading)
    for allergy in case.allergies:
        if allergy.status not in ("inactive", "resolved") and allergy.verification != "refuted":
            _read_allergy(allergy, reading)
    for condition in case.conditions:
        reading.code(condition)
        named_so = any(finding.source == condition.source for finding in findings)
        reading.unmap(condition, " (matched by name)" if named_so else "")
    for document in case.documents:
        _read_uses(document, reading, _read_stated(document, reading))
    return reading


def _read_medication(medication: Medication, reading: _Reading) -> None:
    drugs = reading.code(medication)
    named = [] if drugs else load_names().of(medication.label)
    how = f" (matched by name: {', '.join(drug.label for drug in named)})" if named else ""
    reading.unmap(medication, how)
    if not drugs and not named:
        why = "not recognised as a drug, so nothing about it was checked"
        reading.miss(medication.label, why, medication.source)
    reading.take(drugs or named, entry(medication.source, f"Medication: {medication.label}{how}"))
    # One product in several entries of the record is one; ordered beside them it may be given twice.
    again = " (draft)" if medication.status == "draft" else ""
    reading.entries.setdefault(medication.label + again, drugs or named)


def _read_allergy(allergy: Allergy, reading: _Reading) -> None:
    if denies(allergy.label) or any(code.code in _NO_ALLERGY_CODES for code in allergy.codes):
        reading.no_allergies = True
        return
    one = allergies.recorded(allergy, reading.code(allergy))
    reading.unmap(allergy, " (matched by name)" if one else "")
    reading.avoid(one, allergy.label, entry(allergy.source, f"Allergy: {allergy.label}"))


def _read_uses(document: Document, reading: _Reading, besides: Sequence[Span]) -> None:
    """Takes in the drugs that a note names; a product that the record or an earlier note holds is no second entry."""
    for use in uses_of(document, besides):
        if not use.taken:
            reading.left.extend(use.drugs)
            continue
        reading.take(use.drugs, passage(document, use.start))
        if not any(set(use.drugs) <= set(known) and len(use.drugs) == len(known) for known in reading.entries.values()):
            reading.entries[document.text[use.start : use.end]] = list(use.drugs)
    for name in unrecognised(document):
        reading.miss(name, "not recognised as a drug, so nothing about it was checked")


def _read_stated(document: Document, reading: _Reading) -> list[Span]:
    """Takes in the allergies that a document states; gives the places that speak of them."""
    said = allergies_of(document)
    for one in said.stated:
        reading.avoid(one if one.drugs or one.classes else None, one.name, passage(document, one.start))
    reading.no_allergies = reading.no_allergies or bool(said.denied)
    return said.places


def _interactions(reading: _Reading, knowledge: Knowledge, classes: Classes) -> Iterator[Alert]:
    for a, b in itertools.combinations(reading.taken, 2):
        rows = between(a, b, knowledge, classes)
        worst = [row for row in rows if row.severity == rows[0].severity]
        names = [reading.label(a), reading.label(b)]
        said = [f"{' with '.join(names)}: {row.mechanism}." for row in worst]
        ids = [reading.cite(row, f"{text} {row.management}.", a, b) for row, text in zip(worst, said, strict=True)]
        if rows:
            ids += reading.named_by(a, b)
            yield _alert("interaction", rows[0].severity, names, said[0], f"{rows[0].management}.", ids)


def _allergies(reading: _Reading, classes: Classes) -> Iterator[Alert]:
    for match in allergies.matches(reading.allergens, list(reading.taken), classes):
        label, how = reading.label(match.drug), "an" if match.allergen.certain else "a possible"
        message = f"{label} in a patient with {how} {match.allergen.kind} to {match.allergen.name}: {match.message}."
        ids = [match.allergen.source, *reading.named_by(match.drug)]
        if match.cross is not None:
            ids.insert(0, reading.cite(match.cross, f"{message} {match.management}", match.drug))
        yield _alert("allergy", match.severity, [label], message, match.management, list(dict.fromkeys(ids)))


def _alert(kind: str, severity: Severity, drugs: list[str], message: str, management: str, ids: list[str]) -> Alert:
    alert = {"kind": kind, "severity": severity, "drugs": drugs, "message": message, "management": management}
    return Alert.model_validate({**alert, "evidence": ids})


def _duplicates(reading: _Reading, classes: Classes) -> Iterator[Alert]:
    """One drug in two entries of the medication list, or two drugs of a class that isn't combined. Doses aren't known,
    so a planned split of one drug over two products looks the same: the alert says so."""
    entries = list(reading.entries.values())
    every = list(dict.fromkeys(itertools.chain.from_iterable(entries)))
    twice = [drug for drug in every if sum(drug in drugs for drugs in entries) > 1]
    found = [([drug], "stands in more than one entry") for drug in twice]
    together = {frozenset(pair) for drugs in entries for pair in itertools.combinations(drugs, 2)}
    for name in sorted(classes.duplicate):
        members = [drug for drug in every if drug.id in classes.members[name]]
        pairs = [pair for pair in itertools.combinations(members, 2) if frozenset(pair) not in together]
        if pairs:
            drugs = list(dict.fromkeys(itertools.chain.from_iterable(pairs)))
            found.append((drugs, f"are all {classes.labels[name]}"))
    for drugs, what in found:
        labels = [reading.label(drug) for drug in drugs]
        message = f"Duplicate therapy: {' and '.join(labels)} {what}."
        management = "Confirm that both are meant; add the doses, or stop one."
        yield _alert("duplicate", "moderate", labels, message, management, reading.named_by(*drugs))


def _coverage(reading: _Reading, knowledge: Knowledge, classes: Classes) -> Coverage:
    drugs = list(reading.taken)
    pairs = list(itertools.combinations(drugs, 2))
    silent = sum(not between(a, b, knowledge, classes) for a, b in pairs)
    no_allergy_named = not any(what.startswith("allergy: ") for what, _ in reading.gaps)
    for one in uncovered(drugs, knowledge, classes):
        reading.miss(one.label, f"no interaction data for {one.label}", *reading.named_by(one))
    named = [NotChecked(what=what, why=why, evidence=where) for (what, why), where in reading.gaps.items()]
    gaps: list[tuple[str, str]] = []
    if left := [reading.label(drug) for drug in dict.fromkeys(reading.left) if drug not in drugs]:
        gaps.append((", ".join(left), "named as stopped, held, denied, of the past or of another person"))
    if silent:
        why = "no set has an entry on them, which doesn't mean they are safe"
        gaps.append((f"{silent} of {len(pairs)} drug pairs", why))
    if skipped := knowledge.skipped:
        gaps.append((f"{len(skipped)} rows of loaded sets", f"their drugs are not known, the first at {skipped[0]}"))
    checked = [f"drug-drug interactions ({len(pairs)} pairs of {len(drugs)} drugs)"] if pairs else []
    if drugs:
        checked.append("duplicate therapy")
    if reading.allergens:
        count = f"{len(reading.allergens)} {'allergy' if len(reading.allergens) == 1 else 'allergies'}"
        checked += [f"drug-allergy ({count})"] if drugs else []
    elif reading.no_allergies:
        checked.append("drug-allergy (the record states that there are none)")
    elif no_allergy_named:
        gaps.append(("allergies", "the record names none and does not say there are none"))
    return Coverage(
        checked=checked,
        not_checked=[*named, *(NotChecked(what=what, why=why) for what, why in (*gaps, *_NOT_CHECKED))],
        codes_mapped=reading.mapped,
        codes_unmapped=list(dict.fromkeys(reading.unmapped)),
        knowledge=knowledge.versions,
    )
