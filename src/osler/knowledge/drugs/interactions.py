"""Drug-drug interactions: the shipped starter set of cited label pairs, and larger sets that a user loads.

A pair that no set knows is "no data", never "safe"; the caller says so in its coverage.
"""

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from osler.errors import InputError
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.names import Classes, Drug, load_classes, load_names, tokens
from osler.knowledge.sources import Conflict, Report, Sources, Unused, files_below
from osler.settings import Settings

Severity = Literal["contraindicated", "major", "moderate", "minor"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
STARTER = "interactions.csv"
STARTER_VERSION = "1"
_COLUMNS = ("a", "b", "severity", "mechanism", "management", "source")


class Interaction(NamedTuple):
    """`a`, `b`: a drug's id or `class:name`. `id`: `interaction:<set>:<line or item>`. In rows
    of cross-reactivity `a` is what the patient is allergic to."""

    id: str
    a: str
    b: str
    severity: Severity
    mechanism: str
    management: str
    source: str
    year: int | None


class Knowledge(NamedTuple):
    """All pairs in force, by their two sides. `skipped`: rows of loaded sets whose drugs aren't known."""

    pairs: dict[frozenset[str], tuple[Interaction, ...]]
    versions: dict[str, str]
    skipped: tuple[str, ...]

    @property
    def known(self) -> frozenset[str]:
        """Every drug or class that some row speaks of."""
        return frozenset().union(*self.pairs)


def in_force(settings: Settings) -> Knowledge:
    """The starter set and every imported set that a named person approved (`osler graph approve`)."""
    sources = Sources(settings)
    acting = sources.acting("interactions")
    return load_interactions(
        tuple((source.name, source.version, str(path)) for source in acting for path in sources.files(source))
    )


def check(paths: Sequence[Path]) -> Report:
    """What a set of interactions holds and what of it can't be used; raises InputError as `load_interactions` does."""
    read = load_interactions(tuple(("import", "", str(path)) for path in files_below(paths)))
    known, classes = load_interactions(), load_classes()
    new = [item for items in read.pairs.values() for item in items if not item.id.startswith("interaction:starter:")]
    conflicts = []
    for item in new:
        there = between(Drug(item.a, item.a), Drug(item.b, item.b), known, classes)
        if there and there[0].severity != item.severity:
            pair = f"{item.a} with {item.b}"
            conflicts.append(Conflict(id=pair, what="severity", imported=item.severity, known=there[0].severity))
    unused = [Unused(where=where, why="a drug of it is not known") for where in read.skipped]
    return Report(counts={"interactions": len(new)}, conflicts=conflicts, unused=unused)


@functools.lru_cache(maxsize=8)
def load_interactions(sets: tuple[tuple[str, str, str], ...] = ()) -> Knowledge:
    """The starter set and further `sets`: (name, version, path) of a CSV or JSON table with a, b, severity, mechanism,
    management, source and optionally year; a and b a drug's name or `class:NAME`.

    Raises InputError naming file and line for a row that is malformed; a row about a drug that the graph doesn't know
    is kept out and counted.
    """
    pairs: dict[frozenset[str], tuple[Interaction, ...]] = {}
    versions = {f"interactions:{STARTER}": STARTER_VERSION}
    skipped: list[str] = []
    for name, version, path in (("starter", "", ""), *sets):
        rows = tables.given(path, _COLUMNS) if path else tables.shipped(__package__, STARTER)
        if path:
            versions[f"interactions:{name}"] = version
        for row in rows:
            item = read_row(row, f"interaction:{name}")
            if item is None:
                skipped.append(row.where)
                continue
            sides = frozenset((item.a, item.b))
            pairs[sides] = (*pairs.get(sides, ()), item)
    return Knowledge(pairs, versions, tuple(skipped))


def read_row(row: tables.Row, kind: str) -> Interaction | None:
    """The row of a table; None if its drugs aren't known. `kind`: what its id begins with."""
    values = row.values
    severity = values["severity"].lower()
    if severity not in SEVERITIES:
        raise InputError(f"severity {values['severity']!r} is not one of {', '.join(SEVERITIES)}.", where=row.where)
    year = values.get("year", "")
    if year and not year.isdigit():
        raise InputError(f"year {year!r} is not a number.", where=row.where)
    empty = [column for column in ("a", "b", "source") if not values[column]]
    if empty:
        raise InputError(f"{empty[0]} is empty.", where=row.where)
    sides = [_side(values[column], row.where) for column in ("a", "b")]
    if sides[0] is None or sides[1] is None:
        return None
    return Interaction(
        id=f"{kind}:{row.where.rpartition(':')[2]}",
        a=sides[0],
        b=sides[1],
        severity=severity,
        mechanism=values["mechanism"],
        management=values["management"],
        source=values["source"],
        year=int(year) if year else None,
    )


def _side(text: str, where: str) -> str | None:
    if text.startswith("class:"):
        if text[6:] not in load_classes().members:
            raise InputError(f"{text} is not a drug class of data/drug_classes.csv.", where=where)
        return text
    found = load_names().of(text)
    return found[0].id if len(found) == 1 else None


def between(a: Drug, b: Drug, knowledge: Knowledge, classes: Classes) -> list[Interaction]:
    """Every row on this pair of drugs, the most severe and the most specific first."""
    found: dict[str, Interaction] = {}
    for left, right in itertools.product(tokens(a.id, classes), tokens(b.id, classes)):
        for item in knowledge.pairs.get(frozenset((left, right)), ()):
            # A class row "x with x" needs two members, and a row "x with y" its own side for each drug.
            if item.a != item.b and left == right:
                continue
            found[item.id] = item
    return sorted(found.values(), key=lambda item: (SEVERITIES.index(item.severity), _breadth(item), item.id))


def _breadth(item: Interaction) -> int:
    return sum(side.startswith("class:") for side in (item.a, item.b))


def uncovered(drugs: Sequence[Drug], knowledge: Knowledge, classes: Classes) -> list[Drug]:
    """Drugs that no row of any set speaks of."""
    known = knowledge.known
    return [drug for drug in drugs if not tokens(drug.id, classes) & known]
