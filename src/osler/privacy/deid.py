"""De-identification of text by a policy: identifiers out, placeholders or surrogates in, and back again.

`benchmarks/deid.md` has recall and precision by kind. It knows no dictionary but what is handed in, and keeps no file.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from osler.privacy.detect import THRESHOLD, find_identifiers
from osler.privacy.policy import Policy
from osler.privacy.spans import Span, SpanType
from osler.privacy.surrogates import Surrogates

__all__ = ["THRESHOLD", "Deidentifier", "Masked", "find_identifiers", "mask", "restore"]


class Masked(NamedTuple):
    """`text` with surrogates; `spans` point into the original and carry their surrogate, if they were replaced."""

    text: str
    spans: list[Span]


class Deidentifier:
    """Replaces identifiers of the texts of one exchange or patient consistently; `mapping`: surrogate to original.

    Without a policy every kind gets a placeholder, which can always be put back. `key` and `subject` decide on
    surrogates and shifted dates. `known(word)`: words that are never names by themselves.
    """

    def __init__(
        self,
        known: Callable[[str], bool] | None = None,
        policy: Policy | None = None,
        key: bytes = b"",
        subject: str = "",
    ) -> None:
        self._key, self._known, self.policy = key, known, policy or Policy(name="placeholders")
        self._surrogates = Surrogates(key, subject)
        self._allowed = {_plain(text) for text in self.policy.allow}
        denied = "|".join(sorted(map(re.escape, self.policy.deny), key=len, reverse=True))
        self._denied = re.compile(rf"(?<!\w)(?:{denied})(?!\w)", re.IGNORECASE) if denied else None
        self.mapping: dict[str, str] = {}
        self._given: dict[tuple[str, str], str | None] = {}
        self._numbers: dict[str, int] = {}

    def mask(self, text: str) -> Masked:
        spans: list[Span] = []
        pieces: list[str] = []
        at = 0
        for span in self._found(text):
            original = text[span.start : span.end]
            new = self.replace(span.type, original, text)
            pieces += [text[at : span.start], original if new is None else new]
            spans.append(span.model_copy(update={"surrogate": new}))
            at = span.end
        return Masked("".join([*pieces, text[at:]]), spans)

    def replace(self, kind: SpanType, original: str, text: str = "") -> str | None:
        """What the policy puts in the place of an identifier; None where it stays. `text`: what it stands in."""
        key = (kind, _plain(original))
        if key in self._given:
            return self._given[key]
        action = self.policy.action(kind)
        new: str | None = None
        if action in ("surrogate", "shift") and kind == "DATE":
            new = self._surrogates.shifted(original, month_first=not _DAY_FIRST.search(text))
        elif action == "surrogate":
            new = self._surrogates(kind, original)
        elif action == "generalise":
            new = self._surrogates.generalised(kind, original)
        if new is None and action != "keep":
            new = self._placeholder(kind, text)
        self._given[key] = new
        if new is not None and action != "generalise":
            self.mapping[new] = original
        return new

    def hashed(self, identifier: str) -> str:
        """A technical identifier (of a resource or an object) as 32 characters that only the key can make again."""
        new = hmac.new(self._key, identifier.encode(), hashlib.sha256).hexdigest()[:32]
        self.mapping[new] = identifier
        return new

    def restore(self, text: str) -> str:
        """Put the originals back; what was never handed out stays as it is."""
        return restore(text, self.mapping)

    def _found(self, text: str) -> list[Span]:
        spans = find_identifiers(text, self._known, self.policy.rule, self.policy.threshold, self.policy.reader)
        spans = [span for span in spans if _plain(text[span.start : span.end]) not in self._allowed]
        for match in self._denied.finditer(text) if self._denied else ():
            if all(span.end <= match.start() or match.end() <= span.start for span in spans):
                spans.append(Span(start=match.start(), end=match.end(), type="OTHER", score=1.0))
        return sorted(spans, key=lambda span: span.start)

    def _placeholder(self, kind: str, text: str) -> str:
        while True:  # a text may hold what looks like a placeholder already
            self._numbers[kind] = self._numbers.get(kind, 0) + 1
            new = f"[{kind}_{self._numbers[kind]}]"
            if new not in text:
                return new


# A first number above 12 shows that the dates of a text put the day first.
_DAY_FIRST = re.compile(r"(?<![\d/.-])(?:1[3-9]|2\d|3[01])[-/.](?:0?[1-9]|1[0-2])(?![\d])")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def mask(texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Mask several texts of one exchange; the texts and the mapping from placeholder to original."""
    deidentifier = Deidentifier()
    together = deidentifier.mask("\n\x1e\n".join(texts)).text.split("\n\x1e\n")
    if len(together) != len(texts):
        together = [deidentifier.mask(text).text for text in texts]
    return together, deidentifier.mapping


def restore(text: str, mapping: Mapping[str, str]) -> str:
    """Each surrogate of the mapping back to its original, the longest first, in one pass."""
    if not mapping:
        return text
    longest = sorted(mapping, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), lambda match: mapping[match.group()], text)
