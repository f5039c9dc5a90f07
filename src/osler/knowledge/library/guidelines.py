"""Guidelines in force: for each approved import of documents a library of its own, searched beside the default one.

A guideline acts as the version that was approved: its library is made whole before it is searched. It does
not know who approves (see `knowledge.sources`).
"""

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from osler.errors import InputError, OslerError
from osler.knowledge.library.documents import DocumentText
from osler.knowledge.library.library import Library, open_library
from osler.knowledge.library.readers import files_under, items
from osler.knowledge.sources import ImportedSource, Report, Sources, Unused
from osler.nouns import Evidence
from osler.settings import Settings


def check(paths: Sequence[Path]) -> Report:
    """What the documents are. Raises InputError where none can be read."""
    found = [(file, item) for file in files_under(list(paths)) for item in items(file)]
    documents = [item for _, item in found if isinstance(item, DocumentText)]
    errors = [(item.where or str(file), item.message) for file, item in found if isinstance(item, OslerError)]
    if not documents:
        nothing = ", ".join(str(path) for path in paths), "no document that can be read is there"
        where, why = errors[0] if errors else nothing
        raise InputError(why, where=where)
    superseded = sum(bool(document.superseded_by) for document in documents)
    retracted = sum(document.retracted for document in documents)
    counts = {"documents": len(documents), "superseded": superseded, "retracted": retracted}
    return Report(counts=counts, unused=[Unused(where=where, why=why) for where, why in errors])


def guidelines_in_force(settings: Settings) -> list[Library]:
    """The libraries of all approved guidelines, each made now if it isn't there whole."""
    sources = Sources(settings)
    found = []
    for source in sources.acting("guideline"):
        library = open_library(_name(source), settings, create=True)
        whole = library.path / "whole"
        if not whole.exists():
            library.add(sources.files(source), collection=source.name, licence=source.licence)
            whole.touch()
        found.append(library)
    return found


def forget(sources: Sequence[ImportedSource], settings: Settings) -> None:
    """Take the libraries of removed imports away."""
    for source in sources:
        shutil.rmtree(settings.home / "library" / _name(source), ignore_errors=True)


def holds(item: Evidence, today: date) -> bool:
    """Whether a passage of a guideline is to be followed today: it has begun to hold and nothing replaces it."""
    begun = item.valid_from is None or item.valid_from <= today.isoformat()
    return begun and not item.superseded_by and not item.retracted


def _name(source: ImportedSource) -> str:
    return f"guideline-{source.version}"
