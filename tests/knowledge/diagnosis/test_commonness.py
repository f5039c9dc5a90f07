"""Common things are common: in general practice only, at the right age, and said."""

import csv

import pytest

from osler.knowledge.diagnosis import load_ranker, rank
from osler.knowledge.diagnosis.profiles import FOLDER, in_years, load_profiles, octaves
from osler.knowledge.diagnosis.ranking import Patient

SHARES = {"1.0": "HP:0040280", "0.9": "HP:0040281", "0.55": "HP:0040282", "0.17": "HP:0040283", "0.025": "HP:0040284"}
FLU = ["HP:0001945", "HP:0012735", "HP:0003326", "HP:0002315"]  # fever, cough, myalgia, headache
INFLUENZA = "MONDO:0005812"


def place(ranked: list[str], disease: str) -> int:
    return ranked.index(disease) + 1


def test_influenza_from_its_plain_signs() -> None:
    general = [item.id for item in rank(FLU, age="P40Y", top=10**6, general=True)]
    published = [item.id for item in rank(FLU, age="P40Y", top=10**6)]
    assert place(general, INFLUENZA) <= 3 and place(general, INFLUENZA) <= place(published, INFLUENZA)


def test_a_rare_disease_with_its_signs_stays_first() -> None:
    marfanoid = ["HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519", "HP:0004927"]
    assert rank(marfanoid, age="P30Y", top=1, general=True)[0].id == "MONDO:0007947"


def test_the_more_findings_the_less_commonness_weighs() -> None:
    ranker = load_ranker()
    place = ranker.place[INFLUENZA]
    few, many = (ranker.about(Patient(general=True), n)["osler:commonness"][place] for n in (2, 12))
    assert few > many > 0


def test_age_and_sex_speak_only_against() -> None:
    weights = load_ranker().commonness.weights("male", "P30Y")
    assert (weights["osler:age"] <= 0).all() and (weights["osler:sex"] <= 0).all()
    pregnancy = load_ranker().commonness
    women = [k for k, profile in pregnancy.profiles.items() if profile.sex == "female"]
    assert women and (weights["osler:sex"][women] < 0).all()
    assert not pregnancy.weights("female", None)["osler:sex"][women].any()
    assert not pregnancy.weights(None, None)["osler:age"].any()


@pytest.mark.parametrize(
    ("age", "years"),
    [("P30Y", 30), ("P6M", 0.5), ("P2W", 0.04), ("P1Y6M", 1.5), ("P3D", 0.008), ("P", None), ("", None), (None, None),
     ("adult", None)],
)  # fmt: skip
def test_ages_in_years(age: str | None, years: float | None) -> None:
    assert in_years(age) == (None if years is None else pytest.approx(years, abs=0.01))


def test_octaves_outside_a_class_of_ages() -> None:
    assert octaves(40, "adult") == 0 and octaves(9, "adult") == pytest.approx(1)
    assert octaves(24, "child") == pytest.approx(1) and octaves(0, "elderly") > 10


def test_profiles_stand_in_the_graph_with_their_reference() -> None:
    graph = load_ranker().graph
    profiles = load_profiles()
    assert len(profiles) > 300 and len({profile.reference for profile in profiles}) == len(profiles)
    with (FOLDER / "findings.tsv").open(encoding="utf-8") as file:
        findings = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for profile in profiles[::20]:
        known = graph.node(profile.id)
        rows = {(e.object, e.relation): e for e in graph.edges(known.id) if e.source == "osler_profiles"}
        for finding in findings:
            if finding["disease"] == profile.label and finding["hpo"]:
                target = graph.canonical(finding["hpo"]) or ""
                edge = rows[target, "has_phenotype" if finding["share"] != "0" else "not_has_phenotype"]
                assert edge.reference == profile.reference
                assert edge.frequency_text == SHARES.get(finding["share"])
