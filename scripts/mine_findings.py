"""Reads disease-finding statements out of the library: python scripts/mine_findings.py --data DIR [--out FILE].

`DIR/corpus` holds the JSON Lines files of the library. A statement is a finding that the recogniser sees, not denied
and not of a relative, where a text speaks of one disease: an article about it, a book's section under its name, or a
sentence on its signs or symptoms or on what it causes. For what a profile of a common disease says already, a sentence
that names both is enough. Each keeps its place in the library's document. It does not judge whether the sentence says
that the disease causes the finding. `build_graph.py` turns the rows into edges.
"""

import argparse
import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from build_graph import profile_findings
from build_library import BOOKS, MEDQUAD, book_documents, medquad_documents, read_rows

from osler.knowledge.concepts.recogniser import Recogniser, load_recogniser
from osler.knowledge.diagnosis.profiles import load_profiles
from osler.knowledge.graph import Graph, load_graph
from osler.knowledge.graph.names import key
from osler.knowledge.library.documents import DocumentText
from osler.text import sentences

OUT = Path(__file__).parents[1] / "src/osler/knowledge/graph/data/mined_findings.tsv.gz"
ABOUT = re.compile(r"(?i)what (is \(are\)|are the (symptoms|complications))|do you have information about")
TABLE = re.compile(r"\(when available\) (.*?)(?: The Human Phenotype Ontology|$)", re.DOTALL)
ENTRY = re.compile(r"(\S.*?) (\d+(?:\.\d+)?%|-)(?= |$)")
OF = re.compile(r"(?i)\b(signs|symptoms|manifestations|characteristics|complications) of ")
DOES = re.compile(
    r"(?i).{0,40}\b((is|are) (characterized|marked) by|(presents?|manifests?) (with|as)|causes?|symptoms include"
    r"|results? in|leads? to)\b"
)


class Statement(NamedTuple):
    """`start`, `end`: code points into the text of the library document `document`."""

    disease: str
    finding: str
    frequency: str
    document: str
    start: int
    end: int


class Vocabulary:
    """Diseases and findings by name, only exact ones."""

    def __init__(self, graph: Graph, diseases: Recogniser) -> None:
        self.graph, self.diseases = graph, diseases
        self.disease: dict[str, str] = {}
        self.finding: dict[str, str] = {}
        self.names: dict[str, set[str]] = {}
        for table, kind in ((self.disease, "disease"), (self.finding, "phenotype")):
            for wanted in ("label", "exact", "abbreviation"):
                for identifier, name, type_ in graph.names([kind]):
                    if type_ == wanted:
                        table.setdefault(key(name), identifier)
                        self.names.setdefault(identifier, set()).add(key(name))

    def linked(self, *names: str) -> str | None:
        """The disease of the first name that is one; "Parasites - Loiasis" and "Asthma (in children)" count too."""
        for name in names:
            bare = re.sub(r"\s*\(.*?\)", "", name.replace("What I need to know about ", ""))
            for form in (name, bare, bare.rpartition(" - ")[2]):
                if key(form) in self.disease:
                    return self.disease[key(form)]
                whole = [one for one in self.diseases.mentions(form) if one.end - one.start == len(form)]
                if whole and self.graph.find(whole[0].code):  # "Heart Attack"
                    return self.graph.node(whole[0].code).id
        return None

    def same(self, disease: str, finding: str) -> bool:
        """Whether the finding is but the disease's own name."""
        linked = {edge.object for edge in self.graph.edges(disease, "same_label")}
        return finding in linked or not self.names.get(disease, set()).isdisjoint(self.names.get(finding, set()))


def articles(data: Path, words: Vocabulary) -> Iterator[tuple[str, DocumentText, int, int]]:
    """(disease, document, start, end) of the sections of MedQuAD articles that describe their disease."""
    rows = read_rows(data / MEDQUAD.file)
    numbers: Counter[str] = Counter()
    named: dict[str, str | None] = {}
    for row in rows:
        numbers[row["document_id"]] += 1
        number = numbers[row["document_id"]]
        name = f"medquad:{row['document_id']}" + (f"#{number}" if number > 1 else "")
        named[name] = words.linked(row["focus"], row["title"], *row["synonyms"])
    for document in medquad_documents(rows):
        disease = named[document.document_id]
        for section in document.sections if disease else ():
            if disease and ABOUT.match(section.heading or ""):
                yield disease, document, section.start, section.end


def chapters(document: DocumentText, words: Vocabulary) -> Iterator[tuple[str, DocumentText, int, int]]:
    """The sections of a book that stand under the name of a disease."""
    for section in document.sections:
        disease = words.linked((section.heading or "").rpartition(" > ")[2])
        if disease:
            yield disease, document, section.start, section.end


