"""A library of 200,000 passages: what building, searching and optimising cost. Embeddings are not part of it.

    python benchmarks/library_scale.py [--passages 200000] [--work build/benchmarks/scale]

The passages are those of the starter library, repeated with other words mixed in: each copy takes its sentences from
two passages, and its vector is their mean with noise, so that neither texts nor vectors repeat. Queries are made of the
titles. While `optimise` works in another thread, the same searches are timed again by the wall clock.
"""

import argparse
import resource
import shutil
import threading
import time
from importlib.resources import files
from pathlib import Path

import numpy as np

from osler.knowledge.library.library import Library
from osler.knowledge.library.passages import passage_id
from osler.knowledge.library.rows import table_of
from osler.knowledge.library.starter import read_pack
from osler.knowledge.library.store import Store

BATCH = 20_000
QUERIES = 50


class Spent:
    """CPU and wall seconds of a step, printed when it ends."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __enter__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"| {self.step} | {cpu:.1f} | {wall:.1f} | {peak:.2f} |", flush=True)


def mixed(rows: dict[str, list], vectors: np.ndarray, count: int, first: int, chance: np.random.Generator):
    """`count` new rows, each of halves of two passages, and their vectors."""
    pairs = chance.integers(0, len(vectors), (count, 2))
    columns = {name: [values[a] for a, _ in pairs] for name, values in rows.items()}
    columns["text"] = [rows["text"][a][:500] + " " + rows["text"][b][-500:] for a, b in pairs]
    columns["document_id"] = [f"d{first + n}" for n in range(count)]
    columns["ordinal"] = [0] * count
    columns["id"] = [passage_id(name, "0", 0) for name in columns["document_id"]]
    made = vectors[pairs].mean(axis=1) + 0.02 * chance.standard_normal((count, vectors.shape[1]), dtype=np.float32)
    return columns, made / np.linalg.norm(made, axis=1, keepdims=True)


def timed(library: Library, queries: list[str], vectors: np.ndarray, clock) -> np.ndarray:
    cost = []
    for query, vector in zip(queries, vectors, strict=True):
        started = clock()
        library.rank(query, vector)
        cost.append(1000 * (clock() - started))
    return np.array(cost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=200_000)
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/scale"))
    options = parser.parse_args()
    chance = np.random.default_rng(0)
    rows, packed = read_pack((files("osler.knowledge.library") / "data" / "starter.pack").read_bytes())
    vectors = packed.astype(np.float32)
    dimension = vectors.shape[1]
    shutil.rmtree(options.work, ignore_errors=True)
    print("| step | CPU s | wall s | peak memory so far, GB |\n|---|---|---|---|")
    with Spent("create"):
        store = Store.create(options.work, {"spec": "none", "digest": "", "dimension": dimension})
    with Spent(f"write {options.passages} passages"):
        for first in range(0, options.passages, BATCH):
            columns, made = mixed(rows, vectors, min(BATCH, options.passages - first), first, chance)
            store.write(table_of(columns, made, dimension))
    with Spent("optimise"):
        store.optimise()
    library = Library(options.work)
    chosen = chance.integers(0, len(vectors), QUERIES)
    queries = [rows["title"][n] or "heart" for n in chosen]
    asked = vectors[chosen] + 0.02 * chance.standard_normal((QUERIES, dimension), dtype=np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    timed(library, queries[:10], asked[:10], time.process_time)
    cpu = timed(library, queries, asked, time.process_time)
    alone = timed(library, queries, asked, time.perf_counter)
    columns, made = mixed(rows, vectors, 5000, options.passages, chance)
    with Spent("write 5,000 more"):
        store.write(table_of(columns, made, dimension))
    worker = threading.Thread(target=store.optimise)
    worker.start()
    during = []
    while worker.is_alive():
        during.append(timed(library, queries[:5], asked[:5], time.perf_counter))
    worker.join()
    print(f"\nHybrid search, CPU ms: p50 {np.median(cpu):.0f}, p95 {np.quantile(cpu, 0.95):.0f} (n = {QUERIES}).")
    print(f"Wall ms alone: p50 {np.median(alone):.0f}, p95 {np.quantile(alone, 0.95):.0f}.")
    if during:
        waited = np.concatenate(during)
        print(
            f"Wall ms while 5,000 rows are being indexed: p50 {np.median(waited):.0f}, "
            f"p95 {np.quantile(waited, 0.95):.0f}, slowest {waited.max():.0f} (n = {len(waited)})."
        )
    print(f"Rows outside the index afterwards: {store.unindexed()}.")


if __name__ == "__main__":
    main()
