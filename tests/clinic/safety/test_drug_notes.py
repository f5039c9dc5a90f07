"""Whole notes: alerts a clinician must see, drugs that no alert may name, and what the coverage must own up to."""

from pathlib import Path

import pytest

from osler.clinic.safety import DrugSafety, drug_safety
from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
from osler.knowledge.graph import load_graph
from osler.record import read_text
from osler.record.case import Allergy, Case, Code, Medication, Patient
from osler.settings import Settings


def checked(case: Case) -> DrugSafety:
    return drug_safety(case, findings_of(case, load_recogniser()), load_graph(), Settings(home=Path("unused")))


def parts(cell: str) -> set[str]:
    return {part.strip() for part in cell.split(";") if part.strip()}


def rows() -> list[tuple[str, set[str], set[str]]]:
    """(note, what must be told, drugs that no alert may name); the notation stands in the table's first line."""
    lines = (Path(__file__).parent / "drug_notes.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = (line.split("\t") for line in lines)
    return [(note.replace("\\n", "\n"), parts(must), parts(never)) for note, must, never in cells]


@pytest.mark.parametrize(("note", "must", "never"), rows())
def test_notes(note: str, must: set[str], never: set[str]) -> None:
    found = checked(read_text(note, kind="note"))
    told = {f"{alert.kind} {'+'.join(sorted(drug.lower() for drug in alert.drugs))}" for alert in found.alerts}
    told |= {f"gap {name.lower()}" for gap in found.coverage.not_checked for name in gap.what.split(", ")}
    assert {f"{kind} {'+'.join(sorted(drugs.split('+')))}" for kind, drugs in (m.split(" ", 1) for m in must)} <= told
    assert not never & {drug.lower() for alert in found.alerts for drug in alert.drugs}


def record(*labels: str, allergies: list[Allergy]) -> Case:
    medications = [Medication(source=f"M/{n}", label=label) for n, label in enumerate(labels)]
    patient = Patient(source="Patient/1")
    case = Case(kind="fhir", digest="0" * 64, language="en", patient=patient)
    return case.model_copy(update={"medications": medications, "allergies": allergies})


@pytest.mark.parametrize(
    ("label", "code", "denied"),
    [
        ("No known allergy (situation)", "716186003", True),
        ("No known drug allergy", "409137002", True),
        ("NKA", None, True),
        ("Keine Allergien bekannt", "716186003", True),
        ("No known food allergy", "429625007", False),
        ("No known environmental allergy", "428607008", False),
        ("Allergy status unknown", None, False),
    ],
)
def test_a_record_without_allergies_says_so_only_for_drugs(label: str, code: str | None, denied: bool) -> None:
    codes = [Code(system="http://snomed.info/sct", code=code)] if code else []
    found = checked(record("Amoxicillin", allergies=[Allergy(source="A/1", label=label, codes=codes)]))
    told = "drug-allergy (the record states that there are none)" in found.coverage.checked
    assert told is denied and found.alerts == []


@pytest.mark.parametrize(
    ("label", "reactions", "drug", "severity"),
    [
        ("Penicillin -class of antibiotic- (substance)", [], "Amoxicillin 500 MG", "major"),
        ("Allergy to penicillin", ["Anaphylaxis"], "Amoxicillin 500 MG", "contraindicated"),
        ("Sulfonamide-containing antibacterial agent", [], "Bactrim DS", "major"),
        ("Aspirin", ["Nausea"], "Aspirin 81 MG", "moderate"),
        ("Aspirin", ["Nausea"], "Ibuprofen 200 MG", None),
        ("Cephalosporin", [], "Keflex 500 MG", "major"),
        ("Non-steroidal anti-inflammatory agent", [], "Naproxen 220 MG", "major"),
        ("Iodinated contrast media", [], "Iohexol", "major"),
        ("Grass pollen", [], "Amoxicillin", None),
    ],
)
def test_allergies_as_records_label_them(label: str, reactions: list[str], drug: str, severity: str | None) -> None:
    found = checked(record(drug, allergies=[Allergy(source="A/1", label=label, reactions=reactions)]))
    assert [alert.severity for alert in found.alerts if alert.kind == "allergy"][:1] == ([severity] if severity else [])
