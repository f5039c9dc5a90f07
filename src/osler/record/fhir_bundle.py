"""Finds the resources of a FHIR input (bundle, list, lines or one resource) and decodes each into its type.

It settles versions of one resource and what a reference points to. It does not know what a resource means.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from osler.record import fhir_types as r4
from osler.record.fhir_codes import BUNDLE, codes_of, label_of
from osler.record.fhir_parts import Found
from osler.record.fhir_versions import OLD_NAMES, current_type, to_r4
from osler.record.omissions import Omissions
from osler.record.times import moment

DEPTH = 8  # bundles within bundles
_SILENT = frozenset("resourceType id meta text language contained".split())  # read elsewhere, or no content
_CLINICAL = frozenset(
    "CarePlan CareTeam Goal FamilyMemberHistory ImagingStudy ClinicalImpression RiskAssessment DetectedIssue "
    "ServiceRequest NutritionOrder DeviceUseStatement DeviceRequest Device Specimen Media QuestionnaireResponse "
    "EpisodeOfCare Flag AdverseEvent MolecularSequence BodyStructure List Communication".split()
)
_RESOURCE_TYPE = msgspec.json.Decoder(str)
_TOP = msgspec.json.Decoder(dict[str, Raw])
_BUNDLE = msgspec.json.Decoder(r4.Bundle)
_ENTRY = msgspec.json.Decoder(r4.Entry)
_ITEMS = msgspec.json.Decoder(list[Raw])
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in r4.NAMES}


class Item(NamedTuple):
    """A decoded resource. `kind`: its R4 type; `value` is null for types that are not read."""

    path: str
    kind: str
    value: Any
    url: str | None = None
    duplicates: tuple[str, ...] = ()

    @property
    def id(self) -> str | None:
        return getattr(self.value, "id", None)


def items_of(
    raw: bytes | Raw, path: str, omissions: Omissions, url: str | None = None, depth: int = 0
) -> Iterator[Item]:
    """The resources under `raw`, each with its path. An element that is no resource is reported."""
    if depth == 0:
        try:  # a whole bundle in one pass; the way below takes four, and forgives more
            bundle = _BUNDLE.decode(raw)
            if bundle.resource_type == "Bundle":
                yield from _bundle(bundle.type, bundle.entry, path or "Bundle", omissions, depth)
                return
        except msgspec.ValidationError:
            pass
    try:
        top = _TOP.decode(raw)
        kind = _RESOURCE_TYPE.decode(top["resourceType"])
    except (msgspec.ValidationError, KeyError):
        omissions.add(path or "(root)", "is no FHIR resource: it has no resourceType")
        return
    if kind == "Bundle":
        path = path or "Bundle"
        try:
            entries = _ITEMS.decode(top["entry"]) if "entry" in top else []
        except msgspec.ValidationError:
            omissions.add(f"{path}.entry", "is no list of entries")
        else:
            yield from _bundle(_text(top.get("type")), entries, path, omissions, depth)
        return
    path = path or kind
    typed = r4.TYPES.get(current_type(kind))
    if typed is None:
        reason = (
            "clinical, but Osler has no part for it" if kind in _CLINICAL else "not clinical content of the patient"
        )
        omissions.group(f"{path}({kind})", f"resource type is not read: {reason}")
        yield Item(path, kind, None, url)
        return
    value = _decoded(raw, kind, typed, top.keys(), path, omissions)
    if value is None:
        return
    yield Item(path, current_type(kind), value, url)
    if isinstance(value, r4.DiagnosticReport):
        # Results may live inside their report only.
        for index, inner in enumerate(value.contained):
            if inner.get("resourceType") == "Observation":
                yield from items_of(msgspec.json.encode(inner), f"{path}.contained[{index}]", omissions)


def _bundle(
    kind: str | None, entries: Sequence[r4.Entry | Raw], path: str, omissions: Omissions, depth: int
) -> Iterator[Item]:
    if depth > DEPTH:
        omissions.add(path, f"bundles are nested more than {DEPTH} deep")
        return
    if kind not in BUNDLE:
        omissions.add(f"{path}.type", f"unknown code {kind!r}: read as a collection")
    for index, given in enumerate(entries):
        where = f"{path}.entry[{index}]"
        try:
            entry = given if isinstance(given, r4.Entry) else _ENTRY.decode(given)
        except msgspec.ValidationError as error:
            omissions.add(where, f"is no entry of a bundle: {error}")
            continue
        if entry.request is not None and entry.request.get("method") == "DELETE":
            omissions.add(where, "asks to delete a resource: nothing to read")
        elif bytes(entry.resource) in (b"", b"null"):
            omissions.add(where, "has no resource")
        else:
            yield from items_of(entry.resource, f"{where}.resource", omissions, entry.full_url, depth + 1)


def _text(raw: Raw | None) -> str | None:
    try:
        return _RESOURCE_TYPE.decode(raw) if raw is not None else None
    except msgspec.ValidationError:
        return None


def _decoded(raw: bytes | Raw, kind: str, typed: type[r4.Element], names: Any, path: str, omissions: Omissions) -> Any:
    current = current_type(kind)
    old = current != kind or bool(names & OLD_NAMES.get(current, frozenset()))
    if not old:
        try:
            value = _DECODERS[typed].decode(raw)
            _unused(names, typed, kind, path, omissions)
            return value
        except msgspec.ValidationError:
            pass
    try:
        content = to_r4(current, msgspec.json.decode(raw))
    except msgspec.ValidationError as error:
        omissions.add(path, f"can't be read: {error}")
        return None
    value = r4.fit(content, typed, path, omissions)
    _unused(content.keys(), typed, kind, path, omissions)
    if old:
        omissions.group(f"{path}({kind})", "shape of another FHIR version than R4: read as far as it maps to R4")
    return value


def _unused(names: Any, typed: type[r4.Element], kind: str, path: str, omissions: Omissions) -> None:
    for name in sorted(names - r4.NAMES[typed] - _SILENT):
        if name == "modifierExtension":
            omissions.add(f"{path}.{name}", "may change what the resource means; Osler does not know it")
        else:
            omissions.group(f"{path}({kind}).{name}", "element not used")


def settle(items: list[Item], omissions: Omissions) -> list[Item]:
    """One item for each resource: of several versions (same address, or same identifier, code and time) the newest."""
    chosen: dict[Any, int] = {}
    settled: list[Item | None] = []
    for item in items:
        keys = _keys(item)
        place = next((chosen[key] for key in keys if key in chosen), None)
        earlier = settled[place] if place is not None else None
        if place is None or earlier is None:
            place = len(settled)
            settled.append(item)
        else:
            newer, older = (item, earlier) if _version(item) >= _version(earlier) else (earlier, item)
            if newer.value != older.value:
                omissions.add(older.path, f"another version of {newer.path}, which is newer and was read")
            else:
                newer, older = earlier, item
            settled[place] = newer._replace(duplicates=(*newer.duplicates, older.path, *older.duplicates))
        chosen.update(dict.fromkeys(keys, place))
    return [item for item in settled if item is not None]


def _keys(item: Item) -> list[Any]:
    if item.value is None or ".contained[" in item.path:
        return []
    keys: list[Any] = []
    if item.url and item.url.startswith(("http:", "https:")):
        keys.append(item.url)
    elif item.id:
        keys.append((item.kind, item.id))
    elif item.url:
        keys.append(item.url)
    identifiers = frozenset(identifiers_of(item.value))
    if identifiers and item.kind != "Patient" and (label := label_of(getattr(item.value, "code", None))):
        names = frozenset(code.code for code in codes_of(item.value.code)) or label
        time = next((written for field in _TIMES if (written := getattr(item.value, field, None))), None)
        keys.append((item.kind, identifiers, names, time))
    return keys


_TIMES = ("effective_date_time", "authored_on", "performed_date_time", "onset_date_time", "recorded_date")


def _version(item: Item) -> tuple[float, int]:
    meta = getattr(item.value, "meta", None) or r4.Meta()
    updated = moment(meta.last_updated) if meta.last_updated else None
    number = int(meta.version_id) if meta.version_id and meta.version_id.isdecimal() else 0
    return (updated.instant.timestamp() if updated else 0.0), number


def identifiers_of(value: Any) -> list[tuple[str, str]]:
    """Business identifiers as (system, value)."""
    given = getattr(value, "identifier", None) or []
    listed = given if isinstance(given, list) else [given]
    return [(one.system, one.value) for one in listed if one.system and one.value]


class References:
    """Finds what a reference points to within one input, and remembers what was found."""

    def __init__(self, items: list[Item]) -> None:
        self.used: set[str] = set()
        self._places: dict[str, Item] = {}
        for item in items:
            known = [item.url, f"{item.kind}/{item.id}" if item.id else None]
            if item.id:
                known.append(f"urn:uuid:{item.id}")
            for address in filter(None, known):
                self._places.setdefault(address, item)

    def find(self, item: Item, reference: str) -> Found | None:
        """What `reference`, written in `item`, points to: contained, by address, relative or by type and id."""
        if reference.startswith("#"):
            return self._contained(reference[1:], item)
        target = reference.split("/_history/")[0]
        found = self._places.get(target)
        if found is None and ":" not in target and item.url and item.url.startswith("http"):
            found = self._places.get("/".join([*item.url.split("/")[:-2], target]))
        if found is None and target.startswith("http"):
            near = self._places.get("/".join(target.split("/")[-2:]))
            # The same type and id on two servers are two resources.
            found = near if near is not None and not (near.url or "").startswith("http") else None
        if found is None:
            return None
        self.used.add(found.path)
        return Found(found.path, found.kind, found.value)

    def _contained(self, name: str, item: Item) -> Found | None:
        for index, inner in enumerate(getattr(item.value, "contained", ())):
            kind = inner.get("resourceType")
            if inner.get("id") == name and isinstance(kind, str):
                typed = r4.TYPES.get(current_type(kind))
                path = f"{item.path}.contained[{index}]"
                self.used.add(path)
                value = r4.fit(to_r4(kind, inner), typed, path, Omissions()) if typed else None
                return Found(path, kind, value)
        return None
