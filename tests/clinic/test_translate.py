"""Between English and Chinese: terms and headings always, sentences only if nothing of weight differs."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.scripted import ScriptedModel

from osler.cli import cli
from osler.clinic.reports import kinds
from osler.clinic.translate import differences, lines_of, translate
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.reasoning.resources import Resources, Run
from osler.settings import load_settings

SAME = [
    ("No fever, BP 150/90.", "无发热，血压150/90。"),
    ("He takes warfarin 5 mg daily.", "他每天服用华法林5mg。"),
    ("A man of 54 with chest pain since this morning.", "54岁男性，今晨起胸痛。"),
    ("Temperature 38.5 °C.", "体温38.5℃。"),
    ("Cough for 2 weeks.", "咳嗽2周。"),
    ("Her father had diabetes.", "其父患糖尿病。"),
    ("Bilateral crackles.", "双肺湿啰音。"),
    ("The patient denies chest pain, shortness of breath.", "患者否认胸痛、气短。"),
]
OTHER = [
    ("No fever.", "发热。", "HP:0001945"),
    ("He takes warfarin 5 mg daily.", "他每天服用华法林50mg。", "number"),
    ("He takes warfarin 5 mg daily.", "他每天服用华法林5g。", "number"),
    ("Swelling of the left leg.", "右腿肿胀。", "side left"),
    ("He takes aspirin.", "他服用布洛芬。", "drug"),
    ("Her father had diabetes.", "患者患糖尿病。", "family"),
    ("Crackles on both sides.", "肺部湿啰音。", "both sides"),
    ("Cough and fever.", "咳嗽。", "HP:0001945"),
]


@pytest.mark.parametrize(("english", "chinese"), SAME)
def test_the_same_in_both_languages(english: str, chinese: str) -> None:
    assert differences(english, chinese, load_recogniser()) == differences(chinese, english, load_recogniser()) == []


@pytest.mark.parametrize(("english", "chinese", "what"), OTHER)
def test_what_differs_is_named(english: str, chinese: str, what: str) -> None:
    found = differences(english, chinese, load_recogniser())
    assert any(what in one for one in found), found
    assert sorted(found) == sorted(differences(chinese, english, load_recogniser()))


def by(write, home: Path, text: str, target):
    settings = load_settings({"home": str(home), "models.language": "openai:http://127.0.0.1:9/v1#scripted"})
    run, model = Run(Resources(settings), "bench"), ScriptedModel(write)
    run.resources.__dict__["model"] = model
    return translate(lines_of(text, target, kinds(settings)), target, run)


def test_a_models_sentences_stand_only_where_nothing_differs(tmp_path: Path) -> None:
    answers = {**dict(SAME), "No rash.": "有皮疹。", "Call her.": "Call her."}
    text = "\n".join(answers)
    made = by(lambda request: answers[request.messages[-1].content], tmp_path, text, "zh")
    told = {one.text: one for one in made.sentences}
    assert all(told[english].translated == chinese for english, chinese in SAME)
    assert told["No rash."].translated is None and "HP:0000988" in told["No rash."].why
    assert told["Call her."].translated is None and "other language" in told["Call her."].why
    assert made.model is not None and f"{len(SAME)}" in made.notice


def test_without_a_privilege_headings_and_terms_are_put(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("A man with chest pain. No fever. He takes warfarin.")
    run = CliRunner().invoke
    said = json.loads(run(cli, ["translate", str(path), "--json"]).output)
    terms = [(term["text"], term["translated"]) for one in said["sentences"] for term in one["terms"]]
    assert ("chest pain", "胸痛") in terms and ("fever", "无发热") in terms and ("warfarin", "华法林") in terms
    assert said["withheld"] and all(one["translated"] is None for one in said["sentences"])
    report = tmp_path / "report.json"
    assert run(cli, ["report", "visit-note", str(path), "--to", str(report)]).exit_code == 0
    page = run(cli, ["translate", str(report), "--into", "zh"])
    assert page.exit_code == 0 and "门诊病历" in page.output and "主观资料" in page.output
    path.write_text("患者胸痛，无发热。")
    back = json.loads(run(cli, ["translate", str(path), "--json"]).output)
    assert back["target"] == "en" and "no fever" in str(back["sentences"])
