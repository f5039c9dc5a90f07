"""The span of an identifier. It does not know how one is found."""

from typing import Literal

from osler.nouns import Noun

SpanType = Literal[
    "NAME", "DATE", "AGE", "PHONE", "FAX", "EMAIL", "SSN", "MRN", "ID", "ADDRESS", "ZIP", "HOSPITAL", "URL", "IP",
    "VEHICLE", "DEVICE", "BIOMETRIC", "ACCOUNT", "LICENSE", "OTHER",
]  # fmt: skip


class Span(Noun):
    """An identifier at code points `start` to `end`. `score`: how sure the recogniser is, 0 to 1."""

    start: int
    end: int
    type: SpanType
    score: float
    surrogate: str | None = None
