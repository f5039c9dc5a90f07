"""Retrieval quality: BM25, vectors, rank fusion, the earlier recipe and the ranking in use, on three sets, in one run.

    python benchmarks/retrieval.py --data DATA [--sets bioasq_dev,nfcorpus_lc,zh_im] [--queries 800] [--fit]

Each set becomes a library of its own (kept under `--work`, so a second run only searches); bioasq_dev stands among all
passages of the starter library. Every ranking comes from the same candidates of the same search, except that RM3 asks
again. Documents count by their best passage. `--fit` fits the weights that are shipped, on the train part of bioasq_dev
and the tune part of zh_im, prints what each step of the ranking adds on the tune part of bioasq_dev and, out of five
folds, on that of zh_im, and writes `data/ranking.json`.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.knowledge.library import Library, open_library, ranking
from osler.knowledge.library.library import DEPTH
from osler.knowledge.library.ranking import FEATURES, described, fuse
from osler.knowledge.library.rows import table_of
from osler.knowledge.library.starter import read_pack
from osler.knowledge.library.store import Candidates, Filters, matches
from osler.settings import load_settings
from osler.splits import split
from osler.text import words

SETS = {"bioasq_dev": "qrels.tsv", "nfcorpus_lc": "test.tsv", "zh_im": "test.tsv"}
OURS = "Osler"
RESAMPLES = 10_000
RECIPE = 0.4  # weight of BM25 in the recipe
SHORT, EXPANDED, FEEDBACK, ORIGINAL = 4, 10, 10, 0.7  # RM3: words of a short query, terms, documents, weight
WEIGHTS = Path(str(files("osler.knowledge.library") / "data" / "ranking.json"))

Qrels = dict[str, dict[str, int]]
Order = list[str]


class Query(NamedTuple):
    id: str
    text: str


class Found(NamedTuple):
    """A query with its candidates, their documents and what is read of them."""

    query: Query
    candidates: Candidates
    documents: list[str]
    passages: list[dict[str, Any]]

    def read(self, which: np.ndarray) -> list[dict[str, Any]]:
        return [self.passages[n] for n in which]

    def order(self, scores: np.ndarray, only: np.ndarray | None = None) -> Order:
        """Documents in the order of their best passage; ties as written."""
        places = np.argsort(-scores, kind="stable")
        return list(dict.fromkeys(self.documents[n] for n in places if only is None or only[n]))


class Scores(NamedTuple):
    """nDCG@10, Recall@100 and reciprocal rank, each of shape (queries,)."""

    ndcg: np.ndarray
    recall: np.ndarray
    rank: np.ndarray


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


def ndcg(order: Iterable[str], relevant: dict[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains, as trec_eval's ndcg_cut."""
    gains = [relevant.get(document, 0) for document in list(order)[:k]]
    ideal = sorted(relevant.values(), reverse=True)[:k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    return float(np.dot(gains, discount[: len(gains)]) / np.dot(ideal, discount[: len(ideal)]))


def recall(order: Iterable[str], relevant: dict[str, int], k: int = 100) -> float:
    return len(set(list(order)[:k]) & relevant.keys()) / len(relevant)


def reciprocal(order: Iterable[str], relevant: dict[str, int]) -> float:
    return next((1 / place for place, document in enumerate(order, 1) if document in relevant), 0.0)


def judged(orders: Iterable[Order], queries: Iterable[Query], qrels: Qrels) -> Scores:
    pairs = [(order, qrels[query.id]) for order, query in zip(orders, queries, strict=True)]
    return Scores(*(np.array([measure(*pair) for pair in pairs]) for measure in (ndcg, recall, reciprocal)))


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% bootstrap interval of the mean over queries."""
    chance = np.random.default_rng(seed)
    means = [values[chance.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def build(name: str, data: Path, work: Path, threads: int) -> Library:
    settings = load_settings({"home": str(work), "models.threads": threads}, environment={})
    library = open_library(name, settings, create=True)
    started = time.process_time()
    report = library.add([data / "retrieval" / name / "corpus.jsonl.gz"], collection=name)
    if report.added:
        cpu = time.process_time() - started
        print(f"{name}: {report.added} documents, {report.passages} passages indexed in {cpu:.0f} CPU-s")
    if name == "bioasq_dev" and "medquad" not in library.store.count_by("collection"):
        pack = read_pack((files("osler.knowledge.library") / "data" / "starter.pack").read_bytes())
        library.store.write(table_of(*pack, library.store.dimension))
        library.store.optimise()
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


def found_of(query: Query, candidates: Candidates) -> Found:
    passages = candidates.shown(np.arange(len(candidates.rows)))
    return Found(query, candidates, [passage["document_id"] for passage in passages], passages)


def search(library: Library, queries: list[Query]) -> tuple[list[Found], np.ndarray]:
    """Candidates of every query, and the CPU milliseconds of each search and ranking without embedding the query."""
    vectors = library.query_vectors([query.text for query in queries], "vector")
    found, cost = [], []
    for query, vector in zip(queries, vectors, strict=True):
        started = time.process_time()
        library.rank(query.text, vector)
        cost.append(1000 * (time.process_time() - started))
        found.append(found_of(query, library.store.candidates(matches(query.text), vector, Filters(), DEPTH)))
    return found, np.array(cost)


def ours(found: Found) -> Order:
    c = found.candidates
    return found.order(ranking.rank(found.query.text, c.bm25, c.vectors, c.cosine, found.read))


def by_words(found: Found) -> Order:
    return found.order(found.candidates.bm25, found.candidates.bm25 > 0)


def by_vectors(found: Found) -> Order:
    return found.order(found.candidates.cosine)


def fused(found: Found, k: int = 60) -> Order:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""
    scores: Counter[str] = Counter()
    for order in (by_words(found)[:DEPTH], by_vectors(found)[:DEPTH]):
        for place, name in enumerate(order, 1):
            scores[name] += 1 / (k + place)
    return sorted(scores, key=lambda name: (-scores[name], name))


def hybrid(found: Found, weight: float = RECIPE) -> Order:
    return found.order(fuse(found.candidates.bm25, found.candidates.cosine, weight))


def agreed(found: Found) -> Order:
    c = found.candidates
    return found.order(ranking.agree(fuse(c.bm25, c.cosine), c.vectors))


def recipe(library: Library) -> Callable[[Found], Order]:
    """The recipe: 0.4 BM25 and 0.6 cosine, standardised; a query of four words or fewer is first expanded by RM3
    (Abdul-Jaleel et al. 2004) from the ten best passages by BM25."""

    def content(text: str) -> list[str]:
        return [word for word in words(text) if word not in ranking.STOP and len(word) > 1]

    def expanded(found: Found) -> Order:
        asked, c = content(found.query.text), found.candidates
        best = [n for n in np.argsort(-c.bm25, kind="stable")[:FEEDBACK] if c.bm25[n] > 0]
        if not 0 < len(set(asked)) <= SHORT or not best:
            return hybrid(found)
        model: Counter[str] = Counter()
        for n in best:
            body = content(found.passages[n]["text"])
            for word, count in Counter(body).items():
                model[word] += float(c.bm25[n]) * count / len(body)
        terms = model.most_common(EXPANDED)
        boosts = Counter({word: (1 - ORIGINAL) * mass / sum(mass for _, mass in terms) for word, mass in terms})
        for word in asked:
            boosts[word] += ORIGINAL / len(asked)
        return hybrid(found_of(found.query, again(library, found.query, boosts)))

    return expanded


def again(library: Library, query: Query, boosts: Counter[str]) -> Candidates:
    """Candidates by weighted words (English index) and by the query's vector."""
    from lancedb.query import BooleanQuery, MatchQuery, Occur

    weighted = BooleanQuery([(Occur.SHOULD, MatchQuery(word, "english", boost=w)) for word, w in boosts.items()])
    vector = library.query_vectors([query.text], "vector")[0]
    return library.store.candidates([weighted], vector, Filters(), DEPTH)


SYSTEMS = ("BM25", "vectors", "RRF", "recipe", OURS)


def report(library: Library, name: str, queries: list[Query], qrels: Qrels) -> None:
    found, cost = search(library, queries)
    systems = (by_words, by_vectors, fused, recipe(library), ours)
    scores = {system: judged(map(order, found), queries, qrels) for system, order in zip(SYSTEMS, systems, strict=True)}
    print(f"\n## {name}, n = {len(queries)} queries, {len(library.store)} passages\n")
    print("| system | nDCG@10 | 95% interval | Recall@100 | 95% interval | MRR | Osler minus system, nDCG@10 |")
    print("|---|---|---|---|---|---|---|")
    for system, values in scores.items():
        spans = ["[{:.3f}, {:.3f}]".format(*interval(column)) for column in (values.ndcg, values.recall)]
        gain = scores[OURS].ndcg - values.ndcg
        paired = "" if system == OURS else "{:+.3f} [{:+.3f}, {:+.3f}]".format(gain.mean(), *interval(gain))
        print(
            f"| {system} | {values.ndcg.mean():.3f} | {spans[0]} | {values.recall.mean():.3f} | {spans[1]} "
            f"| {values.rank.mean():.3f} | {paired} |"
        )
    p50, p95 = np.quantile(cost, [0.5, 0.95])
    print(f"\nSearch and ranking, CPU ms a query without its embedding: p50 {p50:.0f}, p95 {p95:.0f}.")


# -- fitting the weights


def example(found: Found, qrels: Qrels) -> tuple[np.ndarray, np.ndarray]:
    """Features of the candidates that are ordered by them (m, 8), and their grades (m,)."""
    c = found.candidates
    _, best, known = described(found.query.text, c.bm25, c.vectors, c.cosine, found.read)
    grades = qrels[found.query.id]
    return known, np.array([grades.get(found.documents[n], 0) for n in best], float)


def fitted(examples: Iterable[tuple[np.ndarray, np.ndarray]], steps: int = 300, rate: float = 0.05) -> np.ndarray:
    """Weights by ListNet (Cao et al. 2007): cross entropy of the softmax of scores against the grades; Adam."""
    useful = [(known, grades / grades.sum()) for known, grades in examples if grades.any()]
    weights = np.array([float(name == "agreement") for name in FEATURES])
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = 1e-3 * weights
        for known, target in useful:
            chance = np.exp(known @ weights - (known @ weights).max())
            gradient -= known.T @ (target - chance / chance.sum()) / len(useful)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights


def with_weights(found: Found, weights: np.ndarray) -> Order:
    c = found.candidates
    scores, best, known = described(found.query.text, c.bm25, c.vectors, c.cosine, found.read)
    scores = scores - 1000
    scores[best] = known @ weights
    return found.order(scores)


def fit(data: Path, work: Path, threads: int, limit: int) -> None:
    shipped = {}
    for script, name, part in (("en", "bioasq_dev", "train"), ("zh", "zh_im", "tune")):
        library = build(name, data, work, threads)
        queries, qrels = queries_of(name, data, (part,), limit)
        found, _ = search(library, queries)
        examples = [example(item, qrels) for item in found]
        weights = fitted(examples)
        shipped[script] = dict(zip(FEATURES, (round(float(weight), 3) for weight in weights), strict=True))
        if name == "bioasq_dev":
            queries, qrels = queries_of(name, data, ("tune",), limit)
            found, _ = search(library, queries)
            reranked = [with_weights(item, weights) for item in found]
        else:
            fold = np.random.default_rng(0).integers(0, 5, len(found))
            parts = [fitted([e for e, f in zip(examples, fold, strict=True) if f != n]) for n in range(5)]
            reranked = [with_weights(item, parts[f]) for item, f in zip(found, fold, strict=True)]
        steps: dict[str, Iterable[Order]] = {
            "RRF": map(fused, found), "recipe": map(recipe(library), found),
            **{f"sum, BM25 {weight}": [hybrid(item, weight) for item in found] for weight in (0.2, 0.3, 0.4, 0.5)},
            "sum 0.3 and agreement": map(agreed, found), "and features": reranked,
        }  # fmt: skip
        print(f"\n## Steps on the tune part of {name}, n = {len(queries)}: nDCG@10\n\n| step | nDCG@10 | Recall@100 |")
        print("|---|---|---|")
        for step, orders in steps.items():
            values = judged(orders, queries, qrels)
            print(f"| {step} | {values.ndcg.mean():.4f} | {values.recall.mean():.4f} |", flush=True)
    WEIGHTS.write_text(json.dumps(shipped, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds retrieval/")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--queries", type=int, default=800, help="at most this many queries a set")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/retrieval"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    names = ("osler", "lancedb", "onnxruntime")
    print("versions: " + ", ".join(f"{package} {version(package)}" for package in names))
    if options.fit:
        fit(options.data, options.work, options.threads, options.queries)
        return
    for name in options.sets.split(","):
        library = build(name, options.data, options.work, options.threads)
        report(library, name, *queries_of(name, options.data, ("report",), options.queries))


if __name__ == "__main__":
    main()
