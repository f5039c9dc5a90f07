"""The subset of FHIR R4 that Osler reads, as msgspec types; every element optional, for records are rarely whole.

Source: HL7 FHIR R4 (4.0.1), resource definitions. It knows shapes only, neither codes nor meaning.
"""

import types
from collections.abc import Callable
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

from osler.record.omissions import Omissions


class Element(Struct, rename="camel", gc=False):
    """Base of all types: unknown elements are skipped while decoding."""


class Coding(Element):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Element):
    coding: list[Coding] = []
    text: str | None = None


class Identifier(Element):
    system: str | None = None
    value: str | None = None


class Reference(Element):
    reference: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class Quantity(Element):
    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Period(Element):
    start: str | None = None
    end: str | None = None


class Range(Element):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Element):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Annotation(Element):
    text: str | None = None
    time: str | None = None


class Narrative(Element):
    status: str | None = None
    div: str | None = None


class Attachment(Element):
    content_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None
    creation: str | None = None


class Meta(Element):
    version_id: str | None = None
    last_updated: str | None = None


class Resource(Element):
    """What the resources share."""

    id: str | None = None
    meta: Meta | None = None
    text: Narrative | None = None
    contained: list[dict[str, Any]] = []
    identifier: list[Identifier] | Identifier | None = None
    subject: Reference | None = None
    note: list[Annotation] = []
    code: CodeableConcept | None = None


class HumanName(Element):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: list[str] = []


class Patient(Resource):
    name: list[HumanName] = []
    gender: str | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None


class Condition(Resource):
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: list[CodeableConcept] = []
    onset_date_time: str | None = None
    onset_period: Period | None = None
    onset_age: Quantity | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_age: Quantity | None = None
    recorded_date: str | None = None


class Repeat(Element):
    frequency: int | None = None
    period: float | None = None
    period_unit: str | None = None


class Timing(Element):
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Element):
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None


class Dosage(Element):
    text: str | None = None
    timing: Timing | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: CodeableConcept | None = None
    route: CodeableConcept | None = None
    dose_and_rate: list[DoseAndRate] = []
    dose: Quantity | None = None  # MedicationAdministration


class Ingredient(Element):
    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None


class Medication(Resource):
    ingredient: list[Ingredient] = []
    status: str | None = None


class MedicationUse(Resource):
    """MedicationRequest, MedicationStatement, MedicationAdministration and MedicationDispense in one type: their
    elements do not clash."""

    status: str | None = None
    do_not_perform: bool | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    authored_on: str | None = None
    date_asserted: str | None = None
    when_handed_over: str | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    reason_code: list[CodeableConcept] = []
    reason_reference: list[Reference] = []
    dosage_instruction: list[Dosage] = []
    dosage: list[Dosage] | Dosage | None = None


class Reaction(Element):
    substance: CodeableConcept | None = None
    manifestation: list[CodeableConcept] = []
    description: str | None = None


class AllergyIntolerance(Resource):
    patient: Reference | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    category: list[str] = []
    criticality: str | None = None
    recorded_date: str | None = None
    reaction: list[Reaction] = []


class ReferenceRange(Element):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    text: str | None = None


class Measured(Resource):
    """The elements that an Observation and its components share."""

    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Period | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] = []
    reference_range: list[ReferenceRange] = []


class Observation(Measured):
    status: str | None = None
    category: list[CodeableConcept] = []
    focus: list[Reference] = []
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    component: list[Measured] = []


class Procedure(Resource):
    status: str | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class Immunization(Resource):
    patient: Reference | None = None
    status: str | None = None
    vaccine_code: CodeableConcept | None = None
    occurrence_date_time: str | None = None


class Encounter(Resource):
    status: str | None = None
    class_: Coding | None = msgspec.field(default=None, name="class")
    type: list[CodeableConcept] = []
    period: Period | None = None
    reason_code: list[CodeableConcept] = []
    reason_reference: list[Reference] = []


class DiagnosticReport(Resource):
    status: str | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion: str | None = None
    conclusion_code: list[CodeableConcept] = []
    presented_form: list[Attachment] = []
    result: list[Reference] = []


class Content(Element):
    attachment: Attachment | None = None


class DocumentReference(Resource):
    status: str | None = None
    doc_status: str | None = None
    type: CodeableConcept | None = None
    description: str | None = None
    date: str | None = None
    content: list[Content] = []


class Section(Element):
    title: str | None = None
    code: CodeableConcept | None = None
    text: Narrative | None = None
    section: list["Section"] = []


class Composition(Resource):
    status: str | None = None
    type: CodeableConcept | None = None
    title: str | None = None
    date: str | None = None
    section: list[Section] = []


class Binary(Element):
    id: str | None = None
    content_type: str | None = None
    data: str | None = None


class Entry(Element):
    full_url: str | None = None
    resource: dict[str, Raw] | None = None  # each element by itself, to be decoded by its type
    request: dict[str, Any] | None = None


class Bundle(Element):
    resource_type: str
    type: str | None = None
    entry: list[Entry] = []


TYPES: dict[str, type[Element]] = {
    "Patient": Patient,
    "Condition": Condition,
    "Medication": Medication,
    "MedicationRequest": MedicationUse,
    "MedicationStatement": MedicationUse,
    "MedicationAdministration": MedicationUse,
    "MedicationDispense": MedicationUse,
    "AllergyIntolerance": AllergyIntolerance,
    "Observation": Observation,
    "Procedure": Procedure,
    "Immunization": Immunization,
    "Encounter": Encounter,
    "DiagnosticReport": DiagnosticReport,
    "DocumentReference": DocumentReference,
    "Composition": Composition,
    "Binary": Binary,
}
Decode = Callable[[Raw], Any]
# Of each type its elements: {name in JSON: (name here, decoder)}.
FIELDS: dict[type[Element], dict[str, tuple[str, Decode]]] = {
    kind: {
        field.encode_name: (field.name, msgspec.json.Decoder(field.type).decode)
        for field in msgspec.structs.fields(kind)
    }
    for kind in TYPES.values()
}


def fit(value: Any, kind: Any, path: str, omissions: Omissions) -> Any:
    """`value` (decoded JSON) as `kind`, less the elements that do not fit, each of which is reported by path.

    Null where nothing of it fits.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason = str(error).split(" - at ")[0]
    if get_origin(kind) in (types.UnionType, Union):
        options = [option for option in get_args(kind) if option is not type(None)]
        wanted = list if isinstance(value, list) else dict
        kind = next((option for option in options if (get_origin(option) is list) == (wanted is list)), options[0])
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Element):
        known = {}
        for field in msgspec.structs.fields(kind):
            if value.get(field.encode_name) is not None:
                part = fit(value[field.encode_name], field.type, f"{path}.{field.encode_name}", omissions)
                if part is not None:
                    known[field.name] = part
        return kind(**known)
    if isinstance(value, list) and get_origin(kind) is list:
        (item,) = get_args(kind)
        parts = [fit(one, item, f"{path}[{index}]", omissions) for index, one in enumerate(value)]
        return [part for part in parts if part is not None]
    omissions.add(path, f"wrong type: {reason[0].lower()}{reason[1:]}")
    return None
