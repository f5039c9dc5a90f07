"""What CDS Hooks 2.0 clients send, as HL7 publishes it: calls with the context of each hook, and feedback on cards.

What else a client adds (`extension` and the like) is let be. It decides nothing.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, TypeAdapter
from pydantic.alias_generators import to_camel

_TIME = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"  # RFC 3339, section 5.6


def _resource(value: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value.get("resourceType"), str):
        raise ValueError("is no FHIR resource: it has no resourceType")
    return value


def _time(written: str) -> str:
    TypeAdapter(AwareDatetime).validate_python(written)
    return written


Resource = Annotated[dict[str, Any], AfterValidator(_resource)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=5000)]
FhirId = Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Time = Annotated[str, Field(pattern=_TIME), AfterValidator(_time)]


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Entry(Shape):
    resource: Resource
    full_url: str | None = None


class Orders(Shape):
    """A Bundle of draft orders."""

    resource_type: Literal["Bundle"]
    entry: list[Entry] = []


class Context(Shape):
    user_id: Word
    patient_id: FhirId
    encounter_id: FhirId | None = None


class DischargeContext(Context):
    encounter_id: FhirId


class SignContext(Context):
    draft_orders: Orders


class SelectContext(SignContext):
    selections: list[Word]


CONTEXTS: dict[str, type[Context]] = {
    "patient-view": Context,
    "order-select": SelectContext,
    "order-sign": SignContext,
    "encounter-discharge": DischargeContext,
}


class Authorization(BaseModel):
    """A client's token for its own FHIR server; its names are OAuth's."""

    access_token: str = Field(pattern=r"^[\x21-\x7e]+$", repr=False)
    token_type: str = Field(pattern="^(?i:bearer)$")
    expires_in: StrictInt
    scope: str
    subject: str


class Call(Shape):
    """A call of a service. `prefetch`: a resource by key, null where the client has none."""

    hook: Word
    hook_instance: UUID
    fhir_server: Text | None = None
    fhir_authorization: Authorization | None = None
    context: dict[str, Any]
    prefetch: dict[str, Resource | None] | None = None


class Coding(Shape):
    code: Word
    system: Word
    display: Text | None = None


class AcceptedSuggestion(Shape):
    id: Word


class OverrideReason(Shape):
    reason: Coding | None = None
    user_comment: Text | None = None


class Overridden(Shape):
    """What a user did with a card."""

    card: Word
    outcome: Literal["overridden"]
    override_reason: OverrideReason | None = None
    outcome_timestamp: Time


class Accepted(Shape):
    card: Word
    outcome: Literal["accepted"]
    accepted_suggestions: list[AcceptedSuggestion] = Field(min_length=1)
    outcome_timestamp: Time


class Feedback(Shape):
    feedback: list[Annotated[Accepted | Overridden, Field(discriminator="outcome")]] = Field(
        min_length=1, max_length=1000
    )
