"""Checks that the red-flag notes and the vignettes are well formed: fields, slugs, unique ids, enough of each class.

It says nothing about whether a label is clinically right, and runs no rule and no ranker.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CONDITIONS = set(
    """
    acute-coronary-syndrome aortic-dissection pulmonary-embolism cardiac-tamponade cardiogenic-shock
    ventricular-arrhythmia-syncope complete-heart-block hypertensive-emergency acute-limb-ischaemia
    ruptured-aortic-aneurysm acute-pulmonary-oedema tension-pneumothorax severe-asthma respiratory-failure
    foreign-body-airway epiglottitis anaphylaxis angioedema-airway massive-haemoptysis sepsis septic-shock
    meningitis meningococcal-rash encephalitis necrotising-fasciitis neutropenic-fever epidural-abscess
    septic-arthritis fever-infant-under-3-months febrile-returning-traveller-malaria toxic-shock stroke tia
    subarachnoid-haemorrhage raised-intracranial-pressure status-epilepticus first-seizure-pregnancy-eclampsia
    preeclampsia cauda-equina spinal-cord-compression guillain-barre-respiratory head-injury-anticoagulant
    acute-angle-closure central-retinal-artery-occlusion orbital-cellulitis giant-cell-arteritis
    retinal-detachment ectopic-pregnancy placental-abruption postpartum-haemorrhage ovarian-torsion
    testicular-torsion acute-abdomen-peritonitis bowel-obstruction mesenteric-ischaemia upper-gi-bleed
    acute-pancreatitis-severe ascending-cholangitis appendicitis strangulated-hernia intussusception
    neonatal-bilious-vomiting diabetic-ketoacidosis hypoglycaemia-severe hyperkalaemia adrenal-crisis
    thyroid-storm myxoedema-coma hyponatraemia-severe hypercalcaemia-crisis heat-stroke hypothermia
    carbon-monoxide-poisoning paracetamol-overdose opioid-overdose tricyclic-overdose serotonin-syndrome
    neuroleptic-malignant-syndrome alcohol-withdrawal-delirium wernicke suicidal-intent
    acute-psychosis-harm-to-others child-non-accidental-injury domestic-violence-danger compartment-syndrome
    open-fracture major-burns-airway dehydration-infant-severe kawasaki-disease acute-liver-failure
    acute-kidney-injury-anuria stevens-johnson sudden-vision-loss sudden-hearing-loss hiv-needlestick-window
    tetanus-or-rabies-exposure
    """.split()
)
STYLES = {"triage", "consultation", "ward", "call", "referral"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _items(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=["red_flags.jsonl", "red_flags_2.jsonl", "red_flags_3.jsonl"])
def notes(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return _items(request.param)


@pytest.fixture(scope="module")
def vignettes() -> list[dict[str, Any]]:
    return _items("vignettes.jsonl")


def test_note_fields_are_valid_and_ids_and_texts_unique(notes: list[dict[str, Any]]) -> None:
    fields = {"id", "language", "condition", "expected", "acceptable", "polarity", "text"}
    for note in notes:
        assert set(note) == (fields | {"style"} if note["id"].startswith("rf3-") else fields), note["id"]
        assert note["polarity"] in {"positive", "negative"}, note["id"]
        assert note["condition"] in CONDITIONS | {"none"}, note["id"]
        assert note["language"] == ("zh" if CHINESE.search(note["text"]) else "en"), note["id"]
    assert len({note["id"] for note in notes}) == len(notes)
    assert len({note["text"] for note in notes}) == len(notes)


def test_note_labels_come_from_the_list_and_agree_with_the_polarity(notes: list[dict[str, Any]]) -> None:
    for note in notes:
        labels = note["expected"] + note["acceptable"]
        assert set(labels) <= CONDITIONS, note["id"]
        assert len(set(labels)) == len(labels), note["id"]
        assert (note["condition"] in note["expected"]) == (note["polarity"] == "positive"), note["id"]
        assert note["condition"] not in note["acceptable"], note["id"]
        if note["condition"] == "none":
            assert note["polarity"] == "negative" and not labels, note["id"]


@pytest.mark.parametrize(
    ("name", "language", "least"), [("red_flags", None, 2), ("red_flags_2", "en", 1), ("red_flags_3", None, 1)]
)
def test_every_condition_has_both_polarities_and_there_are_enough_notes(
    name: str, language: str | None, least: int
) -> None:
    notes = _items(f"{name}.jsonl")
    counts = Counter((note["condition"], note["polarity"]) for note in notes if language in {None, note["language"]})
    for condition in CONDITIONS:
        for polarity in ("positive", "negative"):
            assert counts[condition, polarity] >= least, (condition, polarity)
    counts = Counter((note["condition"], note["polarity"]) for note in notes)
    assert counts["none", "negative"] >= 20
    chinese = Counter(note["polarity"] for note in notes if note["language"] == "zh")
    assert chinese["positive"] >= 20
    assert chinese["negative"] >= 20


def test_the_third_set_mixes_styles_languages_and_polarities() -> None:
    notes = _items("red_flags_3.jsonl")
    assert {note["style"] for note in notes} == STYLES
    counts = Counter((note["style"], note["language"], note["polarity"]) for note in notes)
    for style in STYLES:
        for language in ("en", "zh"):
            for polarity in ("positive", "negative"):
                assert counts[style, language, polarity] >= 5, (style, language, polarity)


def test_the_sets_of_notes_share_no_id_and_no_text() -> None:
    notes = _items("red_flags.jsonl") + _items("red_flags_2.jsonl") + _items("red_flags_3.jsonl")
    for field in ("id", "text"):
        assert len({note[field] for note in notes}) == len(notes), field


def test_vignette_fields_are_valid_and_ids_unique(vignettes: list[dict[str, Any]]) -> None:
    fields = {"id", "language", "age", "sex", "text", "diagnosis", "accept", "rare"}
    for case in vignettes:
        assert set(case) == fields, case["id"]
        assert case["language"] == "en", case["id"]
        assert re.fullmatch(r"P\d+[YMW]", case["age"]), case["id"]
        assert case["sex"] in {"female", "male"}, case["id"]
        assert case["rare"] is False, case["id"]
        assert case["diagnosis"] not in case["accept"], case["id"]
    assert len(vignettes) >= 70
    for field in ("id", "text", "diagnosis"):
        assert len({case[field] for case in vignettes}) == len(vignettes), field


def test_vignettes_have_four_to_eight_sentences_and_hide_the_diagnosis(
    vignettes: list[dict[str, Any]],
) -> None:
    for case in vignettes:
        assert 4 <= len(re.split(r"(?<=[.!?])\s+(?=[A-Z\d])", case["text"])) <= 8, case["id"]
        for name in [case["diagnosis"], *case["accept"]]:
            assert not re.search(rf"\b{re.escape(name)}\b", case["text"], re.IGNORECASE), (case["id"], name)
