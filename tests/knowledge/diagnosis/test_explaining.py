"""Reasons: each score is the sum of its contributions, each contribution has the rows it came from."""

import gzip
import json
import re
from pathlib import Path

import pytest

from osler.knowledge.diagnosis import explain, load_ranker, next_questions, prepare, rank
from osler.knowledge.diagnosis.questions import DATA, information_gain, question_kind
from osler.nouns import RankedDisease

MARFANOID = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519", "HP:0004927"]
MARFAN = "MONDO:0007947"


def total(disease: RankedDisease) -> float:
    return sum(contribution.score for contribution in (*disease.for_, *disease.against))


def test_every_score_is_the_sum_of_its_contributions(shared: Path) -> None:
    with gzip.open(shared / "knowledge" / "phenopackets_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file][::400]
    for case, sex in zip(cases, ["male", "female", None] * len(cases), strict=False):
        for references in ([], case["pmid"]):
            ranked = rank(case["observed"], case["excluded"], sex, exclude_references=references, top=8)
            explained = explain(ranked, case["observed"], case["excluded"], references, sex)
            for before, after in zip(ranked, explained, strict=True):
                assert after.score == pytest.approx(before.score, abs=1e-12)
                assert total(after) == pytest.approx(before.score, abs=1e-9)
                assert all(c.score > 0 for c in after.for_) and all(c.score <= 0 for c in after.against)
                codes = [c.code for c in (*after.for_, *after.against)]
                assert len(codes) == len(set(codes))
                absent = set(prepare(load_ranker().graph, [], case["excluded"]).excluded)
                assert not absent & {c.code for c in after.for_}
                assert all(c.score < -1e-9 for c in after.against if c.code in absent)


def test_in_general_practice_commonness_age_and_sex_are_contributions_too() -> None:
    observed, excluded = ["HP:0001945", "HP:0012735", "HP:0003326"], ["HP:0000988"]  # fever, cough, myalgia; no rash
    for sex, age in (("female", "P6M"), ("male", "P80Y"), (None, None)):
        ranked = rank(observed, excluded, sex, age, top=30, general=True)
        for before, after in zip(
            ranked, explain(ranked, observed, excluded, sex=sex, age=age, general=True), strict=True
        ):
            assert total(after) == pytest.approx(before.score, abs=1e-9)
            for contribution in (*after.for_, *after.against):
                if contribution.code.startswith("osler:"):
                    (row,) = contribution.rows
                    assert row.disease == after.id and row.frequency in contribution.label
                    assert (row.reference or "").startswith("osler.profiles/")
                    assert (contribution.score > 0) == (contribution.code == "osler:commonness")
    alone = explain(rank(observed, top=5), observed)
    assert not any(c.code.startswith("osler:") for item in alone for c in (*item.for_, *item.against))


def test_rows_are_those_of_the_source() -> None:
    marfan = explain(rank(MARFANOID, top=1), MARFANOID)[0]
    finding = next(c for c in marfan.for_ if c.code == "HP:0001166")
    assert ("OMIM:154700", "HP:0001166", "124/197", "PMID:28050285;PMID:33436942") in {
        (r.disease, r.term, r.frequency, r.reference) for r in finding.rows
    }
    graph = load_ranker().graph
    for contribution in (*marfan.for_, *marfan.against):
        for row in contribution.rows:
            edges = graph.edges(row.disease, "has_phenotype")
            assert any(
                (e.object, graph.label(e.frequency_text or "").lower() or None, e.reference)
                == (row.term, row.frequency, row.reference)
                for e in edges
            )


def test_rows_of_excluded_references_are_not_shown() -> None:
    gone = ["PMID:33436942", "PMID:28050285"]
    ranked = rank(MARFANOID, exclude_references=gone, top=5)
    for disease in explain(ranked, MARFANOID, (), gone):
        for contribution in (*disease.for_, *disease.against):
            assert not any(set(gone) & set((row.reference or "").split(";")) for row in contribution.rows)


def test_a_statement_read_in_a_text_leads_to_its_place() -> None:
    flu = ["HP:0001945", "HP:0003326", "HP:0012735", "HP:0002315"]  # fever, myalgia, cough, headache
    ranked = [disease for disease in rank(flu, top=10**6) if disease.id == "MONDO:0005812"]
    rows = [row for c in explain(ranked, flu)[0].for_ for row in c.rows]
    assert any(re.fullmatch(r"medquad:4-\d+:\d+-\d+", row.reference or "") for row in rows)


def test_sex_weighs_where_inheritance_is_x_linked() -> None:
    duchenne, findings = "MONDO:0010679", ["HP:0003707", "HP:0003236"]  # calf pseudohypertrophy, raised CK
    scores = {}
    for sex in ("male", "female", None):
        ranked = [disease for disease in rank(findings, sex=sex, top=10**6) if disease.id == duchenne]
        scores[sex] = ranked[0].score
        told = explain(ranked, findings, sex=sex)[0]
        part = [c for c in (*told.for_, *told.against) if c.code == "HP:0001419"]
        assert total(told) == pytest.approx(ranked[0].score, abs=1e-9)
        assert len(part) == (sex is not None) and all(row.term == "HP:0001419" for c in part for row in c.rows)
        assert all(c.rows for c in part)
    assert scores["female"] < scores[None] < scores["male"]


def test_excluded_findings_stand_against() -> None:
    disease = next(d for d in explain(rank(MARFANOID, ["HP:0000767"]), MARFANOID, ["HP:0000767"]) if d.id == MARFAN)
    chest = next(c for c in disease.against if c.code == "HP:0000767")
    assert chest.score < 0 and chest.rows


def test_missing_findings_are_usual_unmentioned_and_sorted() -> None:
    ranked = rank(MARFANOID, top=1)
    usual = [m.code for m in explain(ranked, MARFANOID)[0].missing]
    assert usual and not set(usual) & set(MARFANOID)
    absent, contradictory = usual[:2]  # the latter given as present and as absent, and so used as neither
    marfan = explain(ranked, [*MARFANOID, contradictory], [absent, contradictory])[0]
    codes = [m.code for m in marfan.missing]
    assert codes and not {absent, contradictory} & set(codes) and set(usual[2:]) <= set(codes)
    weights = [m.weight for m in marfan.missing]
    assert weights == sorted(weights, reverse=True)


def test_without_any_rows_left_a_disease_stands_by_its_relatives() -> None:
    gone = [e.reference for e in load_ranker().graph.edges(MARFAN) if e.reference and e.relation.endswith("phenotype")]
    references = ";".join(gone).split(";")
    ranked = rank(MARFANOID, exclude_references=references, top=10**6)
    before = next(disease for disease in ranked if disease.id == MARFAN)
    marfan = explain([before], MARFANOID, (), references)[0]
    assert marfan.score < rank(MARFANOID, top=1)[0].score and marfan.missing == []
    assert total(marfan) == pytest.approx(before.score, abs=1e-9)
    graph = load_ranker().graph
    rows = [row for contribution in (*marfan.for_, *marfan.against) for row in contribution.rows]
    assert rows and MARFAN not in {graph.canonical(row.disease) for row in rows}


def test_nothing_to_explain() -> None:
    assert explain([], MARFANOID) == []
    ranked = rank(MARFANOID, top=2)
    assert explain(ranked, []) == ranked


def test_questions_tell_the_differential_apart() -> None:
    ranked = rank(MARFANOID, top=30)
    questions = next_questions(MARFANOID, ["HP:0000768"], ranked, 5)
    assert len(questions) == 5
    gains = [q.expected_information for q in questions]
    assert gains == sorted(gains, reverse=True) and 0 < gains[0] <= 1
    ancestors = load_ranker().graph.ancestors
    told = {a for code in MARFANOID for a in ancestors(code)}
    for question in questions:
        assert question.code not in told and "HP:0000768" not in ancestors(question.code)
        assert question.label.lower() in question.question.lower()
        others = {q.code for q in questions} - {question.code}
        assert not others & ancestors(question.code)


def test_questions_in_chinese_and_by_sex() -> None:
    ranked = rank(MARFANOID, top=30)
    question = next_questions(MARFANOID, [], ranked, 1, "zh")[0]
    assert load_ranker().graph.label(question.code, "zh") in question.question and "？" in question.question
    observed = ["HP:0000786", "HP:0000823"]  # primary amenorrhea, delayed puberty
    asked = next_questions(observed, [], rank(observed), 10, sex="male")
    ancestors = load_ranker().graph.ancestors
    assert asked and not any({"HP:0010460", "HP:0000140"} & ancestors(q.code) for q in asked)


def test_no_questions_without_a_differential() -> None:
    assert next_questions(MARFANOID, [], [], 5) == []
    assert next_questions(MARFANOID, [], rank(MARFANOID, top=1), 5) == []
    assert next_questions(MARFANOID, [], rank(MARFANOID, top=9), 0) == []


def test_information_of_simple_questions() -> None:
    import numpy as np

    halves = np.array([[0.5, 0.5]])
    shares = np.array([[1 - 1e-9, 0.5], [1e-9, 0.5]])
    sure, useless = information_gain(halves, shares)
    assert sure == pytest.approx(1, abs=1e-6) and useless == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("HP:0002315", "history"),  # headache
        ("HP:0001250", "history"),  # seizure
        ("HP:0001945", "examination"),  # fever
        ("HP:0001166", "examination"),  # arachnodactyly
        ("HP:0002153", "test"),  # hyperkalemia
        ("HP:0001903", "test"),  # anemia
        ("HP:0002079", "test"),  # hypoplasia of the corpus callosum
        ("HP:0001257", "examination"),  # spasticity
        ("HP:0012735", "history"),  # cough
    ],
)
def test_kinds_of_questions(code: str, kind: str) -> None:
    assert question_kind(load_ranker().graph, code) == kind


def test_the_table_of_kinds_names_live_findings_by_their_labels() -> None:
    graph = load_ranker().graph
    for line in (DATA / "question_kinds.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        code, kind, label = line.split("\t")
        assert kind in ("history", "examination", "test")
        assert (graph.node(code).id, graph.label(code)) == (code, label)
