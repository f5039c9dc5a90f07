"""The report page: complete, self-contained, escaped; pictures from known numbers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.figures import Figure
from osler.bench.pictures import bars, coverage_picture, reliability_diagram
from osler.cli import run
from osler.reasoning.resources import Resources
from osler.settings import load_settings
from osler.statistics import coverage_curve, reliability


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [
        {"id": f"q{n}", "question": f"<b>Q{n}</b> & which?", "options": ["w", "x", "y"], "answer": n % 3}
        for n in range(30)
    ]
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(
        Resources, "model", ScriptedModel(lambda request: "Answer: B" if "Q1" in request.messages[1].content else "Hm")
    )
    return tmp_path


def test_the_page_holds_both_runs_and_their_comparison(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings({"home": home / "home"}, environment={})
    cards = [runner.run(str(home / "quiz.jsonl"), settings, method).card for method in ("letters", "generated")]
    target = home / "page.html"
    assert (
        run(["bench", "report", *[card.id for card in cards], "--to", str(target), "--home", str(home / "home")]) == 0
    )
    page = target.read_text(encoding="utf-8")
    assert all(card.id in page and card.data_hash in page for card in cards)
    assert "Paired comparisons" in page and "Worst examples" in page and "not read: names no option" in page
    assert page.count("<svg") == 2  # letters have a confidence, generated replies none
    assert "&lt;b&gt;Q" in page and "<b>Q" not in page  # what data says is never markup
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//|<script|@import|url\(", page)
    assert run(["bench", "report", "nothing", "--to", str(target)]) == 1


def test_pictures_place_what_they_are_given() -> None:
    sure, right = np.array([0.95, 0.9, 0.55, 0.5]), np.array([1.0, 1.0, 0.0, 1.0])
    diagram = reliability_diagram(reliability(sure, right))
    assert diagram.count("<circle") == 2 and "n = 2" in diagram
    curve = coverage_picture([("one", *coverage_curve(sure, right)), ("two", *coverage_curve(sure, 1 - right))])
    assert "line0" in curve and "line1" in curve and ">two</text>" in curve
    drawn = bars("By subject", [Figure("A <b>", 0.5, (0.25, 0.75), 8), Figure("C", 1.0, None, 1)], 0.6)
    assert "A &lt;b&gt;" in drawn and 'width="150.0"' in drawn and "M285.0" in drawn and drawn.count("whisker") == 1
    assert all(picture.startswith("<svg role=") and "<title>" in picture for picture in (diagram, curve, drawn))
