"""Drug-allergy alerts: the same drug, the same class, and graded cross-reactivity between classes.

It does not judge whether a recorded allergy is a true one; the alert asks for that.
"""

import functools
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from osler.clinic.safety.stated_allergies import Allergen, classes_in, severity_of
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.interactions import SEVERITIES, Severity
from osler.knowledge.drugs.names import Classes, Drug, load_names, tokens
from osler.record.case import Allergy

_AROUND = re.compile(
    r"\b(?:allergy|allergic|hypersensitivity|intolerance|adverse reaction)(?: to)?\b|过敏|史|皮试阳性"
    r"|\((?:substance|disorder|finding)\)",
    re.IGNORECASE,
)


class Cross(NamedTuple):
    """One row of cross-reactivity; sides as in an interaction."""

    id: str
    allergen: str
    drug: str
    severity: Severity
    message: str
    management: str
    source: str
    year: int


class Match(NamedTuple):
    allergen: Allergen
    drug: Drug
    severity: Severity
    message: str
    management: str
    cross: Cross | None


@functools.cache
def load_cross_reactivity() -> list[Cross]:
    rows: list[Cross] = []
    for row in tables.shipped(__package__, "cross_reactivity.csv"):
        texts = {name: row.values[name] for name in ("message", "management", "source")}
        sides = {name: _side(row.values[name], row.where) for name in ("allergen", "drug")}
        severity, year = cast(Severity, row.values["severity"]), int(row.values["year"])
        identifier = f"allergy:starter:{row.where.rpartition(':')[2]}"
        rows.append(Cross(id=identifier, severity=severity, year=year, **texts, **sides))
    return rows


def _side(side: str, where: str) -> str:
    return side if side.startswith("class:") else load_names().one(side, where).id


def recorded(allergy: Allergy, coded: Sequence[Drug]) -> Allergen | None:
    """The drugs or class of an allergy of the record, by its codes or its label; None if it names no drug we know."""
    label = _AROUND.sub(" ", allergy.label).strip()
    classes = classes_in(label)
    drugs = tuple(coded) or (() if _is_class(label, classes) else tuple(load_names().of(label)))
    kind, severe = severity_of("; ".join(allergy.reactions))
    severe = severe or allergy.criticality == "high"
    kind = "allergy" if severe else kind or "allergy"
    return Allergen(label, drugs, classes, kind, severe=severe) if drugs or classes else None


def _is_class(label: str, classes: Sequence[str]) -> bool:
    """Whether a label names a class as such ("sulfonamide antibacterial"), not a drug with the class in its name."""
    return bool(classes) and not load_names().exact(label)


def covers(known: Allergen, one: Allergen) -> bool:
    """Whether a known allergen says the same and at least as much."""
    same = set(one.drugs) <= set(known.drugs) and set(one.classes) <= set(known.classes)
    weaker = (one.severe, one.certain, one.kind == "allergy") <= (known.severe, known.certain, known.kind == "allergy")
    return same and weaker


def matches(allergens: Sequence[Allergen], drugs: Sequence[Drug], classes: Classes) -> list[Match]:
    """Alerts for each drug against each allergen, one a pair, the most severe."""
    pairs = itertools.product(allergens, drugs)
    return [match for one, drug in pairs if (match := _match(one, drug, classes)) is not None]


def _match(one: Allergen, drug: Drug, classes: Classes) -> Match | None:
    named = {f"class:{name}" for name in one.classes}
    own = named & tokens(drug.id, classes)
    if drug in one.drugs or own:
        message = f"the record holds an {one.kind} to this very drug"
        if drug not in one.drugs:
            message = f"it belongs to the class named in the {one.kind} ({classes.labels[next(iter(own))[6:]]})"
        if one.kind == "intolerance":
            return Match(
                one, drug, "moderate", message, "Weigh what happened then; choose another drug if it matters.", None
            )
        severity: Severity = "contraindicated" if one.severe else "major"
        other = "Choose another class" if own else "Don't give"
        return Match(one, drug, severity, message, f"{other} unless the allergy is disproved.", None)
    if one.kind == "intolerance":
        return None
    sides = named.union(*(tokens(known.id, classes) for known in one.drugs))
    rows = [row for row in load_cross_reactivity() if row.allergen in sides and row.drug in tokens(drug.id, classes)]
    if not rows:
        return None
    # The most specific statement decides: "same side chain" over "cephalosporins in general".
    row = min(rows, key=lambda item: (len(classes.members.get(item.drug[6:], ())), SEVERITIES.index(item.severity)))
    return Match(one, drug, row.severity, row.message, row.management + ".", row)
