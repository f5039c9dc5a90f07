"""Where libraries lie on disk: a folder with a card, a lock beside it, made or replaced in one step.

It does not know what is in a library.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.errors import InputError

if TYPE_CHECKING:
    from osler.models.embedder import Embedder

FORMAT = 2
CARD = "library.json"


def read_card(path: Path) -> dict[str, Any]:
    """What the library at `path` says of itself: name, embedder, pack. Raises InputError if it is none."""
    try:
        card: dict[str, Any] = json.loads((path / CARD).read_text(encoding="utf-8"))
        if card["format"] != FORMAT:
            raise ValueError(f"it has format {card['format']}, not {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"is not a library: {error}", where=str(path), hint="Delete it and ingest anew.") from None
    return card


def write_card(folder: Path, name: str, embedder: dict[str, Any] | None, **more: Any) -> None:
    card = {"format": FORMAT, "name": name, "embedder": embedder, **more}
    (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def embedder_card(embedder: "Embedder | None") -> dict[str, Any] | None:
    """What a library remembers of the embedder that made its vectors."""
    info = embedder.info if embedder else None
    return {"spec": info.spec, "digest": info.digest, "dimension": info.dimension} if info else None


@contextlib.contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Whether this process holds the lock of the library at `path`; `wait`: until it does. A kill frees it."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def building(path: Path, replace: bool = False) -> Iterator[Path]:
    """A temporary folder beside `path` that becomes `path` in one step, unless another process was first.

    `replace`: what is there makes room just before; killed between the two, nothing is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    old = Path(f"{folder}-old")
    try:
        yield folder
        if replace:
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, old)
        try:
            os.rename(folder, path)
        except OSError:
            if not (path / CARD).exists():
                raise InputError("stands in the way of a library", where=str(path), hint="Move it away.") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
