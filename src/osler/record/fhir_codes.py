"""The required code bindings of FHIR R4 that Osler relies on, checked here because no decoder checks them.

Source: HL7 FHIR R4 (4.0.1) value sets with binding strength "required". An unknown code becomes null and is reported.
"""

import functools
from typing import Any

from osler.record.case import Code
from osler.record.fhir_types import CodeableConcept, Quantity
from osler.record.omissions import Omissions

CONDITION_STATUS = frozenset("active recurrence relapse inactive remission resolved".split())
CONDITION_VERIFICATION = frozenset("unconfirmed provisional differential confirmed refuted entered-in-error".split())
ALLERGY_STATUS = frozenset("active inactive resolved".split())
ALLERGY_VERIFICATION = frozenset("unconfirmed presumed confirmed refuted entered-in-error".split())
ALLERGY_CATEGORY = frozenset("food medication environment biologic".split())
CRITICALITY = frozenset("low high unable-to-assess".split())
GENDER = frozenset("male female other unknown".split())
_EVENT = "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
STATUS = {
    "Observation": "registered preliminary final amended corrected cancelled entered-in-error unknown",
    "MedicationRequest": "active on-hold cancelled completed entered-in-error stopped draft unknown",
    "MedicationStatement": "active completed entered-in-error intended stopped on-hold unknown not-taken",
    "MedicationAdministration": "in-progress not-done on-hold completed entered-in-error stopped unknown",
    "MedicationDispense": "preparation in-progress cancelled on-hold completed entered-in-error stopped declined "
    "unknown",
    "Medication": "active inactive entered-in-error",
    "Procedure": _EVENT,
    "Immunization": "completed entered-in-error not-done",
    "Encounter": "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    "DiagnosticReport": "registered partial preliminary final amended corrected appended cancelled entered-in-error "
    "unknown",
    "DocumentReference": "current superseded entered-in-error",
    "Composition": "preliminary final amended entered-in-error",
}
ALLOWED = {kind: frozenset(codes.split()) for kind, codes in STATUS.items()}
BUNDLE = frozenset(
    "document message transaction transaction-response batch batch-response history searchset collection".split()
)
UCUM = "http://unitsofmeasure.org"
# Units that records write without UCUM, with the UCUM unit they can only mean.
_UNITS = {
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "bpm": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "breaths/min": "/min",
    "breaths/minute": "/min",
    "°C": "Cel",
    "°F": "[degF]",
    "degF": "[degF]",
    "degC": "Cel",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "in": "[in_i]",
}
# Units written the same way in UCUM.
_SAME = frozenset(
    "% kg g mg ug ng pg L dL mL fL cm mm m mmol/L umol/L mg/dL g/dL g/L ng/mL pg/mL mL/min kg/m2 /min mm[Hg] Cel h d "
    "wk mo a meq/L mmol/mol 10*3/uL 10*6/uL mg/L ug/L mg/dl g/dl U/L".split()
)
# An age in FHIR is a Quantity with a UCUM unit of time.
_AGES = {"a": "Y", "mo": "M", "wk": "W", "d": "D", "years": "Y", "months": "M", "weeks": "W", "days": "D"}


def bound(code: str | None, allowed: frozenset[str], path: str, omissions: Omissions) -> Any:
    """The code if the binding allows it, else null and a report."""
    if code is None or code in allowed:
        return code
    omissions.add(path, f"unknown code {code!r}: read as not known")
    return None


def bound_concept(concept: CodeableConcept | None, allowed: frozenset[str], path: str, omissions: Omissions) -> Any:
    """The first code of the concept that the binding allows; null and a report if it has none of them."""
    if concept is None:
        return None
    for coding in concept.coding:
        if coding.code in allowed:
            return coding.code
    written = next((coding.code for coding in concept.coding if coding.code), concept.text)
    omissions.add(path, f"unknown code {written!r}: read as not known")
    return None


def codes_of(concept: CodeableConcept | None) -> list[Code]:
    """The codings that say anything."""
    if concept is None:
        return []
    return [
        _code(coding.system, coding.code, coding.display) for coding in concept.coding if coding.code or coding.display
    ]


@functools.lru_cache(maxsize=4096)
def _code(system: str | None, code: str | None, display: str | None) -> Code:
    # A record says the same few codes again and again; a Code is frozen and can be shared.
    return Code(system=system, code=code, display=display)


def label_of(concept: CodeableConcept | None) -> str | None:
    """What the record calls it: its text, else its first display, else its first code."""
    if concept is None:
        return None
    if concept.text and concept.text.strip():
        return " ".join(concept.text.split())
    for coding in concept.coding:
        if coding.display and coding.display.strip():
            return " ".join(coding.display.split())
    return next((coding.code for coding in concept.coding if coding.code), None)


def unit_of(quantity: Quantity, path: str, omissions: Omissions) -> str | None:
    """The UCUM unit; a unit in another notation is kept as written and reported."""
    if quantity.system == UCUM and quantity.code:
        return quantity.code
    written = quantity.unit or quantity.code
    if written is None or written in _SAME:
        return written
    if written in _UNITS:
        return _UNITS[written]
    omissions.group(path, f"unit {written!r} is not declared as UCUM: kept as written")
    return written


def quantity_text(quantity: Quantity | None) -> str:
    """A quantity as one writes it: "<5 mg/L"."""
    if quantity is None:
        return ""
    number = "" if quantity.value is None else f"{quantity.value:.15g}"
    return f"{quantity.comparator or ''}{number} {quantity.unit or quantity.code or ''}".strip()


def age_of(quantity: Quantity | None) -> str | None:
    """An Age as ISO 8601 duration; null where it is not a whole number of a known unit."""
    if quantity is None or quantity.value is None or quantity.comparator:
        return None
    letter = _AGES.get(quantity.code or quantity.unit or "")
    whole = quantity.value >= 0 and quantity.value == int(quantity.value) if abs(quantity.value) < 1e6 else False
    return f"P{int(quantity.value)}{letter}" if letter and whole else None
