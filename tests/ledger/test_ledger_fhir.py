"""The export is valid FHIR R4, names who saw whom, and holds no content."""

import json
from pathlib import Path
from typing import Any

import pytest

from osler.cli import run as osler
from osler.ledger import Draft, Ledger
from osler.ledger.fhir import bundle
from osler.settings import load_settings

TRACE = {
    "calls": [{"model": {"spec": "smollm2", "digest": "d" * 64}}],
    "searches": [{"passages": [["doc-1", "hash"], ["doc-2", "hash"]]}],
    "evidence": {"doc-1": "hash", "record:Condition[0]:SECRET": "hash"},
}


@pytest.fixture
def ledger(home: Path) -> Ledger:
    ledger = Ledger.open(load_settings())
    ledger.append("consult", {"input": "SECRET", "trace": TRACE, "output": {}}, "SECRET-MRN", id="c-1")
    ledger.append_many([Draft("ask", {"trace": TRACE}, id="c-2"), Draft("feedback", {"who": "Wu"}, about="c-1")])
    ledger.accessed("Wu", "handover", what="c-1")
    ledger.accessed("Li", "treatment", patient="SECRET-MRN")
    ledger.rotate_key("Li", "yearly")
    ledger.erase("SECRET-MRN", "Li", "asked")
    return ledger


def test_export_is_fhir_without_content(ledger: Ledger) -> None:
    pytest.importorskip("fhir.resources")
    from fhir.resources.R4B.bundle import Bundle

    made = bundle(ledger)
    Bundle.model_validate(made)
    text = json.dumps(made)
    assert "SECRET" not in text
    resources = [entry["resource"] for entry in made["entry"]]
    kinds = [one["resourceType"] for one in resources]
    assert (kinds.count("AuditEvent"), kinds.count("Provenance")) == (7, 3)
    actions = {one["subtype"][0]["code"]: one["action"] for one in resources if one["resourceType"] == "AuditEvent"}
    assert actions["accessed"] == "R" and actions["erasure"] == "D" and actions["key-rotation"] == "U"
    answered = next(one for one in resources if one["resourceType"] == "Provenance" and "c-2" in json.dumps(one))
    assert [agent["who"]["display"] for agent in answered["agent"]] == ["Osler", f"smollm2 {'d' * 64}"]
    assert [one["what"]["identifier"]["value"] for one in answered["entity"]] == ["doc-1"]


def test_who_saw_whom_stays_known_after_the_patient_is_gone(ledger: Ledger) -> None:
    seen = [(one.kind, one.who, one.purpose, one.what) for one in ledger.accesses("SECRET-MRN")]
    assert seen == [
        ("accessed", "Wu", "handover", "c-1"),
        ("accessed", "Li", "treatment", None),
        ("erasure", "Li", "asked", None),
    ]
    assert ledger.accesses("another") == []
    assert ledger.verify().erased == 2  # the consult and what was said of it


def test_reading_a_patients_entry_is_noted(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "wu")
    ledger = Ledger.open(load_settings())
    ledger.append("consult", {"a": 1}, "MRN 1", id="c-1")
    ledger.append("ask", {"a": 1}, id="q-1")
    for id in ("c-1", "q-1"):
        assert osler(["ledger", "show", id, "--why", "ward round", "--json"]) == 0
    capsys.readouterr()
    assert osler(["ledger", "accesses", "MRN 1", "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["who"], one["purpose"]) for one in found] == [
        ("consult", None, None),
        ("accessed", "wu", "ward round"),
    ]
    assert osler(["ledger", "export"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3] and "MRN" not in json.dumps(lines)
