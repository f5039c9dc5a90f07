import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from osler.adaptation.data import prepare
from osler.adaptation.data.checks import Duplicates
from osler.adaptation.data.licences import permitted
from osler.adaptation.data.made import held_out, made
from osler.adaptation.data.readers import Bad, Row, read
from osler.bench.tasks import find_task
from osler.cli import cli
from osler.errors import InputError
from osler.reasoning.calculators import calculate
from osler.settings import Settings, load_settings
from osler.splits import split

SENTENCES = [
    f"Note {n}: the {organ} {n} was {state} {n} and the {n} plan is to {plan} within {n + 2} days after {n} visits."
    for n, (organ, state, plan) in enumerate(
        (organ, state, plan)
        for organ in ("liver", "spleen", "heart", "lung", "kidney")
        for state in ("enlarged", "normal", "tender", "small")
        for plan in ("repeat the scan", "start a diuretic", "wait and see")
    )
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("row", "kind", "text"),
    [
        ({"instruction": "Name a drug.", "input": "For pain.", "output": "Aspirin."}, "instruction", "For pain."),
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes?"}]}, "instruction", "Hi"),
        ({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}, "instruction", "Q"),
        ({"question": "什么是高血压？", "answer": "血压升高。"}, "instruction", "什么是高血压？"),
        ({"prompt": "Say", "chosen": "a", "rejected": "b"}, "preference", "a"),
        ({"text": "A passage."}, "plain", "A passage."),
    ],
)
def test_shapes(row: dict[str, Any], kind: str, text: str, tmp_path: Path) -> None:
    [made_] = read(lines(tmp_path / "x.jsonl", [row]))
    assert isinstance(made_, Row) and made_.kind == kind and text in made_.text


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Q", "output": ""},
        {"messages": [{"role": "user", "content": "Q"}]},
        {"messages": [{"role": "robot", "content": "Q"}, {"role": "assistant", "content": "A"}]},
        {"prompt": "Say", "chosen": "a", "rejected": "a"},
        {"something": 1},
        {"conversations": "no"},
    ],
)
def test_rows_of_no_shape_are_named(row: dict[str, Any], tmp_path: Path) -> None:
    [bad] = read(lines(tmp_path / "x.jsonl", [row]))
    assert isinstance(bad, Bad) and bad.where == "x.jsonl, line 1"


@pytest.mark.parametrize("licence", ["MIT", "CC BY 4.0", "CC-BY-SA-4.0", "Apache-2.0", "CC0", "BSD-3-Clause"])
def test_open_licences(licence: str) -> None:
    assert permitted(licence, "x") == licence


@pytest.mark.parametrize(
    "licence", ["", "CC BY-NC 4.0", "CC-BY-ND-4.0", "unstated", "research only", "proprietary", "academic use only"]
)
def test_closed_licences(licence: str) -> None:
    with pytest.raises(InputError, match="licence"):
        permitted(licence, "x")
    assert "permission: by letter" in permitted(licence, "x", "by letter")


def test_a_folder_is_divided_by_group_and_described(tmp_path: Path, settings: Settings) -> None:
    rows = [{"text": text, "group": f"ward {n // 2}"} for n, text in enumerate(SENTENCES)]
    again = [{"text": SENTENCES[0].replace("days", "days,")}, {"text": ""}, {"text": SENTENCES[4]}]
    path = lines(tmp_path / "notes.jsonl", [*rows, *again])
    sheet = prepare([str(path)], tmp_path / "out", settings, licence="MIT")
    [source] = sheet["sources"]
    assert source["counts"]["kept"] == len(rows) and source["counts"]["not used: like an earlier row"] == 2
    assert source["counts"]["not used: no known shape of training data"] == 1
    train, valid = (rows_of(tmp_path / "out" / f"plain.{part}.jsonl") for part in ("train", "valid"))
    assert len(train) + len(valid) == len(rows) and valid
    number = {row["text"]: row["group"] for row in rows}
    assert not {number[row["text"]] for row in train} & {number[row["text"]] for row in valid}
    assert "not checked" in (tmp_path / "out" / "DATASHEET.md").read_text()
    with pytest.raises(InputError, match="not empty"):
        prepare([str(path)], tmp_path / "out", settings, licence="MIT")


PERSON = "Patient: Margaret Whitfield, MRN 4471902, phone (617) 555-0182, was seen for asthma."


def test_identifiers(tmp_path: Path, settings: Settings) -> None:
    path = lines(tmp_path / "notes.jsonl", [{"text": SENTENCES[0]}, {"text": PERSON}, {"text": SENTENCES[20]}])
    with pytest.raises(InputError) as caught:
        prepare([str(path)], tmp_path / "out", settings, licence="MIT")
    assert caught.value.where == "notes.jsonl, line 2" and "MRN" in str(caught.value)
    assert "Whitfield" not in str(caught.value) and not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
    sheet = prepare([str(path)], tmp_path / "dropped", settings, licence="MIT", phi="drop")
    assert sheet["sources"][0]["counts"]["not used: identifiers of a person"] == 1
    prepare([str(path)], tmp_path / "masked", settings, licence="MIT", phi="mask")
    written = "".join(file.read_text() for file in (tmp_path / "masked").iterdir())
    assert "asthma" in written and not any(word in written for word in ("Whitfield", "4471902", "555-0182"))


