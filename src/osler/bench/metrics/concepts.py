"""Concept F1: the findings, diseases and drugs that two texts share, each with its status and whose it is.

Both are read by Osler's own recogniser: what it doesn't know, it misses in both. Copying the source scores high where
the reference keeps most of it, so the copy's score belongs beside it.
"""

from osler.knowledge.concepts.recogniser import Recogniser, findings_of
from osler.record import read_text

Concepts = frozenset[tuple[str, str, str]]


def concepts_of(text: str, recogniser: Recogniser) -> Concepts:
    """(code, status, experiencer) of what a note or dialogue tells; what is only feared or planned is left out."""
    found = findings_of(read_text(text), recogniser) if text.strip() else []
    return frozenset((one.code, one.status, one.experiencer) for one in found if one.time != "hypothetical")


def concept_f1(candidate: Concepts, reference: Concepts) -> float | None:
    """None where neither text has a concept."""
    both = len(candidate) + len(reference)
    return 2 * len(candidate & reference) / both if both else None
