"""What a reader could not use, gathered while it reads: single elements by path, alike ones counted in one line.

It does not judge: a reader says what it left out and why.
"""

import re
from collections import Counter

from osler.record.case import Unread
from osler.text import shorten

_INDEX = re.compile(r"\[\d+\]")


def anywhere(path: str) -> str:
    """The path with its indices opened: `Bundle.entry[3].resource` becomes `Bundle.entry[*].resource`."""
    return _INDEX.sub("[*]", path)


class Omissions:
    """Collects Unread lines in the order in which they came."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], None] = {}
        self._groups: Counter[tuple[str, str]] = Counter()

    def add(self, path: str, reason: str) -> None:
        """One element that was not used."""
        self._lines[path, shorten(reason, 300)] = None

    def group(self, opened: str, reason: str, count: int = 1) -> None:
        """One of many alike: those of the same path (opened by `anywhere`) and reason share a line that counts them."""
        self._groups[opened, reason] += count

    def rows(self) -> list[Unread]:
        single = [Unread(path=path, reason=reason) for path, reason in self._lines]
        grouped = [
            Unread(path=f"{path} x {count}", reason=reason, count=count)
            for (path, reason), count in self._groups.items()
        ]
        return single + grouped
