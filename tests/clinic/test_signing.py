"""Drafts become signed reports: every change kept, signed ones never changed, amendments beside them."""

import io
import json
import sqlite3
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner

from osler.clinic.desk import Desk
from osler.clinic.reports import kinds, signing
from osler.clinic.reports.signing import Change, digest, held
from osler.clinic.reports.write import WRITERS
from osler.errors import InputError, IntegrityError
from osler.nouns import Principal
from osler.settings import load_settings

NOTE = b"A man of 54 with chest pain since this morning. He takes warfarin and aspirin. No fever. Plan: troponin."
NOTE_ZH = "患者，男，54岁，今晨起胸痛。服用华法林。体温≥37℃。".encode()
WHO = Principal(id="a", name="Dr A", roles=["clinician"])


@pytest.fixture
def desk(home: Path) -> Desk:
    return Desk(load_settings({}), who="a")


@pytest.fixture
def id(desk: Desk) -> str:
    return str(desk.report(kinds(desk.settings)["visit-note"], NOTE, "note.txt").trace_id)


def texts(report) -> list[str]:
    return [one.text for part in report.sections for one in part.statements]


def stands(id: str, desk: Desk):
    return held(id, desk.ledger, desk.settings)


def test_edits_are_kept_and_verified(desk: Desk, id: str) -> None:
    changes = [
        Change(statement="No fever.", text="The patient has a fever."),
        Change(statement="He takes warfarin and aspirin.", text="He takes warfarin."),
        Change(statement="A man of 54 with chest pain since this morning."),
        Change(section="plan", text="Admit."),
    ]
    made = signing.edit(id, changes, desk, WHO, consent=True).report
    by_text = {one.text: one for part in made.sections for one in part.statements}
    assert "A man of 54 with chest pain since this morning." not in by_text
    assert by_text["The patient has a fever."].verdict == "contradicted"
    assert by_text["He takes warfarin."].verdict == "supported" and by_text["He takes warfarin."].evidence
    assert by_text["Admit."].verdict == "unsupported" and "not taken from the record" in by_text["Admit."].cautions[0]
    assert made.status == "edited" and "Dr A" in made.notice
    said = [desk.ledger.payload(entry.id)["feedback"] for entry in desk.ledger.entries(9) if entry.kind == "feedback"]
    assert {(one["statement"], one["verdict"], one["consent"]) for one in said} == {
        ("No fever.", "edited", True),
        ("He takes warfarin and aspirin.", "edited", True),
        ("A man of 54 with chest pain since this morning.", "wrong", True),
    }
    assert stands(id, desk).report == made and desk.ledger.payload(id)["output"]["status"] == "draft"


def test_a_signed_report_is_only_amended(desk: Desk, id: str) -> None:
    signed = signing.sign(id, desk, WHO)
    assert signed.report.status == "signed" and signed.last.sha256 == digest(signed.report)
    change = [Change(statement="No fever.", text="No fever today.")]
    with pytest.raises(InputError, match="can't change"):
        signing.edit(id, change, desk, WHO)
    with pytest.raises(InputError, match="signed by Dr A"):
        signing.sign(id, desk, WHO)
    for changes, reason in ((change, " "), ([], "why")):
        with pytest.raises(InputError, match="a change and a reason"):
            signing.amend(id, changes, desk, WHO, reason)
    amended = signing.amend(id, change, desk, WHO, "said so later")
    assert [one.status for one in amended.versions] == ["draft", "signed", "amended"]
    kept = desk.ledger.payload(amended.last.entry)
    assert kept["former"]["sha256"] == signed.last.sha256 and kept["reason"] == "said so later"
    assert texts(amended.report) != texts(signed.report) and "said so later" in amended.report.notice
    assert (
        desk.ledger.payload(signed.last.entry)["report"]["sections"]
        == signed.report.model_dump(mode="json")["sections"]
    )
    assert desk.ledger.verify().broken is None


