"""What the tools return to a model that calls them while it reasons."""

import json
from pathlib import Path

from tests.support.scripted import ScriptedModel

from osler.reasoning.ask import Question, answer
from osler.reasoning.resources import Resources, Run
from osler.settings import load_settings

QUESTION = Question(
    text="Which painkiller is the least dangerous for a man on warfarin?",
    options={"A": "acetaminophen", "B": "ibuprofen", "C": "metformin"},
)


def test_plan_with_tools_reads_the_interactions_of_the_drugs_it_names(tmp_path: Path) -> None:
    steps = iter([("interactions", "warfarin, ibuprofen"), ("interactions", "华法林、二甲双胍"), ("finish", "")])
    model = ScriptedModel(lambda request: json.dumps(dict(zip(("tool", "input"), next(steps), strict=True))))
    given = {"home": tmp_path, "models.language": "openai:http://127.0.0.1:9/v1#scripted"}
    run = Run(Resources(load_settings(given, environment={})), "bench")
    run.resources.__dict__["model"] = model
    assert answer(QUESTION, run, "plan-with-tools").choice == "A"
    operations = [call.operation for call in run.trace("x").graph]
    assert operations.count("tool.interactions") == 2
    shown = model.scored[0].messages[-1].content
    assert "Warfarin with Ibuprofen: major interaction. " in shown and "Source: FDA label warfarin" in shown
    assert "没有数据：二甲双胍与华法林" in shown or "没有数据：华法林与二甲双胍" in shown
