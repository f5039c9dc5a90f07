"""The project's own profiles of common diseases: what they show and how often, how common they are and in whom.

`scripts/build_graph.py` makes their findings rows of the graph; `commonness` reads the rest. Written from general
knowledge for this project: no publication stands behind single rows, and a row says so by its reference.
"""

import csv
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

FOLDER = files("osler.knowledge.graph") / "profiles"
REFERENCE = "osler.profiles/1:"  # and the disease: the version of the profiles as `sources.json` has it
# A profile's shares are HPO's classes of frequency: obligate, very frequent, frequent, occasional, very rare.
SHARES = {1.0: "HP:0040280", 0.9: "HP:0040281", 0.55: "HP:0040282", 0.17: "HP:0040283", 0.025: "HP:0040284"}


class ProfileFinding(NamedTuple):
    """`share` of patients; 0: speaks against the disease."""

    hpo: str
    share: float


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
    findings: tuple[ProfileFinding, ...]


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


@functools.cache
def load_profiles() -> list[Profile]:
    findings: dict[str, list[ProfileFinding]] = defaultdict(list)
    for row in _rows("findings.tsv"):
        if row["hpo"]:
            findings[row["disease"]].append(ProfileFinding(row["hpo"], float(row["share"])))
    profiles = []
    for row in _rows("diseases.tsv"):
        slug = re.sub(r"[^a-z0-9]+", "-", row["label"].casefold()).strip("-")
        profiles.append(Profile(
            f"OSLER:{slug}" if row["id"] == "new" else row["id"], row["label"], _list(row["synonyms"]),
            row["frequency"], row["sex"], _list(row["ages"]), REFERENCE + slug, tuple(findings[row["label"]]),
        ))  # fmt: skip
    return profiles
