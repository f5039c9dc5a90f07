"""Probabilities, for a named reference population only.

Within a case scores become likelihoods by a softmax whose sharpness was fitted on published cases
(benchmarks/diagnosis.md). "published" is the population of that benchmark: each disease of the graph equally likely,
which holds nowhere in practice. A table of prevalences that the user loads makes another, in which only its diseases
exist. It does not know who comes to the user's door.
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osler.errors import InputError
from osler.knowledge.diagnosis.index import Floats
from osler.knowledge.graph import Graph
from osler.nouns import RankedDisease

PUBLISHED = "published rare-disease cases, every disease equally likely"
SHARPNESS, GROWTH = 1.6, 0.3  # fitted in five folds by disease, see benchmarks/diagnosis.md


class Population(NamedTuple):
    """A name and the share or rate of each disease in it; without rates all are equally likely."""

    name: str
    rates: dict[str, float] | None = None


def sharpness(findings: int, base: float = SHARPNESS, growth: float = GROWTH) -> float:
    """By how much a score counts in the log of a probability: findings add up, but not as if independent."""
    return base * math.pow(max(1, findings), growth)


def softmax(scores: Floats, sharp: float) -> Floats:
    """Chances proportional to e^(sharp * score); -inf scores have none."""
    chances = np.exp(sharp * (scores - scores.max()))
    total: Floats = chances / chances.sum()
    return total


def load_prevalences(path: Path, graph: Graph) -> Population:
    """A population from a CSV with the columns `id` and `prevalence` (any one unit for all rows), named by its file.

    Rows of one disease under several identifiers add up. Raises InputError naming the line of a bad row.
    """
    rates: dict[str, float] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if not {"id", "prevalence"} <= set(table.fieldnames or ()):
                raise InputError("needs the columns id and prevalence.", where=str(path))
            for row in table:
                where = f"{path}, line {table.line_num}"
                known = graph.canonical(row["id"] or "")
                if known is None:
                    raise InputError(f"unknown identifier {row['id']!r}.", where=where)
                rates[known] = rates.get(known, 0.0) + _rate(row["prevalence"], where)
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"can't be read: {problem}.", where=str(path)) from None
    if not any(rates.values()):
        raise InputError("gives no disease a prevalence above 0.", where=str(path))
    return Population(path.stem, rates)


def _rate(text: str | None, where: str) -> float:
    try:
        rate = float(text or "")
    except ValueError:
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0):
        raise InputError(f"a prevalence is a number from 0 up, not {text!r}.", where=where)
    return rate


def with_probabilities(
    ranked: Sequence[RankedDisease], findings: int, population: Population | None = None
) -> list[RankedDisease]:
    """The ranking of a case with all its diseases, each with its probability in the population, in falling order of it.

    Give the whole ranking (`top` at least the number of diseases): what is not given has no chance. A disease that a
    table of prevalences does not name keeps no probability and comes last.
    """
    chosen = population or Population(PUBLISHED)
    if not ranked:
        return []
    rates = np.array([1.0 if chosen.rates is None else chosen.rates.get(item.id, 0.0) for item in ranked])
    if not rates.any():
        return list(ranked)
    scores = np.array([item.score for item in ranked])
    logs = sharpness(findings) * scores + np.log(np.where(rates > 0, rates, 1.0))
    chances = softmax(np.where(rates > 0, logs, -np.inf), 1.0)
    order = np.lexsort((np.arange(len(ranked)), -chances))
    return [
        ranked[k].model_copy(update={"probability": float(chances[k]), "population": chosen.name})
        if rates[k] > 0
        else ranked[k]
        for k in order.tolist()
    ]
