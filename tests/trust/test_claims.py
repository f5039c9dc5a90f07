"""The pages on regulation and hazards name only tests and commands that exist."""

import re
from functools import cache
from pathlib import Path

import click
import pytest

from osler.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("ledger", "regulation", "hazards")
SEVERITIES = {"negligible", "minor", "serious", "critical", "catastrophic"}


def _page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@cache
def _tests_of(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_named_test_and_file_is_there(page: str) -> None:
    text = _page(page)
    for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        assert (ROOT / file).is_file(), file
        assert not name or name in _tests_of(ROOT / file), f"{file}::{name}"
    for file in re.findall(r"(?:docs|benchmarks)/\w+\.md", text):
        assert (ROOT / file).is_file(), file
    for linked in re.findall(r"\]\((\w[\w-]*\.md)\)", text):
        assert (ROOT / "docs" / linked).is_file(), linked


@pytest.mark.parametrize("page", PAGES)
def test_every_named_command_and_option_is_there(page: str) -> None:
    context, found = click.Context(cli), re.findall(r"`osler ((?:[a-z-]+ ?)+)([^`]*)`", _page(page).replace("\n", " "))
    assert found
    for words, rest in found:
        command: click.Command | None = cli
        for word in words.split():
            if not isinstance(command, click.Group):
                break  # an argument
            command = command.get_command(context, word)
            assert command is not None, f"osler {words}"
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"osler {words}{rest}"


@pytest.mark.parametrize("page", ["regulation", "hazards"])
def test_every_control_has_its_test_or_says_what_is_missing(page: str) -> None:
    rows = [line.strip()[1:-1].split("|") for line in _page(page).splitlines() if line.startswith("| ")]
    heads = next(row for row in rows if " shown by " in row)
    width, shown = len(heads), heads.index(" shown by ")
    for row in rows:
        assert len(row) == width, row
        if " shown by " not in row:
            assert "`tests/" in row[shown] or row[-1].strip(), row
            if page == "hazards":
                assert row[3].strip() in SEVERITIES and "`tests/" in row[shown], row
    names = [row[0].strip() for row in rows if page == "hazards" and row is not rows[0]]
    assert len(set(names)) == len(names)
