"""What lies outside medicine is not answered from passages that happen to share its words; what is medical still is."""

from pathlib import Path

import pytest

from osler.nouns import Evidence
from osler.reasoning.ask import Question, answer
from osler.reasoning.resources import Resources, Run
from osler.reasoning.scope import nearness, outside
from osler.settings import load_settings


@pytest.fixture
def run(home: Path) -> Run:
    return Run(Resources(load_settings()), "ask")


@pytest.mark.parametrize(
    "text", ["What is the difference between a trademark and a copyright?", "古筝一共有多少根弦？"]
)
def test_a_question_of_another_field_is_outside(run: Run, text: str) -> None:
    passages = [Evidence(id="1", kind="passage", text="Disulfide bonds differ from hydrogen bonds in strength.")]
    assert outside(Question(text=text), passages, run)
    abstained = answer(Question(text=text), run, "extractive").abstained
    assert abstained is not None and ("outside" in abstained.reason or "超出" in abstained.reason)


def test_a_known_term_or_a_near_passage_or_a_text_of_its_own_is_inside(run: Run) -> None:
    far = [Evidence(id="1", kind="passage", text="Trains run every hour.")]
    near = [Evidence(id="1", kind="passage", text="The tablet is round and pink and bears the number 20.")]
    assert not outside(Question(text="Is eczema itchy?"), far, run)
    assert not outside(Question(text="Which colour does the tablet have?"), near, run)
    assert outside(Question(text="Which colour does the tablet have?"), far, run)
    assert not outside(Question(text="When do trains run?", context="Trains run every hour."), far, run)
    assert nearness("Is eczema itchy?", [], run) < nearness("Is eczema itchy?", far, run)
