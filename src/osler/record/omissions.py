"""What a reader could not use, gathered while it reads: single elements by path, alike ones counted in one line.

It does not judge: a reader says what it left out and why.
"""

import re

from osler.record.case import Unread
from osler.text import shorten

_INDEX = re.compile(r"\[\d+\]")


def anywhere(path: str) -> str:
    """The path with its indices opened: `Bundle.entry[3].resource` becomes `Bundle.entry[*].resource`."""
    return _INDEX.sub("[*]", path)


class Omissions:
    """Collects Unread lines in the order in which they came."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}
        self._groups: dict[tuple[str, str], int] = {}
        self._unused: dict[tuple[str, ...], int] = {}

    def add(self, path: str, reason: str) -> None:
        """One element that was not used."""
        self._lines[path, shorten(reason, 300)] = 1

    def group(self, path: str, reason: str, count: int = 1) -> None:
        """One of many alike: elements of the same opened path and reason share a line that counts them."""
        key = anywhere(path), reason
        self._groups[key] = self._groups.get(key, 0) + count

    def unused(self, opened: str, kind: str, names: list[str]) -> None:
        """Elements of a resource of a type, at an opened path, that no reader uses."""
        key = opened, kind, *names
        self._unused[key] = self._unused.get(key, 0) + 1

    def rows(self) -> list[Unread]:
        groups = dict(self._groups)
        for (opened, kind, *names), count in self._unused.items():
            for name in names:
                if name == "modifierExtension":
                    continue  # listed by path, for it may change the meaning
                key = f"{opened}({kind}).{name}", "element not used"
                groups[key] = groups.get(key, 0) + count
        single = [Unread(path=path, reason=reason) for path, reason in self._lines]
        grouped = [
            Unread(path=f"{path} x {count}", reason=reason, count=count) for (path, reason), count in groups.items()
        ]
        return single + grouped
