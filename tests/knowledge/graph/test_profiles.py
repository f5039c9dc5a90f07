"""The written disease profiles are well formed: known identifiers, known classes, each pair once."""

import csv
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

import osler.knowledge.graph as room
from osler.knowledge.graph import load_graph

FOLDER = Path(room.__file__).parent / "profiles"
FREQUENCIES = {"very_common", "common", "uncommon", "rare"}
AGES = {"newborn", "infant", "child", "adolescent", "adult", "elderly"}
SETTINGS = {"emergency", "primary care", "inpatient"}
SHARES = {"1.0", "0.9", "0.55", "0.17", "0.025", "0"}
KINDS = {"history", "symptom", "sign", "laboratory", "imaging"}


def read(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))


@pytest.fixture(scope="module")
def diseases() -> list[dict[str, str]]:
    return read("diseases.tsv")


@pytest.fixture(scope="module")
def findings() -> list[dict[str, str]]:
    return read("findings.tsv")


def test_every_field_is_filled_in_and_trimmed(diseases, findings):
    for row in diseases + findings:
        assert None not in row and None not in row.values(), f"wrong number of fields: {row}"
        assert all(value == value.strip() for value in row.values()), row
    assert all(row["id"] and row["label"] for row in diseases)
    assert all(all(row.values()) for row in findings)


def test_diseases_are_sorted_and_a_name_stands_for_one_of_them(diseases):
    labels = [row["label"] for row in diseases]
    assert labels == sorted(labels, key=str.casefold)
    names = Counter(
        name.casefold() for row in diseases for name in (row["label"], *filter(None, row["synonyms"].split("|")))
    )
    assert [name for name, n in names.items() if n > 1] == []
    assert not any(row["synonyms"].startswith("|") or "||" in row["synonyms"] for row in diseases)


def test_an_identifier_stands_for_one_disease(diseases):
    graph = load_graph()
    known = [row for row in diseases if row["id"] != "new"]
    for row in known:
        node = graph.find(row["id"])
        assert node is not None and node.kind in ("disease", "heading"), row
        assert node.id == row["id"], f"{row['id']} is now {node.id}"
    assert [i for i, n in Counter(row["id"] for row in known).items() if n > 1] == []


def test_disease_columns_use_their_words(diseases):
    for row in diseases:
        assert row["frequency"] in FREQUENCIES, row
        assert row["sex"] in {"", "female", "male"}, row
        for column, words in (("ages", AGES), ("setting", SETTINGS)):
            values = row[column].split("|") if row[column] else []
            assert set(values) <= words and len(values) == len(set(values)), row


def test_findings_belong_to_the_diseases(diseases, findings):
    labels = [row["label"] for row in diseases]
    assert [label for label, _ in groupby(row["disease"] for row in findings)] == labels
    counts = Counter(row["disease"] for row in findings if row["share"] != "0")
    assert {label: counts[label] for label in labels if counts[label] < 5} == {}


def test_findings_name_current_phenotypes_once(findings):
    graph = load_graph()
    current = {identifier for identifier, _, _ in graph.names(["phenotype"])}
    for row in findings:
        assert row["hpo"] in current, f"unknown or obsolete: {row}"
        assert row["share"] in SHARES and row["kind"] in KINDS, row
    pairs = Counter((row["disease"], row["hpo"]) for row in findings)
    assert [pair for pair, n in pairs.items() if n > 1] == []


def test_a_phenotype_has_one_kind(findings):
    kinds = {(row["hpo"], row["kind"]) for row in findings}
    assert [hpo for hpo, n in Counter(hpo for hpo, _ in kinds).items() if n > 1] == []


def test_nothing_excluded_is_implied_by_a_finding(findings):
    """A disease that shows a term also shows its broader terms, so none of them can be excluded."""
    graph = load_graph()
    for disease, rows in groupby(findings, key=lambda row: row["disease"]):
        rows = list(rows)
        present = {i for row in rows if row["share"] != "0" for i in graph.ancestors(row["hpo"])}
        excluded = {row["hpo"] for row in rows if row["share"] == "0"}
        assert not present & excluded, (disease, present & excluded)
