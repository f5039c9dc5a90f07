"""A home in one file, and back: database, keys, libraries and settings, each with its hash.

The database is copied as one moment of it while others write. It does not know what any of the files mean.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.errors import InputError, IntegrityError, UsageError
from osler.settings import Settings

MANIFEST = "osler-backup.json"
LEFT_OUT = ("cache",)  # made again when needed
DATABASE = "osler.db"
FORMAT = 1


class Backup(NamedTuple):
    """`files`: how many; `size`: their bytes; `made`: ISO 8601."""

    path: str
    files: int
    size: int
    made: str


def back_up(settings: Settings, target: Path) -> Backup:
    """Write the home to a new file, readable by its owner alone (it holds the keys). Raises InputError, UsageError."""
    if settings.database.url and not settings.database.url.startswith("sqlite"):
        raise UsageError(
            "the database is a server's: back it up with the server's own tools, the rest of the home by copy"
        )
    if not settings.home.is_dir():
        raise InputError("there is no home to back up", where=str(settings.home))
    if target.exists():
        raise InputError("there is a file of this name", where=str(target))
    made, hashes = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), {}
    draft = target.with_name(f".{target.name}.draft")
    size = 0
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
                for name, path in _contents(settings):
                    content = path.read_bytes()
                    hashes[name], size = hashlib.sha256(content).hexdigest(), size + len(content)
                    _put(archive, name, content)
                manifest = {"format": FORMAT, "osler": __version__, "made": made, "files": hashes}
                _put(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except OSError as error:
        raise InputError(f"the backup can't be written: {error.strerror}", where=str(target)) from None
    finally:
        draft.unlink(missing_ok=True)
    return Backup(str(target), len(hashes), size, made)


def restore(source: Path, home: Path) -> Backup:
    """Unpack a backup into a home that is empty or not there; nothing is left of one that isn't whole.

    Raises InputError for a file that is no backup or a home in use, IntegrityError for a damaged one.
    """
    if home.exists() and any(home.iterdir()):
        raise InputError("the home is not empty", where=str(home), hint="Restore into a new one: --home FOLDER.")
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=home.parent, prefix=".restoring-"))
    try:
        manifest = _unpack(source, draft)
        for name, digest in manifest["files"].items():
            path = draft / name
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                raise IntegrityError(f"{name} is missing or damaged", where=str(source))
        (draft / MANIFEST).unlink()
        if home.exists():
            home.rmdir()
        os.replace(draft, home)
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"this is no whole backup: {error}", where=str(source)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum((home / name).stat().st_size for name in manifest["files"])
    return Backup(str(source), len(manifest["files"]), size, str(manifest["made"]))


def _contents(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every file of the home by its name in the archive; of the database a copy of this moment."""
    home = settings.home
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        database = name.name.startswith(DATABASE) and len(name.parts) == 1
        if path.is_file() and not path.is_symlink() and name.parts[0] not in LEFT_OUT and not database:
            yield name.as_posix(), path
    if (home / DATABASE).is_file():
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / DATABASE
            live, still = sqlite3.connect(home / DATABASE), sqlite3.connect(copy)
            with still:
                live.backup(still)
            live.close()
            still.close()
            yield DATABASE, copy


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            archive.extractall(folder, filter="data")
    except FileNotFoundError:
        raise InputError("no such file", where=str(source)) from None
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']} is not known here")
    return manifest
