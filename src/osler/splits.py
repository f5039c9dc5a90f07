"""Decides, once for every data set, which items train, which tune and which report.

An item's part follows from a hash of its group (the vignette, note, disease or document that must not be
torn apart) and from nothing else, so adding items never moves others. `splits.tsv` holds the decisions.
"""

import hashlib
from pathlib import Path
from typing import Literal

Part = Literal["train", "tune", "report"]

# Shares of train, tune and report in percent, and what `group` must be, by data set.
_LINES = Path(__file__).with_name("splits.tsv").read_text(encoding="utf-8").splitlines()
_ROWS = (line.split("\t") for line in _LINES if not line.startswith("#"))
SHARES = {name: (int(train), int(tune), int(report), group) for name, train, tune, report, group in _ROWS}


def _bucket(data_set: str, group: str, buckets: int) -> int:
    digest = hashlib.sha256(f"{data_set}\x1f{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % buckets


def split(data_set: str, group: str) -> Part:
    """The part that items of `group` belong to. Raises KeyError for a data set without a decision here."""
    train, tune, _, _ = SHARES[data_set]
    bucket = _bucket(data_set, str(group), 100)
    return "train" if bucket < train else "tune" if bucket < train + tune else "report"


def fold(data_set: str, group: str, folds: int = 5) -> int:
    """The cross-validation fold of `group`, 0 to folds-1 (phenopackets_dev: group is the MONDO id)."""
    return _bucket(f"{data_set}/fold", str(group), folds)
