"""De-identification against the project's blind notes: recall and precision by entity and kind.

    python benchmarks/deid.py [--part tune|report]

An identifier counts as found if every character of it is covered by found spans (of any kind); a found span counts
as right if it overlaps a marked one. Typed recall also asks for the kind. Intervals: Wilson, 95%.
"""

import argparse
import json
import platform
import time
from collections import Counter
from pathlib import Path

from osler import __version__
from osler.privacy.deid import find_identifiers
from osler.splits import split

SET = Path(__file__).resolve().parents[1] / "tests" / "sets" / "deid_notes.jsonl"


def wilson(hits: int, n: int) -> str:
    if n == 0:
        return "-"
    z, p = 1.96, hits / n
    centre, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    return f"{p:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="report", choices=["tune", "report"])
    parser.add_argument("--missed", action="store_true", help="list what was missed and wrongly found (tune only)")
    arguments = parser.parse_args()
    notes = [json.loads(line) for line in SET.open(encoding="utf-8")]
    notes = [note for note in notes if split("deid_notes", note["id"]) == arguments.part]
    gold, covered, typed, found, right = Counter(), Counter(), Counter(), Counter(), Counter()
    characters, seconds = 0, 0.0
    for note in notes:
        text = note["text"]
        started = time.process_time()
        spans = find_identifiers(text)
        seconds += time.process_time() - started
        characters += len(text)
        masked = {i for span in spans for i in range(span.start, span.end)}
        for mark in note["spans"]:
            group = [mark["type"], f"all {note['language']}", "all"]
            hit = all(i in masked or text[i].isspace() for i in range(mark["start"], mark["end"]))
            same = hit and any(
                s.type == mark["type"] and s.start < mark["end"] and mark["start"] < s.end for s in spans
            )
            gold.update(group)
            covered.update(group if hit else [])
            typed.update(group if same else [])
            if not hit and arguments.missed and arguments.part == "tune":
                print("missed", mark["type"], repr(text[max(0, mark["start"] - 15) : mark["start"]]), mark["text"])
        for span in spans:
            group = [span.type, f"all {note['language']}", "all"]
            good = any(span.start < mark["end"] and mark["start"] < span.end for mark in note["spans"])
            found.update(group)
            right.update(group if good else [])
            if not good and arguments.missed and arguments.part == "tune":
                print("wrong", span.type, repr(text[span.start : span.end]))
    print(
        f"{arguments.part} part, {len(notes)} notes, osler {__version__}, Python {platform.python_version()}; "
        f"{characters / seconds:,.0f} characters per CPU-second\n"
    )
    print("| kind | n | recall (covered) | typed recall | found | precision |\n|---|---:|---|---:|---:|---|")
    for kind in [*sorted(key for key in gold if not key.startswith("all")), "all en", "all zh", "all"]:
        print(
            f"| {kind} | {gold[kind]} | {wilson(covered[kind], gold[kind])} | {typed[kind] / gold[kind]:.3f} "
            f"| {found[kind]} | {wilson(right[kind], found[kind])} |"
        )


if __name__ == "__main__":
    main()
