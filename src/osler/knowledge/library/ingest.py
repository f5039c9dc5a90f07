"""Brings documents into a library: incremental, resumable, one commit a batch of whole documents.

A document whose content is already there is passed over, so an interrupted run is resumed by running it again.
It does not know formats (readers do) or ranking.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.errors import InputError, MissingComponent
from osler.knowledge.library.documents import Deletion, DocumentText, Item
from osler.knowledge.library.passages import Passage, passages_of
from osler.knowledge.library.readers import files_under, items
from osler.knowledge.library.store import FIELDS, UNINDEXED, indexed_text, table_of
from osler.nouns import Noun

if TYPE_CHECKING:
    from osler.knowledge.library.library import Library, Progress

BATCH = 256  # passages a commit; what a kill can cost is the embedding of one batch


class IngestReport(Noun):
    """What a run did, in documents; `errors` has one row for each file or line that could not be used.

    `missing`: documents whose file is gone from the folders that were read; they stay unless pruning was asked for.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    deleted: int = 0
    passages: int = 0
    missing: list[str] = []
    errors: list[dict[str, str | None]] = []


def ingest(
    library: "Library", paths: Sequence[Path], progress: "Progress | None" = None, batch: int = BATCH,
    prune: bool = False, **origin: Any,
) -> IngestReport:  # fmt: skip
    """Read `paths` (folders recursively) into the library.

    `origin`: what the documents don't say themselves (collection, year, licence, url, valid_from, superseded_by,
    retracted). `progress(done, total)` counts documents; `total` grows while files are read. `prune`: remove documents
    whose file is gone from the folders. A bad file or line is reported and the run goes on. Raises InputError when a
    path doesn't exist or another process writes, and MissingComponent when the library's embedder isn't the one in use.
    """
    about = {"collection": library.name, **{key: value for key, value in origin.items() if value is not None}}
    files = files_under(paths)
    if library.card["embedder"] and library.embedder() is None:
        raise MissingComponent(
            f"documents can't be added: {library.info()['lexical_only']}", where=f"library {library.name}"
        )
    with library.writing():
        run = _Run(library, progress, batch)
        for number, file in enumerate(files):
            for item in items(file):
                run.take(item.complete(about) if isinstance(item, DocumentText) else item, len(files) - number - 1)
        folders = [f"{path.resolve()}{os.sep}" for path in paths if path.is_dir()]
        gone = [name for name in run.known if name.startswith(tuple(folders)) and not Path(name).exists()]
        for name in gone if prune else ():
            run.take(Deletion(name), 0)
        run.flush()
        if library.store.unindexed() > UNINDEXED // 4:
            library.store.optimise()
    return IngestReport(**run.counts, missing=[] if prune else gone, errors=run.errors)


class _Run:
    """One run: changes wait until a batch is full, then they are embedded and committed together."""

    def __init__(self, library: "Library", progress: "Progress | None", batch: int) -> None:
        self._library, self._progress, self._batch = library, progress, batch
        self.known = library.store.documents()
        self._waiting: dict[str, tuple[DocumentText, list[Passage]] | None] = {}  # None: to be removed
        self._done = 0
        self.counts = dict.fromkeys(("added", "replaced", "unchanged", "deleted", "passages"), 0)
        self.errors: list[dict[str, str | None]] = []

    def take(self, item: Item, files_left: int) -> None:
        if isinstance(item, DocumentText):
            self._add(item)
        elif not isinstance(item, Deletion):
            self.errors.append(item.as_row())
        elif item.document_id in self.known:
            self._waiting[item.document_id] = None
        else:
            self._waiting.pop(item.document_id, None)
        self._done += 1
        if sum(len(change[1]) for change in self._waiting.values() if change) >= self._batch:
            self.flush()
        if self._progress:
            self._progress(self._done, self._done + files_left)

    def _add(self, document: DocumentText) -> None:
        name = document.document_id
        if name not in self._waiting and self.known.get(name) == document.sha256:
            self.counts["unchanged"] += 1
        elif passages := passages_of(document):
            self._waiting[name] = document, passages
        else:
            self.errors.append(InputError("a document without text", where=name).as_row())

    def flush(self) -> None:
        """Embed what waits and commit it, whole documents only."""
        new = {name: change for name, change in self._waiting.items() if change}
        replaced, gone = new.keys() & self.known.keys(), self._waiting.keys() - new.keys()
        store, embedder = self._library.store, self._library.embedder()
        if self._waiting:
            columns = columns_of(new.values())
            vectors = embedder.embed_passages(columns["body"]) if embedder and new else None
            store.write(table_of(columns, vectors, store.dimension), gone | replaced)
        for name, number in (("deleted", gone), ("replaced", replaced), ("added", new.keys() - replaced)):
            self.counts[name] += len(number)
        self.counts["passages"] += sum(len(passages) for _, passages in new.values())
        self.known = {name: digest for name, digest in self.known.items() if name not in gone}
        self.known.update((name, document.sha256) for name, (document, _) in new.items())
        self._waiting = {}
        if store.unindexed() > 10 * UNINDEXED:
            store.optimise()


def columns_of(documents: Iterable[tuple[DocumentText, Sequence[Passage]]]) -> dict[str, list[Any]]:
    """The values of `FIELDS`, and `body`: the text that is embedded."""
    columns: dict[str, list[Any]] = {name: [] for name in (*FIELDS, "body")}
    for document, passages in documents:
        about = {**document._asdict(), "sha256": document.sha256}
        for passage in passages:
            body = indexed_text(document.title, passage.section, passage.text)
            row = {**about, **passage._asdict(), "body": body}
            for name, values in columns.items():
                values.append(row[name])
    return columns
