"""Concept recognition on public corpora and the project's own phrases, beside a plain Aho-Corasick and FastHPOCR.

    [FASTHPOCR_INDEX=FILE] python benchmarks/concepts.py --data DATA > benchmarks/concepts.md

DATA is the folder of public data sets. FastHPOCR takes part if it can be imported and the variable names its index file
(made by its `IndexHPO` from the same hp.obo; with 0.1.4 that takes hours of a busy core unless the search in
`CRIndexKB.compileClusterList` is replaced by an inverted table, which gives the same file).
Reported are the report parts (osler.splits); tune parts and all of phenobert_val were used for tuning. Alternative and
obsolete identifiers are mapped to current ones. Mention: same span and same identifier. Document: the set of
identifiers of a document. Intervals: 1,000 bootstrap resamples of documents.
"""

import argparse
import gzip
import json
import os
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from osler.knowledge.concepts.recogniser import Recogniser, all_names, load_recogniser
from osler.knowledge.graph import Graph, load_graph
from osler.splits import split

Found = set[tuple[int, int, str]]
Finder = Callable[[str], Found]
Counts = tuple[int, int, int]
PHRASES = Path(__file__).parents[1] / "tests" / "sets" / "concept_phrases.jsonl"


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


def row(
    name: str, finder: Finder, docs: list[dict[str, Any]], gold_of: Callable[[dict[str, Any]], Found]
) -> list[list[Counts]]:
    """Prints a method's line; returns its counts by document, for mentions and for documents."""
    graph = load_graph()
    mention: list[Counts] = []
    document: list[Counts] = []
    started = time.process_time()
    all_found = [finder(doc["text"]) for doc in docs]
    seconds = time.process_time() - started
    for doc, raw in zip(docs, all_found, strict=True):
        found = {(start, end, graph.canonical(code) or code) for start, end, code in raw}
        gold = gold_of(doc)
        mention.append((len(found & gold), len(found), len(gold)))
        codes, wanted = {code for *_, code in found}, {code for *_, code in gold}
        document.append((len(codes & wanted), len(codes), len(wanted)))
    cells = [name]
    for counts in (mention, document):
        precision, recall, score = f1(counts)
        low, high = interval(counts)
        cells.append(f"{precision:.3f} / {recall:.3f} / **{score:.3f}** [{low:.3f}, {high:.3f}]")
    cells.append(f"{sum(len(doc['text']) for doc in docs) / seconds / 1e3:,.0f}k")
    print("| " + " | ".join(cells) + " |")
    return [mention, document]


def paired(mine: list[Counts], other: list[Counts]) -> str:
    """The difference of two F over the same documents with its bootstrap interval."""
    dice = random.Random(0)
    draws = (dice.choices(range(len(mine)), k=len(mine)) for _ in range(1000))
    values = sorted(f1(mine[n] for n in draw)[2] - f1(other[n] for n in draw)[2] for draw in draws)
    return f"{f1(mine)[2] - f1(other)[2]:+.3f} [{values[25]:+.3f}, {values[974]:+.3f}]"


def hpo_gold(doc: dict[str, Any]) -> Found:
    graph = load_graph()
    return {(a["start"], a["end"], graph.canonical(a["hpo_id"]) or a["hpo_id"]) for a in doc["annotations"]}


def spans_only(found: Found) -> Found:
    """Spans as their own identifiers, so that both columns say the same."""
    return {(start, end, f"{start}-{end}") for start, end, _ in found}


def disease_gold(doc: dict[str, Any]) -> Found:
    """NCBI disease: MeSH or OMIM identifiers, several joined by + or |; the first that the graph knows counts."""
    graph = load_graph()
    found: Found = set()
    for one in doc["annotations"]:
        parts = one["concept_id"].replace("+", "|").split("|")
        codes = [part if ":" in part else f"MESH:{part}" for part in map(str.strip, parts)]
        known = [graph.canonical(code) for code in codes]
        found.add((one["start"], one["end"], next((code for code in known if code), codes[0])))
    return found


def phrases(finders: dict[str, Finder], part: str) -> None:
    """The project's own phrases: identifiers of a text without their context, by phenomenon."""
    graph = load_graph()
    rows = [json.loads(line) for line in PHRASES.read_text(encoding="utf-8").splitlines()]
    rows = [one for one in rows if split("concept_phrases", one["id"]) == part]
    recogniser = load_recogniser(("hpo",))
    print("| texts | findings | " + " | ".join(finders) + " | Osler, with status |")
    print("|---|---|" + "---|" * (len(finders) + 1))
    names = ["all", "en", "zh", *sorted({one["phenomenon"] for one in rows})]
    for name in names:
        chosen = [one for one in rows if name in ("all", one["language"], one["phenomenon"])]
        cells = []
        for finder in finders.values():
            counts = []
            for one in chosen:
                found = {graph.canonical(code) or code for *_, code in finder(one["text"])}
                gold = {finding["code"] for finding in one["findings"]}
                counts.append((len(found & gold), len(found), len(gold)))
            cells.append(counts)
        counts = []
        for one in chosen:
            said = {(f.code, f.status) for f in recogniser.find(one["text"]) if f.experiencer == "patient"}
            meant = {(finding["code"], finding["status"]) for finding in one["findings"]}
            counts.append((len(said & meant), len(said), len(meant)))
        cells.append(counts)
        shown = []
        for counts in cells:
            precision, recall, score = f1(counts)
            shown.append(f"{precision:.2f} / {recall:.2f} / **{score:.3f}**")
            if name == "all":
                low, high = interval(counts)
                shown[-1] += f" [{low:.3f}, {high:.3f}]"
        print(f"| {name} ({len(chosen)}) | {sum(len(one['findings']) for one in chosen)} | {' | '.join(shown)} |")


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


