"""The passages on disk: one LanceDB table with BM25 indexes, vectors and filters.

Every write is one commit: after a kill the table holds whole commits only. It does not know files, embedders or
fusion. Filters are always applied before ranking (a filter after it may leave nothing).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import IntegrityError
from osler.text import has_chinese, words

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

TABLE = "passages"
ANN_ROWS = 250_000  # up to here all vectors are compared: an index misses too many (benchmarks/library_scale.md)
UNINDEXED = 1000  # rows outside the index that make BM25 slow (12 -> 60 ms measured at 200,000)
MAX_QUERY_WORDS = 256
KEEP_VERSIONS = timedelta(minutes=30)
Floats = npt.NDArray[np.float32]
_LATIN = re.compile(r"[A-Za-z]{2,}")
PAYLOAD = (
    "id", "document_id", "title", "section", "text", "page", "year", "licence", "url", "start", "end",
    "valid_from", "superseded_by", "retracted",
)  # fmt: skip


class Filters(NamedTuple):
    """Which passages may be found. A passage whose year is unknown is outside every year range.

    Retracted documents are left out unless asked for; superseded ones are found and say so.
    """

    year_from: int | None = None
    year_to: int | None = None
    collection: str | Sequence[str] | None = None
    licence: str | Sequence[str] | None = None
    language: str | Sequence[str] | None = None
    retracted: bool = False

    def where(self) -> str | None:
        """The condition as SQL, values quoted. An empty list of collections, licences or languages admits nothing."""
        terms = [] if self.retracted else ["retracted = false"]
        if self.year_from is not None:
            terms.append(f"year >= {int(self.year_from)}")
        if self.year_to is not None:
            terms.append(f"year <= {int(self.year_to)}")
        for column in ("collection", "licence", "language"):
            given: str | Sequence[str] | None = getattr(self, column)
            values = [given] if isinstance(given, str) else given
            if values is not None:
                terms.append(f"{column} IN {quoted(values)}" if values else "false")
        return " AND ".join(terms) or None


class Candidates(NamedTuple):
    """Passages found for one query: their rows (n), BM25 scores (n; 0 where only the vector found it), unit vectors
    (n, d) and cosines (n); both None without a query vector."""

    rows: "pa.Table"
    bm25: Floats
    vectors: Floats | None
    cosine: Floats | None


def quoted(values: Iterable[str]) -> str:
    """An SQL list of string literals."""
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


def schema(dimension: int | None) -> "pa.Schema":
    """Columns of the table; `english` and `chinese` hold title, heading and text for the two BM25 indexes."""
    import pyarrow as pa

    text, number = pa.string(), pa.int32()
    columns = {
        "id": text, "document_id": text, "sha256": text, "ordinal": number, "collection": text, "title": text,
        "section": text, "text": text, "english": text, "chinese": text, "page": number, "year": number,
        "licence": text, "url": text, "language": text, "start": number, "end": number, "valid_from": text,
        "superseded_by": text, "retracted": pa.bool_(),
    }  # fmt: skip
    if dimension:
        columns["vector"] = pa.list_(pa.float16(), dimension)
    return pa.schema(list(columns.items()))


def table_of(columns: dict[str, list[Any]], vectors: npt.NDArray[Any] | None, dimension: int | None) -> "pa.Table":
    """The store's table of column values; `vectors`: shape (rows, dimension), any float type."""
    import pyarrow as pa

    wanted = schema(dimension)
    arrays = {name: pa.array(columns[name], wanted.field(name).type) for name in wanted.names if name != "vector"}
    if dimension:
        flat = np.zeros(0, np.float16) if vectors is None else np.ascontiguousarray(vectors, dtype=np.float16).ravel()
        arrays["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(flat), dimension)
    return pa.table(arrays, schema=wanted)


def indexed_text(title: str | None, section: str | None, text: str) -> str:
    """What is searched for a passage: its title and headings, then its text; nothing twice."""
    headings = (section or "").removeprefix(f"{title} > ")
    above = [part for part in (title, headings) if part and not text.startswith(part)]
    return "\n".join([*dict.fromkeys(above), text])


def index_columns(body: str) -> tuple[str | None, str | None]:
    """The texts for the English and the Chinese index: text in both scripts is in both."""
    chinese = has_chinese(body)
    return (body if not chinese or _LATIN.search(body) else None), (body if chinese else None)


class Store:
    """One table of passages. `dimension`: length of the vectors, None for a library without vectors."""

    def __init__(self, path: Path) -> None:
        import lancedb

        # a search sees what another process has committed
        self._table: Any = lancedb.connect(path, read_consistency_interval=timedelta(0)).open_table(TABLE)
        fields = self._table.schema
        self.dimension: int | None = fields.field("vector").type.list_size if "vector" in fields.names else None

    @staticmethod
    def create(path: Path, dimension: int | None, rows: "pa.Table | None" = None) -> "Store":
        """A new table at `path`, with its indexes; with `rows` filled in one commit."""
        import lancedb

        table: Any = lancedb.connect(path).create_table(TABLE, data=rows, schema=schema(dimension))
        for column, tokenizer, english in (("english", "simple", True), ("chinese", "icu", False)):
            index = lancedb.index.FTS(base_tokenizer=tokenizer, stem=english, remove_stop_words=english)
            table.create_index(column, config=index)
        return Store(path)

    @property
    def revision(self) -> int:
        """Number of the last commit."""
        return int(self._table.version)

    def __len__(self) -> int:
        return int(self._table.count_rows())

    def rows(self, columns: Sequence[str], where: str | None = None) -> "pa.Table":
        """Columns of all passages, or of those that meet a condition in SQL."""
        query = self._table.search()
        return (query.where(where) if where else query).select(list(columns)).to_arrow()

    def documents(self) -> dict[str, str]:
        """Content hash of every document by its id."""
        rows = self.rows(["document_id", "sha256"], "ordinal = 0")
        return dict(zip(rows["document_id"].to_pylist(), rows["sha256"].to_pylist(), strict=True))

    def count_by(self, column: str) -> dict[str, int]:
        """Number of passages for each value of a column."""
        counts = self.rows([column])[column].value_counts().to_pylist()
        return {str(entry["values"]): int(entry["counts"]) for entry in counts}

    def write(self, rows: "pa.Table | None", remove: Iterable[str] = ()) -> None:
        """Add rows and remove what else the documents in `remove` had, in one commit."""
        gone = list(remove)
        if not gone:
            self._table.add(rows)
        elif rows is None or not len(rows):
            self._table.delete(f"document_id IN {quoted(gone)}")
        else:
            condition = f"document_id IN {quoted(gone)}"
            merge = self._table.merge_insert("id").when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(condition).execute(rows)

    def get(self, passage_id: str) -> dict[str, Any] | None:
        found = self.rows(PAYLOAD, f"id IN {quoted([passage_id])}").to_pylist()
        return found[0] if found else None

    def document(self, document_id: str) -> list[dict[str, Any]]:
        """The passages of one document in reading order."""
        rows = self.rows([*PAYLOAD, "ordinal"], f"document_id IN {quoted([document_id])}")
        passages: list[dict[str, Any]] = rows.sort_by("ordinal").to_pylist()
        return passages

    def unindexed(self) -> int:
        """Rows that the BM25 indexes don't hold yet (they are searched, but slowly)."""
        return max(int(self._table.index_stats(index.name).num_unindexed_rows) for index in self._table.list_indices())

    def optimise(self) -> None:
        """Bring the indexes up to date, compact, drop old versions; above `ANN_ROWS` rows index the vectors.

        Searches go on meanwhile: they read the version they started with.
        """
        if self.dimension and len(self) > ANN_ROWS and not self.has_vector_index():
            import lancedb

            pq = lancedb.index.IvfPq(
                distance_type="cosine", num_sub_vectors=self.dimension // 8, sample_rate=32, max_iterations=12
            )
            self._table.create_index("vector", config=pq)
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)

    def has_vector_index(self) -> bool:
        return any("vector" in index.columns for index in self._table.list_indices())

    def candidates(self, asked: Sequence[Any], vector: Floats | None, filters: Filters, depth: int) -> Candidates:
        """The union of the `depth` best passages by BM25 and by cosine, each with an exact cosine if there is a vector.

        `asked`: queries of the full-text indexes (`matches`), the scores of a passage are added; `vector`: the query's,
        shape (dimension,), normalised, or None.
        """
        import pyarrow as pa

        columns = [*PAYLOAD, "vector"] if vector is not None else list(PAYLOAD)
        hits = [
            self._run(self._table.search(query, query_type="fts"), filters, [*columns, "_score"], depth)
            for query in asked
        ]
        if vector is not None:
            near = self._table.search(vector, vector_column_name="vector").distance_type("cosine")
            hits.append(self._run(near.nprobes(32).refine_factor(10), filters, [*columns, "_distance"], depth))
        if not hits:
            return Candidates(schema(None).empty_table().select(PAYLOAD), np.zeros(0, np.float32), None, None)
        found = pa.concat_tables(hit.select(columns) for hit in hits)
        scores = (hit["_score"].to_pylist() if "_score" in hit.column_names else [0.0] * len(hit) for hit in hits)
        first: dict[str, int] = {}  # passage id -> the row it stands in first
        bm25: dict[str, float] = {}
        for row, (name, score) in enumerate(zip(found["id"].to_pylist(), chain(*scores), strict=True)):
            first.setdefault(name, row)
            bm25[name] = bm25.get(name, 0.0) + score
        found = found.take(pa.array(first.values(), pa.int64())).combine_chunks()
        by_words = np.array(list(bm25.values()), np.float32)
        if vector is None:
            return Candidates(found, by_words, None, None)
        flat = found["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(len(found), len(vector)).astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Candidates(found.drop_columns("vector"), by_words, vectors, vectors @ vector)

    def _run(self, query: Any, filters: Filters, columns: list[str], depth: int) -> "pa.Table":
        where = filters.where()
        try:
            return (query.where(where, prefilter=True) if where else query).select(columns).limit(depth).to_arrow()
        except (RuntimeError, OSError) as error:
            raise IntegrityError(f"the library's index can't be read: {error}", hint="Ingest it anew.") from None


def matches(query: str) -> list[Any]:
    """The full-text queries for a text: its Chinese for the Chinese index, its other words for the English one."""
    from lancedb.query import MatchQuery

    terms = list(dict.fromkeys(words(query)))[:MAX_QUERY_WORDS]
    latin = " ".join(term for term in terms if not has_chinese(term))
    chinese = _LATIN.sub(" ", query)[: 4 * MAX_QUERY_WORDS] if has_chinese(query) else ""
    match: Any = MatchQuery
    return [match(text, column) for column, text in (("english", latin), ("chinese", chinese)) if text.strip()]
