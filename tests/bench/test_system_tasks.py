"""Tasks without a language model, on small files of their own: search, concepts, diagnosis, identifiers, images."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.scripted import ScriptedModel

from osler.bench import runner
from osler.bench.tasks import find_task
from osler.bench.tasks.retrieval import fused, judge
from osler.bench.tasks.vqa_rad import normalised, token_f1
from osler.errors import InputError, MissingComponent
from osler.reasoning.resources import Resources
from osler.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    flags = {"home": tmp_path / "home", "bench.data": str(tmp_path / "data"), "models.embedder": "none"}
    return load_settings(flags, environment={})


def write(path: Path, lines: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))


@pytest.fixture
def beir(settings: Settings) -> Path:
    folder = Path(str(settings.bench.data)) / "retrieval" / "nfcorpus_lc"
    texts = {"d 1": "scurvy is prevented by ascorbic acid", "d2": "rickets and sunlight", "d3": "iron in spinach"}
    write(folder / "corpus.jsonl", [{"_id": name, "title": "", "text": text} for name, text in texts.items()])
    write(folder / "queries.jsonl", [{"_id": "q1", "text": "scurvy"}, {"_id": "q2", "text": "rickets"}])
    write(folder / "test.tsv", ["query-id\tcorpus-id\tscore", "q1\td 1\t2", "q1\td3\t1", "q2\td2\t1", "q2\td3\t0"])
    return folder


def values(finished: runner.Finished) -> dict[str, float]:
    return {row.metric: round(row.value, 4) for row in finished.measurements}


def test_rankings_are_judged_as_trec_eval_does() -> None:
    scores = judge(["a", "x", "b"], {"b": 2, "a": 1, "c": 1})
    best = 2 + 1 / 1.584962500721156 + 1 / 2
    assert scores["nDCG@10"] == pytest.approx((1 + 2 / 2) / best)
    assert (scores["Recall@100"], scores["MRR"]) == (pytest.approx(2 / 3), 1.0)
    assert judge([], {"a": 1}) == {"nDCG@10": 0.0, "Recall@100": 0.0, "MRR": 0.0}
    assert fused([["a", "b"], ["b", "c"]]) == ["b", "a", "c"]


def test_a_corpus_becomes_a_library_once(settings: Settings, beir: Path) -> None:
    heard: list[tuple[int, int]] = []
    finished = runner.run(
        "retrieval_nfcorpus", settings, "bm25", progress=lambda done, total: heard.append((done, total))
    )
    assert [reply.said for reply in finished.replies] == [["d 1"], ["d2"]]
    assert values(finished)["MRR"] == 1.0
    assert values(finished)["Recall@100"] == 0.75
    assert heard and len(list((settings.home / "bench" / "libraries").glob("nfcorpus_lc-*"))) == 1
    with pytest.raises(MissingComponent, match="without vectors"):
        runner.run("retrieval_nfcorpus", settings, "vectors")


def test_a_corpus_line_that_is_none_is_named(settings: Settings, beir: Path) -> None:
    with (beir / "corpus.jsonl").open("a") as corpus:
        corpus.write("not a document\n")
    with pytest.raises(InputError, match="corpus can't be read whole"):
        runner.run("retrieval_nfcorpus", settings, "bm25")
    write(beir / "test.tsv", ["query-id\tcorpus-id\tscore", "q1 d1 1"])
    with pytest.raises(InputError, match=r"not a judgement.*line 2|line 2"):
        runner.run("retrieval_nfcorpus", settings, "bm25")


def test_concepts_count_mentions_and_documents(settings: Settings, tmp_path: Path) -> None:
    text = "Seizures and ataxia were seen; the mother had hearing loss."
    marked = [(0, 8, "HP:0001250"), (13, 19, "HP:0002066")]  # the second span has another term
    rows = [
        {"id": str(n), "text": text, "annotations": [{"start": a, "end": b, "hpo_id": c} for a, b, c in marked]}
        for n in range(3)
    ]
    write(tmp_path / "data" / "concepts" / "gsc_plus.jsonl", rows)
    task = find_task("concepts")
    items = list(task.read(tmp_path / "data" / "concepts" / "gsc_plus.jsonl"))
    replies = task.ask(items, "osler", runner.Bench(settings))
    scores = replies[0].scores
    assert (scores["mentions right"], scores["mentions found"], scores["mentions expected"]) == (1, 3, 2)
    assert scores["mention F1"] == pytest.approx(2 / 5)
    found = {row.metric: row for row in task.figures(items, replies)}
    assert found["mention precision, pooled"].value == pytest.approx(1 / 3)
    assert found["mention recall, pooled"].value == found["mention recall, pooled"].interval[1] == 0.5  # type: ignore[index]
    assert found["document F1, pooled"].value == pytest.approx(2 / 5)


def test_a_case_is_ranked_without_its_own_paper(settings: Settings, tmp_path: Path) -> None:
    case = {"excluded": [], "sex": None, "pmid": ["PMID:1"], "mondo": "MONDO:0007947"}
    marfan = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0000768"]
    rows = [
        {"case_id": "a", "observed": marfan, **case},
        {"case_id": "b", "observed": ["HP:9999999"], **case},
        {"case_id": "c", "observed": ["HP:0000365"], **{**case, "mondo": "MONDO:0000001"}},
    ]
    write(tmp_path / "cases.jsonl", rows)
    task = find_task("diagnosis")
    items = list(task.read(tmp_path / "cases.jsonl"))
    assert {task.part(item) for item in items} == {"report"}
    replies = task.ask(items, "osler", runner.Bench(settings))
    assert replies[0].scores["top-10"] == 1.0
    assert (replies[1].said, replies[1].why) == (None, "no finding can be used")
    assert replies[2].why == "the disease is not ranked"
    found = {row.metric: row for row in task.figures(items, replies)}
    assert found["top-10, micro"].value == pytest.approx(1 / 3)
    assert found["top-10, macro by disease"].value == pytest.approx(1 / 4)
    assert found["top-10, macro by disease"].n == 2
    assert 0 < found["top-10, micro"].baseline["random"] < 0.01
    assert found["top-10, micro"].unparsed == 1


def test_identifiers_found_and_spans_right(settings: Settings, tmp_path: Path) -> None:
    query = "Patient: Anna Smith, aged 40, call 555-123-4567, asks about the aspirin of Wundt."
    tags = [
        {"identifier_type": kind, "start": query.index(value), "end": query.index(value) + len(value)}
        for kind, value in [("NAME", "Anna"), ("PHONE_NUMBER", "555-123-4567"), ("UNIQUE_IDENTIFIER", "Wundt")]
    ]
    write(tmp_path / "a.jsonl", [{"id": "1", "query": query, "phi_tags": tags}])
    task = find_task("deid_asq_phi")
    items = list(task.read(tmp_path / "a.jsonl"))
    [reply] = task.ask(items, "rules", runner.Bench(settings))
    assert reply.scores["PHONE covered"] == reply.scores["NAME covered"] == 1
    assert reply.scores["recall"] == pytest.approx(2 / 3)
    found = {row.metric: row for row in task.figures(items, [reply])}
    assert (found["recall"].value, found["recall"].n) == (pytest.approx(2 / 3), 3)
    assert found["recall, ID"].value == 0.0
    write(tmp_path / "b.jsonl", [{"id": "1", "query": query, "phi_tags": [{**tags[0], "identifier_type": "SHOE"}]}])
    with pytest.raises(InputError, match="SHOE"):
        list(task.read(tmp_path / "b.jsonl"))


def test_a_mark_that_need_not_be_found_is_no_false_alarm(settings: Settings, tmp_path: Path) -> None:
    text = "Anna Smith, aged 40, was seen."
    span = {"entity_type": "TITLE", "start_position": 0, "end_position": 10}
    age = {"entity_type": "AGE", "start_position": 17, "end_position": 19}
    write(tmp_path / "a.jsonl", [{"id": "1", "full_text": text, "template_id": 3, "spans": [span, age]}])
    task = find_task("deid_presidio")
    items = list(task.read(tmp_path / "a.jsonl"))
    assert [mark.kind for mark in items[0].marks] == [None, None]
    [reply] = task.ask(items, "rules", runner.Bench(settings))
    assert "recall" not in reply.scores
    assert reply.scores["spans"] == 0


def test_images_are_asked_blind(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"qid": n, "image_name": f"i{n}", "answer": answer, "answer_type": kind, "question": f"Question {n}?"}
        for n, (answer, kind) in enumerate([("Yes", "CLOSED "), ("The left lung.", "OPEN"), ("no", "CLOSED")] * 20)
    ]
    write(tmp_path / "data" / "images" / "vqa_rad" / "train.jsonl", rows)
    model = ScriptedModel(lambda request: "Yes, it is." if "0?" in request.messages[-1].content else "left  base")
    monkeypatch.setattr(Resources, "model", model)
    finished = runner.run("vqa_rad", settings, part="all")
    found = values(finished)
    assert found["open, token F1"] == pytest.approx(0.5 * 18 / 20)
    assert found["accuracy, open, exact match"] == 0.0
    assert found["accuracy, closed"] == 2 / 40
    assert {row.metric: row.baseline for row in finished.measurements}["accuracy, closed"]["majority"] == 0.5
    with pytest.raises(MissingComponent, match="no vision model"):
        runner.run("vqa_rad", settings, "generated", part="all")


def test_words_in_common() -> None:
    assert normalised("  The Left-Lung. ") == "left lung"
    assert token_f1("left base", "left lung") == 0.5
    assert token_f1("", "left lung") == 0.0
