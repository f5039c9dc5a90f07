"""Knowledge that a hospital brings: each import kept whole as one version, acting only once a named person approves it.

`OSLER_HOME/sources/NAME/VERSION/` holds the files as given and `source.json`; VERSION is a hash of the files, so an
approval never passes to other content. It does not read what the files say; each kind's own room does.
"""

import contextlib
import hashlib
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from osler.errors import InputError, IntegrityError
from osler.knowledge.folders import building
from osler.ledger import Entry, Ledger, canonical
from osler.ledger.chain import now
from osler.ledger.vault import Vault
from osler.models.files import write_atomically
from osler.nouns import Noun
from osler.settings import Settings

SourceKind = Literal["graph", "interactions", "guideline"]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHEET = "source.json"


class Conflict(Noun):
    """What the import says of `id` and what is known here, where the two differ."""

    id: str
    what: str
    imported: str
    known: str


class Unused(Noun):
    """A part of an import that was left out."""

    where: str
    why: str


class Report(Noun):
    """What reading an import found: counts by kind of thing, what contradicts, what could not be used."""

    counts: dict[str, int]
    conflicts: list[Conflict] = []
    unused: list[Unused] = []


class Approval(Noun):
    by: str
    reason: str
    time: str
    signature: str


class ImportedSource(Noun):
    """One version of one import. `files`: path below the version's folder to SHA-256. `term_kind`: of graph terms
    that don't say their kind."""

    name: str
    version: str
    kind: SourceKind
    licence: str
    attribution: str
    imported: str
    files: dict[str, str]
    report: Report
    term_kind: str | None = None
    approval: Approval | None = None


class Sources:
    """The imports of one home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder, self._keys = settings.home / "sources", settings.home / "keys"

    def all(self) -> list[ImportedSource]:
        """Every version there is, by name and time of import. Raises IntegrityError for a sheet that can't be read."""
        found = [_read(sheet) for sheet in self._folder.glob(f"*/[!.]*/{_SHEET}")]
        return sorted(found, key=lambda source: (source.name, source.imported))

    def acting(self, kind: SourceKind) -> list[ImportedSource]:
        """The approved version of each name (the last approved, if several are)."""
        approved = [(source.approval.time, source) for source in self.all() if source.kind == kind and source.approval]
        chosen = {source.name: source for _, source in sorted(approved, key=lambda pair: pair[0])}
        return [source for _, source in sorted(chosen.items()) if self._holds(source)]

    def files(self, source: ImportedSource) -> list[Path]:
        """Its files, each proven to be what was imported. Raises IntegrityError naming one that isn't."""
        paths = []
        for relative, expected in source.files.items():
            path = self._place(source) / "files" / relative
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
                raise IntegrityError("an imported file is gone or was changed", str(path), "Import it again.")
            paths.append(path)
        return paths

    def add(
        self, name: str, kind: SourceKind, paths: Sequence[Path], report: Report, licence: str = "not stated",
        attribution: str = "", term_kind: str | None = None,
    ) -> ImportedSource:  # fmt: skip
        """Keep the files of `paths` (folders whole) as a version of `name`. The same files again: the version there is.

        Raises InputError for a name that can't be one or files that can't be read.
        """
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} can't name a source", hint="Small letters, digits, dots and dashes.")
        content = _contents(paths)
        files = {relative: hashlib.sha256(data).hexdigest() for relative, data in sorted(content.items())}
        source = ImportedSource(
            name=name, version=_version(kind, term_kind, files), kind=kind, licence=licence, attribution=attribution,
            imported=now(), files=files, report=report, term_kind=term_kind,
        )  # fmt: skip
        place = self._place(source)
        if not (place / _SHEET).exists():
            with building(place, _SHEET) as folder:
                for relative, data in content.items():
                    target = folder / "files" / relative
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                _write(folder / _SHEET, source)
        return _read(place / _SHEET)

    def approve(self, name: str, by: str, reason: str, version: str | None = None) -> tuple[ImportedSource, Entry]:
        """Let a version (by default the newest) act. It is in the ledger before it acts.

        Raises InputError if there is none, or no name or reason, IntegrityError if its files were changed.
        """
        source = self._versions(name, version, by, reason)[-1]
        self.files(source)
        given = Approval(by=by.strip(), reason=reason.strip(), time=now(), signature="")
        signature = Vault(self._keys).sign(_signed_part(source, given))
        approved = source.model_copy(update={"approval": given.model_copy(update={"signature": signature})})
        entry = Ledger.open(self._settings).append("approval", approved.model_dump(mode="json", exclude={"report"}))
        _write(self._place(source) / _SHEET, approved)
        return approved, entry

    def remove(self, name: str, by: str, reason: str, version: str | None = None) -> tuple[list[ImportedSource], Entry]:
        """Take out one version, or all of a name; what was taken out, and the ledger's entry that says so."""
        gone = self._versions(name, version, by, reason)
        taken = [item.model_dump(mode="json", include={"name", "version", "kind"}) for item in gone]
        decision = {"sources": taken, "by": by.strip(), "reason": reason.strip()}
        entry = Ledger.open(self._settings).append("source removed", decision)
        for source in gone:
            doomed = self._folder / name / f".removed-{secrets.token_hex(4)}"
            self._place(source).rename(doomed)
            shutil.rmtree(doomed)
        with contextlib.suppress(OSError):  # not empty: other versions stay
            (self._folder / name).rmdir()
        return gone, entry

    def _versions(self, name: str, version: str | None, by: str, reason: str) -> list[ImportedSource]:
        """What is decided on, the newest last. Raises InputError if there is none, or nobody and no reason is named."""
        found = [item for item in self.all() if item.name == name and version in (None, item.version)]
        if not found:
            raise InputError(f"no source is called {name!r}" + (f" with version {version}" if version else ""))
        if not by.strip() or not reason.strip():
            raise InputError("this needs the name of who decides it, and a reason")
        return found

    def _place(self, source: ImportedSource) -> Path:
        return self._folder / source.name / source.version

    def _holds(self, source: ImportedSource) -> bool:
        """Whether the approval was signed by this home for just this version, and the version is that of its files."""
        approval = source.approval
        if approval is None or source.version != _version(source.kind, source.term_kind, source.files):
            return False
        return Vault(self._keys).signed(_signed_part(source, approval), approval.signature)


