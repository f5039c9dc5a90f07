"""Contamination: shared runs of 13 words are found in JSON Lines and prose, English and Chinese."""

import json
from pathlib import Path

import pytest

from osler.bench.leak import find_leaks
from osler.bench.tasks import find_task
from osler.errors import InputError

LONG = "A 54-year-old man with known gout comes to the clinic because of a swollen left knee and fever since yesterday"
CHINESE = "患者男性五十四岁因左膝关节红肿疼痛伴发热一天来诊"


@pytest.fixture
def quiz(tmp_path: Path) -> Path:
    rows = [
        {"id": "en", "question": LONG + "?", "options": ["gout", "sepsis"], "answer": 0},
        {"id": "zh", "question": CHINESE, "options": ["痛风", "感染"], "answer": 0},
        {
            "id": "other",
            "question": "Which of these drugs lowers uric acid by blocking the enzyme xanthine oxidase in man?",
            "options": ["allopurinol", "colchicine"],
            "answer": 0,
        },
        {"id": "short", "question": "Which one?", "options": ["a", "b"], "answer": 0},
    ]
    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_runs_of_thirteen_words_are_found(quiz: Path, tmp_path: Path) -> None:
    training = tmp_path / "train.jsonl"
    training.write_text(json.dumps({"instruction": "Diagnose.", "turns": [{"text": "Case: " + LONG.upper()}]}) + "\n")
    prose = tmp_path / "book.txt"
    prose.write_text(f"第一章\n\n{CHINESE[:-2]}，\n另见。\n\nUric acid is made by the enzyme xanthine oxidase.\n")
    task = find_task(str(quiz))
    found = find_leaks(task, tmp_path, [training, prose])
    assert (found.leaked, found.clean, found.short) == (["en", "zh"], ["other"], ["short"])
    assert found.share == pytest.approx(2 / 3)
    assert find_leaks(task, tmp_path, [training]).leaked == ["en"]


def test_a_file_that_can_not_be_read_is_named(quiz: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("bad.txt", "none.txt"):
        with pytest.raises(InputError, match="read") as error:
            find_leaks(find_task(str(quiz)), tmp_path, [tmp_path / name])
        assert name in str(error.value.where)
