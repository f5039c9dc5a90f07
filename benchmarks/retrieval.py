"""Retrieval quality: BM25, vectors, reciprocal rank fusion and the hybrid recipe on three sets, in one run.

    python benchmarks/retrieval.py --data DATA [--sets bioasq_dev,nfcorpus_lc,zh_im] [--queries 500] [--sweep]

Each set becomes a library of its own (kept under `--work`, so a second run only searches). All four rankings come
from the same candidates of the same search. Documents count by their best passage. `--sweep` compares fusion
weights on the parts of bioasq_dev that nothing is reported on.
"""

import argparse
import gzip
import json
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.knowledge.library import Library, open_library
from osler.knowledge.library.fusion import fuse, reciprocal_rank
from osler.knowledge.library.library import DEPTH
from osler.knowledge.library.store import Candidate, Filters
from osler.settings import load_settings
from osler.splits import split

SETS = {"bioasq_dev": "qrels.tsv", "nfcorpus_lc": "test.tsv", "zh_im": "test.tsv"}
SYSTEMS = ("BM25", "vectors", "RRF", "hybrid")
RESAMPLES = 10_000
MISSING = ("zero", "lowest")  # the BM25 score of a candidate that only its vector found

Qrels = dict[str, dict[str, int]]


class Query(NamedTuple):
    id: str
    text: str


class Scores(NamedTuple):
    """Per query, in order."""

    ndcg: list[float]
    recall: list[float]


