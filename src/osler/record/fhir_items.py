"""The resources of a FHIR input (bundle, list, lines or one resource), each with its place and references.

It settles versions of one resource and what a reference points to; what DSTU2, STU3 and R5 call by another name is
renamed here, so that no reader has to know them. It does not know what a resource means.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from osler.record.fhir_codes import BINDINGS, concept, quantity
from osler.record.node import UNDECODABLE, Content, Node
from osler.record.omissions import Omissions, anywhere
from osler.record.tables import table
from osler.record.times import moment

DEPTH = 8  # bundles within bundles
_TABLE = table("fhir")
_CLINICAL = frozenset(_TABLE["types"]["clinical"].split())
_OTHER_TYPES: dict[str, str] = _TABLE["types"]["others"]
_OTHER_NAMES = {other: name for name, others in _TABLE["renamed"].items() for other in others.split()}
_NEGATIONS: dict[str, tuple[Raw, str]] = {
    name: (Raw(held.encode()), status) for name, (held, status) in _TABLE["negations"].items()
}
READ = frozenset({"Medication", "Binary", *(element.split(".")[0] for element in BINDINGS)} - {"Bundle"})
_SILENT = frozenset("resourceType id meta text language contained identifier note".split())
_IN_ERROR = Raw(b'"entered-in-error"')


class Record:
    """One input while it is read: the report, and what an address in it points to."""

    def __init__(self) -> None:
        self.omissions = Omissions()
        self.used: set[str] = set()  # paths of what references were followed to
        self._places: dict[str, Item] = {}

    def add(self, item: "Item") -> None:
        """Make an item findable. Of two with one address the first stays."""
        addresses = [item.url] + ([f"{item.kind}/{item.id}", f"urn:uuid:{item.id}"] if item.id else [])
        for address in addresses if item.owner is None else [f"{item.owner.path}#{item.id}"]:
            self._places.setdefault(address, item)

    def find(self, item: "Item", reference: str) -> "Item | None":
        """What `reference`, written in `item`, points to: contained, by address, relative or by type and id."""
        target = reference.split("/_history/")[0]
        if reference.startswith("#"):
            target = f"{(item.owner or item).path}{reference}"
        found = self._places.get(target)
        if found is None and ":" not in target and item.url.startswith("http"):
            found = self._places.get("/".join([*item.url.split("/")[:-2], target]))
        if found is None and target.startswith("http"):
            near = self._places.get("/".join(target.split("/")[-2:]))
            # The same type and id on two servers are two resources.
            found = near if near is not None and not near.url.startswith("http") else None
        if found is not None:
            self.used.add(found.path)
        return found


class Item(Node):
    """A resource with its place. `kind`: its R4 type; `opened`: path with open indices, and the
    type as written, for what is counted; `url`: its address; `owner`: what contains it."""

    __slots__ = ("duplicates", "id", "kind", "opened", "owner", "record", "url")

    def __init__(
        self, content: Content, path: str, written: str, opened: str, record: Record, url: str = "", owner: Any = None
    ) -> None:
        self.kind = _OTHER_TYPES.get(written, written)
        others: list[str] = []
        if not _OTHER_NAMES.keys().isdisjoint(content) and self.kind in READ:
            others = [name for name in content if name in _OTHER_NAMES]
            renamed = {_OTHER_NAMES[name]: content[name] for name in others}
            content = renamed | {name: raw for name, raw in content.items() if name not in _OTHER_NAMES}
        super().__init__(content, path, record.omissions)
        self.opened = f"{opened}({written})"
        self.record, self.url = record, url
        self.owner: Item | None = owner
        self.id = self.text("id")
        self.duplicates: list[str] = []
        for name in others:
            self.count(name, "element of another FHIR version than R4: read as far as it maps to R4")
        if written != self.kind:
            self.count("", "shape of another FHIR version than R4: read as far as it maps to R4")
        elif written not in READ:
            clinical = "clinical, but Osler has no part for it"
            what = clinical if written in _CLINICAL else "not clinical content of the patient"
            self.count("", f"resource type is not read: {what}")

    def count(self, name: str, reason: str) -> None:
        """Report an element as one of many alike; the empty name stands for the resource."""
        self.omissions.group(f"{self.opened}.{name}" if name else self.opened, reason)

    def find(self, reference: Node) -> "Item | None":
        address = reference.text("reference")
        return self.record.find(self, address) if address else None

    def time(self, *names: str, end: bool = False) -> str | None:
        """The first of the elements that holds a time, as written: a date, the start (or `end`) of a period, or an age.
        What is written there and is none is reported."""
        found: str | None = None
        for name in names:
            self.asked.add(name)
            if name not in self.content or found:
                continue
            if name.endswith(("Period", "period")):
                side = "end" if end else "start"
                found = self.checked_time(self.node(name).text(side), f"{name}.{side}")
            elif not name.endswith("Age"):
                found = self.checked_time(self.text(name), name)
            elif (found := quantity(self, name).age) is None:
                self.omit(name, "is no age in whole years, months, weeks or days")
        return found

    def checked_time(self, written: str | None, name: str) -> str | None:
        """A time as written if it is one, else null and a report."""
        if written is None:
            return None
        found = moment(written)
        if found is None:
            self.omit(name, f"{written!r} is no date or time of FHIR")
            return None
        if not found.zoned:
            self.count(name, "time without offset: kept as written")
        return written

    def bound(self, name: str, otherwise: str = "") -> Any:
        """The first code of an element that its required binding allows; null and a report if there is none.
        `otherwise`: an element whose code is taken, if it is allowed, where there is no such element."""
        allowed = BINDINGS[f"{self.kind}.{name}"]
        given = concept(self, name)
        for one in given.codes:
            if one.code in allowed:
                return one.code
        if self.has(name):
            self.omit(name, f"unknown code {given.code!r}: read as not known")
            return None
        code = self.text(otherwise) if otherwise else None
        return code if code in allowed else None

    def status(self) -> str | None:
        """The status as R4 writes it, negations of other versions included."""
        for name in () if _NEGATIONS.keys().isdisjoint(self.content) else _NEGATIONS:
            negation, status = _NEGATIONS[name]
            if self.first((name,))[1] == negation:
                return status
        code: str | None = self.bound("status")
        return code

    def in_error(self) -> bool:
        """Whether the resource was entered in error, which is reported."""
        certainty = self.content.get("verificationStatus")
        if _IN_ERROR in (self.content.get("status"), self.content.get("docStatus")) or (
            certainty is not None and b'"entered-in-error"' in bytes(certainty)
        ):
            self.omit("", f"{self.kind} was entered in error: dropped")
            return True
        return False

    def contained(self) -> Iterator["Item"]:
        """The resources that this one contains."""
        for inner in self.nodes("contained"):
            if written := inner.text("resourceType"):
                yield Item(inner.content, inner.path, written, anywhere(inner.path), self.record, owner=self)
            else:
                inner.omit("", "is no FHIR resource: it has no resourceType")

    def report_unused(self) -> None:
        """Count the elements that nobody asked for. Only the first level is searched."""
        for name in self.content:
            if name in self.asked or name in _SILENT:
                continue
            if name == "modifierExtension":
                self.omit(name, "may change what the resource means; Osler does not know it")
            else:
                self.count(name, "element not used")


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: Content = {}
    request: Content = {}


_ENTRIES = msgspec.json.Decoder(list[_Entry])
_KIND = msgspec.json.Decoder(str | None)
_DELETE = Raw(b'"DELETE"')


def items_of(content: Content, path: str, record: Record, depth: int = 0) -> Iterator[Item]:
    """The resources in a JSON object, each with its path. What is no resource is reported."""
    kind = _kind(content)
    if kind is None:
        record.omissions.add(path or "(root)", "is no FHIR resource: it has no resourceType")
    elif kind != "Bundle":
        path = path or kind
        yield Item(content, path, kind, anywhere(path), record)
    elif depth > DEPTH:
        record.omissions.add(path, f"bundles are nested more than {DEPTH} deep")
    else:
        bundle = Node(content, path or "Bundle", record.omissions)
        if (written := bundle.text("type")) is not None and written not in BINDINGS["Bundle.type"]:
            bundle.omit("type", f"unknown code {written!r}: read as a collection")
        if any(link.text("relation") == "next" for link in bundle.nodes("link")):
            bundle.omit("link", "the search has a further page: this is not the whole record")
        opened = f"{anywhere(bundle.path)}.entry[*].resource"
        for place, entry in _entries(bundle):
            if entry.request.get("method") == _DELETE:
                record.omissions.add(place, "asks to delete a resource: nothing to read")
            elif not entry.resource:
                record.omissions.add(place, "has no resource")
            elif (kind := _kind(entry.resource)) is None or kind == "Bundle":
                yield from items_of(entry.resource, f"{place}.resource", record, depth=depth + 1)
            else:
                yield Item(entry.resource, f"{place}.resource", kind, opened, record, entry.full_url or "")


def _kind(content: Content) -> str | None:
    try:
        kind: str | None = _KIND.decode(content.get("resourceType", b"null"))
        return kind
    except UNDECODABLE:
        return None


def _entries(bundle: Node) -> Iterator[tuple[str, _Entry]]:
    try:
        listed = _ENTRIES.decode(bundle.content.get("entry", b"[]"))
    except UNDECODABLE:  # one by one, to keep the good ones
        for one in bundle.nodes("entry"):
            entry = _Entry(one.text("fullUrl"), one.node("resource").content, one.node("request").content)
            yield one.path, entry
    else:
        for index, entry in enumerate(listed):
            yield f"{bundle.path}.entry[{index}]", entry


def settle(items: list[Item]) -> list[Item]:
    """One item for each resource: of several versions (same address) the newest, of equal ones the first."""
    chosen: dict[str, Item] = {}
    for item in items:
        key = f"{item.kind}/{item.id}" if item.id else item.path
        if item.url and (not item.id or item.url.startswith("http")):
            key = item.url
        newer = chosen.setdefault(key, item)
        if newer is item or item.kind not in READ:
            continue
        older = item
        if newer.content != older.content:
            if _version(older) >= _version(newer):
                newer, older = older, newer
            older.omit("", f"another version of {newer.path}, which is newer and was read")
        newer.duplicates += [older.path, *older.duplicates]
        chosen[key] = newer
    return list(chosen.values())


def _version(item: Item) -> tuple[float, int]:
    meta = item.node("meta")
    updated, number = moment(meta.text("lastUpdated") or ""), meta.text("versionId") or ""
    return (updated.instant.timestamp() if updated else 0.0), int(number[-18:]) if number.isdecimal() else 0


def identifiers_of(item: Node) -> list[tuple[str, str]]:
    """Business identifiers as (system, value)."""
    given = [(one.text("system"), one.text("value")) for one in item.nodes("identifier")]
    return [(system, value) for system, value in given if system and value]