def _version(kind: str, term_kind: str | None, files: dict[str, str]) -> str:
    return hashlib.sha256(canonical({"kind": kind, "term_kind": term_kind, "files": files})).hexdigest()[:16]


def _signed_part(source: ImportedSource, approval: Approval) -> bytes:
    said = approval.model_dump(exclude={"signature"})
    return canonical({"name": source.name, "version": source.version, "kind": source.kind, **said})


def files_below(paths: Sequence[Path]) -> list[Path]:
    """All files given, folders searched. Raises InputError if there is none."""
    return list(_named(paths).values())


def _named(paths: Sequence[Path]) -> dict[str, Path]:
    """Relative name to file of all files given, folders searched; a name taken twice gets a number."""
    found: dict[str, Path] = {}
    for path in paths:
        root = path if path.is_dir() else path.parent
        for file in sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]:
            relative = str(file.relative_to(root))
            while relative in found:
                relative = f"{len(found)}-{relative}"
            found[relative] = file
    if not found:
        raise InputError("there is no file", where=", ".join(str(path) for path in paths))
    return found


def _contents(paths: Sequence[Path]) -> dict[str, bytes]:
    try:
        return {relative: path.read_bytes() for relative, path in _named(paths).items()}
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", where=error.filename) from None


def _read(sheet: Path) -> ImportedSource:
    try:
        return ImportedSource.model_validate_json(sheet.read_bytes())
    except (OSError, ValidationError):
        raise IntegrityError("the sheet of an imported source is damaged", str(sheet), "Import it again.") from None


def _write(sheet: Path, source: ImportedSource) -> None:
    write_atomically(sheet, source.model_dump_json(indent=1).encode())
