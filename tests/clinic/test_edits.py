import base64

import pytest

from osler.clinic.desk import Desk
from osler.clinic.edits import Edit, edited
from osler.errors import InputError
from osler.nouns import Finding
from osler.settings import load_settings
from osler.trust.replay import replay

FEVER = Finding(code="HP:0001945", label="Fever", source="note", start=3, end=8)
COUGH = Finding(code="HP:0012735", label="Cough", source="note", start=20, end=25)


def test_a_finding_is_rejected_turned_and_added():
    assert edited([FEVER, COUGH], [Edit(code=FEVER.code, start=3)]) == [COUGH]
    absent = FEVER.model_copy(update={"status": "absent"})
    assert edited([FEVER, COUGH], [Edit(code=FEVER.code, finding=absent)]) == [absent, COUGH]
    assert edited([COUGH], [Edit(finding=FEVER)]) == [COUGH, FEVER]


@pytest.mark.parametrize("edit", [Edit(code="HP:0000001"), Edit(code=FEVER.code, start=4), Edit()])
def test_an_edit_of_nothing_is_refused_with_its_place(edit):
    with pytest.raises(InputError, match=r"edits\[1\]"):
        edited([FEVER, COUGH], [Edit(code=COUGH.code, finding=COUGH), edit])


def test_an_edited_consult_ranks_anew_and_replays(tmp_path):
    settings = load_settings({"home": str(tmp_path)})
    desk = Desk(settings)
    note = b"A tall man of 30 with lens dislocation, a dilated aortic root and a cough."
    before = desk.consult(note, "note.txt").consult
    lens = next(item for item in before.findings if "dislocat" in (item.text or "") or "lens" in item.label.lower())
    after = desk.consult(note, "note.txt", edits=[Edit(code=lens.code, source=lens.source)]).consult
    assert lens.code not in [item.code for item in after.findings]
    assert [item.id for item in after.differential] != [item.id for item in before.differential]
    given = desk.ledger.payload(after.trace_id)["input"]
    assert base64.b64decode(given["base64"]) == note and given["edits"][0]["code"] == lens.code
    assert replay(after.trace_id, settings).same
