"""Draft reports: nothing that the record doesn't say, nothing weighty left out, every sentence with its source."""

import json
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from osler.clinic.reports import Report, draft, kinds
from osler.clinic.reports.facts import printed_unit
from osler.clinic.reports.write import write
from osler.errors import InputError
from osler.reasoning.resources import Resources, Run
from osler.record import read, read_text
from osler.settings import Settings, load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"
DIALOGUE = """Doctor: Good morning. What brings you in today?
Patient: I have had a cough for three weeks and I feel tired.
Doctor: Any fever?
Patient: No, no fever.
Doctor: Are you allergic to anything?
Patient: Penicillin gives me a rash.
Doctor: Your lungs are clear and your blood pressure is 128 over 76.
Doctor: I think this is a viral bronchitis.
Doctor: We will get a chest X-ray and I want to see you again in two weeks.
Patient: Okay, thank you."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings({"home": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="module")
def resources(settings: Settings) -> Resources:
    return Resources(settings)


def made(kind: str, case: Any, resources: Resources, language: Any = None) -> Report:
    return draft(kinds(resources.settings)[kind], case, Run(resources, "report"), language or case.language)


def said(report: Report, key: str) -> str:
    return " ".join(s.text for part in report.sections if part.key == key for s in part.statements)


def test_a_visit_note_quotes_who_said_what_under_its_heading(resources: Resources) -> None:
    report = made("visit-note", read_text(DIALOGUE, "dialogue"), resources)
    assert "Patient: I have had a cough for three weeks" in said(report, "subjective")
    assert "Doctor: Any fever? Patient: No, no fever." in said(report, "subjective")
    assert "Penicillin gives me a rash" in said(report, "subjective")
    assert "128 over 76" in said(report, "objective")
    assert "viral bronchitis" in said(report, "assessment")
    assert "chest X-ray" in said(report, "plan")
    assert "thank you" not in report.model_dump_json()


@pytest.mark.parametrize("kind", ["visit-note", "discharge-summary", "referral", "handover", "patient-summary"])
@pytest.mark.parametrize("name", ["cough-and-fever.dialogue.txt", "chest-pain.zh.txt", "arterial-rupture.txt"])
def test_every_sentence_of_a_text_is_in_the_text(kind: str, name: str, resources: Resources) -> None:
    case = read(EXAMPLES / name)
    report = made(kind, case, resources)
    known = {item.id: item for item in report.evidence}
    source = "".join(case.documents[0].text.split())
    statements = [s for part in report.sections for s in part.statements]
    assert statements
    for statement in statements:
        assert statement.verdict == "supported", statement.text
        assert statement.evidence
        for id in statement.evidence:
            if known[id].kind == "record" and known[id].source.start is not None:
                start, end = known[id].source.start, known[id].source.end
                assert "".join(case.documents[0].text[start:end].split()) in source


@pytest.mark.parametrize("kind", ["discharge-summary", "referral", "handover", "patient-summary", "problem-list"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_record_is_worded_from_its_elements(kind: str, language: Any, resources: Resources) -> None:
    report = made(kind, read(EXAMPLES / "hypertension.fhir.json"), resources, language)
    ids = {item.id for item in report.evidence}
    for part in report.sections:
        for statement in part.statements:
            assert statement.verdict == "supported", statement.text
            assert ids.issuperset(statement.evidence) and statement.evidence


def bundle(**elements: Any) -> bytes:
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-02-03"}
    entries = [patient, *({"resourceType": kind, **rest} for kind, rest in elements.items())]
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in entries]}
    ).encode()


ALLERGY = {
    "patient": {"reference": "Patient/p"},
    "code": {"text": "Penicillin V"},
    "criticality": "high",
    "reaction": [{"manifestation": [{"text": "anaphylaxis"}]}],
}
POTASSIUM = {
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "code": {"text": "Potassium"},
    "valueQuantity": {"value": 6.4, "unit": "mmol/L", "code": "mmol/L", "system": "http://unitsofmeasure.org"},
    "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.1}}],
    "effectiveDateTime": "2026-01-05",
}


def test_an_abnormal_result_says_so_with_its_range(resources: Resources) -> None:
    report = made("discharge-summary", read(bundle(Observation=POTASSIUM)), resources)
    assert "Potassium 6.4 mmol/L, above the usual range, usual range 3.5 to 5.1, 2026-01-05." in said(report, "course")


def test_what_a_template_has_no_place_for_is_named(resources: Resources) -> None:
    report = made("problem-list", read(bundle(Observation=POTASSIUM, AllergyIntolerance=ALLERGY)), resources)
    assert "Allergy to Penicillin V, with anaphylaxis, of high criticality." in said(report, "allergies")
    assert any("Potassium 6.4" in one.what and one.evidence for one in report.omissions)


def test_a_missing_element_is_said_to_be_missing(resources: Resources) -> None:
    report = made("discharge-summary", read(bundle(Observation=POTASSIUM)), resources)
    part = next(part for part in report.sections if part.key == "allergies")
    assert part.statements == [] and part.note == "Nothing was found for this section."
    assert any("Allergies" in one.what and not one.evidence for one in report.omissions)


def test_a_hospital_edits_a_template(tmp_path: Path) -> None:
    settings = load_settings({"home": str(tmp_path)})
    (tmp_path / "reports").mkdir()
    own = tmp_path / "reports" / "ward-note.toml"
    own.write_text(
        'about = "ours"\ntitle = { en = "Ward note", zh = "病房记录" }\n[[sections]]\nkey = "a"\n'
        'title = { en = "All", zh = "全部" }\ntopics = ["plan"]\n',
        encoding="utf-8",
    )
    assert kinds(settings)["ward-note"].sections[0].topics == ["plan"]
    own.write_text('about = "ours"\ntitel = 3\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"ward-note\.toml"):
        kinds(settings)


@pytest.mark.parametrize("ending", [".md", ".docx", ".json"])
def test_a_report_is_written_whole(ending: str, tmp_path: Path, resources: Resources) -> None:
    report = made("handover", read(bundle(Observation=POTASSIUM, AllergyIntolerance=ALLERGY)), resources)
    target = tmp_path / f"handover{ending}"
    write(report, target)
    if ending == ".docx":
        text = "\n".join(paragraph.text for paragraph in Document(str(target)).paragraphs)
    else:
        text = target.read_text(encoding="utf-8").replace("\\", "")
    assert "Potassium 6.4 mmol/L" in text and "Penicillin V" in text
    assert report.trace_id and report.trace_id in text


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("Cel", "°C"),
        ("mm[Hg]", "mmHg"),
        ("10*3/uL", "×10³/µL"),
        ("10*12/L", "×10¹²/L"),
        ("{score}", ""),
        ("{beats}/min", "/min"),
        ("m[IU]/L", "mIU/L"),
        ("umol/L", "µmol/L"),
        ("mmol/L", "mmol/L"),
        ("1", ""),
        (None, ""),
    ],
)
def test_units_are_written_as_clinicians_write_them(unit, written):
    assert printed_unit(unit) == written
