"""Metrics against values worked out by hand, and the two rule readers on their own labelled sets."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.scripted import ScriptedModel

from osler.bench.metrics.chest_labels import chest_labels, label_f1
from osler.bench.metrics.refusal import refuses
from osler.bench.metrics.texts import (
    common_subsequence,
    concept_f1,
    concepts_of,
    likeness,
    rouge,
    support_rate,
)
from osler.bench.tasks.rubric import Criterion, judge, rubric_score
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.models.embedder import load_embedder
from osler.splits import split

HERE = Path(__file__).parent


def labelled(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("said", "wanted", "one", "two", "longest"),
    [
        # 5 of 6 words, 3 of 5 pairs, "the cat on the mat"
        ("the cat sat on the mat", "the cat is on the mat", 5 / 6, 3 / 5, 5 / 6),
        ("Fever, cough.", "cough and FEVER", 2 * 2 / 5, 0.0, 2 * 1 / 5),
        ("a a a", "a", 2 * 1 / 4, 0.0, 2 * 1 / 4),
        ("右肺肺炎", "右肺炎症", 3 / 4, 2 / 3, 3 / 4),
        ("", "fever", 0.0, 0.0, 0.0),
        ("no words in common", "fever", 0.0, 0.0, 0.0),
    ],
)
def test_rouge(said: str, wanted: str, one: float, two: float, longest: float) -> None:
    assert rouge(said, wanted) == pytest.approx({"ROUGE-1": one, "ROUGE-2": two, "ROUGE-L": longest})


def test_the_longest_common_subsequence_is_that_of_the_table() -> None:
    draw = np.random.default_rng(0)
    for _ in range(30):
        first, second = (list(draw.choice(list("abcd"), size=draw.integers(1, 40))) for _ in range(2))
        table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
        for i, a in enumerate(first):
            for j, b in enumerate(second):
                table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
        assert common_subsequence(first, second) == table[-1][-1]


def test_likeness_is_one_for_the_same_sentences_in_any_order_and_less_for_others() -> None:
    embedder = load_embedder()
    told = "She has a fever. Her left knee is swollen."
    assert likeness(told, "Her left knee is swollen. She has a fever.", embedder) == pytest.approx(1.0, abs=1e-3)
    near = likeness("The patient is febrile.", told, embedder)
    far = likeness("The train leaves at noon.", told, embedder)
    assert near is not None and far is not None and 1 > near > far
    assert likeness("", told, embedder) is None


def test_concepts_count_with_status_and_person() -> None:
    recogniser = load_recogniser()
    reference = concepts_of("Fever. No cough. Father had asthma.", recogniser)
    # fever agrees; the cough has another status; the asthma is the patient's
    candidate = concepts_of("Fever. Cough. Asthma.", recogniser)
    assert {("HP:0001945", "present", "patient"), ("HP:0012735", "absent", "patient")} <= reference
    shared = {code for code, _, _ in candidate & reference}
    assert shared == {"HP:0001945"}
    assert concept_f1(candidate, reference) == pytest.approx(2 / (len(candidate) + len(reference)))
    assert concept_f1(frozenset(), frozenset()) is None
    asked = concepts_of("Doctor: Any fever?\nPatient: No.\nDoctor: Do you cough?\nPatient: Yes.", recogniser)
    assert {("HP:0001945", "absent", "patient"), ("HP:0012735", "present", "patient")} <= asked
    assert concepts_of('{"note": "Fever."}', recogniser) == {("HP:0001945", "present", "patient")}


def test_support_rate() -> None:
    source = "The patient has had a fever for three days. He takes metformin 500 mg."
    assert support_rate("He takes metformin 500 mg. He takes warfarin.", source) == 0.5
    assert support_rate("  ", source) is None


CRITERIA = [Criterion("says rest", 4), Criterion("names warning signs", 6), Criterion("advises aspirin", -5)]


@pytest.mark.parametrize(
    ("met", "score"),
    [
        ([True, True, False], 1.0),
        ([True, False, False], 0.4),
        ([True, True, True], 0.5),
        ([False, False, True], 0.0),  # -5 of 10, cut
        ([True, None, False], None),
    ],
)
def test_rubric_score(met: list[bool | None], score: float | None) -> None:
    assert rubric_score(CRITERIA, met) == score


def test_a_judge_that_writes_rubbish_judges_nothing() -> None:
    answers = iter(['{"met": true}', "yes", '{"met": "true"}', "[]", '{"met": false}'])
    judging = ScriptedModel(lambda request: next(answers))
    criteria = [Criterion(f"criterion {n}", 1) for n in range(5)]
    assert judge("How?", "So.", criteria, judging) == [True, None, None, None, False]
    assert "<criterion>criterion 3</criterion>" in judging.seen[3].messages[1].content
    assert judging.seen[0].json_schema is not None


def test_refusals_are_read() -> None:
    """All 56 of its own set, on which the rule was written."""
    wrong = [row["text"] for row in labelled("refusals.jsonl") if refuses(str(row["text"])) != row["refuses"]]
    assert wrong == []
    assert not refuses("First take water. " * 30 + "I cannot help with that.")  # not in the opening


def test_chest_labels() -> None:
    report = "INDICATION: rule out pneumothorax. FINDINGS: Heart size normal. Small effusion, possible pneumonia. PICC."
    assert chest_labels(report) == {
        "Cardiomegaly": "absent",
        "Pleural Effusion": "present",
        "Pneumonia": "uncertain",
        "Support Devices": "present",
    }
    assert chest_labels("No acute findings.") == {"No Finding": "present"}


def test_label_f1_by_hand() -> None:
    said = [{"Edema": "present", "Fracture": "present"}, {"Edema": "absent"}, {"No Finding": "present"}]
    wanted = [{"Edema": "present"}, {"Edema": "present"}, {"No Finding": "present"}]
    found = label_f1(said, wanted)  # type: ignore[arg-type]
    assert found == {"Edema": pytest.approx(2 / 3), "No Finding": 1.0, "macro": pytest.approx(5 / 6), "micro": 2 / 3}


@pytest.mark.parametrize(
    ("part", "status", "least"),  # measured: report 52 texts, .96 present, .98 absent, .78 uncertain (macro)
    [("report", "present", 0.93), ("report", "absent", 0.93), ("report", "uncertain", 0.7), ("tune", "present", 0.9)],
)
def test_the_labeller_on_its_own_set(part: str, status: str, least: float) -> None:
    rows = [row for row in labelled("chest_labels.jsonl") if split("chest_labels", str(row["text"])) == part]
    assert len(rows) >= 30
    found = label_f1([chest_labels(str(row["text"])) for row in rows], [row["labels"] for row in rows], status)  # type: ignore[misc,arg-type]
    assert found["macro"] >= least
