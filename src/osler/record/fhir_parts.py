"""From a FHIR R4 resource to the parts of a Case: one small function a resource type.

It knows nothing of bundles and patients; an Item tells it where the resource stands and finds what it refers to.
"""

from collections.abc import Callable, Iterator
from typing import Any

from osler.record.case import Allergy, Condition, Encounter, Medication, Observation, Part, Procedure
from osler.record.fhir_codes import BINDINGS, Concept, Quantity, concept, concepts, quantity, range_text
from osler.record.fhir_items import Item
from osler.record.node import Node


def condition(item: Item) -> Iterator[Part]:
    if named := item.named(concept(item, "code")):
        yield Condition(
            **named,
            status=item.bound("clinicalStatus"),
            verification=item.bound("verificationStatus"),
            category=concept(item, "category").label,
            onset=item.time("onsetDateTime", "onsetPeriod", "onsetAge"),
            abatement=item.time("abatementDateTime", "abatementPeriod", "abatementAge", end=True)
            or item.time("abatementPeriod"),
            recorded=item.time("recordedDate"),
        )


def medication(item: Item) -> Iterator[Part]:
    drug = concept(item, "medicationCodeableConcept")
    reference = item.node("medicationReference") or item.node("medicationCodeableConcept").node("reference")
    if drug.label is None and reference:
        drug = _referred_drug(reference, item)
    if named := item.named(drug, "medication[x]"):
        dosages = item.nodes("dosageInstruction", "dosage")
        yield Medication(
            **named,
            # An order not to give the drug must never count as taken.
            status="do-not-perform" if item.flag("doNotPerform") else item.status(),
            dose="; ".join(filter(None, map(_dose, dosages))) or None,
            route=next((route for dosage in dosages if (route := concept(dosage, "route").label)), None),
            reason=_reason(item),
            started=item.time("authoredOn", "effectiveDateTime", "effectivePeriod", "whenHandedOver", "dateAsserted"),
            ended=item.time("effectivePeriod", end=True),
        )


def _referred_drug(reference: Node, item: Item) -> Concept:
    found, shown = item.find(reference), reference.text("display")
    if found is None or found.kind != "Medication":
        if shown is None:
            reference.omit("", f"{reference.text('reference')!r} is not a Medication of the input")
        return Concept(shown, [])
    named = concept(found, "code")
    if named.label is not None:
        return named
    # One level only: an ingredient that refers on is named by its display, so circles can't matter.
    names = [
        concept(part, "itemCodeableConcept").label or part.node("itemReference").text("display")
        for part in found.nodes("ingredient")
    ]
    return Concept(" / ".join(filter(None, names)) or shown, [])


