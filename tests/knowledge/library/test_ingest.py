"""Ingestion: what is new, changed, unchanged, deleted and bad; and what a kill leaves behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from library_standin import HashedWords

from osler.errors import InputError
from osler.knowledge.library import Library, open_library
from osler.knowledge.library.ingest import ingest
from osler.settings import Settings

Make = Callable[..., Library]


def texts(library: Library, document_id: str) -> str:
    return " ".join(item.text for item in library.document(document_id))


def test_add_again_change_and_delete(make: Make, tmp_path: Path, embedder: HashedWords) -> None:
    library = make()
    folder = tmp_path / "docs"
    folder.mkdir()
    one, two = folder / "one.txt", folder / "two.md"
    one.write_text("Gout hurts. " * 300)
    two.write_text("# Asthma\n\nWheeze.\n")
    report = library.add([folder])
    assert (report.added, report.replaced, report.unchanged, report.errors) == (2, 0, 0, [])
    before, embedded = library.version, embedder.embedded

    assert library.add([folder]).unchanged == 2
    assert library.version == before and embedder.embedded == embedded

    one.write_text("Gout hurts no more.")
    report = library.add([folder])
    assert (report.added, report.replaced, report.unchanged, report.passages) == (0, 1, 1, 1)
    assert texts(library, str(one)) == "Gout hurts no more." and len(library.document(str(one))) == 1
    assert library.version != before
    assert library.search("hurts", mode="bm25")[0].source.document_id == str(one)

    one.write_text("Gout hurts. " * 300)
    library.add([one])
    assert library.version == before  # equal content, equal version

    assert library.delete(str(two)) == 1
    assert library.search("wheeze", mode="bm25") == []
    with pytest.raises(InputError, match="has no document"):
        library.delete("x' OR '1'='1")
    assert library.store.documents().keys() == {str(one)}


def test_the_last_of_several_lines_with_one_id_counts(make: Make, tmp_path: Path) -> None:
    library = make()
    path = tmp_path / "c.jsonl"
    path.write_text('{"_id": "a", "text": "old"}\n{"_id": "b", "text": "other"}\n{"_id": "a", "text": "new"}\n')
    library.add([path])
    assert texts(library, "a") == "new" and len(library.store) == 2
    path.write_text('{"_id": "a", "text": "newer"}\n{"_id": "a", "text": "new"}\n')
    library.add([path])
    assert texts(library, "a") == "new" and len(library.document("a")) == 1


def test_delete_citation_removes_what_is_there_and_what_is_waiting(make: Make, tmp_path: Path) -> None:
    library = make()

    def article(pmid: int) -> str:
        title = f"<Article><ArticleTitle>T{pmid}</ArticleTitle></Article>"
        return f"<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID>{title}</MedlineCitation></PubmedArticle>"

    first, second = tmp_path / "1.xml", tmp_path / "2.xml"
    first.write_text(f"<PubmedArticleSet>{article(1)}{article(2)}</PubmedArticleSet>")
    second.write_text(
        f"<PubmedArticleSet>{article(3)}<DeleteCitation><PMID>1</PMID><PMID>3</PMID><PMID>99</PMID>"
        "</DeleteCitation></PubmedArticleSet>"
    )
    library.add([first])
    report = library.add([second])
    assert (report.added, report.deleted) == (0, 1)
    assert library.store.documents().keys() == {"PMID:2"}


def test_bad_documents_are_reported_and_the_run_goes_on(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 broken")
    (folder / "b.txt").write_text("good text")
    (folder / "c.jsonl").write_text('{"_id": "x", "text": "good"}\n{"_id": "y"\n')
    (folder / "d.txt").write_bytes(b"")
    seen: list[tuple[int, int]] = []
    library = make()
    report = library.add([folder], progress=lambda done, total: seen.append((done, total)))
    assert report.added == 2 and len(report.errors) == 3
    assert [Path(str(row["where"])).name for row in report.errors] == ["a.pdf", "c.jsonl:2", "d.txt"]
    assert {row["kind"] for row in report.errors} == {"input"}
    assert seen[-1] == (5, 5) and all(done <= total for done, total in seen)


def test_a_missing_path_stops_before_anything_is_written(make: Make, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("good text")
    library = make()
    with pytest.raises(InputError, match="no such file"):
        library.add([tmp_path / "b.txt", tmp_path / "missing"])
    assert len(library.store) == 0


def test_one_writer_at_a_time(make: Make, tmp_path: Path) -> None:
    library = make()
    (tmp_path / "b.txt").write_text("good text")
    with library.writing(), pytest.raises(InputError, match="another process is writing"):
        library.add([tmp_path / "b.txt"])
    assert library.add([tmp_path / "b.txt"]).added == 1


def test_another_process_sees_what_was_committed(make: Make, settings: Settings, tmp_path: Path) -> None:
    library = make()
    reader = open_library("test", settings)
    version = reader.version
    (tmp_path / "b.txt").write_text("gout")
    library.add([tmp_path / "b.txt"])
    assert len(reader.search("gout", mode="bm25")) == 1 and reader.version != version


def test_indexes_are_kept_up_to_date(make: Make, tmp_path: Path) -> None:
    library = make()
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps({"_id": str(n), "text": f"case {n} of gout"}) + "\n" for n in range(600)))
    library.add([path])
    assert library.store.unindexed() == 0
    assert len(library.search("gout", k=500, mode="bm25")) == 200


CHILD = """
import sys
from pathlib import Path
from osler.knowledge.library import open_library
from osler.knowledge.library.ingest import ingest
from osler.settings import load_settings
from library_standin import HashedWords
settings = load_settings({"home": sys.argv[1]}, environment={})
library = open_library("test", settings, create=True, load_embedder=HashedWords)
print("open", flush=True)
report = ingest(library, [Path(sys.argv[2])], batch=16)
print(report.model_dump_json(), flush=True)
"""


def test_killed_at_random_it_resumes_without_loss_or_repeats(settings: Settings, tmp_path: Path) -> None:
    """SIGKILL at random moments, then a run to the end: every document once, whole, and the old content replaced."""
    path = tmp_path / "corpus.jsonl"

    def write(change: str) -> None:
        rows = ({"_id": f"d{n}", "text": f"{change} gout and colchicine {n}. " * (20 + n % 90)} for n in range(240))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    command = [sys.executable, "-c", CHILD, str(settings.home), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    chance = random.Random(7)
    kills = 0
    for change in ("first", "second"):
        write(change)
        for _ in range(2):
            child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
            assert child.stdout is not None and child.stdout.readline() == "open\n"
            time.sleep(chance.uniform(0.02, 0.3))
            child.send_signal(signal.SIGKILL)
            child.wait()
            kills += child.returncode == -signal.SIGKILL
            library = open_library("test", settings, load_embedder=HashedWords)
            for name in list(library.store.documents())[:15]:  # whatever is there is there whole
                numbers = [int(item.id.rpartition("-")[2]) for item in library.document(name)]
                assert numbers == list(range(len(numbers)))
        done = subprocess.run(command, capture_output=True, env=environment, text=True, check=True)
        report = json.loads(done.stdout.splitlines()[1])
        assert report["added"] + report["replaced"] + report["unchanged"] == 240 and not report["errors"]
    assert kills >= 2
    fresh = open_library("fresh", settings, create=True, load_embedder=HashedWords)
    ingest(fresh, [path], collection="test")
    library = open_library("test", settings, load_embedder=HashedWords)
    assert library.store.documents() == fresh.store.documents()
    assert library.store.count_by("id") == fresh.store.count_by("id")
    assert set(Counter(library.store.count_by("id")).values()) == {1}
    assert library.search("first gout", k=1, mode="bm25")[0].text.startswith("second")
