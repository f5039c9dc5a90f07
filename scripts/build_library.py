"""Builds the starter library's pack from the public corpora: MedQuAD articles and five OpenStax books (CC BY 4.0).

    python scripts/build_library.py --data DATA [--out DIR] [--work DIR] [--no-vectors] [--threads 2]

`DATA/corpus` holds the JSON Lines files. Embedding takes most of an hour on two cores: it is kept in `--work` in
steps and goes on from there when it is run again. The pack, its manifest and its attribution are written at the end.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.knowledge.library.documents import Block, DocumentText, compose
from osler.knowledge.library.library import embedder_card
from osler.knowledge.library.passages import Passage, passages_of
from osler.knowledge.library.rows import Columns, bodies, columns_of
from osler.knowledge.library.starter import COLUMNS, MANIFEST, PACK
from osler.models.embedder import Embedder
from osler.text import sentences

OUT = Path(__file__).resolve().parents[1] / "src/osler/knowledge/library/data"
STEP = 512  # passages between two check-points


class Corpus(NamedTuple):
    """One input file. `year`: of publication; for MedQuAD the first year of its snapshot."""

    file: str
    collection: str
    title: str
    year: int
    attribution: str
    home: str


MEDQUAD = Corpus(
    "medquad_articles.jsonl.gz", "medquad", "MedQuAD (articles of NIH and CDC sites, snapshot of about 2016 to 2018)",
    2016, "MedQuAD, Asma Ben Abacha and Dina Demner-Fushman, US National Library of Medicine",
    "https://github.com/abachaa/MedQuAD",
)  # fmt: skip
BOOKS = tuple(
    Corpus(f"openstax_{name}.jsonl.gz", f"openstax-{name.replace('_', '-')}", title, year, f"OpenStax, {title}", home)
    for name, title, year, home in (
        ("anatomy", "Anatomy and Physiology 2e", 2022, "https://openstax.org/details/books/anatomy-and-physiology-2e"),
        ("microbiology", "Microbiology", 2016, "https://openstax.org/details/books/microbiology"),
        ("pharmacology", "Pharmacology for Nurses", 2024, "https://openstax.org/details/books/pharmacology"),
        ("nutrition", "Nutrition for Nurses", 2024, "https://openstax.org/details/books/nutrition"),
        ("population_health", "Population Health for Nurses", 2024, "https://openstax.org/details/books/population-health"),
    )
)  # fmt: skip

# A sentence that stands in this many articles explains the site, not the disease (the next most common, on the
# inheritance of a disorder, stands in 490 and is kept).
BOILERPLATE = 1000
# Parts of the books that teach by asking, or point to films and exercises.
LEFT_OUT = re.compile(
    r"(?i)^(learning (objectives|outcomes)|chapter objectives|link to learning|interactive|think it through|career"
    r"|(unfolding|single) ?casestudy|case reflection|media feature|theory action)\b"
)
# Kinds of boxes, in front of the box's own heading.
NOTE_KINDS = re.compile(
    r"(?i)^(clinical focus|micro connection|eye on ethics|case in point|disease profile|special considerations"
    r"|trending today|safety alert|clinical tip|boxed feature|health alert|healthy people|client teaching"
    r"|culture conversations|disorders|everyday|homeostatic|aging|diseases): "
)
CREDIT = re.compile(r"\s*\((?:credit|attribution|Micrograph)[^()]*(?:\([^()]*\)[^()]*)*\)", re.IGNORECASE)


def read_rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def medquad_documents(rows: list[dict[str, Any]]) -> Iterator[DocumentText]:
    """One document an article, its questions as section headings, without the sentences of the site itself."""
    seen = Counter(
        sentence
        for row in rows
        for sentence in {s for section in row["sections"] for s in split_sentences(section["text"])}
    )
    common = sorted((sentence for sentence, count in seen.items() if count >= BOILERPLATE), key=len, reverse=True)
    numbers: Counter[str] = Counter()
    for row in rows:
        name = row["document_id"]
        numbers[name] += 1  # two ids stand for several articles each
        blocks = []
        for section in row["sections"]:
            text = section["text"]
            for sentence in common:
                text = text.replace(sentence, "")
            blocks += [Block(section["heading"], 1), Block(re.sub(r"  +", " ", text))]
        text, sections = compose(blocks)
        if text:
            yield DocumentText(
                f"medquad:{name}" + (f"#{numbers[name]}" if numbers[name] > 1 else ""), row["title"], text, sections,
                MEDQUAD.collection, MEDQUAD.year, row["licence"], row["url"], "en",
            )  # fmt: skip


def split_sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def book_documents(book: Corpus, rows: list[dict[str, Any]]) -> Iterator[DocumentText]:
    """One document a module of the book, the blocks of a section joined."""
    for _, group in groupby(rows, key=lambda row: row["module_id"]):
        blocks = [
            row for row in group if row["type"] not in ("objectives", "equation") and not left_out(row["section"])
        ]
        if not blocks:
            continue
        first = blocks[0]
        made: list[Block] = []
        for section, joined in groupby(blocks, key=lambda row: row["section"]):
            made += [Block(heading(section), 1), *(Block(block_text(block)) for block in joined)]
        text, sections = compose(made)
        if text:
            yield DocumentText(
                f"openstax:{first['id'].rpartition('/')[0]}", f"{first['chapter']}: {first['title']} ({book.title})",
                text, sections, book.collection, book.year, first["licence"], first["url"], "en",
            )  # fmt: skip


def left_out(section: str) -> bool:
    return any(LEFT_OUT.match(part) for part in section.split(" > "))


def heading(section: str) -> str:
    return " > ".join(NOTE_KINDS.sub("", part) for part in section.split(" > "))


def block_text(block: dict[str, Any]) -> str:
    text = block["text"].strip()
    return CREDIT.sub("", text).strip() if block["type"] == "caption" else text


def without_repeats(documents: Iterator[DocumentText], seen: set[str]) -> Iterator[tuple[DocumentText, list[Passage]]]:
    """Documents with their passages; a passage whose words stood elsewhere before is left out."""
    for document in documents:
        kept = []
        for passage in passages_of(document):
            words = " ".join(passage.text.split()).casefold()
            question_alone = len(words) < 150 and words.endswith("?")
            if words not in seen and len(words) >= 20 and not question_alone:
                seen.add(words)
                kept.append(passage)
        if kept:
            # `ordinal = 0` stands for the document
            yield document, [kept[0]._replace(ordinal=0), *kept[1:]]


def embed(bodies: list[str], embedder: Embedder, work: Path) -> np.ndarray:
    """Vectors of the bodies. What was embedded is kept in `work` by the hash of its text, so nothing is done twice."""
    folder = work / embedder.info.digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    names = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
    known: dict[str, np.ndarray] = {}
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as kept:
            known.update(zip(kept["names"].tolist(), kept["vectors"], strict=True))
    missing = [row for row, name in enumerate(names) if name not in known]
    started = time.monotonic()
    for first in range(0, len(missing), STEP):
        rows = missing[first : first + STEP]
        made = embedder.embed_passages([bodies[row] for row in rows])
        step = [names[row] for row in rows]
        with (folder / "part").open("wb") as stream:
            np.savez(stream, names=np.array(step), vectors=made)
        (folder / "part").rename(folder / f"{step[0]}.npz")
        known.update(zip(step, made, strict=True))
        done = first + len(rows)
        rate = done / (time.monotonic() - started)
        print(f"embedded {done} of {len(missing)}, {rate:.0f} a second", file=sys.stderr, flush=True)
    return np.stack([known[name] for name in names])


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed bytes (n, d) and one scale a row (n,): `bytes * scale` is close to `vectors`; see `starter.restore`."""
    scale = np.abs(vectors).max(axis=1) / 127
    scale[scale == 0] = 1
    return np.rint(vectors / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def write_pack(path: Path, columns: Columns, vectors: np.ndarray | None) -> str:
    """Write a pack and return its sha256. `vectors`: shape (n, d), or None for a pack to be searched by words alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: columns[name] for name in COLUMNS})
    if vectors is not None:
        packed, scale = quantise(vectors)
        flat = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(packed.shape[1]), len(packed), [None, pa.py_buffer(packed.tobytes())]
        )
        table = table.append_column("vector", flat).append_column("scale", pa.array(scale))
    pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=8192)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpus/")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--work", type=Path, default=Path("build/library"), help="check-points of the embedding")
    parser.add_argument("--no-vectors", action="store_true", help="a pack to be searched by words alone")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    seen: set[str] = set()
    pairs: list[tuple[DocumentText, list[Passage]]] = []
    sources: list[dict[str, Any]] = []
    for corpus in (MEDQUAD, *BOOKS):
        path = options.data / "corpus" / corpus.file
        rows = read_rows(path)
        made = medquad_documents(rows) if corpus is MEDQUAD else book_documents(corpus, rows)
        found = list(without_repeats(made, seen))
        pairs.extend(found)
        sources.append(
            {
                "name": corpus.title, "collection": corpus.collection, "attribution": corpus.attribution,
                "licence": "CC BY 4.0", "home": corpus.home, "year": corpus.year, "records": len(rows),
                "documents": len(found), "passages": sum(len(passages) for _, passages in found),
                "input_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )  # fmt: skip
        print(json.dumps(sources[-1]), file=sys.stderr)
    columns = columns_of(pairs)
    texts = bodies(columns)
    embedder = None if options.no_vectors else load(options.threads)
    vectors = embed(texts, embedder, options.work) if embedder else None
    options.out.mkdir(parents=True, exist_ok=True)
    digest = write_pack(options.out / PACK, columns, vectors)
    card = embedder_card(embedder)
    described = {
        "name": "starter", "passages": len(texts), "documents": len(pairs), "sha256": digest, "embedder": card,
        "sources": sources, "built_with": {name: version(name) for name in ("osler", "pyarrow", "onnxruntime")},
    }  # fmt: skip
    (options.out / MANIFEST).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    (options.out / "ATTRIBUTION.md").write_text(attribution(sources), encoding="utf-8")
    size = (options.out / PACK).stat().st_size
    print(f"{len(pairs)} documents, {len(bodies)} passages, {size / 1e6:.1f} MB, sha256 {digest}")


def load(threads: int) -> Embedder:
    from osler.models.embedder import load_embedder

    loaded: Embedder = load_embedder("e5-small", threads=threads)
    return loaded


def attribution(sources: list[dict[str, Any]]) -> str:
    rows = "\n".join(
        f"| [{source['name']}]({source['home']}) | {source['attribution']} | {source['year']} | {source['licence']} "
        f"| {source['documents']} | {source['passages']} |"
        for source in sources
    )
    return f"""# Attribution of the starter library

`starter.pack` holds passages of the works below, each under the Creative Commons Attribution 4.0 International
licence (https://creativecommons.org/licenses/by/4.0/). Every passage carries its title, section, year and address.

| work | attribution | year | licence | documents | passages |
|---|---|---|---|---|---|
{rows}

Changes made: the texts were cut into passages at sentence boundaries; repeated passages, learning objectives,
exercises, case studies with questions, equations and picture credits were left out, and so were the ten sentences by
which GARD explains its symptom tables. Figures are present by their captions only. Wording is unchanged.

The year of MedQuAD is the first of its snapshot (about 2016 to 2018): advice on drugs and screening may have changed
since. Access for free at openstax.org. Neither OpenStax, Rice University, the National Institutes of Health nor the
Centers for Disease Control and Prevention endorse this product. None of it is medical advice.
"""


if __name__ == "__main__":
    main()
