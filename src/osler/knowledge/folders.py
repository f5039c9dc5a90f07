"""Folders that are made or replaced in one step, and the lock beside one. It does not know what they hold."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from osler.errors import InputError


@contextlib.contextmanager
def building(path: Path, mark: str, replace: bool = False) -> Iterator[Path]:
    """A temporary folder beside `path` that becomes `path` in one step, unless another process was first.

    `mark`: the file that tells such a folder from anything else. `replace`: what is there makes room just before;
    killed between the two, nothing is there. Raises InputError if something else stands there.
    """
    folder = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    old = Path(f"{folder}-old")
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
        if replace:
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, old)
        try:
            os.rename(folder, path)
        except OSError as error:
            if not (path / mark).exists():
                why = f"stands in the way of what is to be kept there ({error.strerror})"
                raise InputError(why, where=str(path), hint="Move it away.") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Whether this process holds the lock of the folder at `path`; `wait`: until it does. A kill frees it."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            yield False
        else:
            yield True
