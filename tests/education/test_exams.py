"""Exams by blueprint: what was asked for, none twice, none that a reviewer rejected; paper, table and Anki."""

import csv
import io
import json

import docx
import pytest
from click.testing import CliRunner

from osler.cli import cli
from osler.clinic import feedback
from osler.clinic.desk import Desk
from osler.education.cards.anki import read_apkg
from osler.education.exams import Blueprint, make_exam, read_blueprint, write
from osler.education.exams.exam import review_queue
from osler.errors import InputError
from osler.nouns import Principal
from osler.settings import load_settings
from osler.trust.replay import replay

PLAN = """
title = "Chest medicine"
[[part]]
topic = "asthma"
n = 2
level = "apply"
[[part]]
topic = "asthma"
n = 2
[[part]]
topic = "Marfan syndrome"
n = 1
kind = "short-answer"
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(load_settings({"home": str(tmp_path_factory.mktemp("exams"))}), who="an educator")


@pytest.fixture(scope="module")
def blueprint(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(PLAN)
    return read_blueprint(path)


@pytest.fixture(scope="module")
def exam(desk, blueprint):
    return make_exam(blueprint, desk)


def test_what_was_asked_for_and_nothing_twice(exam):
    assert [(section.asked, len(section.items)) for section in exam.sections] == [(2, 2), (2, 2), (1, 1)]
    assert {item.level for item in exam.sections[0].items} == {"apply"}
    assert exam.sections[2].items[0].kind == "short-answer"
    stems = [item.stem for item in exam.items]
    assert len(set(stems)) == len(stems)
    assert {one for item in exam.items for one in item.evidence} == {item.id for item in exam.evidence}


def test_a_rejected_item_is_left_out_and_the_exam_replays(desk, blueprint, exam):
    first = exam.items[0]
    said = {"trace_id": exam.trace_id, "statement": first.stem, "verdict": "wrong", "reason": "not for our students"}
    with pytest.raises(InputError, match="no such statement"):
        feedback.keep(desk, {**said, "statement": "another"}, Principal(id="an educator"))
    feedback.keep(desk, said, Principal(id="an educator", roles=["educator"]))
    waiting = review_queue(desk)
    assert {one.item.stem for one in waiting} == {item.stem for item in exam.items} - {first.stem}
    assert all(one.entry == exam.trace_id and one.evidence for one in waiting)
    again = make_exam(blueprint, desk)
    assert first.stem not in [item.stem for item in again.items]
    assert replay(exam.trace_id, desk.settings).same
    assert replay(again.trace_id, desk.settings).same


def test_the_paper_keeps_the_key_behind_the_questions(exam, desk):
    lines = [line.text for line in docx.Document(io.BytesIO(write(exam, ".docx", desk.settings))).paragraphs]
    key = lines.index("Key and explanations")
    for number, item in enumerate(exam.items, start=1):
        at = lines.index(f"{number}. {item.stem}")
        assert at < key
        right = next(choice for choice in item.options if choice.correct)
        assert any(right.why in line for line in lines[key:])
        assert not any(right.why in line for line in lines[:key])
    assert any("CC BY" in line for line in lines[key:]), "the library's licence is named"


def test_the_table_computes_nothing(exam, desk):
    odd = exam.items[0].model_copy(update={"stem": "=1+1"})
    spoilt = exam.model_copy(update={"sections": [exam.sections[0].model_copy(update={"items": [odd]})]})
    rows = list(csv.DictReader(io.StringIO(write(spoilt, ".csv", desk.settings).decode("utf-8-sig"))))
    assert rows[0]["stem"] == "'=1+1"
    rows = list(csv.DictReader(io.StringIO(write(exam, ".csv", desk.settings).decode("utf-8-sig"))))
    assert len(rows) == 5 and rows[0]["key"][0] in "ABCD" and rows[4]["A"] == ""


def test_anki_gets_a_card_an_item(exam, desk, tmp_path):
    package = tmp_path / "exam.apkg"
    package.write_bytes(write(exam, ".apkg", desk.settings))
    made = read_apkg(package, desk.settings)
    assert [card.front.split("\n")[0] for card in made.cards] == [item.stem for item in exam.items]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title =", "not a TOML file"),
        ('title = "x"', "part"),
        ('title = "x"\n[[part]]\ntopic = "asthma"\nn = 0', "part.1.n"),
        ('title = "x"\n[[part]]\ntopic = "asthma"\nn = 1\nlevel = "evaluate"', "part.1.level"),
        ('title = "x"\n[[part]]\ntopic = "asthma"\nn = 1\nnumber = 2', "part.1.number"),
        ('title = "x"\n[[part]]\ntopic = "a"\nn = 200\n[[part]]\ntopic = "b"\nn = 200', "more than 300"),
    ],
)
def test_a_blueprint_that_is_none(tmp_path, text, said):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as raised:
        read_blueprint(path)
    assert raised.value.where == str(path)


def test_command(home, tmp_path):
    plan, paper = tmp_path / "plan.toml", tmp_path / "paper.docx"
    plan.write_text('title = "Short"\n[[part]]\ntopic = "asthma"\nn = 1\n')
    done = CliRunner().invoke(cli, ["learn", "exam", str(plan), "--to", str(paper), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sections"][0]["items"]
    assert paper.stat().st_size > 10_000
    wrong = CliRunner().invoke(cli, ["learn", "exam", str(plan), "--to", str(tmp_path / "paper.odt")])
    assert wrong.exit_code == 1


def test_topics_nobody_knows(desk):
    with pytest.raises(InputError, match="xyzzy"):
        make_exam(Blueprint(title="t", part=[{"topic": "xyzzy", "n": 1}]), desk)
