"""Drug-allergy alerts: the same drug, the same class, and graded cross-reactivity between classes.

It does not judge whether a recorded allergy is a true one; the alert asks for that.
"""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from osler.clinic.safety import tables
from osler.clinic.safety.drugs import Classes, Drug, load_names, tokens
from osler.clinic.safety.interactions import SEVERITIES, Severity
from osler.record.case import Allergy
from osler.text import has_chinese

# How records name whole classes.
_CLASS_NAMES = (
    (r"penicillins?\b|pcn|beta-?lactams?\b|青霉素类|青霉素", "penicillins"),
    (r"cephalosporins?|头孢菌素|头孢", "cephalosporins"),
    (r"carbapenems?|碳青霉烯", "carbapenems"),
    (r"sulfa\b|sulpha\b|sulfonamides?(?! non)|sulphonamides?|sulfa drugs?|磺胺", "sulfonamide-antimicrobials"),
    (r"nsaids?\b|non-?steroidal|非甾体", "nsaids"),
    (r"salicylates?", "salicylates"),
    (r"macrolides?|大环内酯", "macrolides"),
    (r"(?:fluoro)?quinolones?|喹诺酮|沙星类", "fluoroquinolones"),
    (r"tetracyclines?\b|四环素", "tetracyclines"),
    (r"aminoglycosides?|氨基糖苷", "aminoglycosides"),
    (r"ace[- ]inhibitors?|angiotensin[- ]converting enzyme inhibitors?|普利类", "ace-inhibitors"),
    (r"statins?\b|hmg-?coa|他汀", "statins"),
    (r"opioids?|opiates?|阿片", "full-opioid-agonists"),
    (r"(?:iodinated |radiographic |iv |x-ray )contrast|contrast (?:media|dye|agent)|造影剂", "iodinated-contrast"),
    (r"local an(?:a)?esthetics?|局麻药", "amide-local-anaesthetics"),
)
_SEVERE = re.compile(
    r"anaphyla|angio-?o?edema|stevens|necrolysis|dress\b|shock|swelling of (?:tongue|throat|face)|休克|喉头|剥脱", re.I
)
_AROUND = re.compile(
    r"\b(?:allergy|allergic|hypersensitivity|intolerance|adverse reaction)(?: to)?\b|过敏|史"
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


class Allergen(NamedTuple):
    """What the patient is allergic to: drugs, or a whole class."""

    label: str
    drugs: tuple[Drug, ...]
    classes: tuple[str, ...]
    severe: bool
    source: str
    certain: bool = True


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
    for row in tables.shipped("cross_reactivity.csv"):
        values = row.values
        rows.append(
            Cross(
                id=f"allergy:starter:{row.where.rpartition(':')[2]}",
                allergen=_side(values["allergen"], row.where),
                drug=_side(values["drug"], row.where),
                severity=cast(Severity, values["severity"]),
                message=values["message"],
                management=values["management"],
                source=values["source"],
                year=int(values["year"]),
            )
        )
    return rows


def _side(side: str, where: str) -> str:
    return side if side.startswith("class:") else load_names().one(side, where).id


def allergen(allergy: Allergy) -> Allergen | None:
    """The drugs or class that an allergy of the record names; None if it names no drug we know."""
    label = _AROUND.sub(" ", allergy.label).strip()
    severe = allergy.criticality == "high" or any(_SEVERE.search(reaction) for reaction in allergy.reactions)
    return allergen_of(label, severe, allergy.source)


def allergen_of(label: str, severe: bool, source: str) -> Allergen | None:
    classes = tuple(
        name
        for pattern, name in _CLASS_NAMES
        if re.fullmatch(
            rf"(?i)(?:{pattern})(?:\s*(?:antibiotics?|drugs?|class|containing products)|类?(?:药物?|抗生素|抗菌药)?)",
            label,
        )
    )
    drugs = tuple(load_names().of(label)) if not classes or classes == ("penicillins",) else ()
    return Allergen(label, drugs, classes, severe, source) if drugs or classes else None


def allergen_in(name: str, severe: bool, source: str, certain: bool) -> Allergen | None:
    """The allergen that a text's words name, with other words around it ("any sulfa drugs", "曾用青霉素")."""
    endings = [name[at:] for at in range(len(name) - 1)] if has_chinese(name) else [name]
    found = next((one for end in endings if (one := allergen_of(end, severe, source))), None)
    if found is None:
        classes = [kind for pattern, kind in _CLASS_NAMES if re.search(rf"(?i)\b(?:{pattern})", name)]
        found = Allergen(name, (), tuple(classes), severe, source) if classes else None
    return found._replace(certain=certain) if found else None


def matches(allergens: Sequence[Allergen], drugs: Sequence[Drug], classes: Classes) -> list[Match]:
    """Alerts for each drug against each allergen, one a pair, the most severe."""
    found: list[Match] = []
    for one in allergens:
        for drug in drugs:
            match = _match(one, drug, classes)
            if match is not None:
                found.append(match)
    return found


def _match(one: Allergen, drug: Drug, classes: Classes) -> Match | None:
    severity: Severity
    if drug in one.drugs:
        severity = "contraindicated" if one.severe else "major"
        return Match(
            one,
            drug,
            severity,
            "the record holds an allergy to this very drug",
            "Don't give unless the allergy is disproved.",
            None,
        )
    named = {f"class:{name}" for name in one.classes}
    if named & tokens(drug.id, classes):
        severity = "contraindicated" if one.severe else "major"
        label = classes.labels[next(iter(named & tokens(drug.id, classes)))[6:]]
        return Match(
            one,
            drug,
            severity,
            f"it belongs to the class named in the allergy ({label})",
            "Choose another class unless the allergy is disproved.",
            None,
        )
    sides = named.union(*(tokens(known.id, classes) for known in one.drugs))
    rows = [row for row in load_cross_reactivity() if row.allergen in sides and row.drug in tokens(drug.id, classes)]
    if not rows:
        return None
    # The most specific statement decides: "same side chain" over "cephalosporins in general".
    row = min(rows, key=lambda item: (len(classes.members.get(item.drug[6:], ())), SEVERITIES.index(item.severity)))
    return Match(one, drug, row.severity, row.message, row.management + ".", row)
