"""Brings documents into a library: incremental, resumable, one commit a batch of whole documents.

A document whose content is already there is passed over, so an interrupted run is resumed by running it again.
It does not know formats (readers do) or ranking.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.errors import InputError, MissingComponent
from osler.knowledge.library.documents import Deletion, DocumentText, Item
from osler.knowledge.library.passages import Passage, passages_of
from osler.knowledge.library.readers import files_under, items
from osler.knowledge.library.rows import bodies, columns_of, table_of
from osler.knowledge.library.store import UNINDEXED
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
        why = f"documents can't be added: {library.info()['lexical_only']}"
        raise MissingComponent(why, where=f"library {library.name}")
    with library.writing():
        run, done = _Run(library, batch), 0
        for left, file in zip(reversed(range(len(files))), files, strict=True):
            for item in items(file):
                run.take(item.complete(about) if isinstance(item, DocumentText) else item)
                done += 1
                if progress:
                    progress(done, done + left)
        folders = tuple(f"{path.resolve()}{os.sep}" for path in paths if path.is_dir())
        gone = [name for name in run.known if name.startswith(folders) and not Path(name).exists()]
        for name in gone if prune else ():
            run.take(Deletion(name))
        run.flush()
        if library.store.unindexed() > UNINDEXED // 4:
            library.store.optimise()
    return IngestReport(**run.counts, missing=[] if prune else gone, errors=run.errors)


class _Run:
    """One run: changes wait until a batch is full, then they are embedded and committed together."""

    def __init__(self, library: "Library", batch: int) -> None:
        self._store, self._embedder, self._batch = library.store, library.embedder(), batch
        self.known = library.store.documents()
        self._waiting: dict[str, tuple[DocumentText, list[Passage]] | None] = {}  # None: to be removed
        self.counts = dict.fromkeys(("added", "replaced", "unchanged", "deleted", "passages"), 0)
        self.errors: list[dict[str, str | None]] = []

    def take(self, item: Item) -> None:
        if isinstance(item, DocumentText):
            self._add(item)
        elif not isinstance(item, Deletion):
            self.errors.append(item.as_row())
        elif item.document_id in self.known:
            self._waiting[item.document_id] = None
        else:
            self._waiting.pop(item.document_id, None)
        if sum(len(change[1]) for change in self._waiting.values() if change) >= self._batch:
            self.flush()

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
        if not self._waiting:
            return
        new = {name: change for name, change in self._waiting.items() if change}
        replaced, gone = new.keys() & self.known.keys(), self._waiting.keys() - new.keys()
        columns = columns_of(new.values())
        vectors = self._embedder.embed_passages(bodies(columns)) if self._embedder and new else None
        self._store.write(table_of(columns, vectors, self._store.dimension), gone | replaced)
        changes = {"deleted": gone, "replaced": replaced, "added": new.keys() - replaced, "passages": columns["id"]}
        for name, changed in changes.items():
            self.counts[name] += len(changed)
        for name in gone:
            del self.known[name]
        self.known |= {name: document.sha256 for name, (document, _) in new.items()}
        self._waiting = {}
        if self._store.unindexed() > 10 * UNINDEXED:
            self._store.optimise()
