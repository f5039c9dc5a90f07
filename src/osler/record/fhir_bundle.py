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
from osler.record.omissions import Omissions, anywhere
from osler.record.times import moment

DEPTH = 8  # bundles within bundles
_NONE: frozenset[str] = frozenset()
_SILENT = frozenset("resourceType id meta text language contained".split())  # read elsewhere, or no content
_CLINICAL = frozenset(
    "CarePlan CareTeam Goal FamilyMemberHistory ImagingStudy ClinicalImpression RiskAssessment DetectedIssue "
    "ServiceRequest NutritionOrder DeviceUseStatement DeviceRequest Device Specimen Media QuestionnaireResponse "
    "EpisodeOfCare Flag AdverseEvent MolecularSequence BodyStructure List Communication".split()
)
_TEXT = msgspec.json.Decoder(str)
_TOP = msgspec.json.Decoder(dict[str, Raw])
_BUNDLE = msgspec.json.Decoder(r4.Bundle)
_ENTRY = msgspec.json.Decoder(r4.Entry)
_ENTRIES = msgspec.json.Decoder(list[Raw])


class Item(NamedTuple):
    """A decoded resource. `kind`: its R4 type; `value` is null for types that are not read."""

    path: str
    kind: str
    value: Any
    url: str | None = None
    id: str | None = None
    duplicates: tuple[str, ...] = ()


def items_of(raw: bytes | Raw, path: str, omissions: Omissions) -> Iterator[Item]:
    """The resources under `raw`, each with its path. An element that is no resource is reported."""
    try:  # a whole bundle in one pass; the way below takes more, and forgives more
        bundle = _BUNDLE.decode(raw)
        if bundle.resource_type == "Bundle":
            yield from _bundle(bundle.type, bundle.entry, path or "Bundle", omissions, 0)
            return
    except msgspec.ValidationError:
        pass
    try:
        top = _TOP.decode(raw)
    except msgspec.ValidationError:
        omissions.add(path or "(root)", "is no FHIR resource: it is no JSON object")
        return
    yield from _resource(top, path, omissions)


def _resource(
    top: dict[str, Raw],
    path: str,
    omissions: Omissions,
    url: str | None = None,
    depth: int = 0,
    opened: str | None = None,
) -> Iterator[Item]:
    # `opened`: the path with `[*]` for its indices, for what is counted rather than listed.
    kind = _text(top.get("resourceType"))
    if kind is None:
        omissions.add(path or "(root)", "is no FHIR resource: it has no resourceType")
        return
    path = path or kind
    if kind == "Bundle":
        try:
            entries = _ENTRIES.decode(top["entry"]) if "entry" in top else []
        except msgspec.ValidationError:
            omissions.add(f"{path}.entry", "is no list of entries")
        else:
            yield from _bundle(_text(top.get("type")), entries, path, omissions, depth)
        return
    current = current_type(kind)
    typed = r4.TYPES.get(current)
    if typed is None:
        reason = (
            "clinical, but Osler has no part for it" if kind in _CLINICAL else "not clinical content of the patient"
        )
        omissions.group(f"{path}({kind})", f"resource type is not read: {reason}")
        yield Item(path, kind, None, url, _text(top.get("id")))
        return
    unused: list[str] = []
    value = _decoded(top, kind, current, typed, path, unused, omissions)
    if unused:
        omissions.unused(opened or anywhere(path), kind, unused)
        if "modifierExtension" in unused:
            omissions.add(f"{path}.modifierExtension", "may change what the resource means; Osler does not know it")
    yield Item(path, current, value, url, value.id)
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
    opened = anywhere(f"{path}.entry[0].resource")
    for index, given in enumerate(entries):
        where = f"{path}.entry[{index}]"
        try:
            entry = given if isinstance(given, r4.Entry) else _ENTRY.decode(given)
        except msgspec.ValidationError as error:
            omissions.add(where, f"is no entry of a bundle: {error}")
            continue
        if entry.request is not None and entry.request.get("method") == "DELETE":
            omissions.add(where, "asks to delete a resource: nothing to read")
        elif entry.resource is None:
            omissions.add(where, "has no resource")
        else:
            yield from _resource(entry.resource, f"{where}.resource", omissions, entry.full_url, depth + 1, opened)


def _text(raw: Raw | None) -> str | None:
    try:
        return _TEXT.decode(raw) if raw is not None else None
    except msgspec.ValidationError:
        return None


def _decoded(
    top: dict[str, Raw],
    kind: str,
    current: str,
    typed: type[r4.Element],
    path: str,
    unused: list[str],
    omissions: Omissions,
) -> Any:
    """The resource in its type; the names of elements that are not used are added to `unused`."""
    fields, values = r4.FIELDS[typed], {}
    try:
        for name, raw in top.items():
            if (field := fields.get(name)) is not None:
                values[field[0]] = field[1](raw)
            elif name not in _SILENT:
                unused.append(name)
    except msgspec.ValidationError:
        return _forgiving(top, current, typed, path, unused, omissions)
    if current != kind or not OLD_NAMES.get(current, _NONE).isdisjoint(unused):
        omissions.group(f"{path}({kind})", "shape of another FHIR version than R4: read as far as it maps to R4")
        return _forgiving(top, current, typed, path, unused, omissions)
    return typed(**values)


def _forgiving(
    top: dict[str, Raw], current: str, typed: type[r4.Element], path: str, unused: list[str], omissions: Omissions
) -> Any:
    content: dict[str, Any] = {}
    for name, raw in top.items():
        try:
            content[name] = msgspec.json.decode(raw)
        except msgspec.ValidationError as error:
            omissions.add(f"{path}.{name}", f"can't be read: {error}")
    content = to_r4(current, content)
    unused[:] = [name for name in content if name not in r4.FIELDS[typed] and name not in _SILENT]
    return r4.fit(content, typed, path, omissions)


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
    if item.value is None:
        return []
    keys: list[Any] = []
    if item.url and item.url.startswith(("http:", "https:")):
        keys.append(item.url)
    elif item.id:
        keys.append((item.kind, item.id))
    elif item.url:
        keys.append(item.url)
    given = getattr(item.value, "identifier", None)
    identifiers = frozenset(identifiers_of(item.value)) if given and item.kind != "Patient" else None
    if identifiers and (label := label_of(getattr(item.value, "code", None))):
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
        known = self._places.setdefault
        for item in items:
            if item.url:
                known(item.url, item)
            if item.id:
                known(f"{item.kind}/{item.id}", item)
                known(f"urn:uuid:{item.id}", item)

    def find(self, item: Item, reference: str) -> Found | None:
        """What `reference`, written in `item`, points to: contained, by address, relative or by type and id."""
        if reference.startswith("#"):
            return self._contained(reference[1:], item)
        found, target = self._places.get(reference), reference
        if found is None and "/_history/" in reference:
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
