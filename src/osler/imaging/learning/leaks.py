"""What would make a model look better than it is: the same picture or patient on both sides, a giveaway of the label.

After Roberts et al. 2021 and DeGrave et al. 2021 (models of chest X-rays that had learned the hospital).
"""

from collections import Counter, defaultdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.imaging.learning.labelled import Labelled
from osler.statistics import auroc, statistic_interval

ALIKE = 0.995  # correlation of two pictures of 16 x 16 pixels
GIVEAWAY = 0.6  # AUROC of an attribute alone, from which it is named
BLOCK = 2048


class Leaks(NamedTuple):
    """`twins`: pictures of valid and test that stand (nearly) in train too. `patients`: those on both sides.
    `giveaways`: attributes that tell the label by themselves on the test part: AUROC, interval."""

    twins: npt.NDArray[np.int64]
    patients: list[str]
    giveaways: dict[str, tuple[float, tuple[float, float]]]

    def rows(self, data: Labelled) -> list[dict[str, Any]]:
        """As the card prints them."""
        made: list[dict[str, Any]] = []
        if len(self.twins):
            names = ", ".join(data.files[k] for k in self.twins[:5])
            made.append({"kind": "near-duplicates", "count": len(self.twins), "detail": f"taken out: {names} …"})
        if self.patients:
            detail = f"taken out of what is measured: {', '.join(self.patients[:5])} …"
            made.append({"kind": "same patient on both sides", "count": len(self.patients), "detail": detail})
        if not data.named:
            detail = "a patient's pictures may stand on both sides; give a column `patient`"
            made.append({"kind": "patients not known", "count": len(data.files), "detail": detail})
        for name, (value, (low, high)) in self.giveaways.items():
            detail = f"the {name} alone tells the label with an AUROC of {value:.3f} [{low:.3f}, {high:.3f}]"
            made.append({"kind": "giveaway", "count": 1, "detail": detail})
        return made


def find_leaks(data: Labelled) -> Leaks:
    """Twins by the pictures' correlation, patients by name, giveaways by what an attribute alone predicts."""
    sides = defaultdict(set)
    for patient, part in zip(data.patient, data.part, strict=True):
        sides[patient].add(str(part))
    both = sorted(patient for patient, parts in sides.items() if "train" in parts and len(parts) > 1)
    attributes = {**data.attributes, "brightness": _tenths(data)}
    found = {name: _giveaway(data, values) for name, values in attributes.items() if len(set(values)) > 1}
    giveaways = {name: one for name, one in found.items() if one[0] >= GIVEAWAY and one[1][0] > 0.5}
    return Leaks(_twins(data), both, giveaways)


def without(data: Labelled, leaks: Leaks) -> Labelled:
    """The data with neither twins nor train's patients in the parts that tune and report."""
    bad = set(leaks.twins.tolist())
    both = set(leaks.patients)
    bad |= {k for k, who in enumerate(data.patient) if who in both and data.part[k] != "train"}
    return data.take(np.array([k for k in range(len(data.files)) if k not in bad], np.int64))


def _twins(data: Labelled) -> npt.NDArray[np.int64]:
    small = _thumbnails(data.pixels)
    train = small[data.of("train")]
    others = np.concatenate([data.of("valid"), data.of("test")])
    found = []
    for start in range(0, len(others), BLOCK):
        block = others[start : start + BLOCK]
        nearest = (small[block] @ train.T).max(axis=1) if len(train) else np.zeros(len(block))
        found += block[nearest >= ALIKE].tolist()
    return np.array(found, np.int64)


def _thumbnails(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(n, 256): 16 x 16 grey means, without mean, of length 1."""
    grey = pixels.mean(axis=3)
    rows = np.unique(np.linspace(0, grey.shape[1], 17).astype(int)[:-1])
    small = np.add.reduceat(np.add.reduceat(grey, rows, axis=1), rows, axis=2).reshape(len(grey), -1)
    small = small - small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    return np.asarray(small / np.where(length > 0, length, 1), np.float32)


def _giveaway(data: Labelled, values: list[str]) -> tuple[float, tuple[float, float]]:
    """AUROC on the test part of the share that each value has of a label in train; the label best told."""
    best = (0.0, (0.0, 0.0))
    test = data.of("test")
    train = data.of("train")
    total = Counter(values[k] for k in train)
    for label in range(len(data.labels)):
        base = float((data.label[train] == label).mean())
        mine = Counter(values[k] for k in train if data.label[k] == label)
        score = np.array([(mine[values[k]] + base) / (total[values[k]] + 1) for k in test])
        truth = (data.label[test] == label).astype(float)
        value = auroc(truth, score)
        if value > best[0]:
            draw = [data.patient[k] for k in test]
            interval = statistic_interval(lambda drawn, t=truth, s=score: auroc(t[drawn], s[drawn]), draw, 200)  # type: ignore[misc]
            best = (value, interval)
    return best


def _tenths(data: Labelled) -> list[str]:
    mean = data.pixels.reshape(len(data.pixels), -1).mean(axis=1)
    edges = np.quantile(mean, np.linspace(0.1, 0.9, 9))
    return [str(k) for k in np.searchsorted(edges, mean)]
