"""A library by name: open it, search it, say what is in it. It knows no file format and no medicine.

Libraries live under `settings.home / "library"`. The starter is unpacked from package data on first use.
"""

import contextlib
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, MissingComponent, OslerError
from osler.knowledge.folders import locked
from osler.knowledge.library import ranking
from osler.knowledge.library.bilingual import other_names
from osler.knowledge.library.store import CARD, Candidates, Filters, Store, matches
from osler.models.embedder import Embedder, configured_embedder
from osler.nouns import Evidence, Source
from osler.settings import Settings
from osler.text import has_chinese, words

if TYPE_CHECKING:
    from osler.knowledge.library.ingest import IngestReport

Mode = Literal["hybrid", "bm25", "vector"]
Progress = Callable[[int, int], None]
Vector = npt.NDArray[np.float32]
STARTER = "starter"
DEPTH = 200  # candidates from each side
LEXICAL = "none"  # the embedder setting of a library without vectors
_SPACE = re.compile(r"\s")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Library:
    """An open library. Searching is safe from several threads; one process writes at a time."""

    def __init__(self, path: Path, load_embedder: Callable[[], Embedder] | None = None) -> None:
        self.store = Store(path)
        self.card = self.store.card
        self.path = path
        self.name: str = self.card["name"]
        self._load_embedder = load_embedder
        self._content = functools.lru_cache(1)(self._read_content)

    # -- searching

    def search(self, query: str, k: int = 10, filters: Filters | None = None, mode: Mode = "hybrid") -> list[Evidence]:
        """The k best passages, best first; none for a query without a word. Scores compare within one search only.

        `hybrid` falls back to BM25 where the vectors can't be used (`info()` says why); `vector` raises
        MissingComponent then. Raises InputError on an empty query.
        """
        check_query(query)
        asked = self.asked(query)
        found, order, scores = self.rank(asked, self.query_vectors([asked], mode)[0], filters, mode)
        best = order[:k]
        return [evidence(row, float(score)) for row, score in zip(found.shown(best), scores[best], strict=True)]

    def asked(self, query: str) -> str:
        """The query with its concepts' names in the other language, if the library holds passages in it."""
        other = "en" if has_chinese(query) else "zh"
        return f"{query} {other_names(query)}".strip() if other in self._content(self.store.revision)[1] else query

    def query_vectors(self, queries: Sequence[str], mode: Mode = "hybrid") -> Sequence[Vector | None]:
        """Vectors of queries, None each where the search is by words alone. Raises as `search` does."""
        embedder = None if mode == "bm25" else self.embedder()
        if embedder is not None:
            return list(embedder.embed_queries(queries))
        if mode == "vector":
            raise MissingComponent(self._usable[1] or "no embedder", where=f"library {self.name}")
        return [None] * len(queries)

    def rank(
        self, query: str, vector: Vector | None, filters: Filters | None = None, mode: Mode = "hybrid",
        depth: int = DEPTH,
    ) -> tuple[Candidates, npt.NDArray[np.intp], Vector]:  # fmt: skip
        """All candidates, their order, best first, and their scores; ties in the order they were written in."""
        asked = matches(query) if mode != "vector" else []
        found = self.store.candidates(asked, vector if words(query) else None, filters or Filters(), depth)
        if found.vectors is None or found.cosine is None:
            scores = found.bm25
        elif mode == "vector":
            scores = found.cosine
        else:
            scores = ranking.rank(query, found.bm25, found.vectors, found.cosine, found.shown)
        return found, np.argsort(-scores, kind="stable"), scores

    def document(self, document_id: str) -> list[Evidence]:
        """The passages of a document in reading order."""
        return [evidence(row, None) for row in self.store.document(document_id)]

    # -- changing

    def heads(self, documents: Sequence[str]) -> list[Evidence]:
        """The first passage of each of these documents, by document id."""
        found = [evidence(row, None) for row in self.store.heads(documents)] if documents else []
        return sorted(found, key=lambda item: item.source.document_id or "")

    def add(self, paths: Iterable[Path | str], progress: Progress | None = None, **origin: Any) -> "IngestReport":
        """Read files and folders into the library; see `ingest.ingest`."""
        from osler.knowledge.library.ingest import ingest

        return ingest(self, [Path(path) for path in paths], progress=progress, **origin)

    def delete(self, document_id: str) -> int:
        """Remove a document. Returns how many passages went; raises InputError if it isn't there."""
        with self.writing():
            count = len(self.store.document(document_id))
            if not count:
                raise InputError(f"library {self.name} has no document {document_id!r}")
            self.store.write(None, [document_id])
        return count

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the library's write lock; it falls with the process.

        Raises InputError when another process writes, and for the starter, which the next version would replace.
        """
        where = f"library {self.name}"
        if "pack" in self.card:
            raise InputError("the starter can't be changed", where=where, hint="Ingest into a library of your own.")
        with locked(self.path) as mine:
            if not mine:
                raise InputError("another process is writing this library", where=where, hint="Try again later.")
            yield

    # -- what it is

    def embedder(self) -> Embedder | None:
        """The embedder that made the library's vectors; None, `info()` says why, if that isn't the one in use."""
        return self._usable[0]

    @functools.cached_property
    def _usable(self) -> tuple[Embedder | None, str | None]:
        made_by = self.card["embedder"]
        if made_by is None or self._load_embedder is None:
            return None, "no embedder is configured" if made_by else "the library was made without vectors"
        try:
            loaded = self._load_embedder()
        except OslerError as error:
            return None, str(error)
        if loaded.info.digest == made_by["digest"]:
            return loaded, None
        names = (f"{spec} ({digest[:12]})" for spec, digest in ((made_by["spec"], made_by["digest"]), loaded.info[:2]))
        return None, "its vectors were made by {}, not by {}".format(*names)

    @property
    def version(self) -> str:
        """Hash of the documents (ids and contents) and the embedder's digest: equal content, equal version."""
        return self._content(self.store.revision)[0]

    def _read_content(self, revision: int) -> tuple[str, dict[str, int]]:
        """The version and the number of passages in each language, as of a commit."""
        documents = sorted(self.store.documents().items())
        lines = "\n".join([self.card.get("pack", ""), *(f"{name}\t{digest}" for name, digest in documents)])
        digest = hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
        made_by = (self.card["embedder"] or {}).get("digest", "none")
        return f"{digest[:16]}+{made_by[:12]}", self.store.count_by("language")

    def info(self) -> dict[str, Any]:
        """Name, version, counts, licences, and why vectors are not used if they aren't."""
        usable, why = self._usable
        return {
            "name": self.name,
            "version": self.version,
            "documents": len(self.store.documents()),
            "passages": len(self.store),
            "licences": self.store.count_by("licence"),
            "vectors": usable is not None,
            "lexical_only": why,
        }


