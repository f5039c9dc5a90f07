"""How common diseases are in general practice, at this age and in this sex, as weights beside the findings.

The classes are those of the profiles; they are no rates, so no probability comes of them. A disease without a profile
counts as rare: most of the graph's are. It does not know the season, the country or the ward.
"""

import functools
import math
import re

import numpy as np

from osler.knowledge.diagnosis.index import Floats
from osler.knowledge.diagnosis.profiles import Profile, load_profiles
from osler.knowledge.graph import Graph, load_graph

# Nats, chosen on the tune parts of the vignettes and of agentclinic_medqa (benchmarks/diagnosis.md).
STEP = 0.6  # from one class to the next more common one
OCTAVE = 0.7  # each time that the age lies outside a disease's ages by a factor of two
OTHER_SEX = 1.5
MOST_OCTAVES = 2.0
STEPS = {"very_common": 4, "common": 3, "uncommon": 2, "rare": 1}
YEARS = {  # from, to
    "newborn": (0.0, 0.08), "infant": (0.08, 2.0), "child": (2.0, 12.0), "adolescent": (12.0, 18.0),
    "adult": (18.0, 65.0), "elderly": (65.0, 130.0),
}  # fmt: skip
YOUNGEST = 0.02
COMMONNESS, AGE, SEX = "osler:commonness", "osler:age", "osler:sex"
LABELS = {COMMONNESS: "{} in general practice", AGE: "unusual at this age: {}", SEX: "unusual in this sex: {}"}


class Commonness:
    """The profiles of diseases, by their place in a ranker."""

    def __init__(self, graph: Graph, place: dict[str, int]) -> None:
        self.size = len(place)
        self.profiles: dict[int, Profile] = {}
        for profile in load_profiles():
            known = place.get(graph.canonical(profile.id) or "")
            if known is not None:
                self.profiles[known] = profile

    def weights(self, sex: str | None, age: str | None) -> dict[str, Floats]:
        """Nats for every disease, by what they are for; none below 0 for commonness, none above for age and sex."""
        found = {code: np.zeros(self.size) for code in (COMMONNESS, AGE, SEX)}
        years = in_years(age)
        for place, profile in self.profiles.items():
            found[COMMONNESS][place] = STEP * STEPS[profile.frequency]
            if years is not None and profile.ages:
                found[AGE][place] = -OCTAVE * min(MOST_OCTAVES, min(octaves(years, name) for name in profile.ages))
            if sex in ("male", "female") and profile.sex not in ("", sex):
                found[SEX][place] = -OTHER_SEX
        return found

    def said(self, code: str, place: int) -> tuple[str, str]:
        """What the profile of a disease says, and its reference."""
        profile = self.profiles[place]
        said = {COMMONNESS: profile.frequency.replace("_", " "), AGE: ", ".join(profile.ages), SEX: profile.sex}
        return said[code], profile.reference


@functools.cache
def common_diseases() -> frozenset[str]:
    """Identifiers, in the graph, of the diseases that a profile calls common or very common."""
    graph = load_graph()
    return frozenset(graph.canonical(p.id) or p.id for p in load_profiles() if STEPS[p.frequency] >= STEPS["common"])


def octaves(years: float, name: str) -> float:
    """By how many factors of two an age lies outside a class of ages; 0 inside."""
    low, high = YEARS[name]
    years = max(years, YOUNGEST)
    return math.log2(low / years) if years < low else math.log2(years / high) if years > high else 0.0


def in_years(age: str | None) -> float | None:
    """An ISO 8601 duration as years; None where it is none."""
    found = re.fullmatch(r"P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?", age or "")
    if found is None or age == "P":
        return None
    years, months, weeks, days = (float(part or 0) for part in found.groups())
    return years + months / 12 + weeks / 52.18 + days / 365.25