def test_near_duplicates_are_found_and_others_are_not() -> None:
    random = np.random.default_rng(3)
    vocabulary = [f"word{n}" for n in range(500)]
    texts = [" ".join(random.choice(vocabulary, 80)) for _ in range(200)]
    seen = Duplicates()
    assert not any(seen.seen(text) for text in texts)
    changed = [text.rsplit(" ", 2)[0] + " other end" for text in texts]
    found = sum(seen.seen(text) for text in changed)
    assert found >= 190
    half = [" ".join(text.split()[:40] + list(random.choice(vocabulary, 40))) for text in texts]
    assert sum(Duplicates.seen(seen, text) for text in half) <= 2


def test_test_items_are_kept_out(tmp_path: Path, shared: Path) -> None:
    settings = load_settings({"home": tmp_path / "home", "bench.data": str(shared)}, environment={})
    items = find_task("medmcqa").items(shared, "report")
    long = next(item for item in items if len(item.question.split()) > 25)
    short = next(item for item in items if 8 <= len(item.question.split()) <= 11)
    other = f"{short.question.rstrip('?:. ')}?"
    mine = find_task("medmcqa").items(shared, "train")[:2]
    rows = [
        {"question": f"Consider this. {long.question}", "answer": "It is so."},
        {"question": other, "answer": "That one."},
        *({"question": item.question, "answer": "The first."} for item in mine),
        {"question": "Which vitamin do I get from the sun?", "answer": "Vitamin D."},
    ]
    path = lines(tmp_path / "asked.jsonl", rows)
    sheet = prepare([str(path)], tmp_path / "out", settings, licence="MIT", phi="drop")
    counts = sheet["sources"][0]["counts"]
    assert counts["not used: like a test item"] == 2 and counts["kept"] == 3
    assert "medmcqa" in sheet["tests"] and "pubmedqa" in sheet["tests"]


def test_shared_sets_give_their_training_part(tmp_path: Path, shared: Path) -> None:
    settings = load_settings({"home": tmp_path / "home", "bench.data": str(shared)}, environment={})
    names = ["set:pubmedqa_dev", "set:cmexam_dev", "set:medec_val"]
    sheet = prepare(names, tmp_path / "out", settings, phi="drop", limit=30)
    with gzip.open(shared / "qa" / "pubmedqa_dev.jsonl.gz", "rt") as file:
        train = {
            row["question"] for row in map(json.loads, file) if split("pubmedqa_dev", str(row["pubid"])) == "train"
        }
    rows = rows_of(tmp_path / "out" / "instruction.train.jsonl")
    asked = [row for row in rows if "yes" in row["check"]["options"].values()]
    assert len(asked) >= 20 and all(any(one in row["messages"][-2]["content"] for one in train) for row in asked)
    assert all(row["messages"][-1]["content"] == row["check"]["option"] for row in rows)
    pairs = rows_of(tmp_path / "out" / "preference.train.jsonl")
    assert len(pairs) >= 20 and all(row["chosen"] != row["rejected"] for row in pairs)
    assert [source["licence"] for source in sheet["sources"]] == ["MIT", "Apache-2.0", "CC BY 4.0"]
    with pytest.raises(InputError, match="not known to allow training"):
        prepare(["set:medsafety_train"], tmp_path / "no", settings)
    with pytest.raises(InputError, match="no data set"):
        prepare(["set:nothing"], tmp_path / "no", settings)


@pytest.mark.parametrize("what", ["definitions", "relations", "paths", "calculators"])
def test_made_rows_are_repeatable_and_leave_entities_out(what: str) -> None:
    first, second = list(made(what, 5, 40)), list(made(what, 5, 40))
    assert first == second and len(first) == 40 and first != list(made(what, 6, 40))
    assert not any(held_out(row.group.split(" ")[0]) for row in first)
    for row in first:
        asked, answer = (turn["content"] for turn in row.value["messages"])
        assert asked.strip() and answer.strip() and "{" not in asked + answer


def test_made_calculations_are_right() -> None:
    for row in made("calculators", 1, 60):
        name, _, values = row.group.partition(" ")
        result = calculate(name, eval(values, {"__builtins__": {}}))
        assert result.value == row.value["check"]["number"]
        assert str(result.value) in row.value["messages"][1]["content"]


def test_the_command_says_what_is_wrong(tmp_path: Path, home: Path) -> None:
    path = lines(tmp_path / "x.jsonl", [{"text": SENTENCES[0]}])
    run = CliRunner().invoke(cli, ["adapt", "data", str(path), "--to", str(tmp_path / "out")])
    assert run.exit_code == 1 and "no licence is given" in str(run.exception or run.output)
