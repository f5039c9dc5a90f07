"""Drug-allergy alerts: the same drug, the same class, and graded cross-reactivity between classes.

It does not judge whether a recorded allergy is a true one; the alert asks for that.
"""

import functools
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.safety.named_allergens import severity_of
from osler.clinic.safety.stated_allergies import Allergen
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.interactions import SEVERITIES, Interaction, Severity, read_row
from osler.knowledge.drugs.names import Classes, Drug, classes_in, load_names, tokens
from osler.record.case import Allergy

_AROUND = re.compile(
    r"\b(?:allergy|allergic|hypersensitivity|intolerance|adverse reaction)(?: to)?\b|过敏|史|皮试阳性"
    r"|\((?:substance|disorder|finding)\)",
    re.IGNORECASE,
)


class Match(NamedTuple):
    allergen: Allergen
    drug: Drug
    severity: Severity
    message: str
    management: str
    cross: Interaction | None = None


@functools.cache
def load_cross_reactivity() -> list[Interaction]:
    rows = (read_row(row, "allergy:starter") for row in tables.shipped(__package__, "cross_reactivity.csv"))
    return [row for row in rows if row is not None]


def recorded(allergy: Allergy, coded: Sequence[Drug]) -> Allergen | None:
    """The drugs or class of an allergy of the record, by its codes or its label; None if it names no drug we know."""
    label = _AROUND.sub(" ", allergy.label).strip()
    classes, names = classes_in(label), load_names()
    # "sulfonamide antibacterial" names a class as such, no drug with the class in its name
    drugs = tuple(coded) or tuple(names.exact(label) if classes else names.of(label))
    kind, severe = severity_of("; ".join(allergy.reactions))
    severe = severe or allergy.criticality == "high"
    kind = "allergy" if severe else kind or "allergy"
    return Allergen(label, drugs, classes, kind, severe=severe) if drugs or classes else None


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
            what = "Weigh what happened then; choose another drug if it matters."
            return Match(one, drug, "moderate", message, what)
        severity: Severity = "contraindicated" if one.severe else "major"
        other = "Choose another class" if own else "Don't give"
        return Match(one, drug, severity, message, f"{other} unless the allergy is disproved.")
    if one.kind == "intolerance":
        return None
    sides = named.union(*(tokens(known.id, classes) for known in one.drugs))
    rows = [row for row in load_cross_reactivity() if row.a in sides and row.b in tokens(drug.id, classes)]
    if not rows:
        return None
    # The most specific statement decides: "same side chain" over "cephalosporins in general".
    row = min(rows, key=lambda item: (len(classes.members.get(item.b[6:], ())), SEVERITIES.index(item.severity)))
    return Match(one, drug, row.severity, row.mechanism, row.management + ".", row)
