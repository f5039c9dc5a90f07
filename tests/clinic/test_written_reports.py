"""A model's wording of a report: a liar gets nothing in, and what it leaves out is put back."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted import ScriptedModel

from osler.clinic.reports import Report, draft, kinds
from osler.models import Request
from osler.reasoning.resources import Resources, Run
from osler.record import read_text
from osler.settings import load_settings

NOTE = """HPI: The patient has had left knee pain for three weeks. There is no fever.
Medications: She takes metformin 500 mg twice daily. She takes ibuprofen 400 mg as needed.
Plan: An X-ray of the left knee will be made. She returns in two weeks."""
LIES = [
    "The patient has had right knee pain for three weeks.",
    "The patient has had left knee pain for five weeks.",
    "She takes metformin 1000 mg twice daily.",
    "She takes warfarin 5 mg daily.",
    "The patient has fever.",
    "The patient has rheumatoid arthritis.",
    "She stopped metformin 500 mg twice daily.",
]


def by(write: Any, home: Path) -> tuple[Report, ScriptedModel]:
    settings = load_settings({"home": str(home), "models.language": "openai:http://127.0.0.1:9/v1#scripted"})
    run, model = Run(Resources(settings), "bench"), ScriptedModel(write)
    run.resources.__dict__["model"] = model
    return draft(kinds(settings)["visit-note"], read_text(NOTE), run, "en"), model


def reply(request: Request, *texts: str) -> str:
    shown = len(re.findall(r"<passage", request.messages[-1].content))
    return json.dumps({"statements": [{"text": text, "passages": list(range(1, shown + 1))} for text in texts]})


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_taken_out_and_the_record_stays(lie: str, tmp_path: Path) -> None:
    made, _ = by(lambda request: reply(request, lie), tmp_path)
    said = " ".join(one.text for part in made.sections for one in part.statements)
    assert lie not in said
    assert {one.text for one in made.removed} == {lie} and all(one.why for one in made.removed)
    for true in ("left knee pain for three weeks", "no fever", "metformin 500 mg twice daily", "ibuprofen 400 mg"):
        assert true in said
    assert made.model is not None


def test_a_true_sentence_stays_with_its_source_and_the_rest_is_put_back(tmp_path: Path) -> None:
    def write(request: Request) -> str:
        if "metformin" not in request.messages[-1].content:
            return '{"statements": []}'
        shown = re.findall(r"<passage[^>]*>\s*(.*?)\s*</passage>", request.messages[-1].content, re.S)
        place = next(n for n, text in enumerate(shown, start=1) if "metformin" in text)
        return json.dumps({"statements": [{"text": "She takes metformin 500 mg twice daily.", "passages": [place]}]})

    made, model = by(write, tmp_path)
    said = [one for part in made.sections for one in part.statements]
    kept = next(one for one in said if one.text == "She takes metformin 500 mg twice daily.")
    assert len(kept.evidence) == 1 and kept.verdict == "supported"
    assert any("ibuprofen 400 mg" in one.text for one in said)
    assert not made.removed and model.seen


def test_nonsense_changes_nothing(tmp_path: Path) -> None:
    made, _ = by(lambda request: "not json", tmp_path)
    assert "left knee pain" in " ".join(one.text for part in made.sections for one in part.statements)
