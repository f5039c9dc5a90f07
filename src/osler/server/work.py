"""How much is done at once: as much as there are cores, a bounded number waiting, the rest told to come again.

It does not know what the work is.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Depends, Request

from osler.models.base import Busy


class Work:
    def __init__(self, waiting: int, at_once: int | None = None) -> None:
        self.at_once = at_once or os.cpu_count() or 1
        self._room = threading.Semaphore(self.at_once + waiting)
        self._hands = threading.Semaphore(self.at_once)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free hand. Raises Busy at once where too many wait already."""
        if not self._room.acquire(blocking=False):
            raise Busy("too many requests are waiting", hint="Try again in a few seconds.")
        try:
            with self._hands:
                yield
        finally:
            self._room.release()


def _slot(request: Request) -> Iterator[None]:
    with request.app.state.work.slot():
        yield


def working() -> Any:
    """A dependency of what takes more than a moment."""
    return Depends(_slot)
