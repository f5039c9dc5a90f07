"""Identifiers in text: three public sets with marked spans.

An identifier is found if found spans (of any kind) cover each of its characters but white space; a found span is right
if it touches a marked one. Marks that HIPAA's Safe Harbor (45 CFR 164.514) does not name (titles, organisations,
countries, sex, ages below 90, bare years) need not be found, and finding them is not wrong.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.bench.figures import Figure, Reply, figure
from osler.bench.task import Bench, Task, rows, table
from osler.errors import InputError
from osler.privacy.deid import find_identifiers
from osler.privacy.detect import TITLE

KINDS: dict[str, str | None] = {kind: name or None for kind, name in table("deid")["kinds"].items()}
_YEAR = re.compile(r"(?:19|20)\d\d")
_OLD = re.compile(r"(?<!\d)(?:9\d|1\d\d)(?!\d)|ninet|hundred|novent|cient")


class Mark(NamedTuple):
    """`kind`: Osler's, None where finding it is neither asked nor wrong."""

    start: int
    end: int
    kind: str | None


class Item(NamedTuple):
    id: str
    group: str
    text: str
    marks: list[Mark]


class Kind(Task):
    prompts = KINDS

    fields: list[str]

    def read(self, path: Path) -> Iterator[Item]:
        identifier, group, text, spans, *place = self.fields
        for row in rows(path):
            marks = [_mark(row[text], *(span[field] for field in place)) for span in row[spans]]
            yield Item(row[identifier], str(row[group]), row[text], [mark for mark in marks if mark])

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        spans = [(span.start, span.end, span.type) for span in find_identifiers(item.text)]
        return self.reply(item, spans)

    def score(self, said: Sequence[tuple[int, int, str]], item: Item, bench: Bench) -> dict[str, float]:
        """Recall of the item's identifiers and precision of its spans where there are any, and the counts, by kind."""
        covered = {place for start, end, _ in said for place in range(start, end)}
        counts: Counter[str] = Counter({"all marked": 0, "all covered": 0})
        for mark in item.marks:
            hit = all(k in covered or item.text[k].isspace() for k in range(mark.start, mark.end))
            for name in ("all", mark.kind) if mark.kind else ():
                counts.update({f"{name} marked": 1, f"{name} covered": int(hit)})
        touched = [
            [mark.kind for mark in item.marks if start < mark.end and mark.start < end] for start, end, _ in said
        ]
        claims = [any(kinds) for kinds in touched if any(kinds) or not kinds]  # what touches None alone claims nothing
        counts.update({"spans": len(claims), "spans right": sum(claims)})
        scores = {name: float(count) for name, count in counts.items()}
        if counts["all marked"]:
            scores["recall"] = counts["all covered"] / counts["all marked"]
        if claims:
            scores["precision"] = counts["spans right"] / len(claims)
        return scores

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        kinds = sorted({mark.kind for item in items for mark in item.marks if mark.kind})
        return [
            figure("recall", replies, "recall, mean of texts"),
            figure("all covered", replies, "recall", per=("all marked",)),
            figure("spans right", replies, "precision", per=("spans",)),
            *(figure(f"{kind} covered", replies, f"recall, {kind}", per=(f"{kind} marked",)) for kind in kinds),
        ]


def _mark(text: str, start: int | None, end: int | None, kind: str) -> Mark | None:
    """None for a mark without a place. Raises InputError for a kind that nothing here decides on."""
    if start is None or end is None:
        return None
    if kind not in KINDS:
        raise InputError(f"unknown kind of identifier {kind!r}")
    young = KINDS[kind] == "AGE" and not _OLD.search(text[start:end])
    year = KINDS[kind] == "DATE" and _YEAR.fullmatch(text, start, end)
    if KINDS[kind] == "NAME" and (title := TITLE.match(text, start, end)):
        start = title.end()
    return Mark(start, end, None if young or year else KINDS[kind])