def fasthpocr(index: str) -> dict[str, Finder]:
    from FastHPOCR.HPOAnnotator import HPOAnnotator

    annotator = HPOAnnotator(index)

    def finder(longest: bool) -> Finder:
        return lambda text: {(a.startOffset, a.endOffset, a.hpoUri) for a in annotator.annotate(text, longest)}

    return {"FastHPOCR, all matches": finder(False), "FastHPOCR, longest": finder(True)}


def osler(recogniser: Recogniser) -> Finder:
    return lambda text: {(m.start, m.end, m.code) for m in recogniser.mentions(text)}


def osler_plain(recogniser: Recogniser) -> Finder:
    """Without abbreviations that a text defines, which the abstracts' annotations mostly leave out."""
    return lambda text: {(m.start, m.end, m.code) for m in recogniser.matcher.find(text) if m.kind == "hpo"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    graph = load_graph()
    started = time.process_time()
    recogniser = load_recogniser(("hpo",))
    loaded = time.process_time() - started
    plainly = osler_plain(recogniser)
    finders: dict[str, Finder] = {"Osler": osler(recogniser), "plain Aho-Corasick": plain(graph)}
    if index := os.environ.get("FASTHPOCR_INDEX"):
        finders |= fasthpocr(index)
    finders["Osler"]("Impression: fever")
    gsc = documents(options.data / "concepts" / "gsc_plus.jsonl.gz")
    sets = {
        "GSC+ report half": [doc for doc in gsc if split("gsc_plus", doc["id"]) == "report"],
        "GSC+ tune half (tuned on)": [doc for doc in gsc if split("gsc_plus", doc["id"]) == "tune"],
        "phenobert_val (tuned on)": documents(options.data / "concepts" / "phenobert_val.jsonl"),
    }
    print("# Concept recognition\n")
    print(f"`python benchmarks/concepts.py --data DATA`; HPO {graph.versions['hpo']}.")
    print("Cells: precision / recall / **F** [95% interval of F, bootstrap by document].\n")
    head = "| method | mention | document | characters per CPU-second |\n|---|---|---|---|"
    for name, docs in sets.items():
        print(f"## {name}: {len(docs)} documents, {sum(len(doc['annotations']) for doc in docs)} mentions\n")
        print(head)
        counts = {method: row(method, finder, docs, hpo_gold) for method, finder in finders.items()}
        row("Osler, abbreviations that a text defines left out", plainly, docs, hpo_gold)
        print()
        for method in list(finders)[1:]:
            mention, document = (paired(*both) for both in zip(counts["Osler"], counts[method], strict=True))
            print(f"Osler minus {method}: mention {mention}, document {document}.  ")
        print()
    ncbi = documents(options.data / "concepts" / "ncbi_disease_dev.jsonl.gz")
    ncbi = [doc for doc in ncbi if split("ncbi_disease_dev", doc["id"]) == "report"]
    print(f"## Diseases: NCBI disease, report half, {len(ncbi)} abstracts; identifiers mapped to MONDO\n")
    print(head)
    diseases = osler(load_recogniser(("disease",)))
    row("Osler", diseases, ncbi, disease_gold)
    row("Osler, spans only", lambda text: spans_only(diseases(text)), ncbi, lambda doc: spans_only(disease_gold(doc)))
    print("\n## Phrases that the ontology doesn't use (tests/sets/concept_phrases.jsonl), report part\n")
    print("Identifiers of each text, precision / recall / **F**.\n")
    phrases(finders, "report")
    print()
    text = "\n".join(doc["text"] for doc in gsc) * 4
    everything = load_recogniser()
    everything.mentions(text)
    started = time.process_time()
    everything.mentions(text)
    matching = len(text) / (time.process_time() - started)
    index = recogniser.matcher.index
    size = sum(array.nbytes for array in index.arrays.values())
    print("## Speed and size, all three vocabularies\n")
    print(f"{sum(1 for _ in all_names(graph)):,} names of {len(index.terms):,} terms; arrays {size / 1e6:.1f} MB,")
    print(f"loaded in {loaded:.2f} CPU-s (the graph was loaded before);")
    print(f"one text of {len(text):,} characters: {matching / 1e3:,.0f}k characters per CPU-second.")


if __name__ == "__main__":
    main()
