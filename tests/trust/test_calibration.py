"""Calibration: fitted on what a model said, signed into the sheet, and used for the confidence of answers."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.scripted import ScriptedModel

from osler.bench.choice import Item
from osler.bench.figures import Reply
from osler.errors import InputError
from osler.models.privileges import Calibration, Privileges
from osler.reasoning.ask import Question
from osler.reasoning.asking import decide
from osler.reasoning.calibrated import tempered
from osler.reasoning.resources import Resources, Run
from osler.settings import Settings
from osler.trust.calibration import Asked, audit, fit

DIGEST = "5c" * 32


def _said(right: bool, sure: float) -> Asked:
    item = Item("1", "1", "?", {"A": "yes", "B": "no"}, "A" if right else "B")
    return Asked(item, Reply("1", "1", "A", {"right": float(right)}), {"A": sure, "B": 1 - sure})


def test_an_overconfident_model_is_cooled_to_how_often_it_is_right() -> None:
    asked = [_said(k % 10 < 7, 0.99) for k in range(200)]
    fitted = fit(asked, DIGEST, "en", ["own"])
    assert fitted.temperature > 1 and tempered(asked[0].shares, fitted.temperature)["A"] == pytest.approx(0.7, abs=0.02)
    assert fitted.least == pytest.approx(0.3, abs=0.02)  # both options stay: three in ten are wrong


def test_a_calibrated_model_stays_as_it_is() -> None:
    draw = np.random.default_rng(0)
    sures = draw.uniform(0.5, 1, 3000)
    fitted = fit([_said(bool(draw.random() < sure), float(sure)) for sure in sures], DIGEST, "en", ["own"])
    assert fitted.temperature == pytest.approx(1, abs=0.12) and fitted.promised == 0.9


def test_tempering_keeps_the_order_and_sums_to_one() -> None:
    made = tempered({"A": 0.8, "B": 0.15, "C": 0.05, "D": 0.0}, 2.5)
    assert sorted(made, key=made.__getitem__, reverse=True) == list("ABCD") and sum(made.values()) == pytest.approx(1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home)


def _calibration(kind: str, temperature: float = 2.0) -> Calibration:
    about = {"n": 50, "tasks": ["medqa"], "date": "2026-11-23", "promised": 0.9}
    return Calibration(model=DIGEST, kind=kind, temperature=temperature, least=0.2, **about)


def test_calibrations_lie_signed_beside_the_privileges(settings: Settings) -> None:
    sheet = Privileges(settings)
    sheet.grant_provisional(DIGEST, ["options"], by="Dr. Example", reason="trial")
    sheet.calibrate([_calibration("en"), _calibration("zh")])
    sheet.calibrate([_calibration("en", 3.0)])
    again = Privileges(settings)
    assert not again.problems and again.may(DIGEST, "options")
    assert {kind: one.temperature for (_, kind), one in again.calibrations.items()} == {"en": 3.0, "zh": 2.0}
    again.grant_provisional(DIGEST, ["report"], by="Dr. Example", reason="trial")
    assert len(Privileges(settings).calibrations) == 2 and Privileges(settings).may(DIGEST, "report")


def test_a_calibration_that_was_altered_is_ignored_with_its_sheet(settings: Settings) -> None:
    Privileges(settings).calibrate([_calibration("en")])
    path = settings.home / "privileges.json"
    sheet = json.loads(path.read_text())
    sheet["calibrations"][0]["temperature"] = 0.1
    path.write_text(json.dumps(sheet))
    read = Privileges(settings)
    assert read.calibrations == {} and "signature does not fit" in read.problems[0]


@pytest.mark.parametrize(
    ("kind", "run_kind", "known"), [("en", "ask", True), ("zh", "ask", False), ("en", "bench", False)]
)
def test_an_answer_is_as_sure_as_its_calibration_says(
    settings: Settings, kind: str, run_kind: str, known: bool
) -> None:
    Privileges(settings).calibrate([_calibration(kind)])
    resources = Resources(settings)
    resources.__dict__["model"] = ScriptedModel(lambda request: "A", digest=DIGEST)
    draft = decide(
        Question(text="Which one is it?", options={"A": "gout", "B": "sepsis", "C": "flu"}), Run(resources, run_kind)
    )
    best = tempered(draft.votes, 2.0)
    assert draft.confidence == (round(max(best.values()), 4) if known else None)
    assert draft.plausible == ([key for key, chance in best.items() if chance >= 0.2] if known else None)


def test_the_audit_measures_what_it_did_not_fit_on(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"question": f"Is it {k}?", "options": ["yes", "no"], "answer": int(k % 10 > 5)} for k in range(100)]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr("osler.bench.own.OwnTask.undivided", False)
    monkeypatch.setattr("osler.bench.own.OwnTask.part", lambda self, item: "tune" if int(item.id) % 2 else "report")
    monkeypatch.setattr("osler.reasoning.resources.Resources.model", ScriptedModel(lambda request: "A", digest=DIGEST))
    found = {row.metric: row for row in audit(settings, "scripted", tasks=(str(tmp_path / "own.jsonl"),))}
    assert found["calibration error"].value < 0.02 < found["calibration error"].baseline["before"]
    assert found["calibration error"].n == found["conformal coverage"].n == 50
    assert found["conformal coverage"].value == 1.0 and found["conformal set size"].value == 2.0
    assert Privileges(settings).calibrations[DIGEST, "en"].n == 50
    with pytest.raises(InputError, match="no shares"):
        audit(settings, "scripted", "generated", (str(tmp_path / "own.jsonl"),))
