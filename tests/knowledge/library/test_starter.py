"""The shipped starter library: unpacking, what it finds, and what stands beside it."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from build_library import quantise, write_pack

from osler.errors import InputError, IntegrityError
from osler.knowledge.folders import building
from osler.knowledge.library import Filters, Library, open_library
from osler.knowledge.library import starter as pack
from osler.settings import Settings, load_settings

DATA = files("osler.knowledge.library") / "data"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings({"home": str(tmp_path_factory.mktemp("home"))}, environment={})


@pytest.fixture(scope="module")
def starter(settings: Settings) -> Library:
    told: list[tuple[int, int]] = []
    library = open_library("starter", settings, progress=lambda done, total: told.append((done, total)))
    assert told[0][0] == 0 and told[-1][0] == told[-1][1] == len(library.store)
    return library


def test_it_is_what_its_manifest_says(starter: Library) -> None:
    described = pack.manifest()
    assert len(starter.store) == described["passages"] and len(starter.store.documents()) == described["documents"]
    counts = starter.store.count_by("collection")
    assert counts == {source["collection"]: source["passages"] for source in described["sources"]}
    attribution = (DATA / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(source["attribution"] in attribution and "CC BY 4.0" in attribution for source in described["sources"])
    assert starter.store.unindexed() == 0


def test_opened_again_it_is_not_unpacked_again(starter: Library, settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    again = open_library("starter", settings, progress=lambda done, total: told.append((done, total)))
    assert not told and again.version == starter.version


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("treatment of anaphylaxis", ("epinephrine",)),
        ("what causes gout", ("uric acid", "urate")),
        ("adverse effects of metformin", ("lactic acidosis", "diarrhea")),
        ("warning signs of a stroke", ("numbness", "weakness", "face")),
        ("function of the left ventricle", ("ventricle",)),
        ("gram-negative cell wall", ("lipopolysaccharide", "outer membrane", "peptidoglycan")),
        ("symptoms of Marfan syndrome", ("aort", "lens", "tall")),
        ("vitamin D deficiency in children", ("rickets",)),
    ],
)
def test_sensible_passages_are_found(starter: Library, query: str, words: tuple[str, ...]) -> None:
    for mode in ("bm25", "hybrid"):
        top = " ".join(item.text.lower() for item in starter.search(query, k=5, mode=mode))  # type: ignore[arg-type]
        assert any(word in top for word in words), (mode, query)


def test_every_passage_can_be_cited(starter: Library) -> None:
    for item in starter.search("antibiotics for pneumonia", k=20):
        source = item.source
        assert source.title and source.licence == "CC BY 4.0" and source.year and (source.url or "").startswith("http")
        assert source.end is not None and source.start is not None and source.end - source.start == len(item.text)


def test_years_filter_the_snapshot_from_the_books(starter: Library) -> None:
    recent = starter.search("heart failure treatment", k=30, filters=Filters(year_from=2020))
    assert len(recent) == 30 and all(item.source.year in (2022, 2024) for item in recent)


def test_it_is_read_only_and_replaced_by_a_new_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacks a pack of two passages, then the same one under another hash, as after an update."""
    row = {name: [None, None] for name in pack.COLUMNS}
    row |= {"document_id": ["a", "b"], "sha256": ["1", "2"], "ordinal": [0, 0], "text": ["gout", "asthma"]}
    row |= {
        "start": [0, 0],
        "end": [4, 6],
        "retracted": [False, False],
        "collection": ["c", "c"],
        "language": ["en", "en"],
    }
    vectors = np.eye(2, 8, dtype=np.float32)
    data = tmp_path / "data"
    data.mkdir()
    settings = load_settings({"home": str(tmp_path / "home")}, environment={})

    def ship(licence: str) -> str:
        row["licence"] = [licence, licence]
        digest = write_pack(data / "data" / pack.PACK, row, vectors)
        described = {"sha256": digest, "passages": 2, "embedder": {"spec": "x", "digest": "d", "dimension": 8}}
        (data / "data" / pack.MANIFEST).write_text(json.dumps(described))
        return digest

    (data / "data").mkdir()
    monkeypatch.setattr(pack, "files", lambda package: data)
    for licence in ("first", "second"):
        digest = ship(licence)
        library = open_library("starter", settings)
        assert library.card["pack"] == digest and library.store.dimension == 8
        assert [item.source.licence for item in library.search("gout", mode="bm25")] == [licence]
        with pytest.raises(InputError, match="can't be changed"):
            library.delete("a")
    assert {entry.name for entry in (tmp_path / "home" / "library").iterdir()} == {"starter", ".starter.lock"}


def test_vectors_survive_the_bytes() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.standard_normal((200, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    back = pack.restore(*quantise(vectors)).astype(np.float32)
    assert np.abs(back @ vectors.T - vectors @ vectors.T).max() < 0.005


def test_a_changed_pack_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pack, "manifest", lambda: {"sha256": "0" * 64, "passages": 1, "embedder": None})
    with pytest.raises(IntegrityError, match="not the file its manifest describes"):
        open_library("starter", load_settings({"home": str(tmp_path)}, environment={}))
    assert not list((tmp_path / "library").glob("*/library.json"))


def test_whoever_unpacks_second_takes_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "library" / "x"

    def build(number: int) -> None:
        with building(path, "library.json") as folder:
            (folder / "library.json").write_text(json.dumps(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(build, range(4)))
    assert json.loads((path / "library.json").read_text()) in range(4)
    assert [entry.name for entry in path.parent.iterdir()] == ["x"]


def test_the_manifest_hash_is_of_the_shipped_file() -> None:
    assert hashlib.sha256((DATA / pack.PACK).read_bytes()).hexdigest() == pack.manifest()["sha256"]
