"""Pages of the terminal: what is filled in stands as it is, and wrapped lines keep their place."""

import pytest

from osler.cli import show
from osler.cli.show import show_page
from osler.nouns import Evidence, Finding, Source

HOSTILE = "[red]a|b[/] \\[c] :smile:\nd\\"


def test_every_page_is_well_formed() -> None:
    pages = show._pages()
    names = pages.list_templates()
    assert "consult.jinja" in names
    for name in names:
        pages.get_template(name)


def test_what_is_filled_in_is_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding(code="HP:1", label=HOSTILE, text=HOSTILE, start=0, end=3)
    show_page("concepts", it={"findings": [finding]})
    rows = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    first, second = (piece.strip() for piece in HOSTILE.split("\n"))
    assert [cell for cell in map(str.strip, rows[1].split("  ")) if cell] == ["0–3", first, first, "HP:1"]
    assert rows[2].split() == [second, second]


def test_a_wrapped_line_stays_set_in(capsys: pytest.CaptureFixture[str]) -> None:
    found = Evidence(id="p1", kind="passage", text="word " * 40, source=Source(title="A title", year=2020))
    show_page("search", it={"results": [found]})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "1  A title, 2020"
    assert len(lines) == 4
    assert all(line.startswith("    word") and len(line) <= 100 for line in lines[1:])
