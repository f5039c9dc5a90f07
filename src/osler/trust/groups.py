"""How a score treats groups of people: a table of labels, scores and groups in, rates by group and their gaps out.

Rates as in Hardt et al. 2016 (true and false positives) and the four-fifths ratio; the area under the ROC curve by
ranks (Mann and Whitney 1947). Too small a group is named, not judged. It does not know whether the label is fair.
"""

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osler import __version__
from osler.bench.figures import Figure, statistic
from osler.errors import InputError
from osler.nouns import Measurement
from osler.statistics import Floats, auroc

LEAST = 20  # people of a group, and positives and negatives for a rate of theirs, below which nothing is said
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?")
Drawn = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """A label (0 or 1), a score and the groups, one entry a person."""

    label: Floats
    score: Floats
    groups: dict[str, list[str]]


def read_rows(path: Path, label: str, score: str, groups: Sequence[str]) -> Rows:
    """The columns of a CSV. Raises InputError naming the line of a value that can't be used."""
    labels, scores, of = [], [], {name: list[str]() for name in groups}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if missing := sorted({label, score, *groups} - set(table.fieldnames or ())):
                raise InputError(f"no column {', '.join(missing)}", where=str(path))
            for row in table:
                where = f"{path}, line {table.line_num}"
                if row[label] not in ("0", "1"):
                    raise InputError(f"the label must be 0 or 1, not {row[label]!r}", where=where)
                if not _NUMBER.fullmatch(row[score] or ""):
                    raise InputError(f"the score must be a number, not {row[score]!r}", where=where)
                labels.append(float(row[label]))
                scores.append(float(row[score]))
                for name in groups:
                    of[name].append((row[name] or "").strip() or "not given")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the table can't be read: {error}", where=str(path)) from None
    if not labels:
        raise InputError("the table has no rows", where=str(path))
    return Rows(np.array(labels), np.array(scores), of)


def group_rows(rows: Rows, threshold: float, task: str) -> list[Measurement]:
    """By group its rates, then by rate the greatest difference and the least ratio between groups."""
    made = [one for name, of in rows.groups.items() for one in _figures(name, np.array(of), rows, threshold)]
    about = {"model": None, "method": None, "split": "all", "versions": {"osler": __version__}, "seconds": 0.0}
    return [Measurement(task=task, **about, **one._asdict()) for one in made]


def _figures(name: str, of: npt.NDArray[np.str_], rows: Rows, threshold: float) -> Iterator[Figure]:
    found: dict[str, dict[str, Drawn]] = {}
    for group in sorted(set(of.tolist())):
        mine = np.flatnonzero(of == group)
        yes, made = int(rows.label[mine].sum()), partial(_rate, rows, threshold)
        no = len(mine) - yes
        for metric, n in {"selection rate": yes + no, "TPR": yes, "FPR": no, "AUROC": min(yes, no)}.items():
            if n < LEAST:
                yield Figure(f"too small for {metric}: {name}={group}", float(n), None, len(mine))
                continue
            found.setdefault(metric, {})[group] = mine
            yield statistic(f"{metric}: {name}={group}", range(len(mine)), partial(made, metric, mine))
    for metric, members in found.items():
        if len(members) > 1:
            yield from _gaps(name, metric, members, rows, threshold)


def _rate(rows: Rows, threshold: float, metric: str, mine: Drawn, drawn: Drawn) -> float:
    label, score = rows.label[mine[drawn]], rows.score[mine[drawn]]
    if metric == "AUROC":
        return auroc(label, score)
    kept = slice(None) if metric == "selection rate" else label == float(metric == "TPR")
    return float((score[kept] >= threshold).mean()) if len(score[kept]) else math.nan


def _gaps(name: str, metric: str, members: dict[str, Drawn], rows: Rows, threshold: float) -> Iterator[Figure]:
    """Between the groups where the rate is least and greatest."""
    rate = partial(_rate, rows, threshold, metric)
    every = {group: rate(mine, np.arange(len(mine))) for group, mine in members.items()}
    low, *_, high = sorted(every, key=every.__getitem__)
    few = len(members[low])

    def gap(join: Callable[[float, float], float], drawn: Drawn) -> float:
        return join(rate(members[low], drawn[drawn < few]), rate(members[high], drawn[drawn >= few] - few))

    people = range(few + len(members[high]))
    difference, ratio = partial(gap, lambda least, most: most - least), partial(gap, lambda a, b: a / b if b else 1.0)
    yield statistic(f"{metric} difference: {name}, {high} - {low}", people, difference)
    yield statistic(f"{metric} ratio: {name}, {low} / {high}", people, ratio)
