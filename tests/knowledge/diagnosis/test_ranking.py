"""The ranker on real annotations: what it finds, what it leaves out, what never changes."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.knowledge.diagnosis import Ranker, load_ranker, prepare, rank
from osler.knowledge.graph import Graph, load_graph
from osler.knowledge.graph.compile import Builder, EdgeRow, write
from osler.knowledge.graph.store import Pack

# Arachnodactyly, ectopia lentis, aortic root aneurysm, disproportionate tall stature, pulmonary artery dilatation
MARFANOID = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519", "HP:0004927"]
MARFAN = "MONDO:0007947"


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return load_ranker()


def test_marfan_is_first(ranker: Ranker) -> None:
    best = rank(MARFANOID, top=3)
    assert best[0].id == MARFAN and "OMIM:154700" in best[0].equivalents
    assert best[0].score > best[1].score > 0
    assert best[0].probability is None and best[0].population is None


def test_at_least_ten_thousand_diseases_are_ranked(ranker: Ranker) -> None:
    everything = rank(MARFANOID, top=10**6)
    assert len(everything) >= 10_000
    scores = [disease.score for disease in everything]
    assert scores == sorted(scores, reverse=True)
    assert np.mean(scores) == pytest.approx(0, abs=1e-9)  # centred: 0 is a disease picked blindly
    assert rank(MARFANOID, top=7) == everything[:7]
    assert rank(MARFANOID, top=0) == []


def test_order_and_repetition_of_findings_change_nothing() -> None:
    shuffled = MARFANOID * 2
    random.Random(1).shuffle(shuffled)
    assert rank(shuffled, top=20) == rank(MARFANOID, top=20)


def test_nothing_usable_gives_nothing() -> None:
    assert rank([]) == []
    assert rank(["HP:9999999", "nonsense", ""]) == []
    assert rank(["HP:0000006"]) == []  # a mode of inheritance is no finding


def test_old_identifiers_count_as_their_replacement() -> None:
    assert rank(["HP:0004715"], top=5) == rank(["HP:0000003"], top=5)


def test_prepare_reports_what_it_did(ranker: Ranker) -> None:
    query = prepare(
        ranker.graph,
        ["HP:0004715", "HP:0001166", "HP:9999999", "DOID:6364", "HP:0002650", "DRUGBANK:DB00945"],
        ["HP:0002650", "HP:0000003", "HP:0001238", "HP:0000821"],
    )
    assert query.observed == ("HP:0001166", "HP:0002076")
    assert query.excluded == ("HP:0000821",)
    notes = " | ".join(query.notes)
    for part in (
        "HP:0004715 was replaced by HP:0000003",
        "HP:9999999 is unknown",
        "DOID:6364 (Migraine) is read as the finding HP:0002076",
        "DRUGBANK:DB00945 (Aspirin) is no finding",
        "HP:0002650 (Scoliosis) is given as present and as absent",
        "HP:0000003 (Multicystic kidney dysplasia) is given as present and as absent",
        "HP:0001238 (Slender finger) is excluded, but a narrower finding is present",
    ):
        assert part in notes


def test_thousands_of_findings(ranker: Ranker) -> None:
    many = ranker.graph.ids[:3000]
    assert len(rank(many, top=10)) == 10


def test_excluded_findings_move_down_the_diseases_that_have_them() -> None:
    before = {d.id: d.score for d in rank(MARFANOID, top=10**6)}
    after = {d.id: d.score for d in rank(MARFANOID, ["HP:0000767"], top=10**6)}  # pectus excavatum
    assert after[MARFAN] < before[MARFAN]
    assert before[MARFAN] - after[MARFAN] < 0.2
    assert next(iter(after)) == MARFAN


def _scores(ranker: Ranker, references: list[str]) -> dict[str, float]:
    return {d.id: d.score for d in ranker.rank(MARFANOID, ["HP:0001250"], references, top=10**6)}


@pytest.mark.parametrize(
    "references",
    [["PMID:28050285"], ["pmid:28050285", "33436942"], ["OMIM:154700"], ["PMID:33436942", "ORPHA:558", "ORPHA:284979"]],
)
def test_excluding_a_reference_is_the_same_as_never_having_read_it(ranker: Ranker, references: list[str]) -> None:
    numbers = ranker.index.citations.citing(references)
    assert len(numbers)
    edges = ranker.index.edges
    for edge in edges[numbers].tolist():
        cited = (ranker.graph.table.edge(edge).reference or "").split(";")
        assert any(r in cited or f"PMID:{r}" in cited or r.upper() in cited for r in references)
    anew = Ranker(ranker.graph, np.delete(edges, numbers))
    expected, found = _scores(anew, []), _scores(ranker, references)
    assert expected.keys() == found.keys()
    assert max(abs(expected[d] - found[d]) for d in expected) < 1e-6
    assert found[MARFAN] != _scores(ranker, [])[MARFAN]


def test_a_disease_known_from_one_publication_only_vanishes_without_it(ranker: Ranker, shared: Path) -> None:
    with gzip.open(shared / "knowledge" / "phenopackets_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    ranks = []
    for case in cases[::25]:
        naive = [d.id for d in ranker.rank(case["observed"], top=100)]
        honest = [d.id for d in ranker.rank(case["observed"], (), case["pmid"], top=100)]
        ranks.append((case["mondo"] in naive[:10], case["mondo"] in honest[:10]))
    naive_share, honest_share = np.mean(ranks, axis=0)
    assert naive_share > 0.7 and 0.35 < honest_share < 0.6  # contamination is large, and taken out


def test_a_higher_share_of_a_finding_raises_its_disease(tmp_path: Path) -> None:
    builder = Builder()
    for finding in ("HP:1", "HP:2"):
        builder.term(finding, finding, "phenotype")
    for disease, label, share in (("MONDO:1", "a", "5%"), ("MONDO:2", "b", "40%"), ("MONDO:3", "c", "90%")):
        builder.term(disease, label, "disease")
        builder.edges.append(EdgeRow(disease, "has_phenotype", "HP:1", "s", share, f"PMID:{disease[-1]}"))
        builder.edges.append(EdgeRow(disease, "has_phenotype", "HP:2", "s", "90%", "PMID:9"))
    write(builder, [{"name": "s"}], tmp_path / "pack")
    small = Ranker(Graph(Pack(tmp_path / "pack")))
    assert [d.id for d in small.rank(["HP:1"])] == ["MONDO:3", "MONDO:2", "MONDO:1"]
    assert [d.id for d in small.rank(["HP:1"], exclude_references=["3", "9"])] == ["MONDO:2", "MONDO:1"]
    assert small.rank(["HP:1"], ["HP:2"])[0].score < small.rank(["HP:1"])[0].score


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 18_000), min_size=1, max_size=12), st.sets(st.integers(0, 18_000), max_size=6))
def test_scores_are_finite_and_repeatable(present: set[int], absent: set[int]) -> None:
    ranker = load_ranker()
    observed, excluded = ([ranker.graph.ids[p] for p in sorted(s)] for s in (present, absent))
    first = ranker.rank(observed, excluded, top=50)
    assert all(np.isfinite(d.score) for d in first)
    assert first == ranker.rank(observed, excluded, top=50)


def test_an_opposite_is_no_sign_by_way_of_the_abnormal_quantity() -> None:
    index = load_ranker().index
    graph = load_graph()
    high, low, either = (graph.position(code) for code in ("HP:0002153", "HP:0002900", "HP:0011042"))
    assert high is not None and low is not None and either is not None
    for one in (high, low):
        assert either in index.ancestors.of(one)
        assert either not in index.asked.of(one)
        assert one in index.asked.of(one)
    anemia, megaloblastic = graph.position("HP:0001903"), graph.position("HP:0001889")
    assert megaloblastic is not None and anemia in index.asked.of(megaloblastic)  # "anemia" says more than "abnormal"
