"""Names of drugs as records write them."""

import gzip
import json
from pathlib import Path

import pytest

from osler.knowledge.drugs.names import load_names


@pytest.mark.parametrize(
    ("label", "drugs"),
    [
        ("Lisinopril 10 MG Oral Tablet", ["Lisinopril"]),
        ("amoxicillin/clavulanate 875", ["Amoxicillin", "Clavulanic Acid"]),
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", ["Amoxicillin", "Clavulanic Acid"]),
        ("Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG Oral Tablet", ["Acetaminophen", "Hydrocodone"]),
        ("Clonazepam [Klonopin]", ["Clonazepam"]),
        ("Carbamazepine[Tegretol]", ["Carbamazepine"]),
        ("Meperidine Hydrochloride 50 MG Oral Tablet", ["Meperidine"]),
        ("Naproxen sodium 220 MG Oral Tablet", ["Naproxen"]),
        ("Penicillin V Potassium 500 MG Oral Tablet", ["Phenoxymethylpenicillin"]),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", ["Metformin"]),
        ("Metoprolol succinate ER 50 mg daily", ["Metoprolol"]),
        ("Coumadin 5mg", ["Warfarin"]),
        ("potassium chloride 20 mEq ER", ["Potassium chloride"]),
        ("sacubitril-valsartan 49/51", ["Sacubitril", "Valsartan"]),
        ("阿司匹林肠溶片 100mg", ["Aspirin"]),
        ("盐酸二甲双胍片 0.5g", ["Metformin"]),
        ("Foobarium 5 MG Oral Tablet", []),
        ("", []),
    ],
)
def test_names_as_records_write_them(label: str, drugs: list[str]) -> None:
    assert [drug.label for drug in load_names().of(label)] == drugs


def test_every_medication_of_the_synthea_records_is_known(shared: Path) -> None:
    labels: set[str] = set()
    for file in sorted((shared / "notes" / "synthea_fhir").glob("*.gz")):
        for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]:
            if entry["resource"]["resourceType"] == "MedicationRequest":
                labels.add(entry["resource"]["medicationCodeableConcept"]["text"])
    assert labels
    assert [label for label in sorted(labels) if not load_names().of(label)] == []
