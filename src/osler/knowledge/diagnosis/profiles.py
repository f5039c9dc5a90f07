"""The project's own profiles of common diseases, and what they weigh beside the findings of a case.

`scripts/build_graph.py` makes their findings (`findings.tsv`) rows of the graph. Written from general knowledge for
this project: no publication stands behind single rows, and a row says so by its reference. The classes of commonness
are no rates, so no probability comes of them; a disease without a profile counts as rare.
"""

import csv
import functools
import math
import re
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from osler.knowledge.diagnosis.index import Floats, room_words
from osler.knowledge.graph import Graph, load_graph

FOLDER = files("osler.knowledge.graph") / "profiles"
REFERENCE = "osler.profiles/1:"  # and the disease: the version of the profiles as `sources.json` has it
# Nats, chosen on the tune parts of the vignettes and of agentclinic_medqa (benchmarks/diagnosis.md).
STEP = 0.6  # from one class to the next more common one
OCTAVE = 0.7  # each time that the age lies outside a disease's ages by a factor of two
OTHER_SEX = 1.5
MOST_OCTAVES = 2.0
YOUNGEST = 0.02
COMMONNESS, AGE, SEX = "osler:commonness", "osler:age", "osler:sex"


class Profile(NamedTuple):
    """`id`: identifier in the graph, or `OSLER:` and the name for a disease that it lacks. `frequency`: very_common,
    common, uncommon or rare in general practice. `sex`, `ages`: in whom mostly; empty where in anybody."""

    id: str
    label: str
    synonyms: tuple[str, ...]
    frequency: str
    sex: str
    ages: tuple[str, ...]
    reference: str


@functools.cache
def load_profiles() -> list[Profile]:
    lines = (FOLDER / "diseases.tsv").read_text(encoding="utf-8").splitlines()
    return [_profile(row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _profile(row: dict[str, str]) -> Profile:
    slug = re.sub(r"[^a-z0-9]+", "-", row["label"].casefold()).strip("-")
    identifier = f"OSLER:{slug}" if row["id"] == "new" else row["id"]
    synonyms, ages = (tuple(filter(None, map(str.strip, row[column].split("|")))) for column in ("synonyms", "ages"))
    return Profile(identifier, row["label"], synonyms, row["frequency"], row["sex"], ages, REFERENCE + slug)


class Commonness:
    """The profiles of diseases, by their place in a ranker."""

    def __init__(self, graph: Graph, place: dict[str, int]) -> None:
        self.size = len(place)
        known = ((place.get(graph.canonical(profile.id) or ""), profile) for profile in load_profiles())
        self.profiles = {at: profile for at, profile in known if at is not None}

    def weights(self, sex: str | None, age: str | None) -> dict[str, Floats]:
        """Nats for every disease, by what they are for; none below 0 for commonness, none above for age and sex."""
        found = {code: np.zeros(self.size) for code in (COMMONNESS, AGE, SEX)}
        years, steps = in_years(age), room_words()["steps"]
        for place, profile in self.profiles.items():
            found[COMMONNESS][place] = STEP * steps[profile.frequency]
            if years is not None and profile.ages:
                found[AGE][place] = -OCTAVE * min(MOST_OCTAVES, min(octaves(years, name) for name in profile.ages))
            if sex in ("male", "female") and profile.sex not in ("", sex):
                found[SEX][place] = -OTHER_SEX
        return found

    def said(self, code: str, place: int) -> tuple[str, str, str]:
        """What a contribution is called, what the profile of a disease says for it, and its reference."""
        profile, (column, label) = self.profiles[place], room_words()["said"][code]
        value = getattr(profile, column)
        said = value.replace("_", " ") if isinstance(value, str) else ", ".join(value)
        return label.format(said), said, profile.reference


@functools.cache
def common_diseases() -> frozenset[str]:
    """Identifiers, in the graph, of the diseases that a profile calls common or very common."""
    graph = load_graph()
    common = [profile.id for profile in load_profiles() if profile.frequency in ("common", "very_common")]
    return frozenset(graph.canonical(identifier) or identifier for identifier in common)


def octaves(years: float, name: str) -> float:
    """By how many factors of two an age lies outside a class of ages; 0 inside."""
    low, high = room_words()["years"][name]
    years = max(years, YOUNGEST)
    return max(0.0, math.log2(low / years) if low else 0.0, math.log2(years / high))


def in_years(age: str | None) -> float | None:
    """An ISO 8601 duration as years; None where it is none."""
    found = re.fullmatch(r"P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?", age or "")
    if found is None or age == "P":
        return None
    years, months, weeks, days = (float(part or 0) for part in found.groups())
    return years + months / 12 + weeks / 52.18 + days / 365.25
