"""Concept recognition on GSC+ and the tuning documents, beside a plain Aho-Corasick and, where installed, FastHPOCR.

    python benchmarks/concepts.py --data DATA [--fasthpocr INDEX_FILE] > benchmarks/concepts.md

DATA is the folder of public data sets. GSC+ is reported on its report half only (osler.splits); its tune half and
all of phenobert_val were used for tuning. Alternative and obsolete identifiers are mapped to current ones.
Mention: same span and same identifier. Document: the set of identifiers of a document. Intervals: 1,000 bootstrap
resamples of documents.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from osler.knowledge.concepts.recogniser import Recogniser, all_names, load_recogniser
from osler.knowledge.graph import Graph, load_graph
from osler.splits import split

Found = set[tuple[int, int, str]]
Finder = Callable[[str], Found]
Counts = tuple[int, int, int]


def documents(file: Path) -> list[dict[str, Any]]:
    raw = file.read_bytes()
    text = gzip.decompress(raw) if file.suffix == ".gz" else raw
    return [json.loads(line) for line in text.decode().splitlines()]


def f1(counts: Iterable[Counts]) -> tuple[float, float, float]:
    """Precision, recall and F from rows of right, found, expected."""
    right, found, expected = (sum(column) for column in zip(*counts, strict=True))
    precision, recall = right / max(found, 1), right / max(expected, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def interval(counts: list[Counts]) -> tuple[float, float]:
    dice = random.Random(0)
    values = sorted(f1(dice.choices(counts, k=len(counts)))[2] for _ in range(1000))
    return values[25], values[974]


def row(name: str, finder: Finder, docs: list[dict[str, Any]], graph: Graph) -> str:
    mention: list[Counts] = []
    document: list[Counts] = []
    started = time.process_time()
    all_found = [finder(doc["text"]) for doc in docs]
    seconds = time.process_time() - started
    for doc, raw in zip(docs, all_found, strict=True):
        found = {(start, end, graph.canonical(code) or code) for start, end, code in raw}
        gold = {(a["start"], a["end"], graph.canonical(a["hpo_id"]) or a["hpo_id"]) for a in doc["annotations"]}
        mention.append((len(found & gold), len(found), len(gold)))
        codes, wanted = {code for *_, code in found}, {code for *_, code in gold}
        document.append((len(codes & wanted), len(codes), len(wanted)))
    cells = [name]
    for counts in (mention, document):
        precision, recall, score = f1(counts)
        low, high = interval(counts)
        cells.append(f"{precision:.3f} / {recall:.3f} / **{score:.3f}** [{low:.3f}, {high:.3f}]")
    cells.append(f"{sum(len(doc['text']) for doc in docs) / seconds / 1e3:,.0f}k")
    return "| " + " | ".join(cells) + " |"


def plain(graph: Graph) -> Finder:
    """The peer everybody has: labels and synonyms in an Aho-Corasick automaton, lower case, on word boundaries."""
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for code, name, _ in graph.names(["phenotype", "modifier"], "en"):
        automaton.add_word(name.lower(), (len(name), code))
    automaton.make_automaton()

    def find(text: str) -> Found:
        low = text.lower()
        hits = []
        for last, (length, code) in automaton.iter(low):
            start, end = last - length + 1, last + 1
            if not low[start - 1 : start].isalnum() and not low[end : end + 1].isalnum():
                hits.append((start, end, code))
        hits.sort(key=lambda hit: (hit[0] - hit[1], hit[0]))
        kept: Found = set()
        for start, end, code in hits:
            if not any(start < stop and begin < end for begin, stop, _ in kept):
                kept.add((start, end, code))
        return kept

    return find


def fasthpocr(index: str, longest: bool) -> Finder:
    from FastHPOCR.HPOAnnotator import HPOAnnotator

    annotator = HPOAnnotator(index)
    return lambda text: {(a.startOffset, a.endOffset, a.hpoUri) for a in annotator.annotate(text, longest)}


def osler(recogniser: Recogniser) -> Finder:
    return lambda text: {(m.start, m.end, m.code) for m in recogniser.mentions(text)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fasthpocr", help="index file of an installed FastHPOCR")
    options = parser.parse_args()
    graph = load_graph()
    started = time.process_time()
    recogniser = load_recogniser(("hpo",))
    loaded = time.process_time() - started
    finders: dict[str, Finder] = {"Osler": osler(recogniser), "plain Aho-Corasick": plain(graph)}
    if options.fasthpocr:
        finders[f"FastHPOCR {version('FastHPOCR')}, all matches"] = fasthpocr(options.fasthpocr, False)
        finders[f"FastHPOCR {version('FastHPOCR')}, longest"] = fasthpocr(options.fasthpocr, True)
    finders["Osler"]("warm up")
    gsc = documents(options.data / "concepts" / "gsc_plus.jsonl.gz")
    sets = {
        "GSC+ report half": [doc for doc in gsc if split("gsc_plus", doc["id"]) == "report"],
        "GSC+ tune half (tuned on)": [doc for doc in gsc if split("gsc_plus", doc["id"]) == "tune"],
        "phenobert_val (tuned on)": documents(options.data / "concepts" / "phenobert_val.jsonl"),
    }
    print("# Concept recognition: HPO terms in abstracts\n")
    print(f"`{' '.join(['python', 'benchmarks/concepts.py', '--data', 'DATA'])}`; HPO {graph.versions['hpo']}.")
    print("Cells: precision / recall / **F** [95% interval of F, bootstrap by document].\n")
    for name, docs in sets.items():
        print(f"## {name}: {len(docs)} documents, {sum(len(doc['annotations']) for doc in docs)} mentions\n")
        print("| method | mention | document | characters per CPU-second |\n|---|---|---|---|")
        for method, finder in finders.items():
            print(row(method, finder, docs, graph))
        print()
    text = "\n".join(doc["text"] for doc in gsc) * 4
    everything = load_recogniser()
    everything.mentions(text)
    started = time.process_time()
    everything.mentions(text)
    matching = len(text) / (time.process_time() - started)
    names = sum(1 for _ in all_names(graph))
    arrays = recogniser.matcher.index
    size = arrays.keys.nbytes + arrays.offsets.nbytes + arrays.entries.nbytes + arrays.words.nbytes
    print("## Speed and size, all three vocabularies\n")
    print(f"{names:,} names of {len(arrays.terms):,} terms; arrays {size / 1e6:.1f} MB in memory,")
    print(f"loaded in {loaded:.2f} CPU-s (the graph was loaded before);")
    print(f"one text of {len(text):,} characters: {matching / 1e3:,.0f}k characters per CPU-second.")


if __name__ == "__main__":
    main()
