"""Searching: both languages, the three modes, filters against a hostile user, what comes back."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from library_standin import HashedWords

from osler.errors import InputError, MissingComponent
from osler.knowledge.library import Filters, Library, open_library, run_queries, store
from osler.settings import Settings

Make = Callable[..., Library]

ENGLISH = {
    "gout": "Colchicine and naproxen treat an acute attack of gout.",
    "asthma": "Salbutamol is inhaled for acute asthma.",
    "sepsis": "Broad-spectrum antibiotics are given early in sepsis.",
    "migraine": "Sumatriptan treats a migraine attack.",
}
CHINESE = {
    "高血压": "高血压患者首先要注意控制食盐摄入量，每天不超过六克。",
    "糖尿病": "糖尿病患者可以服用二甲双胍控制血糖。",
    "metformin": "二甲双胍（metformin）是糖尿病的一线药物。",
}


def corpus(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def library(make: Make, tmp_path: Path) -> Library:
    """Seven documents in two languages."""
    made = make()
    texts = {**ENGLISH, **CHINESE}
    made.add([corpus(tmp_path / "c.jsonl", [{"_id": name, "title": "", "text": text} for name, text in texts.items()])])
    return made


def found(library: Library, query: str, **options: object) -> list[str | None]:
    return [item.source.document_id for item in library.search(query, **options)]  # type: ignore[arg-type]


def test_english_words_are_stemmed_and_stop_words_left_out(library: Library) -> None:
    assert found(library, "treating attacks", mode="bm25") == ["migraine", "gout"]
    assert found(library, "the of and", mode="bm25") == []


def test_chinese_is_searched_by_words(library: Library) -> None:
    assert found(library, "高血压病人能吃多少盐", mode="bm25")[0] == "高血压"
    assert set(found(library, "糖尿病", mode="bm25")) == {"糖尿病", "metformin"}


def test_a_mixed_question_asks_both_indexes(library: Library) -> None:
    assert found(library, "metformin 糖尿病", mode="bm25")[0] == "metformin"
    assert found(library, "gout 痛风", mode="bm25") == ["gout"]


@pytest.mark.parametrize("mode", ["hybrid", "bm25", "vector"])
def test_every_mode_finds_the_obvious_and_orders_by_score(library: Library, mode: str) -> None:
    results = library.search("colchicine for acute gout", k=5, mode=mode)  # type: ignore[arg-type]
    assert results[0].source.document_id == "gout" and results[0].kind == "passage"
    scores = [item.score for item in results]
    assert scores == sorted(scores, reverse=True) and None not in scores  # type: ignore[type-var]


def test_hybrid_ranks_the_union_and_repeats_exactly(library: Library) -> None:
    first = library.search("acute attack", k=50)
    assert len(first) == 7  # all: the vector side reaches every passage of a small library
    assert first == library.search("acute attack", k=50)


@pytest.mark.parametrize(
    "query", ["?!", "\"' OR 1=1 --", "a" * 100_000, "gout " * 50_000, "(+gout) AND *:*", "\x00 gout"]
)
def test_odd_queries_do_no_harm(library: Library, query: str) -> None:
    for mode in ("bm25", "hybrid"):
        assert len(library.search(query, mode=mode)) <= 10  # type: ignore[arg-type]


def test_an_empty_query_is_refused(library: Library) -> None:
    with pytest.raises(InputError, match="query is empty"):
        library.search("  ")
    with pytest.raises(InputError, match="surrogate"):
        library.search("gout \ud83d")


YEARS: list[int | None] = [1999, 2010, 2020, None]
COLLECTIONS = ["guide", "o'brien", "x' OR '1'='1"]
LICENCES: list[str | None] = ["CC BY 4.0", None]


@pytest.fixture
def mixed(make: Make, tmp_path: Path) -> Library:
    """480 documents, all about gout, over years, collections, licences and languages; the rare ones rank last."""
    made = make("mixed")
    for name in COLLECTIONS:
        rows: list[dict[str, object]] = []
        for (year, licence), number in product(product(YEARS, LICENCES), range(20)):
            text = (
                "gout " * (1 if year == 1999 else 5)
                + f"colchicine case {number}"
                + (" 痛风" * 20 if number % 5 == 0 else "")
            )
            rows.append({"_id": f"{name}/{year}/{licence}/{number}", "text": text, "year": year, "licence": licence})
        made.add([corpus(tmp_path / "part.jsonl", rows)], collection=name)
    return made


CASES = [
    (Filters(year_from=2010), lambda c, y, li, n: y in (2010, 2020)),
    (Filters(year_to=1999), lambda c, y, li, n: y == 1999),
    (Filters(year_from=2000, year_to=2015, licence="CC BY 4.0"), lambda c, y, li, n: y == 2010 and li == "CC BY 4.0"),
    (Filters(year_from=2020, year_to=1999), lambda c, y, li, n: False),
    (Filters(collection=["o'brien"]), lambda c, y, li, n: c == "o'brien"),
    (Filters(collection="x' OR '1'='1"), lambda c, y, li, n: c == "x' OR '1'='1"),
    (Filters(collection=["' OR 1=1 --", "nowhere"]), lambda c, y, li, n: False),
    (Filters(collection=[]), lambda c, y, li, n: False),
    (Filters(language="zh"), lambda c, y, li, n: n % 5 == 0),
    (Filters(language=("en", "zh"), collection="guide", year_to=2000), lambda c, y, li, n: c == "guide" and y == 1999),
]


@pytest.mark.parametrize("mode", ["bm25", "vector", "hybrid"])
@pytest.mark.parametrize(("filters", "admits"), CASES)
def test_filters_admit_exactly_what_they_say(
    mixed: Library, mode: str, filters: Filters, admits: Callable[..., bool]
) -> None:
    """Exactly: nothing outside, and everything inside is reached although it ranks behind the rest."""
    wanted = {
        f"{name}/{year}/{licence}/{number}"
        for name, (year, licence), number in product(COLLECTIONS, product(YEARS, LICENCES), range(20))
        if admits(name, year, licence, number)
    }
    for query in ("gout colchicine", "痛风"):
        got = set(found(mixed, query, k=500, filters=filters, mode=mode))
        assert got <= wanted
        if query == "gout colchicine" and len(wanted) <= 200:
            assert got == wanted


def test_filters_hold_for_rows_outside_the_index(mixed: Library, tmp_path: Path) -> None:
    mixed.store.optimise()
    mixed.add(
        [corpus(tmp_path / "new.jsonl", [{"_id": "new", "text": "gout colchicine", "year": 2024}])], collection="new"
    )
    assert mixed.store.unindexed() == 1
    for mode in ("bm25", "vector", "hybrid"):
        assert found(mixed, "gout", k=500, filters=Filters(year_from=2021), mode=mode) == ["new"]
        assert "new" not in found(mixed, "gout", k=500, filters=Filters(year_to=2020), mode=mode)


def test_vectors_above_the_threshold_get_an_index(
    mixed: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = found(mixed, "gout colchicine case 7", k=480, mode="vector")
    monkeypatch.setattr(store, "ANN_ROWS", 400)
    mixed.store.optimise()
    assert mixed.store.has_vector_index()
    after = found(mixed, "gout colchicine case 7", k=480, mode="vector")
    assert len(set(before[:100]) & set(after[:100])) >= 80  # ties apart, the neighbours are the same
    filters = Filters(collection="o'brien", year_to=1999)
    assert len(found(mixed, "gout", k=100, filters=filters, mode="vector")) == 40
    new: list[dict[str, object]] = [{"_id": "new", "text": "gout colchicine case 7"}]
    mixed.add([corpus(tmp_path / "new.jsonl", new)])
    assert found(mixed, "gout colchicine case 7", k=1, mode="vector")[0] in ("new", *before[:5])


def test_evidence_carries_its_source_and_its_validity(make: Make, tmp_path: Path) -> None:
    library = make()
    path = tmp_path / "local.md"
    path.write_text("# Sepsis\n\n## Antibiotics\n\nGive ceftriaxone early.\n")
    library.add(
        [path], year=2023, licence="internal", collection="ward", valid_from="2023-05-01", superseded_by="doc-2"
    )
    [item] = library.search("ceftriaxone")
    source = item.source
    assert (source.title, source.section, source.year, source.licence) == (
        "Sepsis",
        "Sepsis > Antibiotics",
        2023,
        "internal",
    )
    assert source.document_id == str(path) and source.start is not None
    assert path.read_text()[source.start : source.end] == item.text == "Give ceftriaxone early."
    assert (item.valid_from, item.superseded_by, item.retracted) == ("2023-05-01", "doc-2", False)
    assert library.passage(item.id) == item.model_copy(update={"score": None})
    assert library.passage("x' OR '1'='1") is None


def test_retracted_documents_are_left_out_unless_asked_for(make: Make, tmp_path: Path) -> None:
    library = make()
    (tmp_path / "old.txt").write_text("gout is treated with mercury")
    library.add([tmp_path / "old.txt"], retracted=True)
    assert library.search("gout") == []
    [item] = library.search("gout", filters=Filters(retracted=True))
    assert item.retracted


def test_trec_run_has_each_document_once_by_its_best_passage(make: Make, tmp_path: Path) -> None:
    library = make()
    rows = [
        {"_id": "long", "text": "gout colchicine. " * 300},
        {"_id": "short one", "text": "gout"},
        {"_id": "none", "text": "asthma"},
    ]
    library.add([corpus(tmp_path / "c.jsonl", rows)])
    assert len(library.document("long")) > 3
    lines = [line.split() for line in run_queries(library, [("q1", "gout"), ("q2", "asthma")], k=2)]
    assert [(line[0], line[2], line[3]) for line in lines if line[0] == "q1"] == [
        ("q1", "short%20one", "1"),
        ("q1", "long", "2"),
    ]
    assert all(line[1] == "Q0" and line[5] == "osler" and len(line) == 6 for line in lines)
    assert next(line[2] for line in lines if line[0] == "q2") == "none"


def test_vectors_of_another_embedder_are_not_used(library: Library, settings: Settings, tmp_path: Path) -> None:
    other = open_library("test", settings, load_embedder=lambda: HashedWords("another"))
    assert found(other, "acute gout") == found(library, "acute gout", mode="bm25")
    assert not other.info()["vectors"] and "made by hashed-words" in other.info()["lexical_only"]
    with pytest.raises(MissingComponent, match="made by hashed-words"):
        other.search("gout", mode="vector")
    (tmp_path / "n.txt").write_text("new text")
    with pytest.raises(MissingComponent, match="can't be added"):
        other.add([tmp_path / "n.txt"])


def test_a_library_without_vectors(settings: Settings, tmp_path: Path) -> None:
    plain = settings.model_copy(update={"models": settings.models.model_copy(update={"embedder": "none"})})
    library = open_library("words", plain, create=True)
    (tmp_path / "n.txt").write_text("gout and colchicine")
    library.add([tmp_path / "n.txt"])
    assert len(library.search("gout")) == 1
    assert library.info()["lexical_only"] == "the library was made without vectors"
    assert library.version.endswith("+none")


@pytest.mark.parametrize("name", ["../evil", "", ".hidden", "a/b", "x" * 65, "a\0"])
def test_names_stay_inside_the_home(settings: Settings, name: str) -> None:
    with pytest.raises(InputError, match="no library name"):
        open_library(name, settings, create=True)


def test_an_unknown_library_names_the_known_ones(library: Library, settings: Settings) -> None:
    with pytest.raises(InputError, match="Known: starter, test"):
        open_library("missing", settings)


def test_a_question_in_one_language_finds_passages_in_the_other_by_the_graphs_names(
    settings: Settings, tmp_path: Path
) -> None:
    plain = settings.model_copy(update={"models": settings.models.model_copy(update={"embedder": "none"})})
    library = open_library("both", plain, create=True)
    (tmp_path / "en.txt").write_text("Hyperkalemia: give calcium gluconate.")
    (tmp_path / "zh.txt").write_text("糖尿病患者可以服用二甲双胍控制血糖。")
    library.add([tmp_path / "en.txt"])
    assert library.asked("What is gout?") == "What is gout?"  # nothing in Chinese to be found
    library.add([tmp_path / "zh.txt"])
    assert "Hyperkalemia" in library.asked("高钾血症怎么处理")
    assert library.search("高钾血症怎么处理")[0].text.startswith("Hyperkalemia")
    assert library.search("treatment of diabetes mellitus")[0].text.startswith("糖尿病")
