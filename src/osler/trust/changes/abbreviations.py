"""Terms as clinicians abbreviate them, by the concept room's list."""

import functools
from random import Random

from osler.knowledge.concepts.recogniser import lay_names
from osler.trust.rewriting import terms
from osler.trust.variants import text_change


@text_change("abbreviations", "terms as clinicians abbreviate them (English)")
def abbreviations(text: str, luck: Random) -> str:
    known = _known()
    return terms(text, luck, lambda mention: known.get(mention.code, []) if mention.text.islower() else [])


@functools.cache
def _known() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lay in lay_names():
        if lay.name.isascii() and len(lay.name) <= 5 and (lay.name.isupper() or lay.name in ("sob", "n/v", "cp")):
            found.setdefault(lay.code, []).append(lay.name.upper())
    return found