def test_nothing_signed_can_be_swapped(desk: Desk, id: str) -> None:
    signing.sign(id, desk, WHO)
    with sqlite3.connect(desk.settings.home / "osler.db") as base:
        base.execute("UPDATE report_versions SET sha256 = ?", ("0" * 64,))
    with pytest.raises(IntegrityError, match="not the one that was signed"):
        stands(id, desk)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(statement="Nothing like it.", text="x"), "no such sentence"),
        (Change(section="nowhere", text="x"), "Sections: subjective"),
        (Change(section="plan"), "needs a text"),
    ],
)
def test_changes_that_can_not_be_made_leave_nothing(desk: Desk, id: str, change: Change, why: str) -> None:
    count = len(desk.ledger.entries(None))
    with pytest.raises(InputError, match=why):
        signing.edit(id, [Change(statement="No fever.", text="Fever."), change], desk, WHO)
    assert len(desk.ledger.entries(None)) == count and stands(id, desk).last.number == 0
    with pytest.raises(InputError, match="not signed yet"):
        signing.amend(id, [change], desk, WHO, "why")


def test_two_writers_at_once(desk: Desk, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stands(id, desk)
    signing.edit(id, [Change(section="plan", text="Admit.")], desk, WHO)
    monkeypatch.setattr(signing, "held", lambda *_: before)
    with pytest.raises(InputError, match="somebody else"):
        signing.edit(id, [Change(section="plan", text="Discharge.")], desk, WHO)


def test_pdf_holds_every_sentence_in_both_languages(desk: Desk, id: str) -> None:
    for content, wanted in ((NOTE, "chest pain since this morning"), (NOTE_ZH, "体温≥37℃")):
        report = desk.report(kinds(desk.settings)["visit-note"], content, "note.txt")
        pages = pypdfium2.PdfDocument(io.BytesIO(WRITERS[".pdf"](report)))
        text = "".join(page.get_textpage().get_text_range() for page in pages)
        assert wanted in text and str(report.trace_id) in text and report.title in text
    long = report.model_copy(update={"sections": report.sections * 40})
    assert len(pypdfium2.PdfDocument(io.BytesIO(WRITERS[".pdf"](long)))) > 3


def test_a_dicom_structured_report_reads_back(desk: Desk, id: str) -> None:
    from highdicom.sr import ContentSequence, ValueTypeValues
    from pydicom import dcmread

    report = desk.report(kinds(desk.settings)["radiology"], "检查所见：右下肺斑片影。印象：肺炎。".encode(), "n.txt")
    for one in (report, signing.sign(id, desk, WHO).report):
        found = dcmread(io.BytesIO(WRITERS[".dcm"](one)))
        assert found.SOPClassUID.name == "Basic Text SR Storage" and found.PatientName == ""
        assert found.CompletionFlag == ("COMPLETE" if one.status == "signed" else "PARTIAL")
        tree = ContentSequence.from_sequence(found.ContentSequence)
        told = [item.value for part in tree for item in getattr(part, "ContentSequence", [])
                if item.value_type == ValueTypeValues.TEXT]  # fmt: skip
        assert [text for text in texts(one) if text not in told and f"{text} (" not in " ".join(told)] == []


def test_the_commands(desk: Desk, id: str, tmp_path: Path) -> None:
    run = CliRunner().invoke
    from osler.cli import cli

    changes = tmp_path / "changes.json"
    changes.write_text(json.dumps([{"statement": "No fever.", "text": "No fever today."}]))
    said = run(cli, ["report", "edit", id, "--changes", str(changes), "--by", "Dr A"])
    assert said.exit_code == 0 and "1. edited by Dr A" in said.output
    assert "sha256" in run(cli, ["report", "sign", id, "--by", "Dr A"]).output
    changes.write_text(json.dumps([{"statement": "No fever today.", "text": "No fever at all."}]))
    amended = run(
        cli, ["report", "amend", id, "--changes", str(changes), "--by", "Dr B", "--reason", "asked", "--json"]
    )
    assert [one["status"] for one in json.loads(amended.output)["versions"]] == ["draft", "edited", "signed", "amended"]
    shown = run(cli, ["report", "show", id, "--to", str(tmp_path / "r.pdf")])
    assert shown.exit_code == 0 and (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    changes.write_text("{")
    refused = run(cli, ["report", "amend", id, "--changes", str(changes), "--by", "B", "--reason", "r"])
    assert isinstance(refused.exception, InputError)
