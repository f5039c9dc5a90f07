"""From a FHIR R4 resource to the parts of a Case: one small function a resource type.

It knows nothing of bundles and patients; a Place tells it where the resource stands and finds what it refers to.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from osler.record import fhir_codes as codes
from osler.record import fhir_types as r4
from osler.record.case import (
    Allergy,
    Code,
    Condition,
    Encounter,
    Medication,
    Observation,
    Part,
    Procedure,
)
from osler.record.fhir_codes import bound, bound_concept, codes_of, label_of
from osler.record.omissions import Omissions
from osler.record.times import moment

Find = Callable[[str], "Found | None"]


class Found(NamedTuple):
    """A resource of the input with its type and path."""

    path: str
    kind: str
    value: Any


class Place(NamedTuple):
    """Where a resource stands: its path and type, the finder of its references, and the report to write to."""

    path: str
    kind: str
    find: Find
    omissions: Omissions

    def time(self, written: str | None, field: str) -> str | None:
        """A time as written if it is one, else null and a report."""
        if written is None:
            return None
        found = moment(written)
        if found is None:
            self.omissions.add(f"{self.path}.{field}", f"{written!r} is no date or time of FHIR")
            return None
        if not found.zoned:
            self.omissions.group(f"{self.path}({self.kind}).{field}", "time without offset: kept as written")
        return written

    def status(self, written: str | None) -> str | None:
        allowed = codes.ALLOWED[self.kind]
        return written if written in allowed else bound(written, allowed, f"{self.path}.status", self.omissions)

    def label(self, concept: r4.CodeableConcept | None, field: str = "code") -> str | None:
        label = label_of(concept)
        if label is None:
            self.omissions.add(f"{self.path}.{field}", "has no text and no code: the resource can't be named")
        return label


def condition(resource: r4.Condition, place: Place) -> Iterator[Part]:
    if (label := place.label(resource.code)) is None:
        return
    onset, abatement = resource.onset_period or r4.Period(), resource.abatement_period or r4.Period()
    yield Condition(
        source=place.path,
        label=label,
        codes=codes_of(resource.code),
        status=bound_concept(
            resource.clinical_status, codes.CONDITION_STATUS, f"{place.path}.clinicalStatus", place.omissions
        ),
        verification=bound_concept(
            resource.verification_status,
            codes.CONDITION_VERIFICATION,
            f"{place.path}.verificationStatus",
            place.omissions,
        ),
        category=label_of(resource.category[0]) if resource.category else None,
        onset=place.time(resource.onset_date_time, "onsetDateTime")
        or place.time(onset.start, "onsetPeriod.start")
        or codes.age_of(resource.onset_age),
        abatement=place.time(resource.abatement_date_time, "abatementDateTime")
        or place.time(abatement.end or abatement.start, "abatementPeriod")
        or codes.age_of(resource.abatement_age),
        recorded=place.time(resource.recorded_date, "recordedDate"),
    )


def medication(resource: r4.MedicationUse, place: Place) -> Iterator[Part]:
    concept = resource.medication_codeable_concept
    reference = resource.medication_reference
    if concept is None and reference is not None:
        concept = _referred_drug(reference, place)
    if (label := place.label(concept, "medication[x]")) is None:
        return
    status = place.status(resource.status)
    if resource.do_not_perform:
        status = "do-not-perform"  # an order not to give the drug: it must never count as taken
    period = resource.effective_period or r4.Period()
    dosages = resource.dosage_instruction or (
        resource.dosage if isinstance(resource.dosage, list) else [resource.dosage] if resource.dosage else []
    )
    yield Medication(
        source=place.path,
        label=label,
        codes=codes_of(concept),
        status=status,
        dose="; ".join(filter(None, map(_dose, dosages))) or None,
        route=next((route for dosage in dosages if (route := label_of(dosage.route))), None),
        reason=_reason(resource.reason_code, resource.reason_reference, place),
        started=place.time(resource.authored_on, "authoredOn")
        or place.time(resource.effective_date_time, "effectiveDateTime")
        or place.time(period.start, "effectivePeriod.start")
        or place.time(resource.when_handed_over, "whenHandedOver")
        or place.time(resource.date_asserted, "dateAsserted"),
        ended=place.time(period.end, "effectivePeriod.end"),
    )


def _referred_drug(reference: r4.Reference, place: Place) -> r4.CodeableConcept | None:
    found = place.find(reference.reference) if reference.reference else None
    if found is None or not isinstance(found.value, r4.Medication):
        if reference.display is None:
            place.omissions.add(
                f"{place.path}.medicationReference", f"{reference.reference!r} is not a Medication of the input"
            )
            return None
        return r4.CodeableConcept(text=reference.display)
    if label_of(found.value.code) is not None:
        return found.value.code
    # One level only: an ingredient that refers on is named by its display, so circles can't matter.
    names = [
        label_of(part.item_codeable_concept) or (part.item_reference.display if part.item_reference else None)
        for part in found.value.ingredient
    ]
    named = [name for name in names if name]
    return r4.CodeableConcept(text=" / ".join(named) or reference.display)


def _dose(dosage: r4.Dosage) -> str:
    if dosage.text:
        return " ".join(dosage.text.split())
    words = [codes.quantity_text(dose.dose_quantity) or _range(dose.dose_range) for dose in dosage.dose_and_rate]
    words.append(codes.quantity_text(dosage.dose))
    repeat = dosage.timing.repeat if dosage.timing else None
    if repeat and repeat.frequency and repeat.period and repeat.period_unit:
        words.append(f"{repeat.frequency} x per {repeat.period:g} {repeat.period_unit}")
    elif dosage.timing:
        words.append(label_of(dosage.timing.code) or "")
    if dosage.as_needed_codeable_concept:
        words.append(f"as needed for {label_of(dosage.as_needed_codeable_concept)}")
    elif dosage.as_needed_boolean:
        words.append("as needed")
    return ", ".join(filter(None, words))


def _range(value: r4.Range | None) -> str:
    if value is None or (value.low is None and value.high is None):
        return ""
    if value.low is None or value.high is None:
        return f"{'<=' if value.low is None else '>='}{codes.quantity_text(value.low or value.high)}"
    low = r4.Quantity(value=value.low.value) if value.low.unit == value.high.unit else value.low
    return f"{codes.quantity_text(low)}–{codes.quantity_text(value.high)}"


def _reason(concepts: list[r4.CodeableConcept], references: list[r4.Reference], place: Place) -> str | None:
    named = [label for concept in concepts if (label := label_of(concept))]
    for reference in references:
        found = place.find(reference.reference) if reference.reference and not reference.display else None
        name = reference.display or (label_of(getattr(found.value, "code", None)) if found else None)
        if name:
            named.append(name)
    return "; ".join(dict.fromkeys(named)) or None


def allergy(resource: r4.AllergyIntolerance, place: Place) -> Iterator[Part]:
    substance = resource.code or next((one.substance for one in resource.reaction if one.substance), None)
    if (label := place.label(substance)) is None:
        return
    kinds = [
        kind
        for index, written in enumerate(resource.category)
        if (kind := bound(written, codes.ALLERGY_CATEGORY, f"{place.path}.category[{index}]", place.omissions))
    ]
    reactions = [name for one in resource.reaction for sign in one.manifestation if (name := label_of(sign))]
    reactions += [one.description for one in resource.reaction if one.description and not one.manifestation]
    yield Allergy(
        source=place.path,
        label=label,
        codes=codes_of(substance),
        status=bound_concept(
            resource.clinical_status, codes.ALLERGY_STATUS, f"{place.path}.clinicalStatus", place.omissions
        ),
        verification=bound_concept(
            resource.verification_status,
            codes.ALLERGY_VERIFICATION,
            f"{place.path}.verificationStatus",
            place.omissions,
        ),
        criticality=bound(resource.criticality, codes.CRITICALITY, f"{place.path}.criticality", place.omissions),
        kind=", ".join(kinds) or None,
        reactions=reactions,
        recorded=place.time(resource.recorded_date, "recordedDate"),
    )


def observation(resource: r4.Observation, place: Place) -> Iterator[Part]:
    period = resource.effective_period or r4.Period()
    time = (
        place.time(resource.effective_date_time, "effectiveDateTime")
        or place.time(resource.effective_instant, "effectiveInstant")
        or place.time(period.start, "effectivePeriod.start")
        or place.time(resource.issued, "issued")
    )
    status = place.status(resource.status)
    category = resource.category[0].coding[0].code if resource.category and resource.category[0].coding else None
    category = category or (label_of(resource.category[0]) if resource.category else None)
    whole = _measured(resource, place.path, place)
    if not resource.component:
        if whole is not None:
            yield Observation(status=status, category=category, time=time, **whole)
        return
    parts = [_measured(part, f"{place.path}.component[{i}]", place) for i, part in enumerate(resource.component)]
    # A panel says nothing beside its components; without any it is kept, for its name alone may matter.
    if whole is not None and (not any(parts) or "value" in whole or "text" in whole):
        parts.insert(0, whole)
    for part in parts:
        if part is not None:
            yield Observation(status=status, category=category, time=time, **part)


def _measured(resource: r4.Measured, path: str, place: Place) -> dict[str, Any] | None:
    label = label_of(resource.code)
    if label is None:
        place.omissions.add(f"{path}.code", "has no text and no code: the measurement can't be named")
        return None
    # Empty lists are given, for a noun copies each default that it has to fill in.
    part: dict[str, Any] = {"source": path, "label": label, "codes": codes_of(resource.code), "duplicates": []}
    part["value_codes"] = codes_of(resource.value_codeable_concept)
    quantity = resource.value_quantity
    if quantity is not None and quantity.value is not None and not quantity.comparator:
        part["value"] = quantity.value
        part["unit"] = codes.unit_of(quantity, f"{place.path}({place.kind}).valueQuantity", place.omissions)
    elif (text := _value_text(resource)) is not None:
        part["text"] = text
    elif resource.value_integer is not None:
        part["value"] = float(resource.value_integer)
    elif resource.data_absent_reason is not None:
        place.omissions.add(path, f"has no value: {label_of(resource.data_absent_reason)}")
    if resource.interpretation:
        first = resource.interpretation[0]
        part["interpretation"] = next((code.code for code in first.coding if code.code), None) or first.text
        if len(resource.interpretation) > 1:
            place.omissions.add(f"{path}.interpretation", "has several interpretations: only the first is kept")
    if resource.reference_range:
        part.update(_limits(resource.reference_range, part.get("unit"), path, place))
    return part


def _value_text(resource: r4.Measured) -> str | None:
    if resource.value_codeable_concept is not None:
        return label_of(resource.value_codeable_concept)
    if resource.value_string is not None:
        return resource.value_string.strip() or None
    if resource.value_boolean is not None:
        return "true" if resource.value_boolean else "false"
    if resource.value_quantity is not None:
        return codes.quantity_text(resource.value_quantity) or None
    if resource.value_range is not None:
        return _range(resource.value_range) or None
    if resource.value_ratio is not None:
        top, bottom = resource.value_ratio.numerator, resource.value_ratio.denominator
        return f"{codes.quantity_text(top)}:{codes.quantity_text(bottom)}" if top and bottom else None
    if resource.value_period is not None:
        return f"{resource.value_period.start or ''}/{resource.value_period.end or ''}"
    return resource.value_date_time or resource.value_time


def _limits(ranges: list[r4.ReferenceRange], unit: str | None, path: str, place: Place) -> dict[str, float]:
    normal = [
        (index, one)
        for index, one in enumerate(ranges)
        if one.type is None or not one.type.coding or any(code.code == "normal" for code in one.type.coding)
    ]
    if len(normal) != 1:
        place.omissions.add(f"{path}.referenceRange", "holds several ranges or none that is normal: not used")
        return {}
    index, chosen = normal[0]
    found: dict[str, float] = {}
    for name, limit in (("low", chosen.low), ("high", chosen.high)):
        if limit is None or limit.value is None:
            continue
        where = f"{path}.referenceRange[{index}].{name}"
        limit_unit = codes.unit_of(limit, f"{place.path}({place.kind}).referenceRange", place.omissions)
        if limit_unit is not None and limit_unit != unit:
            place.omissions.add(where, f"is in {limit_unit}, the value in {unit}: not used")
        else:
            found[name] = limit.value
    if not found and chosen.text:
        place.omissions.add(f"{path}.referenceRange[{index}].text", "a range in words is not read")
    return found


def procedure(resource: r4.Procedure, place: Place) -> Iterator[Part]:
    if (label := place.label(resource.code)) is None:
        return
    period = resource.performed_period or r4.Period()
    started = place.time(resource.performed_date_time, "performedDateTime")
    yield Procedure(
        source=place.path,
        label=label,
        codes=codes_of(resource.code),
        status=place.status(resource.status),
        started=started or place.time(period.start, "performedPeriod.start"),
        ended=place.time(period.end, "performedPeriod.end"),
    )


def immunisation(resource: r4.Immunization, place: Place) -> Iterator[Part]:
    if (label := place.label(resource.vaccine_code, "vaccineCode")) is None:
        return
    yield Procedure(
        source=place.path,
        label=label,
        codes=codes_of(resource.vaccine_code),
        kind="immunisation",
        status=place.status(resource.status),
        started=place.time(resource.occurrence_date_time, "occurrenceDateTime"),
    )


def encounter(resource: r4.Encounter, place: Place) -> Iterator[Part]:
    period = resource.period or r4.Period()
    yield Encounter(
        source=place.path,
        id=resource.id,
        label=next((label for kind in resource.type if (label := label_of(kind))), None),
        kind=(resource.class_.code or resource.class_.display) if resource.class_ else None,
        status=place.status(resource.status),
        started=place.time(period.start, "period.start"),
        ended=place.time(period.end, "period.end"),
        reason=_reason(resource.reason_code, resource.reason_reference, place),
    )


PREGNANCY_STATUS = "82810-3"  # LOINC; its answers are SNOMED CT or LOINC codes
_PREGNANT = {"77386006": True, "LA15173-0": True, "60001007": False, "LA26683-5": False}


def pregnancy(answers: list[Code]) -> bool | None:
    """What the answer to a pregnancy-status observation says; null if it says neither."""
    return next((_PREGNANT[code.code] for code in answers if code.code in _PREGNANT), None)


BUILDERS: dict[str, Callable[[Any, Place], Iterator[Part]]] = {
    "Condition": condition,
    "MedicationRequest": medication,
    "MedicationStatement": medication,
    "MedicationAdministration": medication,
    "MedicationDispense": medication,
    "AllergyIntolerance": allergy,
    "Observation": observation,
    "Procedure": procedure,
    "Immunization": immunisation,
    "Encounter": encounter,
}
