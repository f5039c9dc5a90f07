"""Items for learners: sound keys, distractors that are wrong, evidence for every option, no flaw that a rule knows."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.scripted import ScriptedModel

from osler.cli import cli
from osler.clinic.desk import Desk
from osler.education.quiz import DIFFICULTIES, KINDS, LEVELS, Wish, find_flaws, make_quiz, write_quiz
from osler.education.quiz.words import in_sentence
from osler.errors import InputError
from osler.knowledge.diagnosis import load_ranker
from osler.ledger import Ledger
from osler.models import model_digest
from osler.models.privileges import Privileges
from osler.reasoning.resources import Resources, Run
from osler.settings import load_settings
from osler.splits import split
from osler.trust.replay import replay

TOPICS = ["asthma", "chest pain", "Marfan syndrome", "beta blockers", "贫血"]


@pytest.fixture(scope="module")
def resources(tmp_path_factory):
    return Resources(load_settings({"home": str(tmp_path_factory.mktemp("quiz"))}, environment={}))


@pytest.fixture(scope="module")
def written(resources):
    """Six items on each topic with the run that cites their evidence."""
    made = {}
    for topic in TOPICS:
        run = Run(resources, "quiz")
        made[topic] = (write_quiz(topic, run, Wish(6)), run)
    return made


@pytest.fixture(params=TOPICS)
def topic(request, written):
    return (request.param, *written[request.param])


def test_items_are_whole(topic):
    name, items, run = topic
    assert len(items) == 6
    for item in items:
        texts = [choice.text for choice in item.options]
        assert sum(choice.correct for choice in item.options) == 1
        assert len(set(texts)) == len(texts) >= 3
        assert texts == sorted(texts, key=str.casefold), "an order that tells nothing of the key"
        assert all(choice.why and choice.evidence for choice in item.options)
        cited = {one for choice in item.options for one in choice.evidence}
        assert cited <= set(item.evidence) <= run.evidence.keys()
        assert item.language == ("zh" if name == "贫血" else "en")
        assert "{" not in item.stem + "".join(choice.why for choice in item.options)
    assert len({item.id for item in items}) == len(items)


def test_items_have_no_flaw_that_a_rule_knows(topic):
    for item in topic[1]:
        key = [choice.correct for choice in item.options].index(True)
        assert find_flaws(item.stem, [choice.text for choice in item.options], key) == []


def test_a_vignette_does_not_name_its_diagnosis_and_no_distractor_has_all_of_it(resources, written):
    graph, seen = resources.graph, 0
    for items, _ in written.values():
        for item in items:
            if item.level != "apply":
                continue
            seen += 1
            key = next(choice for choice in item.options if choice.correct)
            assert key.text.lower() not in item.stem.lower()
            disease = next(one.split(":", 1)[1].split("|")[0] for one in key.evidence if one.startswith("edge:"))
            told = [one.split("|")[2] for one in key.evidence if one.startswith(f"edge:{disease}|has_phenotype")]
            assert len(told) >= 4
            for choice in item.options:
                if not choice.correct:
                    other = choice.evidence[0].split(":", 1)[1].split("|")[0]
                    assert not graph.descends(other, disease) and not graph.descends(disease, other)
                    ranked = {d.id: d.score for d in load_ranker().rank(told, top=3000)}
                    assert ranked.get(other, 0.0) < ranked[disease]
    assert seen >= 4


def test_treatments_are_told_by_a_passage_and_their_distractors_are_not(resources):
    run = Run(resources, "quiz")
    items = [item for item in write_quiz("asthma", run, Wish(20)) if "used to treat" in item.stem]
    assert items
    for item in items:
        key = next(choice for choice in item.options if choice.correct)
        assert any(run.evidence[one].kind == "passage" for one in key.evidence)
        assert all(
            resources.graph.edges(row.split(":", 1)[1].split("|")[0], "treats")
            for choice in item.options
            for row in choice.evidence
            if row.startswith("edge:")
        )


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(resources, kind):
    items = write_quiz("epilepsy", Run(resources, "quiz"), Wish(4, kind=kind))
    assert [item.kind for item in items] == [kind] * 4
    if kind == "true-false":
        assert [[choice.text for choice in item.options] for item in items] == [["True", "False"]] * 4
        assert [item.options[0].correct for item in items] == [True, False, True, False]
    if kind == "short-answer":
        for item in items:
            assert len(item.options) == 1 and item.options[0].correct
            assert item.accepted[0] == item.options[0].text
            assert "following" not in item.stem


@pytest.mark.parametrize("level", LEVELS)
def test_levels(resources, level):
    items = write_quiz("heart failure", Run(resources, "quiz"), Wish(3, level=level))
    assert [item.level for item in items] == [level] * 3


def test_hard_distractors_rank_nearer_to_the_key_than_easy_ones(resources):
    def places(difficulty):
        run = Run(resources, "quiz")
        item = write_quiz("pulmonary embolism", run, Wish(1, level="apply", difficulty=difficulty))[0]
        key = next(choice for choice in item.options if choice.correct)
        told = [one.split("|")[2] for one in key.evidence if one.startswith("edge:")]
        order = [d.id for d in load_ranker().rank(told, top=3000)]
        assert item.difficulty == difficulty
        others = [c.evidence[0].split(":", 1)[1].split("|")[0] for c in item.options if not c.correct]
        return sum(order.index(other) for other in others)

    assert places("hard") < places("easy")
    assert DIFFICULTIES == ("easy", "medium", "hard")


def test_what_is_known_is_refused(resources):
    first = write_quiz("asthma", Run(resources, "quiz"), Wish(1))[0]
    second = write_quiz("asthma", Run(resources, "quiz"), Wish(1), known=lambda text: first.stem in text)[0]
    assert second.stem != first.stem


def test_a_model_may_put_a_case_into_prose_but_change_nothing(resources):
    spec = "openai:http://127.0.0.1:9/v1#scripted"
    asked = Resources(load_settings({"home": str(resources.settings.home), "models.language": spec}, environment={}))

    def reworded_by(change):
        model = ScriptedModel(lambda request: change(request.messages[-1].content.split("\n\n")[-1]))
        asked.__dict__["model"] = model
        return write_quiz("asthma", Run(asked, "quiz"), Wish(1, level="apply"))[0].stem

    def better(text):
        return text.replace(" has chest", " comes to you with chest")

    plain = reworded_by(better)
    assert "comes to you" not in plain, "without the privilege no model is asked"
    digest = model_digest(spec, asked.settings)
    Privileges(asked.settings).grant_provisional(digest, ["summarise"], by="a tester", reason="to test")
    assert "comes to you with" in reworded_by(better)
    for change in (
        lambda text: text.replace("15", "51"),
        lambda text: text.replace("girl", "boy"),
        lambda text: text.replace("tachypnea", "tachypnea and fever"),
        lambda text: text.replace("shows wheezing", "shows no wheezing"),
        lambda text: text + " What is the diagnosis?",
        lambda text: "",
    ):
        assert reworded_by(change) == plain


@pytest.mark.parametrize("nothing", ["xyzzy plugh", "???", ""])
def test_a_topic_that_nobody_knows(resources, nothing):
    with pytest.raises(InputError):
        write_quiz(nothing, Run(resources, "quiz"), Wish(1))


def test_a_quiz_is_in_the_ledger_and_replays(tmp_path):
    settings = load_settings({"home": str(tmp_path)})
    quiz = make_quiz("asthma", Desk(settings, who="somebody"), Wish(2))
    assert {one for item in quiz.items for one in item.evidence} == {item.id for item in quiz.evidence}
    assert Ledger.open(settings).entry(quiz.trace_id).kind == "quiz"
    again = replay(quiz.trace_id, settings)
    assert again.same, again.differences


def test_command(home):
    result = CliRunner().invoke(cli, ["learn", "quiz", "asthma", "--n", "2", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert len(document["items"]) == 2
    assert {"stem", "options", "topic", "level", "difficulty", "evidence", "flaws"} <= document["items"][0].keys()
    assert {"text", "correct", "why", "evidence"} == document["items"][0]["options"][0].keys()
    shown = CliRunner().invoke(cli, ["learn", "quiz", "asthma", "--n", "2"])
    assert document["items"][0]["stem"][:60] in shown.stdout and "[dim]" not in shown.stdout


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Hyperglycemic Hyperosmolar Nonketotic Coma", "hyperglycemic hyperosmolar nonketotic coma"),
        ("Marfan syndrome", "Marfan syndrome"),
        ("T2-low asthma", "T2-low asthma"),
        ("X-linked recessive", "X-linked recessive"),
        ("Asthma", "asthma"),
        ("Loeys-Dietz syndrome 1", "Loeys-Dietz syndrome 1"),
    ],
)
def test_names_inside_sentences(label, said):
    assert in_sentence(label) == said


FLAWED = [json.loads(line) for line in Path(__file__).with_name("flawed_items.jsonl").read_text("utf-8").splitlines()]


def test_flaws_of_items_by_another_hand():
    """The tune half of a labelled set: what the rules were made to find they go on finding."""
    hits = labels = said = 0
    for row in FLAWED:
        if split("flawed_items", row["id"]) == "tune":
            got = set(find_flaws(row["stem"], row["options"], row["key"]))
            hits, labels, said = hits + len(got & set(row["flaws"])), labels + len(row["flaws"]), said + len(got)
    assert hits / labels >= 0.88
    assert hits / said >= 0.95


@pytest.mark.parametrize(
    ("options", "flaw"),
    [
        (["Aspirin", "Insulin", "All of the above"], "bundled option"),
        (["10 to 20 mg", "15 to 30 mg", "40 mg"], "overlapping options"),
        (["Asthma", "Pneumonia", "37 percent"], "unlike options"),
        (["Type 1 diabetes mellitus", "Gout", "Scurvy"], None),
        (["Every 6 months", "Every 12 months", "Every 2 years"], None),
        (["Migraine", "Migraine with aura", "Gout"], "overlapping options"),
    ],
)
def test_flaws_of_options(options, flaw):
    found = find_flaws("A 40-year-old woman has pain. Which of the following is most likely?", options, None)
    assert found == ([flaw] if flaw else [])
