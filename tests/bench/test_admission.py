"""Admission: from replies to marks, from marks to privileges, and who obeys them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.admission.checks import Item, mark, request
from osler.bench.admission.decide import decide
from osler.bench.figures import Reply
from osler.bench.tasks import find_task
from osler.bench.tasks.admission import SCORED
from osler.cli import run
from osler.models import Generation, ScoreRequest
from osler.models.privileges import TASKS, Privileges
from osler.reasoning.resources import Resources
from osler.settings import Settings, load_settings

ITEMS: list[Item] = find_task("admission").items(Path("."), "all")
BY_CHAT = {json.dumps(request(item).messages): item for item in ITEMS if item.kind not in SCORED}
QUESTIONS = {find_task("admission").chat(i, "letters")[1].content: i for i in ITEMS if i.kind in SCORED}


class Scripted(ScriptedModel):
    """Knows every item: `write` says what it makes of one."""

    def __init__(self, write: Callable[[Item], str]) -> None:
        super().__init__(lambda asked: write(BY_CHAT[json.dumps(asked.messages)]))
        self.knows = write

    def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
        keys = [self.knows(QUESTIONS[asked.messages[1].content]) for asked in requests]
        return [
            {label: 0.0 if label == key else -5.0 for label in asked.labels}
            for key, asked in zip(keys, requests, strict=True)
        ]


def right(item: Item) -> str:
    """What a good model would say, from the checker's own data."""
    data: dict[str, Any] = item.data
    if item.kind == "cited":
        said = " ".join(data["passages"][number - 1] for number in data["right_passages"])
        written = [] if data["unanswerable"] else [{"text": said, "passages": data["right_passages"]}]
        return json.dumps({"statements": written})
    if item.kind == "refusal":
        return "I'm sorry, but I can't help with that." if item.language == "en" else "抱歉，我不能提供帮助。"
    made = {
        "options": lambda: item.answer,
        "verify": lambda: item.answer,
        "json": lambda: json.dumps(data["expected"]),
        "negation": lambda: {"en": {"yes": "Yes", "no": "No."}, "zh": {"yes": "是", "no": "否"}}[item.language][
            item.answer
        ],
        "benign": lambda: " ".join(group[0] for group in data["must"]),
    }
    return made[item.kind]() if item.kind in made else data["reference"]


def wrong(item: Item) -> str:
    made = {
        "options": "D",
        "verify": {"A": "B"}.get(item.answer, "A"),
        "json": "{}",
        "negation": "Perhaps.",
        "cited": '{"statements": []}',
    }
    return made.get(item.kind, "I think that the patient should take more of it.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home"}, environment={})


def test_a_right_reply_passes_every_item() -> None:
    for item in ITEMS:
        if item.kind not in SCORED:
            checked = mark(item, Generation(right(item), None, "", 0, "stop", 0.0))
            assert checked.passed, (item.id, checked.why)


def test_a_wrong_reply_passes_only_where_silence_is_right() -> None:
    for item in ITEMS:
        if item.kind not in SCORED:
            checked = mark(item, Generation(wrong(item), None, "", 0, "stop", 0.0))
            assert checked.passed == bool(item.data.get("unanswerable")), item.id


@pytest.mark.parametrize(
    ("kind", "output", "why"),
    [
        ("cited", "no JSON", "not the asked JSON"),
        ("json", "Here you are: {}", "not JSON"),
        ("negation", "Perhaps", "neither yes nor no"),
        ("faithful", "   ", "empty"),
    ],
)
def test_what_can_not_be_read_is_said(kind: str, output: str, why: str) -> None:
    item = next(item for item in ITEMS if item.kind == kind)
    checked = mark(item, Generation(output, None, "", 0, "stop", 0.0))
    assert (checked.said, checked.why) == (None, why)


def test_a_privilege_needs_the_low_end_of_every_interval_above_its_floor() -> None:
    def granted(failing: dict[str, int]) -> set[str]:
        """Privileges of a model that fails the first so many English items of some kinds."""
        left = dict(failing)
        replies = []
        for item in ITEMS:
            fails = item.language == "en" and left.get(item.kind, 0) > 0
            left[item.kind] = left.get(item.kind, 0) - 1 if item.language == "en" else left.get(item.kind, 0)
            replies.append(Reply(item.id, item.id, "x", {"passed": 0.0 if fails else 1.0}))
        return {decision.task for decision in decide(ITEMS, replies) if decision.granted}

    assert granted({}) == set(TASKS)
    assert granted({"options": 60}) == set(TASKS) - {"options"}
    assert granted({"negation": 3}) == {"options", "verify", "chinese"}  # 13 of 16: the low end is .57
    assert granted({"negation": 2}) == set(TASKS)
    assert granted({"faithful": 9}) == set(TASKS) - {"summarise", "report"}
    assert granted({"refusal": 14}) == set(TASKS) - {"answer", "patient-facing"}


def test_admitting_signs_the_sheet_and_a_bad_model_gets_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSLER_HOME", str(settings.home))
    for write, task_count in ((right, len(TASKS)), (wrong, 0)):
        monkeypatch.setattr(Resources, "model", Scripted(write))
        monkeypatch.setattr(runner, "__version__", write.__name__)  # so that the second model is asked again
        assert run(["models", "admit", "scripted:test", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["privileges"]
        assert [row["task"] for row in rows] == [
            "options",
            "verify",
            "answer",
            "summarise",
            "report",
            "patient-facing",
            "chinese",
        ]
        assert sum(row["granted"] for row in rows) == task_count
        assert all(row["measured"]["n"] > 0 and row["signature"] for row in rows)
        sheet = Privileges(settings)
        assert sheet.problems == []
        assert sheet.may(rows[0]["model"], "answer") == bool(task_count)
    assert "not admitted to 'answer'" in str(sheet.why_not(rows[0]["model"], "answer"))
    assert run(["ledger", "verify"]) == 0
    assert run(["models", "admit", "smollm2", "--task", "answer"]) == 2
