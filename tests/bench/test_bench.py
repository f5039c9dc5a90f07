"""The bench end to end with a scripted model: asking, reading replies, resuming, comparing; every task's real file."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.choice import ChoiceTask, Item, lettered
from osler.bench.compare import compare
from osler.bench.tasks import find_task, tasks
from osler.errors import InputError, MissingComponent
from osler.models import Generation, Request, ScoreRequest
from osler.reasoning.asking import read_reply
from osler.reasoning.resources import Resources
from osler.settings import Settings, load_settings

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
ITEM = Item("i", "i", "Which vitamin prevents scurvy?", lettered(["Vitamin A", "Vitamin C", "Vitamin D"]), "B")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "data" / "qa"
    folder.mkdir(parents=True)
    rows = [
        {
            "id": str(n),
            "question": f"Question {n}?",
            "options": lettered(["w", "x", "y", "z"]),
            "answer_idx": "AB"[n % 2],
        }
        for n in range(40)
    ]
    (folder / "medqa_us_dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_settings({"home": tmp_path / "home", "bench.data": str(tmp_path / "data")}, environment={})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    model = ScriptedModel(lambda request: "Answer: B")
    monkeypatch.setattr(find_task("medqa"), "path", "qa/medqa_us_dev.jsonl")
    monkeypatch.setattr(Resources, "model", model)
    return model


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("B", "B"),
        ("B.", "B"),
        ("(B) Vitamin C", "B"),
        ("**B**", "B"),
        ("Answer: B", "B"),
        ("The answer is B because of collagen.", "B"),
        ("A is wrong here. Answer: B", "B"),
        ("First I thought answer: A. But no. Answer: B", "B"),
        ("答案：B", "B"),
        ("正确答案为B。", "B"),
        ("Answer: A, C", "AC"),
        ("It must be vitamin C.", "B"),
        ("Answer: E", None),
        ("A deficiency of collagen", None),
        ("I can't tell.", None),
        ("", None),
    ],
)
def test_reading_a_reply(reply: str, read: str | None) -> None:
    assert read_reply(reply, ITEM.options) == read


@pytest.mark.skipif(not DATA.exists(), reason="the shared data sets are not here")
@pytest.mark.parametrize("name", sorted(tasks()))
def test_every_task_reads_its_file(name: str) -> None:
    task = find_task(name)
    items = task.items(DATA, "all")
    assert len(items) >= 20
    assert len({item.id for item in items}) == len(items)
    assert task.methods()
    if isinstance(task, ChoiceTask):
        for item in items:
            assert item.question.strip()
            assert len(item.options) >= 2
            assert set(item.answer) <= set(item.options)
            assert all(text.strip() for text in item.options.values())
    parts = [len(task.items(DATA, part)) for part in ("train", "tune", "report")]
    assert sum(parts) == len(items)


def test_a_run_is_measured_against_its_baselines(settings: Settings, scripted: ScriptedModel) -> None:
    made = runner.run("medqa", settings, "generated", "all")
    accuracy = made.measurements[0]
    assert (accuracy.metric, accuracy.value, accuracy.n, accuracy.unparsed) == ("accuracy", 0.5, 40, 0)
    assert accuracy.baseline == {"majority": 0.5, "random": 0.25}
    assert accuracy.interval == pytest.approx((0.352, 0.648), abs=0.001)
    assert accuracy.model == "scripted:test"
    letters = runner.run("medqa", settings, "letters", "all")
    assert {reply.said for reply in letters.replies} == {"A"}  # the scripted model prefers the first
    assert letters.replies[0].confidence == pytest.approx(0.8902, abs=1e-3)


def test_what_can_not_be_read_is_counted_apart(settings: Settings, scripted: ScriptedModel) -> None:
    scripted._write = lambda request: "Answer: B" if "Question 1?" in request.messages[1].content else "Hm."
    whole, answered = runner.run("medqa", settings, "generated", "all").measurements[:2]
    assert (whole.value, whole.unparsed) == (1 / 40, 39)
    assert (answered.value, answered.n) == (1.0, 1)


def test_a_killed_run_goes_on_without_loss_or_repetition(settings: Settings, scripted: ScriptedModel) -> None:
    class Killed(BaseException):
        pass

    def dies(request: Request) -> str:
        if len(scripted.seen) > 20:
            raise Killed
        return "Answer: B"

    scripted._write = dies
    with pytest.raises(Killed):
        runner.run("medqa", settings, "generated", "all")
    [answers] = (settings.home / "bench" / "answers").iterdir()
    with answers.open("a") as file:
        file.write('{"id": "cut o')  # a line that a kill cut off
    scripted.seen.clear()
    scripted._write = lambda request: "Answer: B"
    made = runner.run("medqa", settings, "generated", "all")
    assert len(made.replies) == 40
    assert len(scripted.seen) == 40 - 16  # the first batch was kept
    scripted.seen.clear()
    runner.run("medqa", settings, "generated", "all")
    assert scripted.seen == []  # the same run again asks nothing


def test_compare_is_paired(settings: Settings, scripted: ScriptedModel) -> None:
    first = runner.run("medqa", settings, "letters", "all")  # always A
    scripted._write = lambda request: "Answer: B"
    second = runner.run("medqa", settings, "generated", "all")
    found = compare(first, runner.show(second.card.id[:8], settings))
    assert (found.n, found.only_first, found.only_second, found.p) == (40, 20, 20, 1.0)
    assert found.interval[0] < 0 < found.interval[1]
    with pytest.raises(InputError, match="runs begin with"):
        runner.show("nothing", settings)


def test_a_limited_draw_is_the_same_for_the_same_seed(settings: Settings, scripted: ScriptedModel) -> None:
    one = runner.run("medqa", settings, limit=10, part="all")
    same = runner.run("medqa", settings, limit=10, part="all")
    other = runner.run("medqa", settings, limit=10, part="all", seed=1)
    assert one.card.id == same.card.id != other.card.id
    assert [reply.id for reply in one.replies] != [reply.id for reply in other.replies]


def test_bad_input(settings: Settings, scripted: ScriptedModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown task"):
        find_task("medqqa")
    with pytest.raises(InputError, match="unknown method"):
        runner.run("medqa", settings, "extractve")
    assert not (settings.home / "bench").exists()
    path = Path(str(settings.bench.data)) / "qa" / "medqa_us_dev.jsonl"
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(InputError, match=r"line 41"):
        runner.run("medqa", settings)
    path.unlink()
    with pytest.raises(MissingComponent, match="data set"):
        runner.run("medqa", settings)


def test_a_question_too_long_for_the_model_is_counted_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short(ScriptedModel):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            self.check(requests)
            return super().generate(requests)

        def score(self, requests: Sequence[ScoreRequest]) -> list[dict[str, float]]:
            self.check(requests)
            return super().score(requests)

        def check(self, requests: Sequence[Request | ScoreRequest]) -> None:
            if any("Question 7?" in request.messages[1].content for request in requests):
                raise InputError("the prompt is too long")

    monkeypatch.setattr(find_task("medqa"), "path", "qa/medqa_us_dev.jsonl")
    monkeypatch.setattr(Resources, "model", Short(lambda request: "Answer: B"))
    for method, why in (("generated", "cut off"), ("letters", "too long for the model")):
        made = runner.run("medqa", settings, method, "all")
        assert [(reply.id, reply.why) for reply in made.replies if reply.said is None] == [("7", why)]
        assert made.measurements[0].unparsed == 1


def _row(answer: str, keys: str) -> bytes:
    row = {"id": "a", "question": "Which?", "options": dict.fromkeys(keys, "x"), "answer_idx": answer}
    return json.dumps(row).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no items"),
        (b"no gzip", "after line 0"),
        (gzip.compress(_row("A", "AB") * 9000)[:-20], "can't be read"),
        (gzip.compress(b"\xff\xfe\n"), "can't be read"),
        (gzip.compress(b'{"id": "a"}\n'), "after 0 items"),
        (gzip.compress(b"[1]\n"), "line 1"),
        (gzip.compress(_row("E", "AB")), "question 1"),
        (gzip.compress(_row("A", "A")), "question 1"),
    ],
)
def test_a_damaged_data_file_is_named_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "qa" / "medqa_us_dev.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(content)
    settings = load_settings({"home": tmp_path / "home", "bench.data": str(tmp_path)}, environment={})
    with pytest.raises(InputError) as error:
        runner.run("medqa", settings, part="all")
    assert said in str(error.value)
    assert said == "no items" or str(path) in str(error.value.where)


def test_a_damaged_card_is_named(settings: Settings, scripted: ScriptedModel) -> None:
    card = runner.run("medqa", settings, part="all", limit=2).card
    path = settings.home / "bench" / "runs" / f"{card.id}.json"
    path.write_text(path.read_text()[:40])
    for look in (lambda: runner.runs(settings), lambda: runner.show(card.id, settings)):
        with pytest.raises(InputError, match="not the card"):
            look()
    assert len(runner.run("medqa", settings, part="all", limit=2).replies) == 2
    assert runner.runs(settings)[0].id == card.id
