"""A library on disk: a folder with a card and one LanceDB table with BM25 indexes, vectors and filters.

Every write is one commit: after a kill the table holds whole commits only. It does not know files, embedders or
fusion. Filters are always applied before ranking (a filter after it may leave nothing).
"""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, IntegrityError
from osler.knowledge.folders import building
from osler.knowledge.library.rows import FIELDS, LATIN, shown_of, table_of
from osler.text import has_chinese, words

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

FORMAT = 2
CARD = "library.json"
TABLE = "passages"
UNINDEXED = 1000  # rows outside the indexes that make a search slow
VECTOR_ROWS = 5000  # from here on vectors are also kept as bytes
EVERY = 1_000_000  # partitions of that index to look into: all, so that nothing is missed
DELTAS = 8  # parts that `optimise` may add to it before it is made anew
BITMAPS = ("retracted", "collection", "licence", "language")
MAX_QUERY_WORDS = 256
KEEP_VERSIONS = timedelta(minutes=30)
Floats = npt.NDArray[np.float32]


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
            if given is not None:
                terms.append(_among(column, [given] if isinstance(given, str) else given))
        return " AND ".join(terms) or None


class Candidates(NamedTuple):
    """Passages found for one query: row numbers (n), BM25 scores (n; 0 where only the vector found it), unit vectors
    (n, d) and cosines (n), both None without a query vector; and the table as it stood then."""

    rows: npt.NDArray[np.int64]
    bm25: Floats
    vectors: Floats | None
    cosine: Floats | None
    table: Any

    def documents(self) -> list[str]:
        """The document of each candidate."""
        names: list[str] = _take(self.table, self.rows, "document_id").to_pylist()
        return names

    def shown(self, which: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
        """What is shown of some of the candidates, in the order asked for."""
        places = np.sort(which)
        found = dict(zip(places.tolist(), shown_of(_take(self.table, self.rows[places], "shown")), strict=True))
        return [found[place] for place in which.tolist()]


class Store:
    """One table of passages. `dimension`: length of the vectors, None for a library without vectors."""

    def __init__(self, path: Path) -> None:
        """Raises InputError if there is no library of this format at `path`."""
        self.card, self.path = read_card(path), path
        self._connection = _connect(path)
        self._table: Any = self._connection.open_table(TABLE)
        self._pinned: tuple[int, Any] = (-1, None)
        fields = self._table.schema
        self.dimension: int | None = fields.field("vector").type.list_size if "vector" in fields.names else None

    @staticmethod
    def create(
        path: Path, embedder: dict[str, Any] | None, rows: "pa.Table | None" = None, replace: bool = False, **more: Any
    ) -> "Store":
        """A library with its indexes, all of it in one step; whoever comes first wins when two processes make it.

        `embedder`: spec, digest and dimension of what makes the vectors; `more`: what else the card says.
        """
        card = {"format": FORMAT, "name": path.name, "embedder": embedder, **more}
        dimension = embedder["dimension"] if embedder else None
        with building(path, CARD, replace) as folder:
            data = table_of({name: [] for name in FIELDS}, None, dimension) if rows is None else rows
            _make_indexes(_connect(folder).create_table(TABLE, data=data))
            (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
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

    def document(self, document_id: str) -> list[dict[str, Any]]:
        """What is shown of the passages of one document, in reading order."""
        found = shown_of(self.rows(["shown"], _among("document_id", [document_id]))["shown"])
        return sorted(found, key=lambda passage: int(passage["ordinal"]))

    def heads(self, documents: Iterable[str]) -> list[dict[str, Any]]:
        """What is shown of the first passage of each of these documents."""
        return shown_of(self.rows(["shown"], f"ordinal = 0 AND {_among('document_id', documents)}")["shown"])

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
            self._table.delete(_among("document_id", gone))
        else:
            merge = self._table.merge_insert("id").when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(_among("document_id", gone)).execute(rows)

    def remake_without(self, documents: Iterable[str]) -> None:
        """Make the library anew from the other documents: nothing of these stays in files, old versions or indexes."""
        rows = self._table.search().where(f"NOT ({_among('document_id', documents)})").to_arrow()
        card = {name: value for name, value in self.card.items() if name not in ("format", "name", "embedder")}
        Store.create(self.path, self.card["embedder"], rows, replace=True, **card)

    def unindexed(self) -> int:
        """Rows that an index doesn't hold yet (they are searched, but slowly)."""
        return max(int(self._table.index_stats(index.name).num_unindexed_rows) for index in self._table.list_indices())

    def optimise(self) -> None:
        """Bring the indexes up to date, compact, drop old versions.

        Searches go on meanwhile: they read the version they started with.
        """
        self._table.optimize(cleanup_older_than=KEEP_VERSIONS)
        _make_indexes(self._table)

    def candidates(self, asked: Sequence[Any], vector: Floats | None, filters: Filters, depth: int) -> Candidates:
        """The union of the `depth` best passages by BM25 and by cosine, each with an exact cosine if there is a vector.

        `asked`: queries of the full-text indexes (`matches`), the scores of a passage are added; `vector`: the query's,
        shape (dimension,), normalised, or None.
        """
        table = self._as_it_stands()
        scores: dict[int, float] = {}
        for query in asked:
            for row, score in _hits(table.search(query, query_type="fts"), "_score", filters, depth):
                scores[row] = scores.get(row, 0.0) + score
        if vector is not None:
            near = table.search(vector, vector_column_name="vector").distance_type("cosine").nprobes(EVERY)
            for row, _ in _hits(near, "_distance", filters, depth + depth // 4):
                scores.setdefault(row, 0.0)
        rows = np.array(sorted(scores), np.int64)
        bm25 = np.array([scores[row] for row in rows.tolist()], np.float32)
        if vector is None or not len(rows):
            return Candidates(rows, bm25, None, None, table)
        flat = _take(table, rows, "vector").combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(len(rows), len(vector)).astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        cosine = vectors @ vector
        kept = bm25 > 0
        kept[np.argsort(-cosine, kind="stable")[:depth]] = True  # bytes found them: a quarter more, to miss none
        return Candidates(rows[kept], bm25[kept], vectors[kept], cosine[kept], table)

    def _as_it_stands(self) -> Any:
        """The table held at its last commit, so that all steps of a search see the same rows."""
        version, table = self._pinned
        if version != self.revision:
            table = self._connection.open_table(TABLE)
            version = table.version
            table.checkout(version)
            self._pinned = version, table
        return table


def read_card(path: Path) -> dict[str, Any]:
    """What the library at `path` says of itself: name, embedder, pack. Raises InputError if it is none."""
    try:
        card: dict[str, Any] = json.loads((path / CARD).read_text(encoding="utf-8"))
        if card["format"] != FORMAT:
            raise ValueError(f"it has format {card['format']}, not {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"is not a library: {error}", where=str(path), hint="Delete it and ingest anew.") from None
    return card


def _connect(path: Path) -> Any:
    """A search sees what another process has committed."""
    os.environ.setdefault("LANCEDB_LOG", "error")  # it warns on standard error of what is as it should be
    import lancedb

    return lancedb.connect(path, read_consistency_interval=timedelta(0))


def _make_indexes(table: Any) -> None:
    """Make the indexes that aren't there: words, what filters look at, and from `VECTOR_ROWS` on the vectors."""
    from lancedb import index

    wanted: dict[str, Any] = {column: index.Bitmap() for column in BITMAPS} | {"year": index.BTree()}
    wanted["english"] = index.FTS(base_tokenizer="simple", stem=True, remove_stop_words=True)
    wanted["chinese"] = index.FTS(base_tokenizer="icu", stem=False, remove_stop_words=False)
    if "vector" in table.schema.names and table.count_rows() >= VECTOR_ROWS:
        wanted["vector"] = index.IvfSq(distance_type="cosine", num_partitions=1, sample_rate=2, max_iterations=1)
    there = {entry.columns[0] for entry in table.list_indices()}
    if "vector" in there and table.index_stats("vector_idx").num_indices > DELTAS:
        there.remove("vector")
    for column in wanted.keys() - there:
        table.create_index(column, config=wanted[column])


def _among(column: str, values: Iterable[str]) -> str:
    """The condition in SQL that a column has one of these texts."""
    literals = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({literals})" if literals else "false"


def _hits(query: Any, score: str, filters: Filters, depth: int) -> Iterable[tuple[int, float]]:
    """Row numbers and scores."""
    where = filters.where()
    query = query.where(where, prefilter=True) if where else query
    try:
        found = query.with_row_id(True).select([score]).limit(depth).to_arrow()
    except (RuntimeError, OSError) as error:
        raise IntegrityError(f"the library's index can't be read: {error}", hint="Ingest it anew.") from None
    return zip(found["_rowid"].to_pylist(), found[score].to_pylist(), strict=True)


def _take(table: Any, rows: npt.NDArray[np.int64], column: str) -> "pa.ChunkedArray":
    """A column of some rows, which are sorted."""
    return table.take_row_ids(rows.tolist()).select([column]).to_arrow()[column]


def matches(query: str) -> list[Any]:
    """The full-text queries for a text: its Chinese for the Chinese index, its other words for the English one."""
    from lancedb.query import MatchQuery

    terms = list(dict.fromkeys(words(query)))[:MAX_QUERY_WORDS]
    latin = " ".join(term for term in terms if not has_chinese(term))
    chinese = LATIN.sub(" ", query)[: 4 * MAX_QUERY_WORDS] if has_chinese(query) else ""
    match: Any = MatchQuery
    return [match(text, column) for column, text in (("english", latin), ("chinese", chinese)) if text.strip()]
