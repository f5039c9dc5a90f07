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
    """Collects Unread lines in the order in which they came, single ones first."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()  # of (path, reason); a single line counts nothing

    def add(self, path: str, reason: str) -> None:
        """One element that was not used."""
        self._counts[path, shorten(reason, 300)] += 0

    def group(self, opened: str, reason: str) -> None:
        """One of many alike: those of the same path (opened by `anywhere`) and reason share a line that counts them."""
        self._counts[opened, reason] += 1

    def rows(self) -> list[Unread]:
        return [
            Unread(path=f"{path} x {count}" if count else path, reason=reason, count=count or 1)
            for (path, reason), count in sorted(self._counts.items(), key=lambda item: item[1] > 0)
        ]
