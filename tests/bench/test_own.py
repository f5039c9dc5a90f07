"""A user's own task: the harness' keys, plain JSON Lines, and what is refused with its place named."""

import json
from pathlib import Path

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.choice import messages
from osler.bench.tasks import find_task
from osler.errors import InputError
from osler.reasoning.resources import Resources
from osler.settings import load_settings

YAML = """
task: ward_quiz
dataset_path: json
dataset_kwargs: {data_files: {test: quiz.jsonl}}
test_split: test
output_type: multiple_choice
description: "Answer as on the ward.\\n"
doc_to_text: "{{stem.strip()}}\\nAnswer:"
doc_to_choice: "{{[first, second, third]}}"
doc_to_target: "{{right}}"
metric_list: [{metric: acc, aggregation: mean}]
metadata: {version: 1.0}
"""
ROWS = [
    {"stem": f"Which, {n}? ", "first": "iron", "second": "folate", "third": "zinc", "right": n % 2} for n in range(6)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "quiz.yaml").write_text(YAML)
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


def test_a_harness_task_is_posed_and_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = find_task(str(folder / "quiz.yaml"))
    items = task.items(folder, "report")
    assert [item.answer for item in items] == ["A", "B"] * 3
    assert items[0].options == {"A": "iron", "B": "folate", "C": "zinc"}
    assert messages(items[0], generated=False)[1].content.startswith(
        "Answer as on the ward.\nWhich, 0?\nAnswer:\n\nA. iron"
    )
    monkeypatch.setattr(Resources, "model", ScriptedModel(lambda request: "B"))
    settings = load_settings({"home": folder / "home"}, environment={})
    made = runner.run(str(folder / "quiz.yaml"), settings, "generated")
    assert made.measurements[0].task == "ward_quiz"
    assert made.measurements[0].value == 0.5
    assert runner.show(made.card.id, settings).replies == made.replies


def test_choices_that_are_letters_are_not_listed_twice(folder: Path) -> None:
    text = YAML.replace('"{{[first, second, third]}}"', '["A", "B", "C"]')
    (folder / "quiz.yaml").write_text(text)
    [first, *_] = find_task(str(folder / "quiz.yaml")).items(folder, "all")
    assert "A. A" not in messages(first, generated=False)[1].content


@pytest.mark.parametrize(
    ("options", "answer", "key"),
    [
        (["iron", "zinc"], "zinc", "B"),
        ({"A": "iron", "B": "zinc"}, "B", "B"),
        (["iron", "zinc"], 0, "A"),
        (["iron", "zinc"], "1", "B"),
    ],
)
def test_plain_lines(tmp_path: Path, options: object, answer: object, key: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "q", "question": "Which?", "options": options, "answer": answer}))
    [item] = find_task(str(path)).items(tmp_path, "report")
    assert (item.id, item.answer) == ("q", key)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("doc_to_target", "doc_to_targets", "missing doc_to_target"),
        ("multiple_choice", "generate_until", "generate_until"),
        ("metadata", "process_docs: f\nmetadata", "process_docs"),
        ("metadata", "num_fewshot: 3\nmetadata", "num_fewshot"),
        ('"{{right}}"', "!function mine.target", "functions"),
        ("{{right}}", "{{wrong}}", "item 1"),
        ("{{right}}", "copper", "none of the options"),
        ("[first, second, third]", "[first]", "2 to 10 options"),
        ("quiz.jsonl", "quizz.jsonl", "not there"),
        ("task: ward_quiz", "- ward\n- quiz", "YAML"),
        ("stem.strip()", "stem.__class__.__mro__", "fails"),
    ],
)
def test_what_can_not_be_taken_is_refused_with_its_place(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "quiz.yaml").write_text(YAML.replace(old, new))
    with pytest.raises(InputError) as error:
        find_task(str(folder / "quiz.yaml")).items(folder, "report")
    assert said in str(error.value)
    assert "quiz" in str(error.value.where)
