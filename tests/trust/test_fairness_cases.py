"""The consult asked of the same record of other people: nothing moves for race, what moves for the sex is told."""

import json
from pathlib import Path

import pytest

from osler.errors import InputError
from osler.settings import Settings, load_settings
from osler.trust.fairness_cases import case_rows

NOTE = (
    "A 54-year-old man with chest pain radiating to the left arm, sweating and nausea. He takes warfarin and ibuprofen."
)


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings()


def test_a_consult_does_not_hang_on_race_or_insurance(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "note.txt").write_text(NOTE, encoding="utf-8")
    rows = {row.metric: row for row in case_rows([tmp_path / "note.txt"], settings, ["race", "sex"])}
    assert rows["red flags changed: race"].n == 5 and rows["red flags changed: sex"].n == 1  # he is a man already
    assert [name for name, row in rows.items() if "race" in name and row.value] == []
    assert rows["alerts changed: sex"].value == rows["red flags changed: sex"].value == 0
    assert {row.task for row in rows.values()} == {"consult"}


def test_fields_of_fhir_are_changed(tmp_path: Path, settings: Settings) -> None:
    patient = {"resourceType": "Patient", "id": "1", "gender": "male", "birthDate": "1950-01-01"}
    condition = {"resourceType": "Condition", "code": {"text": "Hypertension"}, "subject": {"reference": "Patient/1"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, {"resource": condition}]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    rows = case_rows([tmp_path / "bundle.json"], settings, ["sex"])
    assert {row.n for row in rows} == {1}


def test_what_is_not_there_is_named(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="no attribute 'shoe size'"):
        case_rows([], settings, ["shoe size"])
    with pytest.raises(InputError, match=r"gone\.txt"):
        case_rows([tmp_path / "gone.txt"], settings)
    (tmp_path / "broken.json").write_text('{"resourceType": ', encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.json.*malformed JSON"):
        case_rows([tmp_path / "broken.json"], settings, ["sex"])
