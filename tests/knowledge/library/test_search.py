"""Searching: both languages, the three modes, filters against a hostile user, what comes back."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from library_standin import HashedWords

from osler.errors import InputError, MissingComponent
from osler.knowledge.library import Filters, Library, open_library, rows, run_queries, store
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


def table(vectors: np.ndarray, first: int) -> object:
    """Rows d<first>, d<first + 1>, ... with these vectors; every tenth is Chinese."""
    columns: dict[str, list[object]] = {name: [None] * len(vectors) for name in rows.FIELDS}
    names = [f"d{first + n}" for n in range(len(vectors))]
    columns |= {"id": [f"{name}-0" for name in names], "document_id": names, "text": names, "sha256": names}
    columns |= {"ordinal": [0] * len(names), "retracted": [False] * len(names)}
    columns |= {"language": ["en" if n % 10 else "zh" for n in range(len(names))]}
    return rows.table_of(columns, vectors, vectors.shape[1])


def test_the_nearest_are_found_whatever_the_index_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against all vectors compared here: before and after the index is made, with rows it doesn't hold, after deletes,
    after `optimise`, and for a reader that opened the library before all this."""
    monkeypatch.setattr(store, "VECTOR_ROWS", 1500)
    chance = np.random.default_rng(0)
    vectors = chance.standard_normal((9000, 32)).astype(np.float32)
    vectors[:, 0] += 3  # as the vectors of real embedders: all in one direction
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    there = np.zeros(len(vectors), bool)
    writer = store.Store.create(tmp_path / "made", {"dimension": 32})
    reader = store.Store(tmp_path / "made")

    def same() -> None:
        for place in chance.integers(0, len(vectors), 5):
            for filters in (Filters(), Filters(language="zh")):
                admitted = there & (np.arange(len(vectors)) % 10 == 0) if filters.language else there
                cosine = np.where(admitted, vectors @ vectors[place], -2)
                best = [f"d{n}" for n in np.argsort(-cosine, kind="stable")[: min(50, admitted.sum())]]
                for opened in (writer, reader):
                    found = opened.candidates([], vectors[place], filters, 50)
                    names, wanted = found.documents(), set(best)
                    assert len(names) == len(best) and len(wanted & set(names)) >= 0.98 * len(best)
                    assert found.cosine is not None and found.cosine == pytest.approx(
                        [cosine[int(name[1:])] for name in names], abs=1e-3
                    )

    for first, last in ((0, 1000), (1000, 2000), (2000, 2600), (2600, 9000)):
        writer.write(table(vectors[first:last], first))  # type: ignore[arg-type]
        there[first:last] = True
        same()
        writer.write(None, [f"d{n}" for n in range(first, last, 7)])
        there[first:last:7] = False
        same()
        writer.optimise()
        same()
        assert writer.unindexed() == 0
    for part in range(store.DELTAS + 2):
        writer.write(table(vectors[part : part + 1], part), [f"d{part}"])  # type: ignore[arg-type]
        there[part] = True
        writer.optimise()
    same()
    assert writer._table.index_stats("vector_idx").num_indices <= store.DELTAS + 1


def test_a_search_sees_the_rows_it_began_with(library: Library) -> None:
    found, order, _ = library.rank("acute gout", library.query_vectors(["acute gout"])[0])
    library.delete("gout")
    library.store.optimise()
    assert found.documents()[order[0]] == found.shown(order)[0]["document_id"] == "gout"
    assert "gout" not in [item.source.document_id for item in library.search("acute gout")]


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
    assert library.document(str(path)) == [item.model_copy(update={"score": None})]
    assert library.document("x' OR '1'='1") == []


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
