"""Phenopackets: v2 in both spellings, v1's negation, and the diagnosis kept apart."""

import json
from pathlib import Path
from typing import Any

import pytest

from osler.errors import InputError
from osler.record import Case, read, read_text
from osler.record.phenopacket import DIAGNOSIS

DATA = Path(__file__).parent / "data"


def packet(*features: Any, **fields: Any) -> Case:
    return read_text(json.dumps({"subject": {"id": "a"}, "phenotypicFeatures": list(features), **fields}))


def test_camel_case() -> None:
    case = read(DATA / "retinoblastoma.json")
    assert [(one.code, one.status, one.source) for one in case.findings] == [
        ("HP:0030084", "present", "phenotypicFeatures[0]"),
        ("HP:0000555", "present", "phenotypicFeatures[1]"),
        ("HP:0000486", "present", "phenotypicFeatures[2]"),
        ("HP:0000541", "absent", "phenotypicFeatures[3]"),
    ]
    assert (case.patient.sex, case.patient.age, case.onset) == ("female", "P6M", "P3M")
    pressure, tumour = case.observations
    assert (pressure.value, pressure.unit, pressure.low, pressure.high) == (15.0, "mm[Hg]", 10.0, 21.0)
    assert (tumour.text, tumour.time) == ("Present", "2021-04-05T09:10:00+02:00")
    assert (case.medications[0].label, case.medications[0].reason) == ("melphalan", "Retinoblastoma")
    assert case.procedures[0].started == case.reference_time == "2021-05-02T10:00:00Z"
    paths = {row.path: row.count for row in case.unread}
    assert {"phenotypicFeatures[*].modifiers x 2", "phenotypicFeatures[*].severity x 1", "biosamples x 1"} <= set(paths)


def test_the_diagnosis_is_kept_apart_from_the_findings() -> None:
    case = read(DATA / "retinoblastoma.json")
    assert {one.category for one in case.conditions} == {DIAGNOSIS}
    assert {one.label: one.verification for one in case.conditions} == {
        "retinoblastoma": None,
        "Coats disease": "refuted",
        "Retinoblastoma": None,
    }
    assert not any(one.code.startswith(("MONDO", "NCIT")) for one in case.findings)


def test_snake_case_and_the_age_by_dates() -> None:
    case = read(DATA / "marfan_snake_case.json")
    assert len(case.findings) == 5 and [one.label for one in case.findings if one.status == "absent"] == ["Bifid uvula"]
    assert (case.patient.age, case.patient.birth_date, case.patient.deceased) == ("P24Y", "1998-03-12", False)
    assert case.reference_time == "2022-09-01T08:00:00+02:00"
    assert case.onset == "HP:0011463"  # childhood begins before the age of eleven
    assert case.findings[2].text == "Z score 4.1" and case.findings[3].time == "historical"


def test_negation_of_version_1_and_doubtful_negation() -> None:
    term = {"type": {"id": "HP:0001250", "label": "Seizure"}}
    case = packet({**term, "negated": True}, {**term, "excluded": "true"}, {**term, "excluded": False})
    assert [one.status for one in case.findings] == ["absent", "present"]
    assert "neither true nor false" in case.unread[0].reason and case.unread[0].path == "phenotypicFeatures[1].excluded"


def test_what_cannot_be_used_is_reported() -> None:
    case = packet(
        {}, {"type": {"id": 7}}, "x", {"type": {"id": "seizure"}}, subject={"id": 3, "sex": "M"}, files=[{"uri": "f"}]
    )
    assert case.findings == [] and case.patient.sex is None
    paths = {row.path for row in case.unread}
    assert paths >= {
        "phenotypicFeatures[0]",
        "phenotypicFeatures[1].type.id",
        "phenotypicFeatures[2]",
        "phenotypicFeatures[3].type.id",
        "subject.id",
        "subject.sex",
        "files x 1",
    }


@pytest.mark.parametrize(("wrapper", "what"), [("proband", "Family"), ("members", "Cohort")])
def test_families_and_cohorts_are_refused(wrapper: str, what: str) -> None:
    with pytest.raises(InputError, match=f"{what}.*one person"):
        read_text(json.dumps({wrapper: {}, "metaData": {}}))


def test_animals_are_reported() -> None:
    case = packet(subject={"id": "d", "taxonomy": {"id": "NCBITaxon:9615", "label": "dog"}})
    assert any("no human" in row.reason for row in case.unread)