def evidence(row: dict[str, Any], score: float | None) -> Evidence:
    """What is shown of a passage as the noun that travels."""
    return Evidence(
        id=row["id"],
        kind="passage",
        text=row["text"],
        score=None if score is None else round(score, 6),
        source=Source(**{name: row[name] for name in Source.model_fields}),
        valid_from=row["valid_from"],
        superseded_by=row["superseded_by"],
        retracted=bool(row["retracted"]),
    )


def check_query(query: str) -> None:
    """Raises InputError for a query that is empty or no text."""
    if not query.strip():
        raise InputError("the query is empty")
    if any("\ud800" <= character <= "\udfff" for character in query):
        raise InputError("the query holds half a surrogate pair")


def run_queries(
    library: Library, queries: Iterable[tuple[str, str]], k: int = 100, filters: Filters | None = None,
    mode: Mode = "hybrid", batch: int = 64,
) -> Iterator[str]:  # fmt: skip
    """TREC run lines (`query Q0 document rank score osler`), k documents a query, each by its best passage.

    `queries`: pairs of id and text (BEIR `queries.jsonl`). White space in a document id is written as %20.
    """
    waiting = [(name, library.asked(text)) for name, text in queries]
    for first in range(0, len(waiting), batch):
        part = waiting[first : first + batch]
        vectors = library.query_vectors([text for _, text in part], mode)
        for (name, text), vector in zip(part, vectors, strict=True):
            found, order, scores = library.rank(text, vector, filters, mode, max(DEPTH, 2 * k))
            best: dict[str, float] = {}
            documents = found.documents()
            for place in order:
                best.setdefault(documents[place], float(scores[place]))
            for place, (document, score) in enumerate(list(best.items())[:k], 1):
                yield f"{_SPACE.sub('%20', name)} Q0 {_SPACE.sub('%20', document)} {place} {score:.6f} osler"


def embedder_card(embedder: Embedder | None) -> dict[str, Any] | None:
    """What a library remembers of the embedder that made its vectors."""
    info = embedder.info if embedder else None
    return {"spec": info.spec, "digest": info.digest, "dimension": info.dimension} if info else None


def create_library(path: Path, embedder: Embedder | None) -> None:
    """An empty library at `path`; whoever comes first wins when two processes make it at once."""
    Store.create(path, embedder_card(embedder))


def open_library(
    name: str, settings: Settings, create: bool = False, progress: Progress | None = None,
    load_embedder: Callable[[], Embedder] | None = None,
) -> Library:  # fmt: skip
    """The library of that name. The starter is unpacked on first use (some seconds; `progress` is called with rows).

    `load_embedder`: where the embedder comes from if the caller shares one; else the settings say. Raises
    InputError for a name that isn't one or, without `create`, a library that doesn't exist.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no library name", hint="Letters, digits, '.', '_' and '-', at most 64.")
    folder = settings.home / "library"
    path = folder / name
    configured = functools.partial(configured_embedder, settings)
    loader = None if settings.models.embedder == LEXICAL else load_embedder or configured
    if name == STARTER:
        from osler.knowledge.library.starter import refresh

        refresh(path, progress)
    elif not (path / CARD).exists():
        if not create:
            known = ", ".join(sorted({STARTER, *(card.parent.name for card in folder.glob(f"[!.]*/{CARD}"))}))
            raise InputError(f"there is no library {name!r}", hint=f"Known: {known}. `osler ingest` makes one.")
        create_library(path, loader() if loader else None)
    return Library(path, loader)
