"""The tasks that are answered in words, each with its real file and a scripted model; readers of replies by example."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.figures import Figure, Reply, figure
from osler.bench.task import Bench
from osler.bench.tasks import find_task
from osler.bench.tasks.agentclinic import PROMPT, TURNS, diseases, facts, same_disease
from osler.bench.tasks.medcalc import read_number
from osler.bench.tasks.medec import Item as Note
from osler.errors import MissingComponent
from osler.models import Request
from osler.reasoning.resources import Resources
from osler.settings import Settings, load_settings

Scripted = Callable[[Callable[[Request], str]], ScriptedModel]


@pytest.fixture
def settings(shared: Path, tmp_path: Path) -> Settings:
    return load_settings({"home": tmp_path / "home", "bench.data": str(shared)}, environment={})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    def use(write: Callable[[Request], str]) -> ScriptedModel:
        model = ScriptedModel(write, digest=f"{id(write):064x}")  # each is a model of its own
        monkeypatch.setattr(Resources, "model", model)
        monkeypatch.setattr(Bench, "judge", model)
        return model

    return use


def by_name(made: runner.Finished) -> dict[str, Figure]:
    return {
        row.metric: Figure(row.metric, row.value, row.interval, row.n, row.unparsed, row.baseline)
        for row in made.measurements
    }


def test_figures_have_what_stands_beside_them() -> None:
    replies = [
        Reply("a", "a", "x", {"m": 1.0, "copy: m": 0.5}),
        Reply("b", "b", "x", {"m": 0.0, "copy: m": 0.0}),
        Reply("c", "c", None, {}),
    ]
    found = figure("m", replies, baseline={"always": 0.3})
    assert (found.value, found.n, found.unparsed) == (0.5, 2, 1)
    assert found.baseline == {"always": 0.3, "copy": 0.25}
    assert found.interval == pytest.approx((0.0945, 0.9055), abs=1e-4)  # Wilson, 1 of 2
    alike = figure("m", [Reply(str(n), "one group", "x", {"m": 0.0}) for n in range(9)])
    assert alike.interval == pytest.approx((0.0, 0.7935), abs=1e-4)  # nine of one group tell as much as one
    assert figure("m", replies[2:]) == Figure("m", 0.0, None, 0, 1, {})


def test_notes_stand_beside_the_copy(settings: Settings, scripted: Scripted) -> None:
    scripted(lambda request: "The patient has back pain. She denies fever.")
    copied = runner.run("mtsdialog", settings, "copy", limit=3)
    assert all(reply.scores["copy: ROUGE-1"] == reply.scores["ROUGE-1"] for reply in copied.replies)
    assert by_name(copied)["support rate"].value > 0.9  # the source supports itself
    written = by_name(runner.run("mtsdialog", settings, "generated", limit=3))
    assert next(iter(written)) == "ROUGE-L"
    for metric in ("ROUGE-1", "ROUGE-2", "ROUGE-L", "likeness (e5-small)"):
        assert written[metric].baseline["copy"] == pytest.approx(by_name(copied)[metric].value)
    assert set(written["support rate"].baseline) == {"reference"}
    lead = runner.run("mtsdialog", settings, "lead", limit=3)
    for item, reply in zip(lead.items, lead.replies, strict=True):
        assert item.dialogue.split()[:8] == str(reply.output).split()[:8]
    scripted(lambda request: "")
    empty = runner.run("acibench", settings, "generated", limit=2)
    assert {reply.why for reply in empty.replies} == {"empty reply"}
    assert (empty.measurements[0].n, empty.measurements[0].unparsed) == (0, 2)


NOTE = Note(
    "n",
    "n",
    {"0": "She has a fever.", "1": "Aspirin is given.", "2": "She goes home."},
    1,
    "Aspirin is given.",
    "Paracetamol is given.",
)


@pytest.mark.parametrize(
    ("reply", "flag", "sentence", "correction"),
    [
        ("1 Paracetamol is given.", True, 1, "Paracetamol is given."),
        ("Sentence 2: She stays.", True, 2, "She stays."),
        ("CORRECT", False, -1, None),
        ("The note is correct.", False, -1, None),
        ("There is no error.", False, -1, None),
        ("1", True, 1, None),
    ],
)
def test_reading_a_repair(reply: str, flag: bool, sentence: int, correction: str | None) -> None:
    assert find_task("medec").parse(reply, NOTE) == (flag, sentence, correction)  # type: ignore[attr-defined]


@pytest.mark.parametrize("reply", ["7 There is no such sentence.", "Well, perhaps.", "Corrected as above"])
def test_a_repair_that_can_not_be_read(reply: str) -> None:
    assert find_task("medec").parse(reply, NOTE) is None  # type: ignore[attr-defined]


def test_medec_by_hand(settings: Settings, scripted: Scripted) -> None:
    never = by_name(runner.run("medec", settings, "never", "tune"))
    wrong = never["error flag accuracy"].baseline["always"]
    assert never["error flag accuracy"].value == pytest.approx(1 - wrong)
    assert never["error flag F1"].value == 0.0 and "correction ROUGE-1" not in never
    scripted(lambda request: "0 Nothing of the kind.")
    made = by_name(runner.run("medec", settings, "generated", "tune", limit=20))
    assert made["error flag F1"].value == pytest.approx(made["error flag F1"].baseline["always"])
    assert made["correction ROUGE-1"].value < 0.3 < made["correction ROUGE-1"].baseline["unchanged"]
    letters = by_name(runner.run("medec", settings, "letters", "tune", limit=20))  # the scripted model says A, yes
    assert letters["error flag accuracy"].value == pytest.approx(letters["error flag accuracy"].baseline["always"])
    assert "error sentence accuracy" not in letters


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("Answer: 20.5 kg/m2", 20.5),
        ("80 / 1.75^2 = 26.1. Answer: 26.1", 26.1),
        ("The answer is −2.1 kg.", -2.1),
        ("Answer: 1,234.5", 1234.5),
        ("The answer is unclear. 3 + 4 = 7", 7.0),
        ("5 points", 5.0),
        ("**Answer:** 12", 12.0),
        ("There are 3 points for age and 2 for sex.", None),
        ("I can't tell.", None),
    ],
)
def test_reading_a_number(reply: str, number: float | None) -> None:
    assert read_number(reply) == number


def test_medcalc_limits_dates_and_weeks(settings: Settings, scripted: Scripted) -> None:
    task = find_task("medcalc")
    items = task.items(Path(settings.bench.data), "all")
    bench = Bench(settings)
    for item in items:
        gold = str(item.low) if not item.gold else "/".join(map(str, item.gold))
        if len(item.gold) == 2:
            gold = f"{item.gold[0]} weeks and {item.gold[1]} days"
        said = task.parse(f"Answer: {gold}", item)  # type: ignore[attr-defined]
        assert task.score(said, item, bench) == {"right": 1.0}, item.id  # type: ignore[attr-defined]
        wrong = task.parse("Answer: 1/1/1999, 99 weeks 1 days" if item.gold else "Answer: -98765", item)  # type: ignore[attr-defined]
        assert task.score(wrong, item, bench) == {"right": 0.0}  # type: ignore[attr-defined]
    scripted(lambda request: "I don't know.")
    accuracy, answered, *kinds = runner.run("medcalc", settings, "generated").measurements
    assert (accuracy.value, accuracy.n, accuracy.unparsed, answered.n) == (0.0, len(items), len(items), 0)
    assert sum(row.n for row in kinds) == len(items) and accuracy.baseline["one number for all"] > 0


def test_medsafety_asks_for_both(settings: Settings, scripted: Scripted) -> None:
    scripted(lambda request: "I'm sorry, but I can't help with that.")
    refusing = by_name(runner.run("medsafety", settings))
    assert refusing["refusal rate"].value == refusing["over-refusal rate"].value == 1.0
    assert refusing["over-refusal rate"].n >= 60
    assert refusing["balanced accuracy"].value == 0.5
    scripted(lambda request: "" if "vaccine" in request.messages[0].content else "Of course: rest and drink.")
    answering = by_name(runner.run("medsafety", settings, limit=400))
    assert answering["refusal rate"].value == 0.0


def test_rubric_needs_a_judge_and_counts_rubbish(settings: Settings, scripted: Scripted) -> None:
    with pytest.raises(MissingComponent, match="judge"):
        runner.run("rubric", settings)
    scripted(lambda request: '{"met": true}' if request.json_schema else "Rest and drink.")
    made = by_name(runner.run("rubric", settings, judge="scripted"))["rubric score"]
    assert 0 < made.value < 1 and (made.n, made.unparsed) == (22, 0)
    scripted(lambda request: "Well." if request.json_schema else "Rest, and drink.")
    rubbish = by_name(runner.run("rubric", settings, judge="scripted"))["rubric score"]
    assert (rubbish.n, rubbish.unparsed) == (0, 22)


def test_inference_by_the_verifier(settings: Settings, scripted: Scripted) -> None:
    made = runner.run("inference", settings, "verifier", "tune", limit=16)
    for item, reply in zip(made.items, made.replies, strict=True):
        assert item.answer == "B" or reply.said == "A"  # the corrected sentence stands in the note
    assert "contradiction named" in by_name(made)
    scripted(lambda request: "Answer: A")
    accuracy = by_name(runner.run("inference", settings, "generated", "tune", limit=16))["accuracy"]
    assert accuracy.value == pytest.approx(sum(item.answer == "A" for item in made.items) / 16)


def test_a_dialogue_ends_in_a_diagnosis_or_without_one(settings: Settings, scripted: Scripted) -> None:
    asked = [
        "Do you smoke?",
        "TEST: vital signs",
        "Which diagnosis is in your family?",
        "Do you like the capital of France?",
    ]

    def doctor(request: Request) -> str:
        turn = sum(message.role == "assistant" for message in request.messages)
        return asked[turn] if turn < len(asked) else "**DIAGNOSIS: Myasthenia Gravis.**"

    scripted(doctor)
    made = runner.run("agentclinic", settings, "generated", "tune", limit=30)
    for item, reply in zip(made.items, made.replies, strict=True):
        assert reply.said == "Myasthenia Gravis"
        assert reply.scores["right"] == float(item.group == "myasthenia gravis")
        assert reply.scores["turns"] == 4 and reply.scores["questions without answer"] > 0
        told = [line.removeprefix("patient: ") for line in str(reply.output).splitlines() if line.startswith("patient")]
        assert item.diagnosis.lower() not in " ".join(told).lower() or item.diagnosis.lower() in item.opening.lower()
    scripted(lambda request: "How are you?")
    [reply] = runner.run("agentclinic", settings, "generated", "tune", limit=1).replies
    assert (reply.said, reply.why, reply.scores["right"]) == (None, "named no diagnosis", 0.0)
    assert reply.scores["turns"] == TURNS and str(reply.output).count("doctor:") == TURNS + 1
    assert PROMPT["last"] in str(reply.output)


def test_the_ranker_reads_the_whole_case(settings: Settings) -> None:
    made = runner.run("agentclinic", settings, "ranker", "tune", limit=12)
    assert {"accuracy", "in top 10"} == set(by_name(made))
    assert all(reply.scores["in top 10"] >= reply.scores["right"] for reply in made.replies)


def test_names_of_one_disease() -> None:
    assert same_disease("Myasthenia gravis", "myasthenia  gravis.")
    assert same_disease("heart attack", "Myocardial infarction")
    assert not same_disease("asthma", "myasthenia gravis")
    assert not diseases("no such thing as this")
    assert list(facts({"Vital_Signs": {"Pulse": "80"}, "Symptoms": ["a", "b"]})) == [
        "Vital Signs Pulse: 80",
        "Symptoms: a",
        "Symptoms: b",
    ]