def stated(document: DocumentText, words: Vocabulary) -> Iterator[tuple[str, DocumentText, int, int]]:
    """Sentences on the signs or symptoms of a disease, or that begin with it and say what it does, from its name on."""
    for start, end in sentences(document.text):
        cue = OF.search(document.text, start, end)
        if cue or DOES.search(document.text, start, end):
            after = cue.end() if cue else start
            for mention in words.diseases.mentions(document.text[after:end])[:1]:
                behind = after + mention.end
                said = cue or DOES.match(document.text, behind, end)
                if said and mention.start <= 12 and words.graph.find(mention.code):
                    yield words.graph.node(mention.code).id, document, behind, end


def listed(disease: str, document: DocumentText, start: int, end: int, words: Vocabulary) -> Iterator[Statement]:
    """The rows of an article's table of frequencies."""
    table = TABLE.search(document.text, start, end)
    for entry in ENTRY.finditer(document.text, table.start(1), table.end(1)) if table else ():
        finding = words.finding.get(key(entry[1]))
        if finding:
            share = "" if entry[2] == "-" else entry[2]
            yield Statement(disease, finding, share, document.document_id, entry.start(1), entry.end(1))


def told(place: tuple[str, DocumentText, int, int], words: Vocabulary, findings: Recogniser) -> Iterator[Statement]:
    """The findings of a stretch of text, those of a table with their frequency."""
    disease, document, start, end = place
    yield from listed(disease, document, start, end, words)
    table = TABLE.search(document.text, start, end)
    for code, found, stop in named(document, start, table.start() if table else end, words, findings):
        yield Statement(disease, code, "", document.document_id, found, stop)


def named(
    document: DocumentText, start: int, end: int, words: Vocabulary, findings: Recogniser
) -> Iterator[tuple[str, int, int]]:
    """(finding, start, end) of the findings that a stretch of text names and neither denies nor gives to a relative."""
    for found in findings.find(document.text[start:end]):
        if (
            found.code.startswith("HP:")
            and found.status != "absent"
            and found.experiencer != "family"
            and found.start is not None
            and found.end is not None
            and words.graph.kind(words.graph.position(found.code) or 0) == "phenotype"
        ):
            yield found.code, start + found.start, start + found.end


def profiled(documents: list[DocumentText], words: Vocabulary, findings: Recogniser) -> Iterator[Statement]:
    """What a profile says, where one sentence names the disease and the finding."""
    wanted: dict[str, set[str]] = {}
    written = profile_findings()
    for profile in load_profiles():
        identifier = words.graph.canonical(profile.id)
        if identifier is not None:
            wanted[identifier] = {code for code, share in written[profile.label].items() if share != "0"}
    for document in documents:
        for start, end in sentences(document.text):
            codes = {mention.code for mention in words.diseases.mentions(document.text[start:end])}
            diseases = {words.graph.canonical(code) for code in codes} & wanted.keys()
            for code, found, stop in named(document, start, end, words, findings) if diseases else ():
                for disease in sorted(d for d in diseases if d and code in wanted[d]):
                    yield Statement(disease, code, "", document.document_id, found, stop)


def mined(data: Path) -> list[Statement]:
    """One statement a disease, finding and document, the one with a frequency first, else the earliest."""
    words, findings = Vocabulary(load_graph(), load_recogniser(("disease",))), load_recogniser(("hpo",))
    places = list(articles(data, words))
    documents = [*medquad_documents(read_rows(data / MEDQUAD.file))]
    for book in BOOKS:
        documents += (chapter := list(book_documents(book, read_rows(data / book.file))))
        places += [place for document in chapter for place in chapters(document, words)]
    places += [place for document in documents for place in stated(document, words)]
    rows = [row for place in places for row in told(place, words, findings)]
    rows += profiled(documents, words, findings)
    rows = [row for row in rows if not words.same(row.disease, row.finding)]
    rows.sort(key=lambda row: (row.disease, row.finding, row.document, not row.frequency, row.start))
    return [next(group) for _, group in groupby(rows, key=lambda row: (row.disease, row.finding, row.document))]


def write(rows: list[Statement], out: Path) -> None:
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(Statement._fields)
    table.writerows(rows)
    out.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpus/")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    rows = mined(arguments.data / "corpus")
    write(rows, arguments.out)
    diseases, size = len({row.disease for row in rows}), arguments.out.stat().st_size
    print(f"{len(rows)} statements on {diseases} diseases, {size} bytes")


if __name__ == "__main__":
    main()
