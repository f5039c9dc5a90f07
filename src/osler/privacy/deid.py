"""De-identification of text: find identifiers, put consistent placeholders in their place, put them back.

A first detector of rules alone: `benchmarks/deid.md` has its recall and precision by kind. What it misses leaves a
machine only if the user allowed an endpoint. It knows no dictionary but what is handed in.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from osler.privacy.names import names
from osler.privacy.patterns import structured
from osler.privacy.spans import Span, settle

_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")


class Masked(NamedTuple):
    """`text` with placeholders; `spans` point into the original and carry their placeholder as surrogate."""

    text: str
    spans: list[Span]


def find_identifiers(text: str, known: Callable[[str], bool] | None = None) -> list[Span]:
    """The identifiers of a text in order, without overlaps. `known(word)`: words that are never names."""
    return settle([*structured(text), *names(text, known)])


class Deidentifier:
    """Masks texts of one exchange consistently: equal identifiers get equal placeholders, kept in `mapping`."""

    def __init__(self, known: Callable[[str], bool] | None = None) -> None:
        self._known = known
        self.mapping: dict[str, str] = {}
        self._placeholders: dict[tuple[str, str], str] = {}

    def mask(self, text: str) -> Masked:
        spans: list[Span] = []
        pieces: list[str] = []
        at = 0
        for span in find_identifiers(text, self._known):
            placeholder = self._placeholder(span.type, text[span.start : span.end])
            pieces += [text[at : span.start], placeholder]
            spans.append(span.model_copy(update={"surrogate": placeholder}))
            at = span.end
        return Masked("".join([*pieces, text[at:]]), spans)

    def restore(self, text: str) -> str:
        """Put the originals back; placeholders that were never handed out stay as they are."""
        return restore(text, self.mapping)

    def _placeholder(self, kind: str, original: str) -> str:
        key = (kind, " ".join(original.split()).casefold())
        if key not in self._placeholders:
            number = sum(1 for other, _ in self._placeholders if other == kind) + 1
            self._placeholders[key] = f"[{kind}_{number}]"
            self.mapping[self._placeholders[key]] = original
        return self._placeholders[key]


def mask(texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Mask several texts of one exchange; the texts and the mapping from placeholder to original."""
    deidentifier = Deidentifier()
    return [deidentifier.mask(text).text for text in texts], deidentifier.mapping


def restore(text: str, mapping: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: mapping.get(match.group(), match.group()), text)
