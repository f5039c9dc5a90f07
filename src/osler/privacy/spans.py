"""The span of an identifier and how overlapping ones are settled. It does not know how they are found."""

from collections.abc import Iterable
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


def settle(spans: Iterable[Span]) -> list[Span]:
    """Spans in order without overlaps: the surer wins, then the longer."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda item: (-item.score, item.start - item.end, item.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda item: item.start)
