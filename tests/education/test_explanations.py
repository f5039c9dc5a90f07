"""Explanations: each level in its own words, each sentence cited, a patient's text easy to read, in two languages."""

import json

import pytest
from click.testing import CliRunner

from osler.cli import cli
from osler.education.explaining import LEVELS, explanation_of, readability
from osler.education.explaining.readability import grade, syllables
from osler.errors import InputError
from osler.ledger import Ledger
from osler.reasoning.resources import Resources, Run
from osler.reasoning.verify import verify
from osler.settings import load_settings
from osler.trust.replay import replay

TOPICS = ["asthma", "myocardial infarction", "warfarin", "fever", "糖尿病", "哮喘"]


@pytest.fixture(scope="module")
def resources(tmp_path_factory):
    return Resources(load_settings({"home": str(tmp_path_factory.mktemp("explaining"))}, environment={}))


@pytest.fixture(scope="module")
def explained(resources):
    return {
        (topic, level): explanation_of(topic, Run(resources, "explain"), level) for topic in TOPICS for level in LEVELS
    }


def sentences_of(made):
    return [statement for section in made.sections for statement in section.statements]


def test_every_sentence_is_cited_and_said_once(explained):
    for (topic, _), made in explained.items():
        held = {item.id: item for item in made.evidence}
        texts = [one.text for one in sentences_of(made)]
        assert texts and len(set(texts)) == len(texts), topic
        for one in sentences_of(made):
            assert one.evidence and set(one.evidence) <= held.keys()
            passages = [held[id] for id in one.evidence if held[id].kind == "passage"]
            if passages:
                assert one.text in passages[0].text
                assert verify(one.text, passages).verdict == "supported"


def test_the_language_is_that_of_the_topic_or_the_one_asked_for(explained, resources):
    for (topic, _), made in explained.items():
        chinese = topic in ("糖尿病", "哮喘")
        assert made.language == ("zh" if chinese else "en")
        assert all(any("\u4e00" <= c <= "\u9fff" for c in one.text) == chinese for one in sentences_of(made))
    made = explanation_of("asthma", Run(resources, "explain"), "student", "zh")
    assert "呼吸困难" in "".join(one.text for one in sentences_of(made)) and made.missing


def test_levels_differ_in_words_and_facts(explained):
    told = {level: " ".join(one.text for one in sentences_of(explained["asthma", level])) for level in LEVELS}
    assert "shortness of breath" in told["patient"] and "dyspnea" not in told["patient"]
    assert "dyspnea" in told["student"] and "very frequent" not in told["student"]
    assert "(very frequent)" in told["resident"]
    assert "filed under" in told["specialist"] and "asthma (very" not in told["specialist"]


def test_a_patient_text_is_easier_than_a_student_text(explained):
    for topic in ("asthma", "myocardial infarction"):
        patient, student = (explained[topic, level].readability for level in ("patient", "student"))
        assert patient.value < student.value, topic
        assert patient.measure == "flesch_kincaid_grade" and patient.aim == 8.0


def test_terms_are_linked_with_the_graph(explained, resources):
    terms = explained["asthma", "student"].terms
    assert {"HP:0002094", "HP:0030828"} <= {term.code for term in terms}
    text = " ".join(one.text for one in sentences_of(explained["asthma", "student"]))
    for term in terms:
        assert term.text in text and resources.graph.find(term.code) is not None
    assert len({term.text.lower() for term in terms}) == len(terms)
    assert not {"more", "asthma"} & {term.text.lower() for term in terms}


def test_what_nobody_knows_is_refused(resources):
    for topic in ("", "  ", "florbnax syndrome of the moon"):
        with pytest.raises(InputError):
            explanation_of(topic, Run(resources, "explain"), "patient")


@pytest.mark.parametrize(
    ("word", "count"),
    [("the", 1), ("asthma", 2), ("medicine", 3), ("disease", 2), ("people", 2), ("pneumonia", 3), ("caused", 1),
     ("diarrhea", 3), ("area", 3), ("treated", 2), ("symptoms", 2), ("hypertension", 4), ("breathing", 2)],
)  # fmt: skip
def test_syllables(word, count):
    assert abs(syllables(word) - count) <= (1 if word in ("pneumonia", "diarrhea") else 0)


def test_grades():
    easy, hard = "The cat sat on the mat.", "Pathophysiological considerations necessitate individualised management."
    assert grade(easy) < 2 < 15 < grade(hard)
    assert readability(["哮喘是一种慢性病。", "要按时用药。"], "zh").value == 6.5
    assert readability([], "en").value == 0


def test_the_command_keeps_it_in_the_ledger_and_it_replays(tmp_path):
    settings = load_settings({"home": str(tmp_path)}, environment={})
    environment = {"OSLER_HOME": str(tmp_path)}
    done = CliRunner().invoke(cli, ["learn", "explain", "gout", "--level", "resident", "--json"], env=environment)
    made = json.loads(done.stdout)
    assert done.exit_code == 0 and Ledger.open(settings).entry(made["trace_id"]).kind == "explain"
    assert replay(made["trace_id"], settings).same
    shown = CliRunner().invoke(cli, ["learn", "explain", "gout"], env=environment)
    assert shown.exit_code == 0 and "For professional review" in shown.stdout and "grade" in shown.stdout
    cards = CliRunner().invoke(cli, ["learn", "cards", "add", "--from", made["trace_id"], "--json"], env=environment)
    assert cards.exit_code == 0, cards.output
    unknown = CliRunner().invoke(cli, ["learn", "explain", "florbnax"], env=environment)
    assert isinstance(unknown.exception, InputError) and "florbnax" in str(unknown.exception)
