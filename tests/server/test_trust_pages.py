import json
import re

import pytest
from starlette.testclient import TestClient
from tests.support.scripted import ScriptedModel

from osler.bench import method_figures, runner
from osler.models.adapters import AdapterCard, Material, write_card
from osler.models.adapters import Gate as AdapterGate
from osler.models.catalogue import catalogue
from osler.models.privileges import Calibration, Privileges
from osler.nouns import Measurement, Privilege
from osler.reasoning.resources import Resources
from osler.server.app import create_app
from osler.settings import load_settings
from osler.trust import report, robustness

DATE = "2026-01-02T03:04:05.000+00:00"


def measured(metric, value, interval, method="letters"):
    about = {"task": "medqa", "model": "smollm2", "method": method, "n": 300, "split": "report", "seconds": 1.0}
    return Measurement(metric=metric, value=value, interval=interval, baseline={"chance": 0.25}, **about)


@pytest.fixture
def served(tmp_path):
    settings = load_settings({"home": str(tmp_path)})
    with TestClient(create_app(settings, "t"), base_url="http://127.0.0.1") as client:
        client.headers.update({"Accept": "text/html", "Authorization": "Bearer t"})
        yield settings, client


def test_where_nothing_was_measured_it_is_said_with_the_command(served):
    shown = served[1].get("/trust").text
    assert "Not measured in this home" in shown
    for command in (
        "osler models admit smollm2",
        "osler audit calibration",
        "osler audit robustness",
        "osler audit fairness",
        "osler audit privacy",
    ):
        assert command in shown
    assert "Not measured" in served[1].get("/trust/card").text


def test_what_was_measured_is_shown_with_interval_and_baseline(served, monkeypatch):
    settings, client = served
    (settings.home / "none.jsonl").touch()
    monkeypatch.setattr(method_figures, "SHIPPED", str(settings.home / "none.jsonl"))
    digest = catalogue(settings, sheet := Privileges(settings))[0].digest
    weakest = {"metric": "medqa passed", "value": 0.412, "interval": [0.38, 0.44], "n": 1000, "floor": 0.4}
    sheet.enter([
        Privilege(model=digest, task="options", granted=True, measured=weakest, date=DATE),
        Privilege(model=digest, task="answer", granted=False, measured={"accuracy": 0.2}, date=DATE),
        Privilege(model=digest, task="chinese", granted=True, date=DATE, granted_by="A. Registrar"),
    ])  # fmt: skip
    known = {
        "kind": "en",
        "temperature": 1.73,
        "least": 0.08,
        "promised": 0.9,
        "n": 600,
        "tasks": ["medqa"],
        "date": DATE,
    }
    sheet.calibrate([Calibration(model=digest, **known)])
    rows = [measured(f"flip rate: {name}", 0.1, (0.06, 0.15)) for name in ("typos", "<i>order</i>")]
    monkeypatch.setattr(robustness, "audit", lambda *_: rows)
    report.audit(["robustness"], settings, None, (), None)
    method_figures.keep_figure("r1", DATE, measured("accuracy", 0.31, (0.26, 0.36)), settings)
    shown = client.get("/trust").text
    for part in (
        "granted",
        "medqa passed 0.412 [0.380, 0.440], n 1000",
        "not measured</b>: on the word of A. Registrar",
        "1.73",
        "osler audit fairness",
    ):
        assert part in shown, part
    assert "osler audit robustness" not in shown
    assert (
        shown.count("<svg") == 2 and 'class="whisker"' in shown and "0.060 – 0.150" in shown and "chance 0.25" in shown
    )
    assert "<i>order" not in shown and not re.search(r"\s(style|on\w+)=", shown)
    kept = report.kept(settings)
    assert [(one.part.name, one.model, one.part.rows) for one in kept] == [("robustness", "smollm2", rows)]


def test_a_damaged_audit_is_named(served):
    settings, client = served
    (settings.home / "audits").mkdir()
    (settings.home / "audits" / "fairness-x.json").write_text('{"rows": 3}')
    told = client.get("/trust")
    assert told.status_code == 400 and "fairness-x.json" in told.text


def test_documents_and_runs(served):
    client = served[1]
    assert "Hazard log" in client.get("/trust/documents/hazards").text
    for name in ("nothing", "..%2Fpyproject", "architecture"):
        assert client.get(f"/trust/documents/{name}").status_code == 404
    assert client.get("/trust/runs/nothing").status_code == 400


def test_a_run_is_shown_with_its_figures_and_command(served, tmp_path, monkeypatch):
    settings, client = served
    rows = [{"id": f"q{n}", "question": f"<b>Q{n}</b>?", "options": ["w", "x"], "answer": n % 2} for n in range(12)]
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(Resources, "model", ScriptedModel(lambda _: "Answer: B"))
    card = runner.run(str(tmp_path / "quiz.jsonl"), settings, "generated").card
    assert card.id in client.get("/trust").text
    shown = client.get(f"/trust/runs/{card.id}").text
    assert "0.500" in shown and "osler bench run" in shown and "Where it was worst" in shown
    assert "Calibration not measured" in shown and "<b>Q" not in shown


def test_adapters_are_shown_with_their_gates_and_what_they_memorised(served):
    settings, client = served
    assert "<h2>Adapters" not in client.get("/trust").text
    row = {"what": "pubmedqa", "metric": "right", "n": 115, "before": 0.583, "after": 0.278, "difference": -0.305,
           "interval": [-0.461, -0.139], "worse": True}  # fmt: skip
    kept = {"made": DATE, "rows": [{"what": "extracted", "n": 4, "before": 0.0, "after": 0.25, "interval": None}]}
    card = AdapterCard(
        name="ward1", stage="instruct", base="smollm2", base_digest="0" * 64, recipe={}, versions={}, steps=1, rows=1,
        data=[Material(path="notes", sha256="0" * 64, rows=1, licences=["MIT"])], seconds=1.0, losses=(1.0, 0.5),
        licence="MIT", made=DATE, state="shadow", gates=[AdapterGate(made=DATE, passed=False, rows=[row])],
        memorised=kept,
    )  # fmt: skip
    (settings.home / "adapters" / "ward1").mkdir(parents=True)
    write_card(card, settings)
    shown = client.get("/trust").text
    for part in (
        "adapter:ward1",
        "measured, not admitted",
        "not passed",
        "-0.305 [-0.461, -0.139]",
        "extracted",
        "0.25",
    ):
        assert part in shown, part
    write_card(card.model_copy(update={"gates": [], "memorised": None}), settings)
    assert "osler adapt gate ward1" in (shown := client.get("/trust").text) and "osler adapt memorised ward1" in shown
    assert "differential privacy" in client.get("/trust/documents/training-privacy").text
