"""From a FHIR R4 resource to the parts of a Case, as the table `fhir` says which element fills which field.

It knows nothing of bundles and patients; an Item tells it where the resource stands and finds what it refers to.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

from osler.record import case
from osler.record.case import Document, Observation, Part
from osler.record.fhir_codes import BINDINGS, Concept, Quantity, concept, concepts, quantity, written
from osler.record.fhir_documents import texts_of
from osler.record.fhir_items import Item, identifiers_of
from osler.record.node import Node
from osler.record.tables import table

_Steps = list[tuple[Callable[..., Any], list[str]]]  # ways to try in turn, each with the elements it looks at


@cache
def _row(kind: str) -> tuple[type[Part], dict[str, _Steps]] | None:
    """The part that a resource type becomes, and how each of its fields is found."""
    for name, given in table("fhir")["parts"].items():
        if kind in given.get("from", (name,)):
            looks = {field: _steps(words) for field, words in given.items() if field not in ("from", "is")}
            return getattr(case, given.get("is", name)), looks
    return None


def _steps(words: str) -> _Steps:
    return [(_WAYS[way], elements) for way, *elements in map(str.split, words.split(" | "))]


def parts_of(item: Item) -> Iterator[Part]:
    """The parts that the resource becomes, none if it has no name or its type no part."""
    row = _row(item.kind)
    if row is None:
        return
    part, looks = row
    fields: dict[str, Any] = {"source": item.path, "duplicates": item.duplicates}
    for field, steps in looks.items():
        found = None
        for way, elements in steps:
            if (found := way(item, *elements)) is not None:
                break
        fields[field] = found
        if found is None and field == "named":
            item.omit(steps[0][1][0], "has no text and no code: the resource can't be named")
            return
    if "named" in fields:
        # Lists are given even where they are empty, for a noun copies each default that it has to fill in.
        fields["label"], fields["codes"], _ = fields.pop("named")
    if part in _SEVERAL:
        yield from (part(**fields | one) for one in _SEVERAL[part](item))
    else:
        yield part(**fields)


def _person(item: Item, name: str) -> Any:
    names = sorted(item.nodes(name), key=lambda one: one.text("use") in ("old", "nickname", "maiden"))
    return _first_of(one.text("text") or " ".join(one.texts("given") + one.texts("family")) for one in names)


def _named(node: Node, name: str, *others: str) -> Concept | None:
    found = concept(node, name, *others)
    return found if found.label is not None else None


def _drug(item: Item, name: str, concept_name: str) -> Concept | None:
    reference = item.node(name) or item.node(concept_name).node("reference")
    if not reference:
        return None
    found, shown = item.find(reference), reference.text("display")
    if found is None or found.kind != "Medication":
        if shown is None:
            reference.omit("", f"{reference.text('reference')!r} is not a Medication of the input")
    elif named := _named(found, "code"):
        return named
    else:
        # One level only: an ingredient that refers on is named by its display, so circles can't matter.
        parts = found.nodes("ingredient")
        names = [
            concept(one, "itemCodeableConcept").label or one.node("itemReference").text("display") for one in parts
        ]
        shown = " / ".join(filter(None, names)) or shown
    return None if shown is None else Concept(shown, [])


def _dose(dosage: Node) -> str:
    if text := dosage.text("text"):
        return " ".join(text.split())
    # Up to STU3 the elements of doseAndRate stood in the dosage; MedicationAdministration has another name.
    words = [
        quantity(dose, "doseQuantity", "dose").text or written(dose, "doseRange")
        for dose in (dosage, *dosage.nodes("doseAndRate"))
    ]
    repeat = dosage.node("timing").node("repeat")
    frequency, period, unit = repeat.number("frequency"), repeat.number("period"), repeat.text("periodUnit")
    if frequency and period and unit:
        words.append(f"{frequency:g} x per {period:g} {unit}")
    else:
        words.append(concept(dosage.node("timing"), "code").label or "")
    if reason := concept(dosage, "asNeededCodeableConcept").label:
        words.append(f"as needed for {reason}")
    elif dosage.flag("asNeededBoolean"):
        words.append("as needed")
    return ", ".join(filter(None, words)) or dosage.text("patientInstruction") or ""


def _reason(item: Item, name: str, reference_name: str) -> str | None:
    named = [one.label for one in concepts(item, name)]
    for reference in item.nodes(reference_name):
        found, shown = item.find(reference), reference.text("display")
        named.append(shown or (concept(found, "code").label if found else None))
    return "; ".join(dict.fromkeys(filter(None, named))) or None


def _kinds(item: Item, name: str) -> str | None:
    kinds, allowed = [one.code for one in concepts(item, name) if one.code], BINDINGS[f"{item.kind}.{name}"]
    for kind in set(kinds) - allowed:
        item.omit(name, f"unknown code {kind!r}: read as not known")
    return ", ".join(kind for kind in kinds if kind in allowed) or None


def _signs(item: Item, name: str) -> list[str]:
    signs: list[str | None] = []
    for reaction in item.nodes(name):
        signs += [one.label for one in concepts(reaction, "manifestation")] or [reaction.text("description")]
    return [sign for sign in signs if sign]


def _first_of(found: Iterable[Any]) -> Any:
    return next((one for one in found if one), None)


# How the elements of a resource give the value of a field; null where they don't.
_WAYS: dict[str, Callable[..., Any]] = {
    "always": lambda item, words: words.replace("_", " "),
    "text": Item.text,
    "flag": Item.flag,
    "person": _person,
    "identifiers": lambda item, _: [f"{system}|{value}" for system, value in dict.fromkeys(identifiers_of(item))],
    "concept": _named,
    "label": lambda item, name: concept(item, name).label or _first_of(one.label for one in concepts(item, name)),
    "code": lambda item, name: concept(item, name).code or concept(item, name).label,
    "bound": Item.bound,
    "status": Item.status,
    "start": Item.time,
    "end": partial(Item.time, end=True),
    "reason": _reason,
    "forbidden": lambda item, name: "do-not-perform" if item.flag(name) else None,
    "drug": _drug,
    "dose": lambda item, *names: "; ".join(filter(None, map(_dose, item.nodes(*names)))) or None,
    "route": lambda item, *names: _first_of(concept(one, "route").label for one in item.nodes(*names)),
    "substance": lambda item, name: _first_of(_named(one, "substance") for one in item.nodes(name)),
    "kinds": _kinds,
    "signs": _signs,
}


def _measurements(item: Item) -> list[dict[str, Any]]:
    measured = [_measured(part, item) for part in (item.nodes("component") if "component" in item.content else ())]
    whole = _measured(item, item)
    # A panel says nothing beside its components; without any it is kept, for its name alone may matter.
    if whole is not None and (not any(measured) or "value" in whole or "text" in whole):
        measured.insert(0, whole)
    return [one for one in measured if one is not None]


def _measured(one: Node, item: Item) -> dict[str, Any] | None:
    # `one`: the observation itself or a component of it.
    code = concept(one, "code")
    if code.label is None:
        one.omit("code", "has no text and no code: the measurement can't be named")
        return None
    part: dict[str, Any] = {"source": one.path, "label": code.label, "codes": code.codes, "value_codes": []}
    for name in one.content:
        if name.startswith("value"):  # one at most
            part |= _value(one, name, item)
    if one.has("dataAbsentReason") and part.keys().isdisjoint(("value", "text")):
        one.omit("", f"has no value: {concept(one, 'dataAbsentReason').label}")
    if "interpretation" in one.content:
        given = concepts(one, "interpretation")
        part["interpretation"] = next((found.code or found.label for found in given), None)
        if len(given) > 1:
            one.omit("interpretation", "has several interpretations: only the first is kept")
    if "referenceRange" in one.content:
        part |= _limits(one, part.get("unit"), item)
    return part


def _value(one: Node, name: str, item: Item) -> dict[str, Any]:
    # What a value[x] fills in of an Observation; other types are left to be reported as not used.
    if name == "valueQuantity":
        amount = quantity(one, name)
        if not amount.comparator:
            return {} if amount.value is None else {"value": amount.value, "unit": _unit(amount, name, item)}
    elif name == "valueCodeableConcept":
        answer = concept(one, name)
        return {"text": answer.label, "value_codes": answer.codes}
    elif name == "valueInteger":
        return {"value": one.number(name)}
    text = written(one, name)
    return {"text": text} if text else {}


def _unit(given: Quantity, name: str, item: Item) -> str | None:
    unit, is_ucum = given.ucum
    if not is_ucum:
        item.count(name, f"unit {unit!r} is not declared as UCUM: kept as written")
    return unit


def _limits(one: Node, unit: str | None, item: Item) -> dict[str, float]:
    normal = [limits for limits in one.nodes("referenceRange") if concept(limits, "type").code in (None, "normal")]
    if len(normal) != 1:
        one.omit("referenceRange", "holds several ranges or none that is normal: not used")
        return {}
    found: dict[str, float] = {}
    for side in ("low", "high"):
        limit = quantity(normal[0], side)
        if limit.value is not None and (limit_unit := _unit(limit, "referenceRange", item)) in (None, unit):
            found[side] = limit.value
        elif limit.value is not None:
            normal[0].omit(side, f"is in {limit_unit}, the value in {unit}: not used")
    if not found and normal[0].has("text"):
        normal[0].omit("text", "a range in words is not read")
    return found


# Parts of which one resource gives several, each with what is its own.
_SEVERAL: dict[type[Part], Callable[[Item], Iterable[dict[str, Any]]]] = {
    Observation: _measurements,
    Document: texts_of,
}
