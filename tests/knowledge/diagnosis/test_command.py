"""`osler diagnose` on good and bad input, in one process."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from osler.cli.diagnose import command
from osler.knowledge.diagnosis import load_ranker


def batch(tmp_path: Path, *rows: object, options: tuple[str, ...] = ()) -> tuple[int, list[dict[str, Any]]]:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    result = CliRunner().invoke(command, [str(file), "--jsonl", "--top", "3", *options], standalone_mode=False)
    assert result.exception is None
    return result.return_value, [json.loads(line) for line in result.stdout.splitlines()]


def test_what_became_of_each_finding_is_said(tmp_path: Path) -> None:
    many = load_ranker().graph.ids[:3000]
    code, (old, unknown, foreign, both, none, thousands) = batch(
        tmp_path,
        {"id": 1, "observed": ["HP:0004715", "HP:0001166"]},
        {"id": 2, "observed": ["HP:9999999", "HP:0001166"]},
        {"id": 3, "observed": ["DOID:6364", "DRUGBANK:DB00945"]},
        {"id": 4, "observed": ["HP:0002650", "HP:0001166"], "excluded": ["HP:0002650"]},
        {"id": 5, "observed": []},
        {"id": 6, "observed": many},
    )
    assert code == 0
    assert "HP:0004715 was replaced by HP:0000003" in old["notes"][0] and len(old["ranked"]) == 3
    assert unknown["notes"] == ["HP:9999999 is unknown: left out."] and unknown["ranked"]
    assert "read as the finding HP:0002076" in foreign["notes"][0] and "is no finding" in foreign["notes"][1]
    assert "as present and as absent" in both["notes"][0] and both["ranked"]
    assert none["ranked"] == [] and none["notes"] == []
    assert len(thousands["ranked"]) == 3
    assert set(old["ranked"][0]) == {"id", "equivalents", "label", "score"}


def test_bad_lines_become_errors_and_the_run_goes_on(tmp_path: Path) -> None:
    code, rows = batch(
        tmp_path, {"id": 1, "observed": "HP:0001166"}, {"id": 2}, [], {"id": 4, "observed": ["HP:0001166"]}
    )
    assert code == 1
    assert [set(row) for row in rows[:3]] == [{"id", "error"}] * 3 and rows[3]["ranked"]


def test_probabilities_are_named(tmp_path: Path) -> None:
    case = {"id": 1, "observed": ["HP:0001166", "HP:0001083"]}
    _, (row,) = batch(tmp_path, case, options=("--population", "published"))
    assert all(0 < item["probability"] < 1 and "equally likely" in item["population"] for item in row["ranked"])
    table = tmp_path / "here.csv"
    table.write_text("id,prevalence\nMONDO:0007947,2\n", "utf-8")
    _, (row,) = batch(tmp_path, case, options=("--population", str(table)))
    assert row["ranked"][0]["probability"] == 1 and row["ranked"][0]["population"] == "here"
    assert row["ranked"][1]["probability"] is None


def test_general_practice_weighs_commonness_and_gives_no_probability(tmp_path: Path) -> None:
    case = {"id": 1, "observed": ["HP:0001945", "HP:0012735", "HP:0003326"], "age": "P40Y", "sex": "male"}
    _, (published,) = batch(tmp_path, case)
    _, (general,) = batch(tmp_path, case, options=("--population", "general"))
    assert "Influenza" in [item["label"] for item in general["ranked"]]
    assert general["ranked"] != published["ranked"] and "probability" not in general["ranked"][0]


@pytest.mark.parametrize(("term", "note"), [("HP:0004715", "was replaced by"), ("arachnodactyly", "")])
def test_a_term_by_name_or_old_identifier(term: str, note: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [term, "--json", "--home", str(tmp_path), "--top", "2"], standalone_mode=False)
    said = json.loads(result.stdout)
    assert note in "".join(said["notes"]) and bool(note) == bool(said["notes"])
    assert len(said["ranked"]) == 2 and said["ranked"][0]["for"]
