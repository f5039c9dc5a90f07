"""Each method does what its paper says: shown with a scripted model whose behaviour and error rate are known."""

import json
import random
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted import ScriptedModel

from osler.models import Request, ScoreRequest, model_digest
from osler.models.privileges import Privileges
from osler.nouns import Answer, Evidence, Source
from osler.reasoning.ask import Question, answer
from osler.reasoning.asking import claims_of, read_reply, shuffled
from osler.reasoning.examples import examples, nearest
from osler.reasoning.judging import judge
from osler.reasoning.packing import packed
from osler.reasoning.prompts import FOLDER, prompts
from osler.reasoning.resources import Resources, Run
from osler.reasoning.standing import about
from osler.settings import load_settings
from osler.text import has_chinese

LYME = Question(
    text="Which drug is given first for early Lyme disease in an adult?",
    options={"A": "doxycycline", "B": "vancomycin", "C": "aciclovir", "D": "metformin"},
)
MARFAN = Question(
    text="A tall patient with Marfan syndrome and ectopia lentis has chest pain. What is feared?",
    options={"A": "Aortic aneurysm", "B": "Psoriasis"},
)
TWO = Question(text="Is it so?", options={"A": "this", "B": "that"}, context="It is so.")


@pytest.fixture(scope="session")
def method_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all methods, so that the starter library is unpacked once."""
    return tmp_path_factory.mktemp("methods") / "home"


@pytest.fixture
def made_run(method_home: Path) -> Callable[..., tuple[Run, ScriptedModel]]:
    """A run of the bench (which may ask any model) over a scripted one."""

    def make(write: Callable[[Request], str] = lambda request: "Answer: A", **more: Any) -> tuple[Run, ScriptedModel]:
        given = {"home": method_home, "models.language": "openai:http://127.0.0.1:9/v1#scripted"}
        run, model = Run(Resources(load_settings(given, environment={})), "bench"), ScriptedModel(write, **more)
        run.resources.__dict__["model"] = model
        return run, model

    return make


Made = Callable[..., tuple[Run, ScriptedModel]]


def last(request: Request | ScoreRequest) -> str:
    return request.messages[-1].content


def test_direct_takes_the_likeliest_letter_and_quotes_what_speaks_for_it(made_run: Made) -> None:
    run, model = made_run(prefer=lambda request: "A")
    made = answer(LYME, run, "direct")
    assert made.choice == "A" and made.shares and max(made.shares, key=made.shares.__getitem__) == "A"
    assert abs(sum(made.shares.values()) - 1) < 1e-3 and made.confidence is None
    assert not model.seen and len(model.scored) == 1
    for item in made.statements:
        assert any(item.text in run.evidence[name].text for name in item.evidence)
        assert item.verdict == "supported" and "doxycycline" in item.text.lower()


def test_a_choice_without_evidence_says_that_it_stands_alone(made_run: Made) -> None:
    run, _ = made_run()
    made = answer(
        TWO.model_copy(update={"context": "The sky was grey on Monday and on Tuesday as well."}), run, "direct"
    )
    assert made.choice == "A" and [item.verdict for item in made.statements] == ["unsupported"]
    assert not made.statements[0].evidence


def test_few_shot_shows_solved_questions_of_the_language(made_run: Made) -> None:
    run, model = made_run()
    answer(TWO, run, "few-shot")
    roles = [message.role for message in model.scored[0].messages]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]
    run, model = made_run()
    answer(
        Question(text="首选哪种药物？", options={"A": "青霉素", "B": "阿司匹林"}, context="青霉素。"), run, "few-shot"
    )
    assert examples("zh")[0].question in model.scored[0].messages[1].content


def test_chain_of_thought_reads_the_letter_behind_the_reasoning(made_run: Made) -> None:
    run, _ = made_run(lambda request: "Vancomycin is not for Borrelia. A tetracycline is.\nAnswer: B")
    made = answer(LYME, run, "chain-of-thought")
    assert made.choice == "B" and [item.text for item in made.statements][-1] == "A tetracycline is."
    run, _ = made_run(lambda request: "I do not know.")
    assert answer(LYME, run, "chain-of-thought").abstained is not None


def test_self_consistency_lifts_a_model_of_sixty_percent_to_the_binomial_figure(made_run: Made) -> None:
    luck = random.Random(7)
    run, _ = made_run(lambda request: "Answer: A" if luck.random() < 0.6 else "Answer: B")
    n = 600
    alone = sum(answer(TWO, run, "chain-of-thought").choice == "A" for _ in range(n)) / n
    voted = sum(answer(TWO, run, "self-consistency").choice == "A" for _ in range(n)) / n
    binomial = 0.68256  # three or more of five at .6
    assert abs(alone - 0.6) < 0.05 and abs(voted - binomial) < 0.05 and voted > alone


def test_self_consistency_samples_with_seeds_of_their_own_and_shows_the_agreement(made_run: Made) -> None:
    run, model = made_run(lambda request: "Answer: A" if request.seed % 5 < 4 else "Answer: B")
    made = answer(TWO, run, "self-consistency")
    assert len({request.seed for request in model.seen}) == 5 and all(r.temperature > 0 for r in model.seen)
    assert made.shares == {"A": 0.8, "B": 0.2} and made.choice == "A"


def test_medprompt_shuffles_options_and_maps_letters_back(made_run: Made) -> None:
    def by_text(request: Request) -> str:
        lines = last(request).splitlines()
        return f"Answer: {next(line[0] for line in lines if line.endswith('. doxycycline'))}"

    run, model = made_run(by_text)
    made = answer(LYME, run, "medprompt")
    assert made.shares == {"A": 1.0} and len({last(request) for request in model.seen}) == 3
    run, _ = made_run(lambda request: "Answer: A")  # a model that likes the first place whatever stands there
    shares = answer(LYME, run, "medprompt").shares
    assert shares is not None and len(shares) > 1


def test_medprompt_shows_the_nearest_solved_questions_last(made_run: Made) -> None:
    run, _ = made_run()
    known = examples("en")[7]
    assert nearest(Question(text=known.question), 3, run)[-1] == known


def test_clinical_elements_pad_the_prompt_with_what_the_graph_says_of_linked_terms(made_run: Made) -> None:
    run, model = made_run()
    made = answer(MARFAN, run, "clinical-elements")
    shown, graph = last(model.scored[0]), run.resources.graph
    for name in ("Marfan syndrome", "Ectopia lentis"):
        node = graph.resolve(name)[0]
        assert node.label in shown and (node.definition or node.label)[:60] in shown
    assert made.choice == "A"


def test_graph_paths_are_rows_of_the_graph_between_question_and_option(made_run: Made) -> None:
    run, model = made_run()
    made = answer(MARFAN, run, "graph-paths")
    shown = last(model.scored[0])
    assert "Marfan syndrome has the finding" in shown and "neurysm" in shown
    assert made.choice == "A" and len(model.scored) == 1


def test_retrieve_then_read_shows_passages_and_then_scores_the_options(made_run: Made) -> None:
    run, model = made_run()
    made = answer(LYME, run, "retrieve-then-read")
    assert "<passage" in last(model.scored[0]) and "oxycycline" in last(model.scored[0])
    assert made.choice == "A" and made.statements[0].evidence and run.trace("x").searches


def test_follow_up_retrieval_asks_for_what_is_missing_and_reads_what_it_found(made_run: Made) -> None:
    def write(request: Request) -> str:
        if request.json_schema is None:
            return (
                "Doxycycline is given for early Lyme disease." if "Answer: LETTER" not in last(request) else "Answer: A"
            )
        return json.dumps(
            {"list": ["treatment of early Lyme disease" if "-" in last(request)[-3:] else "duration of doxycycline"]}
        )

    run, model = made_run(write)
    made = answer(LYME, run, "follow-up-retrieval")
    queries = [search.query for search in run.trace("x").searches]
    assert queries[0] == "treatment of early Lyme disease" and made.choice == "A"
    assert "treatment of early Lyme disease: Doxycycline is given" in last(model.seen[-1])
    assert len(model.seen) <= 7


def test_chain_of_verification_answers_its_questions_without_the_draft_and_revises(made_run: Made) -> None:
    def write(request: Request) -> str:
        if request.json_schema is not None:
            return json.dumps({"list": ["Which bacteria cause Lyme disease?", "Does vancomycin act on Borrelia?"]})
        if "The draft was checked" in last(request):
            return "Answer: A"
        return "It does not." if "LETTER" not in last(request) else "Vancomycin, surely.\nAnswer: B"

    run, model = made_run(write)
    assert answer(LYME, run, "chain-of-verification").choice == "A"
    checks = [r for r in model.seen if r.json_schema is None and "LETTER" not in last(r)]
    assert len(checks) == 2 and not any("Vancomycin, surely" in last(request) for request in checks)
    assert "Vancomycin, surely" in last(model.seen[-1]) and "It does not." in last(model.seen[-1])


def test_a_panel_is_called_for_a_hard_question_and_its_chair_reads_all_opinions(made_run: Made) -> None:
    def write(request: Request) -> str:
        if request.json_schema is not None:
            return json.dumps({"list": ["infectious diseases", "rheumatology", "neurology"]})
        if "You chair" in last(request):
            return "The argument of rheumatology is the best.\nAnswer: C"
        who = request.messages[0].content.split("specialist in ")[1].split(" in a case")[0]
        return f"I speak for {who}.\nAnswer: {'C' if who == 'rheumatology' else 'B'}"

    run, model = made_run(write, prefer=lambda request: "B")
    made = answer(LYME, run, "panel")
    assert made.choice == "C"  # arguments, not votes
    assert all(
        f"I speak for {name}" in last(model.seen[-1]) for name in ("infectious diseases", "rheumatology", "neurology")
    )
    run, model = made_run(prefer=lambda request: "A")
    answer(LYME, run, "panel")
    assert len(model.seen) == 1  # an easy question has one reader


def test_chain_of_diagnosis_shows_its_confidence_and_asks_on_while_it_is_low(made_run: Made) -> None:
    run, model = made_run()
    case = "A young man has ectopia lentis, arachnodactyly and aortic root aneurysm. What does he have?"
    made = answer(Question(text=case, options={"A": "Marfan syndrome", "B": "Gout"}), run, "chain-of-diagnosis")
    assert "Marfan syndrome" in last(model.scored[0]) and "%" in last(model.scored[0]) and made.choice == "A"
    run, _ = made_run()
    vague = answer(
        Question(text="A patient has fatigue. What is it?", options={"A": "Anemia", "B": "Gout"}),
        run,
        "chain-of-diagnosis",
    )
    assert vague.next_question and vague.next_question.endswith("?")


def tool_calls(run: Run) -> list[str]:
    return [call.operation for call in run.trace("x").graph if call.operation.startswith("tool.")]


def test_plan_with_tools_calls_what_exists_and_stops_at_its_bound(made_run: Made) -> None:
    steps = iter([("search", "doxycycline Lyme disease"), ("graph", "Lyme disease"), ("finish", "")])
    run, model = made_run(lambda request: json.dumps(dict(zip(("tool", "input"), next(steps), strict=True))))
    assert answer(LYME, run, "plan-with-tools").choice == "A"
    assert tool_calls(run) == ["tool.search", "tool.graph"] and "<passage" in last(model.scored[0])
    allowed = model.seen[0].json_schema["properties"]["tool"]["enum"]  # type: ignore[index]
    assert set(allowed) == {"search", "graph", "calculator", "interactions", "finish"}
    count = iter(range(100))
    run, model = made_run(lambda request: json.dumps({"tool": "search", "input": f"lyme {next(count)}"}))
    answer(LYME, run, "plan-with-tools")
    assert len(tool_calls(run)) == 4
    run, _ = made_run(lambda request: json.dumps({"tool": "shell", "input": "rm -rf /"}))
    answer(LYME, run, "plan-with-tools")
    assert tool_calls(run) == []


# --- what all methods share -----------------------------------------------------------------------------------


def test_passages_are_packed_by_the_tokenizers_own_count_best_first(made_run: Made) -> None:
    run, _ = made_run()
    texts = [
        "The weather was mild. " * 20,
        "Early Lyme disease in adults is treated first with doxycycline.",
        "Cats purr. " * 30,
    ]
    found = [Evidence(id=str(n), kind="passage", text=text) for n, text in enumerate(texts)]
    chosen = packed(found, LYME, run)
    assert chosen[0].id == "1" and len(chosen) == 3
    tight = run.settings.model_copy(update={"models": run.settings.models.model_copy(update={"reading": 100})})
    run.settings = tight
    assert packed(found, LYME, run)[0].id == "1" and len(packed(found, LYME, run)) < 3


def _evidence(text: str, **more: Any) -> Evidence:
    return Evidence(id="P", kind="passage", text=text, **more)


def test_retracted_superseded_and_old_evidence_is_marked() -> None:
    assert about(_evidence("x", retracted=True), None) == ["P was retracted"]
    assert about(_evidence("x", superseded_by="Q"), None) == ["P was superseded by Q"]
    assert about(_evidence("x", valid_from="1999-03-01"), 2010) == ["P is of 1999, before 2010"]
    assert about(_evidence("x", source=Source(year=2015)), 2010) == []


def test_retracted_evidence_supports_nothing(made_run: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Early Lyme disease in adults is treated first with doxycycline for ten days."
    run, _ = made_run(lambda request: json.dumps({"statements": [{"text": text, "passages": [1]}]}))
    monkeypatch.setattr(run, "search", lambda query, k, **filters: [_evidence(text, retracted=True)])
    made = answer(Question(text="How is early Lyme disease in adults treated?"), run, "retrieve-then-read")
    assert made.abstained is not None and [item.verdict for item in made.statements] == ["unsupported"]
    assert made.statements[0].cautions == ["P was retracted"]


def test_another_passage_that_says_otherwise_is_shown(made_run: Made) -> None:
    context = (
        "Early Lyme disease in adults is treated with doxycycline for 10 days.\n\n"
        "Early Lyme disease in adults is treated with doxycycline for 30 days."
    )
    said = {"text": "Early Lyme disease in adults is treated with doxycycline for 10 days.", "passages": [1]}
    run, _ = made_run(lambda request: json.dumps({"statements": [said]}))
    made: Answer = answer(
        Question(text="How is early Lyme disease in adults treated?", context=context), run, "retrieve-then-read"
    )
    assert made.statements[0].verdict == "supported"
    assert any("context:2 says otherwise" in caution for caution in made.statements[0].cautions)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Answer: B", "B"),
        ("答案：A、C", "AC"),
        ("B. because", "B"),
        ("A fever is common.", None),
        ("It is vancomycin.", "B"),
        ("", None),
    ],
)
def test_replies_are_read_or_counted_as_unread(text: str, key: str | None) -> None:
    assert read_reply(text, LYME.options or {}) == key


def test_shuffling_is_a_permutation_that_a_seed_repeats() -> None:
    again, old = shuffled(LYME, 2)
    assert again.options and LYME.options and shuffled(LYME, 2) == (again, old)
    assert all(again.options[new] == LYME.options[was] for new, was in old.items())
    assert shuffled(LYME, 0)[0] == LYME


def test_the_line_that_names_the_option_is_no_claim() -> None:
    assert [claim.text for claim in claims_of("Ticks carry it. So it is treated.\nAnswer: A")] == [
        "Ticks carry it.",
        "So it is treated.",
    ]


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem not in ("intents", "commands"))
)
def test_prompts_of_both_languages_have_the_same_parts_and_places(name: str) -> None:
    both, has_words = prompts(name), re.compile(r"[a-z]{4}(?![a-z_]*\})")
    assert both["en"].keys() == both["zh"].keys()
    for part, text in both["en"].items():
        places = [{found for _, found, _, _ in string.Formatter().parse(t) if found} for t in (text, both["zh"][part])]
        assert {p.replace("max_words", "max_characters") for p in places[0]} == places[1], part
        assert has_chinese(both["zh"][part]) or not has_words.search(text.replace("{request}", "")), part


def test_chinese_questions_are_asked_in_chinese(made_run: Made) -> None:
    run, model = made_run()
    made = answer(
        Question(text="早期莱姆病的首选药物是什么？", options={"A": "多西环素", "B": "万古霉素"}),
        run,
        "retrieve-then-read",
    )
    assert (
        made.choice == "A" and "只回答正确选项的字母" in last(model.scored[0]) and "<passage" in last(model.scored[0])
    )


def test_a_model_with_the_privilege_judges_what_rules_leave_open(method_home: Path) -> None:
    given = {"home": method_home / "judging", "models.language": "openai:http://127.0.0.1:9/v1#scripted"}
    settings = load_settings(given, environment={})
    evidence = [Evidence(id="E", kind="passage", text="Most adults with the rash recovered without any treatment.")]
    model = ScriptedModel(lambda request: "", prefer=lambda request: "A")

    def verdict(text: str) -> str:
        run = Run(Resources(settings), "ask")
        run.resources.__dict__["model"] = model
        return judge(text, evidence, run)

    loose = "The eruption usually went away by itself in grown-ups."
    assert verdict(loose) != "supported" and not model.scored
    digest = model_digest(settings.models.language, settings)
    Privileges(settings).grant_provisional(digest, ["verify"], by="test", reason="test")
    assert verdict(loose) == "supported" and len(model.scored) == 1
    assert verdict("The eruption went away in 12 days.") != "supported" and len(model.scored) == 1
