"""Allergies that texts state in words, and Chinese drug names in notes: from the text to the alert and the coverage."""

from pathlib import Path

import pytest

from osler.clinic.safety import DrugSafety, drug_safety
from osler.clinic.safety.stated_allergies import Allergen, allergies_of
from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
from osler.knowledge.graph import load_graph
from osler.record import read, read_text
from osler.record.case import Case
from osler.settings import Settings

EXAMPLES = Path(__file__).parents[3] / "examples"


def check(text: str) -> DrugSafety:
    return checked(read_text(text, kind="dialogue" if text.startswith("Doctor:") else "note"))


def checked(case: Case) -> DrugSafety:
    return drug_safety(case, findings_of(case, load_recogniser()), load_graph(), Settings(home=Path("unused")))


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Allergic to penicillin (anaphylaxis). Started amoxicillin today.", "contraindicated"),
        ("Penicillin allergy. Started amoxicillin today.", "major"),
        ("A penicillin-allergic man; amoxicillin was given.", "major"),
        ("Allergies: codeine, penicillin (rash). Takes amoxicillin.", "major"),
        ("Allergies:\n- Latex\n- Penicillin - hives\n\nMedications:\n- amoxicillin 500 mg", "major"),
        ("Hives from amoxicillin as a child. Now taking amoxicillin.", "major"),
        ("Sulfa causes a rash. On trimethoprim-sulfamethoxazole.", "major"),
        ("Possible penicillin allergy. Takes amoxicillin.", "major"),
        ("Anaphylaxis to ceftriaxone in 2019. Ceftriaxone was given today.", "contraindicated"),
        ("患者对青霉素过敏。予阿莫西林0.5g口服。", "major"),
        ("既往史：青霉素过敏史。给予阿莫西林胶囊。", "major"),
        ("过敏史：头孢、磺胺类药物。今日静滴头孢曲松。", "major"),
        (
            "Doctor: Are you allergic to anything?\nPatient: Penicillin. I got hives.\nPatient: I take amoxicillin.",
            "major",
        ),
        ("Doctor: Any allergies?\nPatient: No, except penicillin.\nDoctor: You take amoxicillin.", "major"),
        ("Doctor: Are you allergic to penicillin?\nPatient: Yes.\nDoctor: You take amoxicillin.", "major"),
        ("No penicillin allergy. Takes amoxicillin.", None),
        ("Not allergic to penicillin. Takes amoxicillin.", None),
        ("His mother is allergic to penicillin. He takes amoxicillin.", None),
        ("Family history: penicillin allergy in father.\nMedications: amoxicillin", None),
        ("If allergic to penicillin, stop. Takes amoxicillin.", None),
        ("Penicillin allergy was ruled out by testing. Takes amoxicillin.", None),
        ("母亲对青霉素过敏，患者服用阿莫西林。", None),
        ("否认青霉素过敏史。服用阿莫西林。", None),
        ("Doctor: Are you allergic to penicillin?\nPatient: No.\nDoctor: You take amoxicillin.", None),
    ],
)
def test_from_the_words_to_the_alert(text: str, severity: str | None) -> None:
    found = [alert for alert in check(text).alerts if alert.kind == "allergy"]
    assert [alert.severity for alert in found] == ([severity] if severity else [])
    for alert in found:
        assert ("possible" in alert.message) is text.startswith("Possible")


@pytest.mark.parametrize(
    "text",
    [
        "NKDA. Takes aspirin.",
        "No known drug allergies. Takes aspirin.",
        "Denies allergies. Takes aspirin.",
        "Allergies: none\nMedications: aspirin",
        "否认药物及食物过敏史，长期服用阿司匹林。",
        "过敏史：无。长期服用阿司匹林。",
        "Doctor: Any allergies?\nPatient: I don't think so.\nPatient: I take aspirin.",
    ],
)
def test_a_record_that_denies_allergies_is_told_from_one_that_is_silent(text: str) -> None:
    coverage = check(text).coverage
    assert "drug-allergy (the record states that there are none)" in coverage.checked
    assert "allergies" not in {gap.what for gap in coverage.not_checked}
    silent = check("Takes aspirin and warfarin.").coverage
    assert not any("allergy" in what for what in silent.checked)
    assert "allergies" in {gap.what for gap in silent.not_checked}


def test_an_unknown_allergen_is_a_gap_and_a_counted_one_is_counted() -> None:
    coverage = check("Allergies: penicillin, bee venom. Takes aspirin.").coverage
    assert "drug-allergy (1 allergy)" in coverage.checked
    assert "allergy: bee venom" in {gap.what for gap in coverage.not_checked}


def table() -> list[tuple[str, set[str]]]:
    """Statements of many note styles and what each says; the notation stands in the table's first line."""
    lines = (Path(__file__).parent / "allergy_statements.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return [(text.replace("\\n", "\n"), {part.strip() for part in said.split(";")}) for text, said in rows]


def notation(one: Allergen) -> str:
    named = "+".join(one.classes) or "+".join(drug.label.lower() for drug in one.drugs) or one.name.lower()
    return f"{named}{'~' * (one.kind == 'intolerance')}{'!' * one.severe}{'?' * (not one.certain)}"


@pytest.mark.parametrize(("text", "said"), table())
def test_statements_of_many_styles(text: str, said: set[str]) -> None:
    found = allergies_of(read_text(text, kind="note").documents[0])
    assert {*map(notation, found.stated), *(["none"] if found.denied else [])} == said - {"-"}


def test_names_are_the_words_alone() -> None:
    document = read_text("Allergies: penicillin (rash), sulfa - hives, codeine; on warfarin.", kind="note").documents[0]
    stated = allergies_of(document).stated
    assert [one.name for one in stated] == ["penicillin", "sulfa", "codeine"]
    assert all(document.text[one.start : one.end] == one.name for one in stated)


def test_the_example_dialogue_knows_the_allergy_of_the_patient() -> None:
    text = (EXAMPLES / "cough-and-fever.dialogue.txt").read_text(encoding="utf-8")
    alerts = check(text + "Doctor: I will give you amoxicillin today.\n").alerts
    assert [alert.drugs for alert in alerts if alert.kind == "allergy"] == [["Amoxicillin"]]
    assert ["Warfarin", "Clarithromycin"] in [alert.drugs for alert in alerts if alert.kind == "interaction"]
    assert not [alert for alert in checked(read(EXAMPLES / "chest-pain.zh.txt")).alerts if alert.kind == "allergy"]


def test_chinese_names_take_part_and_are_written_in_chinese() -> None:
    found = check("既往史：房颤，长期服用华法林。昨日起口服克拉霉素。曾服胺碘酮，已停用。")
    assert [alert.drugs for alert in found.alerts] == [["华法林", "克拉霉素"]]
    assert found.alerts[0].message.startswith("华法林 with 克拉霉素: ")
