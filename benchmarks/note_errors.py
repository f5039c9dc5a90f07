"""Prints how `osler check` does on MEDEC: notes flagged, the wrong sentence named, the correction.

    python benchmarks/note_errors.py [--part report]

Rules were tuned on the parts train and tune of medec_val; the part report was not looked at. Without a model.
Baselines: never a flag, a random sentence of every note, the note's last sentence but one.
"""

import argparse
import random
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from osler.bench.metrics.texts import rouge
from osler.bench.task import rows
from osler.bench.tasks import find_task
from osler.bench.tasks.medec import Item, group_of
from osler.clinic.misfits import Checked, check
from osler.reasoning.resources import Resources, Run
from osler.record import read
from osler.settings import load_settings
from osler.splits import split
from osler.statistics import wilson

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "qa" / "medec_val.jsonl.gz"


class Row(NamedTuple):
    """`flagged`: texts of flagged sentences; `corrected`: their corrections, as far as there are any."""

    item: Item
    kind: str
    flagged: list[str]
    corrected: list[str]
    reasons: list[str]
    seconds: float


def checked(item: Item, kind: str, resources: Resources) -> Row:
    began = time.perf_counter()
    text = "\n".join(item.sentences.values())
    made: Checked = check(read(text.encode(), name=item.id), Run(resources, "check"), quoted=True)
    found = [one.text for one in made.misfits]
    corrections = [one.correction for one in made.misfits if one.correction]
    return Row(item, kind, found, corrections, [one.kind for one in made.misfits], time.perf_counter() - began)


def share(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{hits}/{n} = {hits / n:.3f} [{low:.3f}, {high:.3f}]" if n else "–"


def same(first: str, second: str) -> bool:
    """One holds the other, by words: our sentences may be cut elsewhere than the set's."""
    a, b = " ".join(first.split()).strip(" ."), " ".join(second.split()).strip(" .")
    return bool(a and b) and (a in b or b in a)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="report")
    part = parser.parse_args().part
    with TemporaryDirectory() as home:
        settings = load_settings({"home": home})
        resources = Resources(settings)
        kinds = {row["Text ID"]: row["Error Type"] for row in rows(FILE) if split("medec_val", group_of(row)) == part}
        items = [item for item in find_task("medec").read(FILE) if item.id in kinds]
        done = [checked(item, kinds[item.id], resources) for item in items]
    wrong, right = ([row for row in done if (row.item.error >= 0) == error] for error in (True, False))
    counts = f"{len(wrong)} notes with an error, {len(right)} without"
    print(f"osler {version('osler')} · MEDEC (validation set), part {part}: {counts}\n")
    flagged = [row for row in done if row.flagged]
    named = [row for row in wrong if any(same(text, row.item.wrong) for text in row.flagged)]
    agree = sum(bool(row.flagged) == (row.item.error >= 0) for row in done)
    exact = sum(any(same(text, row.item.corrected or "-") for text in row.corrected) for row in named)
    figures = {
        "notes with an error that are flagged (recall)": (sum(bool(row.flagged) for row in wrong), len(wrong)),
        "notes without one that are flagged": (sum(bool(row.flagged) for row in right), len(right)),
        "flagged notes with an error (precision)": (sum(row in wrong for row in flagged), len(flagged)),
        "right about the note (flag or none)": (agree, len(done)),
        "the wrong sentence is named": (len(named), len(wrong)),
        "with the reference's correction": (exact, len(wrong)),
    }
    print("| figure | value [95%] |\n|---|---|")
    for name, (hits, n) in figures.items():
        print(f"| {name} | {share(hits, n)} |")
    repaired = [
        max(rouge(text, row.item.corrected or "")["ROUGE-1"] for text in row.corrected)
        for row in named
        if row.corrected
    ]
    if repaired:
        print(
            f"| ROUGE-1 of corrections where one is given (n {len(repaired)}) | {sum(repaired) / len(repaired):.3f} |"
        )
    print("\n| kind of error | notes | wrong sentence named |\n|---|--:|---|")
    for kind in sorted({row.kind for row in wrong}):
        mine = [row for row in wrong if row.kind == kind]
        print(f"| {kind} | {len(mine)} | {share(sum(row in named for row in mine), len(mine))} |")
    print("\n| rule | flags | on the wrong sentence |\n|---|--:|--:|")
    flags = [(rule, row, text) for row in done for rule, text in zip(row.reasons, row.flagged, strict=True)]
    for rule in sorted({rule for rule, _, _ in flags}):
        hits = [row.item.error >= 0 and same(text, row.item.wrong) for one, row, text in flags if one == rule]
        print(f"| {rule} | {len(hits)} | {sum(hits)} |")
    luck = random.Random(0)
    by_luck = sum(luck.choice(list(row.item.sentences.values())) == row.item.wrong for row in wrong)
    before_last = sum(list(row.item.sentences.values())[-2:][0] == row.item.wrong for row in wrong)
    print("\n| baseline | right about the note | wrong sentence named |\n|---|--:|--:|")
    print(f"| never a flag | {len(right) / len(done):.3f} | 0 |")
    print(f"| a random sentence of every note | {len(wrong) / len(done):.3f} | {by_luck / len(wrong):.3f} |")
    print(f"| the last sentence but one | {len(wrong) / len(done):.3f} | {before_last / len(wrong):.3f} |")
    print(f"\nmedian {sorted(row.seconds for row in done)[len(done) // 2]:.2f} s a note")


if __name__ == "__main__":
    main()
