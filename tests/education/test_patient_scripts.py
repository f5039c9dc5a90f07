"""Scripts from each kind of file, and what they must not hold."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from osler.education.patient import Script, read_script
from osler.education.patient.osce import read_osce
from osler.education.patient.script import names_one
from osler.errors import InputError

FORM = """
language = "en"
opening = "My head hurts."
diagnosis = "migraine"
[[facts]]
id = "site"
about = ["site", "headache"]
answer = "On the left."
"""
CASE: dict[str, Any] = {
    "id": "made",
    "OSCE_Examination": {
        "Patient_Actor": {
            "Demographics": "40-year-old woman",
            "History": "The patient reports a 3-day history of cough. She denies fever, chest pain, or weight loss.",
            "Past_Medical_History": "Takes lithium. She was told that it may be pneumonia.",
        },
        "Physical_Examination_Findings": {"Chest": {"Auscultation": "Crackles, consistent with pneumonia."}},
        "Test_Results": {"Chest_X-ray": {"Findings": "Pneumonia."}, "ECG": "Not performed"},
        "Correct_Diagnosis": "Pneumonia",
    },
}


def _written(folder: Path, text: str, name: str = "form.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_authors_form_is_read(tmp_path: Path) -> None:
    script = read_script(_written(tmp_path, FORM))
    assert script.id == "form" and script.facts[0].topics == ["site"]
    assert "HP:0002315" in script.facts[0].codes
    assert any(one.startswith("MONDO:") or one.startswith("HP:") for one in script.diagnosis_ids)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (FORM.replace("[[facts]]", "[facts]"), "facts"),
        (FORM.replace('opening = "My head hurts."', ""), "opening"),
        (FORM.replace('answer = "On the left."', ""), "facts[1].answer"),
        (FORM.replace('about = ["site", "headache"]', "about = []"), "facts[1].about"),
        (FORM.replace('language = "en"', 'personality = "loud"'), "personality"),
        (FORM + FORM[FORM.index("[[facts]]") :], "facts[2].id"),
        (FORM.replace('"migraine"', "4"), "diagnosis"),
        (FORM + 'status = "perhaps"', "status"),
        ("not = [toml", "form.toml"),
    ],
)
def test_a_wrong_form_says_which_file_and_field(wrong: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_script(_written(tmp_path, wrong))
    assert "form.toml" in str(error.value) and where in str(error.value)


def test_a_case_is_told_in_parts_in_the_patients_voice() -> None:
    script = read_osce(CASE, "made")
    told = {fact.answer: fact for fact in script.facts if fact.kind == "history"}
    assert told["For 3 days I've had cough."].topics[:2] == ["onset", "duration"]
    assert [fact.label for fact in told.values() if fact.status == "absent"] == ["fever", "chest pain", "weight loss"]
    assert told["Takes lithium."].topics == ["medicines"] if "Takes lithium." in told else "I take lithium." in told


def test_what_concludes_the_diagnosis_is_cut_out_and_what_was_not_done_is_no_result() -> None:
    script = read_osce(CASE, "made")
    results = {fact.label: fact.answer for fact in script.facts if fact.kind != "history"}
    assert results["Chest, Auscultation"] == "Crackles."
    assert "ECG" not in results
    assert not names_one(json.dumps([fact.answer for fact in script.facts]), script.sealed)


def test_no_shipped_case_tells_its_diagnosis(shared: Path) -> None:
    import gzip

    with gzip.open(shared / "qa" / "agentclinic_medqa.jsonl.gz", "rb") as lines:
        scripts = [read_osce(msgspec.json.decode(line), "agentclinic") for line in lines]
    assert len(scripts) == 202
    for script in scripts:
        assert not names_one(script.opening, script.sealed), script.id
        assert not any(names_one(fact.answer, script.sealed) for fact in script.facts), script.id
        assert any(fact.kind == "history" for fact in script.facts), script.id


def test_a_case_of_many_is_named_by_its_id(shared: Path) -> None:
    file = shared / "qa" / "agentclinic_medqa.jsonl.gz"
    assert read_script(f"{file}#agentclinic-medqa-018").diagnosis == "Uterine rupture"
    with pytest.raises(InputError, match="agentclinic-medqa-000"):
        read_script(file)
    with pytest.raises(InputError, match="'none'"):
        read_script(f"{file}#none")


def _packet(tmp_path: Path) -> Script:
    packet = {
        "id": "p",
        "subject": {"id": "x", "sex": "FEMALE"},
        "phenotypicFeatures": [
            {"type": {"id": "HP:0002321", "label": "Vertigo"}},
            {"type": {"id": "HP:0000360", "label": "Tinnitus"}, "excluded": True},
            {"type": {"id": "HP:0000365", "label": "Hearing impairment"}},
        ],
        "diseases": [{"term": {"id": "MONDO:0007972", "label": "Meniere disease"}}],
        "metaData": {},
    }
    return read_script(_written(tmp_path, json.dumps(packet), "p.json"))


def test_a_phenopacket_keeps_its_disease_for_the_examiner(tmp_path: Path) -> None:
    script = _packet(tmp_path)
    assert script.diagnosis_ids == ["MONDO:0007972"] and script.sex == "female"
    assert {fact.codes[0]: fact.status for fact in script.facts} == {
        "HP:0002321": "present",
        "HP:0000360": "absent",
        "HP:0000365": "present",
    }
    assert not names_one(json.dumps([fact.answer for fact in script.facts]), script.sealed)


def test_the_problem_list_does_not_leak_the_diagnosis_that_is_asked_for() -> None:
    example = Path(__file__).parents[2] / "examples" / "hypertension.fhir.json"
    script = read_script(example, "Hypertension")
    said = json.dumps([script.opening, *(fact.answer for fact in script.facts)])
    assert "ypertension" not in said and "fracture of clavicle" in said.lower()
    assert any(fact.kind == "examination" and "Blood Pressure" in fact.label for fact in script.facts)


def test_a_record_without_a_diagnosis_asks_for_one() -> None:
    example = Path(__file__).parents[2] / "examples" / "arterial-rupture.phenopacket.json"
    with pytest.raises(InputError, match="--diagnosis"):
        read_script(example)
