"""Checked ways to the elements of JSON: what has the wrong type is reported by path and then counts as absent.

A Node also knows which of its elements were asked for, so that a reader can report the others. Elements are decoded
when they are asked for, so that what nobody reads costs next to nothing. It knows nothing of FHIR or phenopackets.
"""

from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import Raw

from osler.record.omissions import Omissions

T = TypeVar("T")
Content = dict[str, Raw]  # a JSON object, its values not decoded
_OBJECT: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)
_LIST: msgspec.json.Decoder[list[Raw]] = msgspec.json.Decoder(list[Raw])
_TEXT = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_NUMBER = msgspec.json.Decoder(float)
NULL = Raw(b"null")
_EMPTY = (NULL, Raw(b"[]"), Raw(b"{}"), Raw(b'""'))
UNDECODABLE = (msgspec.DecodeError, RecursionError)


class Node:
    """A JSON object with its path. Each way takes several names where versions of a format differ: the first with a
    value counts, for the others are its older spellings. An absent object is an empty Node, which is false."""

    __slots__ = ("asked", "children", "content", "omissions", "path")

    def __init__(self, content: Content, path: str, omissions: Omissions) -> None:
        self.content, self.path, self.omissions = content, path, omissions
        self.asked: set[str] = set()
        self.children: dict[str, Node] = {}  # by the name of the element

    def __bool__(self) -> bool:
        return bool(self.content)

    def place(self, name: str) -> str:
        """The path of an element."""
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def omit(self, name: str, reason: str) -> None:
        """Report an element; the empty name stands for the object."""
        self.omissions.add(self.place(name), reason)

    def first(self, names: tuple[str, ...]) -> tuple[str, Raw | None]:
        """The first of the names that has a value, and the value; null if none has."""
        for name in names:
            raw = self.content.get(name)
            if raw is not None:
                self.asked.add(name)
                if raw != NULL:
                    return name, raw
        return names[0], None

    def has(self, *names: str) -> bool:
        return self.first(names)[1] is not None

    def _decoded(self, name: str, raw: Raw, decoder: msgspec.json.Decoder[T]) -> T | None:
        try:
            return decoder.decode(raw)
        except UNDECODABLE as error:
            reason = str(error)
            self.omit(name, f"can't be read: {reason[0].lower()}{reason[1:]}")
            return None

    def text(self, *names: str) -> str | None:
        name, raw = self.first(names)
        return None if raw is None else self._decoded(name, raw, _TEXT)

    def flag(self, *names: str) -> bool | None:
        name, raw = self.first(names)
        return None if raw is None else self._decoded(name, raw, _FLAG)

    def number(self, *names: str) -> float | None:
        name, raw = self.first(names)
        return None if raw is None else self._decoded(name, raw, _NUMBER)

    def node(self, *names: str) -> "Node":
        name, raw = self.first(names)
        return self._child(name, raw) if raw is not None else NOTHING

    def _child(self, name: str, raw: Raw) -> "Node":
        if name not in self.children:
            content = self._decoded(name, raw, _OBJECT)
            self.children[name] = NOTHING if content is None else Node(content, self.place(name), self.omissions)
        return self.children[name]

    def items(self, *names: str) -> list[tuple[str, Raw]]:
        """Names (`coding[0]`) and values of a list; what stands alone counts as a list of one."""
        name, raw = self.first(names)
        if raw is None:
            return []
        try:
            listed = _LIST.decode(raw)
        except UNDECODABLE:
            return [(name, raw)]
        return [(f"{name}[{index}]", one) for index, one in enumerate(listed) if one != NULL]

    def nodes(self, *names: str) -> list["Node"]:
        """The objects of a list."""
        found = [self._child(name, raw) for name, raw in self.items(*names)]
        return [child for child in found if child is not NOTHING]

    def texts(self, *names: str) -> list[str]:
        """The texts of a list."""
        found = [self._decoded(name, raw, _TEXT) for name, raw in self.items(*names)]
        return [text for text in found if text is not None]

    def unused(self) -> Iterator[str]:
        """Paths of elements, here and below, that hold something and that nobody asked for."""
        for name, raw in self.content.items():
            if name not in self.asked and raw not in _EMPTY:
                yield self.place(name)
        for child in self.children.values():
            yield from child.unused()


NOTHING = Node({}, "", Omissions())


def root(raw: bytes | Raw, path: str, omissions: Omissions) -> Node:
    """The object that JSON holds; NOTHING, with a report, if it is no object. Raises DecodeError if it is malformed."""
    try:
        return Node(_OBJECT.decode(raw), path, omissions)
    except msgspec.ValidationError:
        omissions.add(path or "(root)", "is no JSON object")
        return NOTHING
