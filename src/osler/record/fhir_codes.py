"""The codes and quantities of FHIR R4 that Osler relies on: required bindings, labels, units, ages.

Source: HL7 FHIR R4 (4.0.1) value sets with binding strength "required". No decoder checks these.
"""

import functools
from typing import NamedTuple

import msgspec

from osler.record.case import Code
from osler.record.node import NOTHING, UNDECODABLE, Node
from osler.record.tables import table

BINDINGS = {element: frozenset(codes.split()) for element, codes in table("fhir")["bindings"].items()}
UCUM = "http://unitsofmeasure.org"
_UNITS = table("fhir")["units"]
_SAME = frozenset(_UNITS["same"].split())


class _Coding(msgspec.Struct, gc=False):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class _CodeableConcept(_Coding):  # a Coding can stand where a CodeableConcept is wanted; R5 wraps it once more
    text: str | None = None
    coding: list[_Coding] = []
    concept: "_CodeableConcept | None" = None


class Quantity(msgspec.Struct, gc=False):
    """A Quantity. `text`: as one writes it, "<5 mg/L"."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None

    @property
    def text(self) -> str:
        number = "" if self.value is None else f"{self.value:.15g}"
        return f"{self.comparator or ''}{number} {self.unit or self.code or ''}".strip()

    @property
    def ucum(self) -> tuple[str | None, bool]:
        """The UCUM unit; a unit in a notation that is not known to be UCUM is given as written, with False."""
        if self.system == UCUM and self.code:
            return self.code, True
        written = self.unit or self.code
        if written is None or written in _SAME:
            return written, True
        return _UNITS["ucum"].get(written, written), written in _UNITS["ucum"]

    @property
    def age(self) -> str | None:
        """An Age as ISO 8601 duration; null where it is not a whole number of a known unit."""
        letter, value = _UNITS["ages"].get(self.code or self.unit or ""), self.value
        if value is None or self.comparator or letter is None or not 0 <= value < 1e6 or value != int(value):
            return None
        return f"P{int(value)}{letter}"


class Concept(NamedTuple):
    """A CodeableConcept, Coding or bare code. `label`: its text, else its first display, else its first code."""

    label: str | None
    codes: list[Code]
    code: str | None = None  # the first


_CONCEPTS = msgspec.json.Decoder(_CodeableConcept | str | list[_CodeableConcept | str])
_QUANTITY = msgspec.json.Decoder(Quantity)
_NOTHING = Concept(None, [])
_NO_QUANTITY = Quantity()


def concept(node: Node, *names: str) -> Concept:
    """The concept of an element (of a list the first); empty where there is none."""
    found = concepts(node, *names)
    return found[0] if found else _NOTHING


def concepts(node: Node, *names: str) -> list[Concept]:
    """The concepts of an element, be it one or a list."""
    name, raw = node.first(names)
    if raw is None:
        return []
    try:
        return _concepts(bytes(raw))
    except UNDECODABLE:  # element by element, to keep and to report each
        return [_concept(_lenient(one)) for one in node.nodes(name)]


@functools.lru_cache(maxsize=4096)
def _concepts(raw: bytes) -> list[Concept]:
    # A record says the same few things again and again; what comes out is frozen, or copied by a noun.
    given = _CONCEPTS.decode(raw)
    return [_concept(one) for one in (given if isinstance(given, list) else [given])]


def _lenient(node: Node) -> _CodeableConcept:
    codings = [_Coding(one.text("system"), one.text("code"), one.text("display")) for one in node.nodes("coding")]
    return _CodeableConcept(text=node.text("text"), coding=codings)


def _concept(given: _CodeableConcept | str) -> Concept:
    if isinstance(given, str):
        given = _CodeableConcept(code=given)  # what became a concept in R4 was a bare code
    if given.concept is not None:
        given = given.concept
    codings = [one for one in given.coding or [given] if one.code or one.display]
    codes = [Code(system=one.system, code=one.code, display=one.display) for one in codings]
    first = next((one.code for one in codes if one.code), None)
    written = (given.text, *(one.display for one in codes), first)
    return Concept(next((" ".join(one.split()) for one in written if one and not one.isspace()), None), codes, first)


def quantity(node: Node, *names: str) -> Quantity:
    """The Quantity of an element, empty where there is none."""
    name, raw = node.first(names)
    try:
        return _QUANTITY.decode(raw) if raw is not None else _NO_QUANTITY
    except UNDECODABLE:
        one = node.node(name)
        return Quantity(one.number("value"), *map(one.text, ("comparator", "unit", "system", "code")))


def written(node: Node, *names: str) -> str:
    """The first of the elements that says something, in its datatype's own notation: "30–60 mL/min", "1:128"."""
    return next(filter(None, (_written(node, name) for name in names)), "")


def _written(node: Node, name: str) -> str:
    if name.endswith(("Quantity", "Age")):
        return quantity(node, name).text
    if name.endswith("Boolean"):
        flag = node.flag(name)
        return "" if flag is None else str(flag).lower()
    if name.endswith(("String", "Time")):
        return (node.text(name) or "").strip()
    inner = node.node(name) if name.endswith(("Period", "Ratio", "Range")) else NOTHING
    if inner and name.endswith("Period"):
        return "/".join(inner.text(side) or "" for side in ("start", "end"))
    if name.endswith("Ratio"):
        sides = [quantity(inner, side).text for side in ("numerator", "denominator")]
        return ":".join(sides) if all(sides) else ""
    low, high = quantity(inner, "low"), quantity(inner, "high")
    if not low.text or not high.text:
        return f"<={high.text}" if high.text else f">={low.text}" if low.text else ""
    return f"{Quantity(low.value).text if low.unit == high.unit else low.text}–{high.text}"
