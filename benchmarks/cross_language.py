"""Cross-language retrieval: Chinese questions to English passages and English questions to Chinese ones.

    python benchmarks/cross_language.py --data DATA [--work build/benchmarks/retrieval]

Pairs are made from the Chinese labels of HPO (hp_zh). Chinese to English: 100 terms that head an article or a section
of the starter library (MedQuAD, OpenStax); right are the documents headed so. English to Chinese: 100 terms whose
Chinese label stands in 1 to 20 answers of zh_im; right are those. Terms are taken in the order of a hash of their id.
Recall@10 is the share of the right documents among the first ten (of at most ten); hit@10 is whether any is there.
"""

import argparse
import csv
import gzip
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from retrieval import build, interval

from osler.knowledge.library import Library, library, open_library
from osler.settings import load_settings

PAIRS = 100
ZH = ("{}是怎么回事？", "{}应该怎么治疗？", "{}有哪些原因？")
EN = ("What is {}?", "How is {} treated?", "What causes {}?")
NAMES = library.other_names


def no_names(question: str) -> str:
    return ""


class Pair(NamedTuple):
    question: str
    right: frozenset[str]


def terms(data: Path) -> list[tuple[str, str]]:
    """English and Chinese label of each HPO term that has one, in the order of a hash of its id."""
    text = gzip.decompress((data / "knowledge" / "hp_zh.tsv.gz").read_bytes()).decode("utf-8")
    rows = [
        row
        for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        if row["predicate_id"] == "rdfs:label" and row["translation_value"]
    ]
    rows.sort(key=lambda row: hashlib.sha256(row["subject_id"].encode()).hexdigest())
    return [(row["source_value"], row["translation_value"]) for row in rows]


def columns(found: Library, *names: str) -> Iterator[tuple[str, ...]]:
    for document in found.store.documents():
        for passage in found.store.document(document):
            yield document, *(passage[name] for name in names)


def to_english(data: Path, found: Library) -> list[Pair]:
    headed: dict[str, set[str]] = {}
    for document, title, section in columns(found, "title", "section"):
        last = (section or "").rpartition(" > ")[2]
        for head in {re.sub(r"\s*\(.*?\)|^.*: ", "", title or ""), last}:
            headed.setdefault(head.lower().strip(" ?"), set()).add(document)
    pairs = [
        Pair(ZH[len(english) % 3].format(chinese), frozenset(headed[english.lower()]))
        for english, chinese in terms(data)
        if english.lower() in headed and len(english) > 3
    ]
    return pairs[:PAIRS]


def to_chinese(data: Path, found: Library) -> list[Pair]:
    texts = list(columns(found, "text"))
    pairs: list[Pair] = []
    for english, chinese in terms(data):
        if len(chinese) >= 3 and len(pairs) < PAIRS:
            right = frozenset(document for document, text in texts if chinese in text)
            if 1 <= len(right) <= 20:
                pairs.append(Pair(EN[len(english) % 3].format(english.lower()), right))
    return pairs


def scores(found: Library, pairs: list[Pair], mode: library.Mode, names: Callable[[str], str]) -> np.ndarray:
    """Recall@10 and hit@10 of each pair, shape (pairs, 2)."""
    rows = []
    with patch.object(library, "other_names", names):
        asked = [found.asked(pair.question) for pair in pairs]
        for pair, question, vector in zip(pairs, asked, found.query_vectors(asked, mode), strict=True):
            ranked, order, _ = found.rank(question, vector, mode=mode)
            documents = ranked.documents()
            top = set(list(dict.fromkeys(documents[place] for place in order))[:10])
            rows.append((len(top & pair.right) / min(10, len(pair.right)), bool(top & pair.right)))
    return np.array(rows, float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/retrieval"))
    options = parser.parse_args()
    starter = open_library("starter", load_settings({"home": str(options.work)}, environment={}))
    chinese = build("zh_im", options.data, options.work, 1)
    for title, found, pairs in (
        ("Chinese questions, English passages of the starter", starter, to_english(options.data, starter)),
        ("English questions, Chinese passages of zh_im", chinese, to_chinese(options.data, chinese)),
    ):
        print(
            f"\n## {title}, n = {len(pairs)} pairs\n\n| system | Recall@10 | 95% interval | hit@10 |\n|---|---|---|---|"
        )
        for label, mode, names in (
            ("BM25", "bm25", no_names), ("vectors", "vector", no_names), ("Osler without names", "hybrid", no_names),
            ("BM25 with names", "bm25", NAMES), ("vectors with names", "vector", NAMES), ("Osler", "hybrid", NAMES),
        ):  # fmt: skip
            values = scores(found, pairs, mode, names)
            span = "[{:.2f}, {:.2f}]".format(*interval(values[:, 0]))
            print(f"| {label} | {values[:, 0].mean():.2f} | {span} | {values[:, 1].mean():.2f} |", flush=True)


if __name__ == "__main__":
    main()
