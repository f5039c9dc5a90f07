"""`osler audit`: each audit has its options, groups prints rows, a bad table names its place."""

import json
from pathlib import Path

import pytest

from osler.cli import run


def test_groups_prints_rows_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{k % 2},{(k % 2) * 0.4 + (k % 7) * 0.1:.1f},{'ab'[k % 3 == 0]}" for k in range(300)]
    (tmp_path / "t.csv").write_text("y,s,g\n" + "\n".join(rows))
    assert (
        run(["audit", "groups", str(tmp_path / "t.csv"), "--label", "y", "--score", "s", "--group", "g", "--json"]) == 0
    )
    found = {row["metric"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["selection rate: g=a"]["n"] + found["selection rate: g=b"]["n"] == 300
    assert {"TPR difference: g, a - b", "TPR difference: g, b - a"} & set(found)


def test_a_missing_column_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("y,s\n1,0.5\n")
    assert run(["audit", "groups", str(tmp_path / "t.csv"), "--label", "y", "--score", "s", "--group", "g"]) == 1
    assert "no column g" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["robustness", "fairness", "privacy", "all"])
def test_every_audit_takes_the_same_options(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", kind, "--help"])
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--method", "--tasks", "--limit", "--to", "--json", "--model"))


def test_an_unknown_mitigation_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "fairness", "--method", "direct+luck"]) == 1
    assert "unknown mitigation" in capsys.readouterr().err
