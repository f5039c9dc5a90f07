"""`osler check`: what doesn't fit is named with its reason and evidence, and sound notes are left alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from osler.cli import cli
from osler.clinic.misfits import Checked, check
from osler.ledger import Ledger
from osler.reasoning.resources import Resources, Run
from osler.record import read
from osler.settings import load_settings

SORE_THROAT = (
    "A 30-year-old woman with an allergy to penicillin presents with a sore throat and fever. "
    "We started amoxicillin 500 mg three times a day. She will come back in a week."
)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    return Resources(load_settings({"home": str(tmp_path_factory.mktemp("home"))}))


def checked(text: str, resources: Resources) -> Checked:
    return check(read(text.encode(), name="note"), Run(resources, "check"), quoted=True)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        (SORE_THROAT, "safety", "We started amoxicillin"),
        ("He takes isosorbide mononitrate. His knee hurts. Sildenafil 50 mg was started.", "safety", "Sildenafil"),
        ("患者对青霉素过敏。咽痛发热两天。予阿莫西林0.5g口服。", "safety", "阿莫西林"),
    ],
)
def test_what_does_not_fit_is_named(text: str, kind: str, sentence: str, resources: Resources) -> None:
    found = checked(text, resources)
    named = [one for one in found.misfits if one.kind == kind]
    assert named and sentence in named[0].text and named[0].why
    known = {item.id for item in found.evidence}
    assert named[0].evidence and set(named[0].evidence) <= known


@pytest.mark.parametrize(
    "text",
    [
        "A man of 40 with a cough for two days. No fever. The chest is clear. He was told to drink and rest.",
        "A 30-year-old woman without drug allergies has a sore throat. Amoxicillin 500 mg was started.",
        "患者，女，30岁。咽痛两天，无药物过敏。予阿莫西林0.5g口服。",
        "Seen for a check of blood pressure. BP 128/76. Continue lisinopril 10 mg daily. Return in 6 months.",
    ],
)
def test_sound_notes_are_left_alone(text: str, resources: Resources) -> None:
    assert checked(text, resources).misfits == []


def test_few_sound_notes_are_flagged(shared: Path, resources: Resources) -> None:
    from osler.bench.task import rows
    from osler.bench.tasks import find_task
    from osler.bench.tasks.medec import group_of
    from osler.splits import split

    path = shared / "qa" / "medec_val.jsonl.gz"
    mine = {row["Text ID"] for row in rows(path) if split("medec_val", group_of(row)) == "tune"}
    items = [item for item in find_task("medec").read(path) if item.id in mine]
    flagged = {item.id for item in items if checked("\n".join(item.sentences.values()), resources).misfits}
    sound = [item for item in items if item.error < 0]
    assert len(sound) > 40 and sum(item.id in flagged for item in sound) / len(sound) < 0.1
    assert any(item.id in flagged for item in items if item.error >= 0)


def test_the_command_keeps_what_it_said(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text(SORE_THROAT)
    said = json.loads(CliRunner().invoke(cli, ["check", str(path), "--json"]).output)
    assert said["misfits"][0]["kind"] == "safety" and "professional" in said["notice"]
    kept = Ledger.open(load_settings({})).payload(said["trace_id"])
    assert kept["output"]["misfits"] == said["misfits"]
    page = CliRunner().invoke(cli, ["check", str(path)])
    assert page.exit_code == 0 and "amoxicillin" in page.output