def _dose(dosage: Node) -> str:
    if text := dosage.text("text"):
        return " ".join(text.split())
    # Up to STU3 the elements of doseAndRate stood in the dosage; MedicationAdministration has another name.
    words = [
        quantity(dose, "doseQuantity", "dose").text or range_text(dose.node("doseRange"))
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


def _reason(item: Item) -> str | None:
    named = [one.label for one in concepts(item, "reasonCode")]
    for reference in item.nodes("reasonReference"):
        found, shown = item.find(reference), reference.text("display")
        named.append(shown or (concept(found, "code").label if found else None))
    return "; ".join(dict.fromkeys(filter(None, named))) or None


def allergy(item: Item) -> Iterator[Part]:
    reactions = item.nodes("reaction")
    substance = concept(item, "code")
    if substance.label is None:
        substance = next((concept(one, "substance") for one in reactions if one.has("substance")), substance)
    if named := item.named(substance):
        kinds = [one.code for one in concepts(item, "category") if one.code]
        allowed = BINDINGS["AllergyIntolerance.category"]
        for kind in set(kinds) - allowed:
            item.omit("category", f"unknown code {kind!r}: read as not known")
        signs = [
            sign
            for one in reactions
            for sign in ([shown.label for shown in concepts(one, "manifestation")] or [one.text("description")])
        ]
        single = item.text("status")  # DSTU2 has this one where R4 has two
        yield Allergy(
            **named,
            status=item.bound("clinicalStatus", single),
            verification=item.bound("verificationStatus", single),
            criticality=item.bound("criticality"),
            kind=", ".join(kind for kind in kinds if kind in allowed) or None,
            reactions=[sign for sign in signs if sign],
            recorded=item.time("recordedDate"),
        )


def observation(item: Item) -> Iterator[Part]:
    category = concept(item, "category")
    shared = {
        "status": item.status(),
        "category": category.code or category.label,
        "time": item.time("effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued"),
    }
    measured = [_measured(part, item) for part in (item.nodes("component") if "component" in item.content else ())]
    whole = _measured(item, item)
    # A panel says nothing beside its components; without any it is kept, for its name alone may matter.
    if whole is not None and (not any(measured) or "value" in whole or "text" in whole):
        measured.insert(0, whole)
    for part in measured:
        if part is not None:
            yield Observation(**part, **shared)


def _measured(one: Node, item: Item) -> dict[str, Any] | None:
    # `one`: the observation itself or a component of it.
    code = concept(one, "code")
    if code.label is None:
        one.omit("code", "has no text and no code: the measurement can't be named")
        return None
    part: dict[str, Any] = {"source": one.path, "label": code.label, "codes": code.codes, "value_codes": []}
    part["duplicates"] = item.duplicates
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
    text: str | None = None
    match name:
        case "valueQuantity":
            amount = quantity(one, name)
            if amount.value is not None and not amount.comparator:
                return {"value": amount.value, "unit": _unit(amount, name, item)}
            text = amount.text if amount.comparator else None
        case "valueCodeableConcept":
            answer = concept(one, name)
            return {"text": answer.label, "value_codes": answer.codes}
        case "valueInteger":
            return {"value": one.number(name)}
        case "valueBoolean":
            flag = one.flag(name)
            text = None if flag is None else str(flag).lower()
        case "valueRatio":
            sides = [quantity(one.node(name), side).text for side in ("numerator", "denominator")]
            text = ":".join(sides) if all(sides) else None
        case "valueRange":
            text = range_text(one.node(name))
        case "valuePeriod":
            text = "/".join(one.node(name).text(side) or "" for side in ("start", "end"))
        case "valueString" | "valueDateTime" | "valueTime":
            text = (one.text(name) or "").strip()
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


def procedure(item: Item) -> Iterator[Part]:
    if named := item.named(concept(item, "code")):
        yield Procedure(
            **named,
            status=item.status(),
            started=item.time("performedDateTime", "occurrenceDateTime", "performedPeriod", "occurrencePeriod"),
            ended=item.time("performedPeriod", "occurrencePeriod", end=True),
        )


def immunisation(item: Item) -> Iterator[Part]:
    if named := item.named(concept(item, "vaccineCode"), "vaccineCode"):
        started = item.time("occurrenceDateTime", "date")
        yield Procedure(**named, kind="immunisation", status=item.status(), started=started)


def encounter(item: Item) -> Iterator[Part]:
    kind = concept(item, "class")
    yield Encounter(
        source=item.path,
        duplicates=item.duplicates,
        id=item.id,
        label=next((one.label for one in concepts(item, "type") if one.label), None),
        kind=kind.code or kind.label,
        status=item.status(),
        started=item.time("period"),
        ended=item.time("period", end=True),
        reason=_reason(item),
    )


BUILDERS: dict[str, Callable[[Item], Iterator[Part]]] = {
    "Condition": condition,
    **{f"Medication{which}": medication for which in ("Request", "Statement", "Administration", "Dispense")},
    "AllergyIntolerance": allergy,
    "Observation": observation,
    "Procedure": procedure,
    "Immunization": immunisation,
    "Encounter": encounter,
}