def read_lines(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def read_qrels(path: Path) -> Qrels:
    qrels: Qrels = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def ndcg(ranking: Iterable[str], relevant: dict[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains, as trec_eval's ndcg_cut."""
    gains = [relevant.get(document, 0) for document in list(ranking)[:k]]
    ideal = sorted(relevant.values(), reverse=True)[:k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    return float(np.dot(gains, discount[: len(gains)]) / np.dot(ideal, discount[: len(ideal)]))


def recall(ranking: Iterable[str], relevant: dict[str, int], k: int = 100) -> float:
    return len(set(list(ranking)[:k]) & relevant.keys()) / len(relevant)


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% bootstrap interval of the mean over queries."""
    chance = np.random.default_rng(seed)
    means = np.array([values[chance.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def documents(found: list[Candidate], scores: Iterable[float]) -> list[str]:
    """Documents in the order of their best passage; ties by passage id."""
    order = sorted(zip(found, scores, strict=True), key=lambda item: (-item[1], item[0].row["id"]))
    return list(dict.fromkeys(candidate.row["document_id"] for candidate, _ in order))


def rankings(found: list[Candidate]) -> dict[str, list[str]]:
    lexical = [candidate for candidate in found if candidate.bm25 > 0]
    by_words = documents(lexical, [candidate.bm25 for candidate in lexical])
    by_vectors = documents(found, [candidate.cosine or 0.0 for candidate in found])
    fused = [name for name, _ in reciprocal_rank([by_words[:DEPTH], by_vectors[:DEPTH]])]
    return {"BM25": by_words, "vectors": by_vectors, "RRF": fused, "hybrid": hybrid(found)}


def hybrid(found: list[Candidate], weight: float = 0.4, missing: str = "zero") -> list[str]:
    bm25 = np.array([candidate.bm25 for candidate in found], dtype=np.float32)
    if missing == "lowest" and (bm25 > 0).sum() >= DEPTH:
        bm25[bm25 == 0] = bm25[bm25 > 0].min()
    cosine = np.array([candidate.cosine for candidate in found], dtype=np.float32)
    return documents(found, fuse(bm25, cosine, weight).tolist())


def build(name: str, data: Path, work: Path, threads: int) -> Library:
    settings = load_settings({"home": str(work), "models.threads": threads}, environment={})
    library = open_library(name, settings, create=True)
    started, cpu = time.perf_counter(), time.process_time()
    report = library.add([data / "retrieval" / name / "corpus.jsonl.gz"])
    if report.added:
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(f"{name}: {report.added} documents, {report.passages} passages in {seconds:.0f} s ({cpu:.0f} CPU-s)")
    return library


def queries_of(name: str, data: Path, parts: tuple[str, ...], limit: int) -> tuple[list[Query], Qrels]:
    """Judged queries of the wanted parts; a sample by id order of the hash split where there are too many."""
    folder = data / "retrieval" / name
    file = next(folder.glob("queries.jsonl*"))
    qrels = read_qrels(folder / SETS[name])
    rows = [Query(str(row["_id"]), row["text"]) for row in read_lines(file)]
    wanted = [query for query in rows if query.id in qrels and split(name, query.id) in parts]
    if len(wanted) > limit:
        chosen = np.random.default_rng(0).choice(len(wanted), limit, replace=False)
        wanted = [wanted[index] for index in sorted(chosen)]
    return wanted, qrels


def candidates(library: Library, queries: list[Query]) -> tuple[list[list[Candidate]], np.ndarray]:
    """Candidates of every query, and the CPU milliseconds of each search (without embedding the query)."""
    vectors = library.query_vectors([query.text for query in queries], "vector")
    found, cost = [], []
    for query, vector in zip(queries, vectors, strict=True):
        started = time.process_time()
        found.append(library.store.candidates(query.text, vector, Filters(), DEPTH))
        cost.append(1000 * (time.process_time() - started))
    return found, np.array(cost)


def report(name: str, queries: list[Query], qrels: Qrels, found: list[list[Candidate]], cost: np.ndarray) -> None:
    scores = {system: Scores([], []) for system in SYSTEMS}
    for query, candidates_ in zip(queries, found, strict=True):
        for system, ranking in rankings(candidates_).items():
            scores[system].ndcg.append(ndcg(ranking, qrels[query.id]))
            scores[system].recall.append(recall(ranking, qrels[query.id]))
    print(f"\n### {name}, n = {len(queries)} queries\n")
    print("| system | nDCG@10 | 95% interval | Recall@100 | 95% interval | hybrid minus system, nDCG@10 |")
    print("|---|---|---|---|---|---|")
    ours = np.array(scores["hybrid"].ndcg)
    for system, (gains, recalls) in scores.items():
        a, b = np.array(gains), np.array(recalls)
        low, high = interval(ours - a)
        difference = "" if system == "hybrid" else f"{(ours - a).mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        spans = ["[{:.3f}, {:.3f}]".format(*interval(values)) for values in (a, b)]
        print(f"| {system} | {a.mean():.3f} | {spans[0]} | {b.mean():.3f} | {spans[1]} | {difference} |")
    p50, p95 = np.quantile(cost, [0.5, 0.95])
    print(f"\nSearch, CPU ms a query without its embedding: p50 {p50:.0f}, p95 {p95:.0f}.")


def sweep(queries: list[Query], qrels: Qrels, found: list[list[Candidate]]) -> None:
    print(f"\n### bioasq_dev, train and tune parts, n = {len(queries)}: weight of BM25 in the hybrid, nDCG@10\n")
    print("| missing BM25 | " + " | ".join(f"{weight / 10:.1f}" for weight in range(2, 9)) + " |")
    print("|---" * 8 + "|")
    for missing in MISSING:
        means = []
        for weight in range(2, 9):
            values = [
                ndcg(hybrid(candidates_, weight / 10, missing), qrels[query.id])
                for query, candidates_ in zip(queries, found, strict=True)
            ]
            means.append(np.mean(values))
        print(f"| {missing} | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds retrieval/")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--queries", type=int, default=500, help="at most this many queries a set")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/retrieval"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sweep", action="store_true")
    options = parser.parse_args()
    names = ("osler", "lancedb", "onnxruntime")
    print("versions: " + ", ".join(f"{package} {version(package)}" for package in names))
    for name in options.sets.split(","):
        library = build(name, options.data, options.work, options.threads)
        queries, qrels = queries_of(name, options.data, ("report",), options.queries)
        found, cost = candidates(library, queries)
        report(name, queries, qrels, found, cost)
        if options.sweep and name == "bioasq_dev":
            queries, qrels = queries_of(name, options.data, ("train", "tune"), options.queries)
            sweep(queries, qrels, candidates(library, queries)[0])


if __name__ == "__main__":
    main()
