"""Prints how the safety room does: red flags on notes written before the rules, interactions against DDInter.

Run from the repository: `.venv/bin/python benchmarks/safety.py [--set NAME] [--tune]`. Writes nothing. `--tune` shows
the part the rules were tuned on; without it the held-out part, as sums and misses by id only.
"""

import argparse
import gzip
import itertools
import json
import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.clinic.safety import red_flags
from osler.clinic.safety.rules import load_rules
from osler.knowledge.drugs.interactions import Knowledge, between, load_interactions
from osler.knowledge.drugs.names import Drug, load_classes, load_names
from osler.knowledge.graph import load_graph
from osler.record.case import Case, Document, Patient
from osler.splits import split

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
LEVELS = {"contraindicated": "Major", "major": "Major", "moderate": "Moderate", "minor": "Minor"}


class Share(NamedTuple):
    hits: int
    n: int

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.n)
        return f"{self.hits / self.n if self.n else float('nan'):.3f} [{low:.3f}, {high:.3f}] ({self.hits}/{self.n})"


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95% score interval of a proportion."""
    if not n:
        return math.nan, math.nan
    p, d = hits / n, 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    middle = (p + z * z / (2 * n)) / d
    return max(0.0, middle - half), min(1.0, middle + half)


def notes(name: str, part: str) -> list[dict[str, Any]]:
    """The notes of one part of a set (red_flags, red_flags_2, red_flags_3); lines of the other are dropped unseen."""
    lines = (ROOT / "tests" / "sets" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    items = (json.loads(line) for line in lines)
    return [item for item in items if split(name, item["condition"]) == part]


def case_of(item: dict[str, Any]) -> Case:
    document = Document(source="note", id="note", text=item["text"], language=item["language"])
    return Case(
        kind="note", digest="0" * 64, language=item["language"], patient=Patient(source="note"), documents=[document]
    )


def raised(item: dict[str, Any]) -> set[str]:
    flags, _ = red_flags(case_of(item), [], load_graph(), item["language"])
    return {i.removeprefix("guideline:") for flag in flags for i in flag.evidence if i.startswith("guideline:")}


def by_keyword(item: dict[str, Any]) -> set[str]:
    """The peer: a rule fires when two of its own features, or all if it has fewer, are named anywhere, whatever the
    context, the values or the logic."""
    book = load_rules()
    named = {span.feature for span in book.phrasebook.find(item["text"])}
    fired: set[str] = set()
    for rule in book.rules:
        own = set(_positive(book.conditions[rule.id]))
        if own and len(own & named) >= min(2, len(own)):
            fired.add(rule.id)
    return fired


def _positive(condition: Any) -> Iterable[str]:
    from osler.clinic.safety.conditions import Count, Name

    if isinstance(condition, Count):
        yield from itertools.chain.from_iterable(_positive(part) for part in condition.parts)
    elif isinstance(condition, Name) and condition.name in load_rules().features:
        yield condition.name


def flag_table(items: Sequence[dict[str, Any]], method: Any) -> tuple[dict[str, str], list[str]]:
    """Sums and the ids that went wrong."""
    hit = expected = false = whole = alarms = 0
    positive = [item for item in items if item["polarity"] == "positive"]
    wrong: list[str] = []
    for item in items:
        found, wanted = method(item), set(item["expected"])
        extra = found - wanted - set(item["acceptable"])
        hit, expected, false = hit + len(found & wanted), expected + len(wanted), false + len(extra)
        whole += item["polarity"] == "positive" and wanted <= found
        alarms += item["polarity"] == "negative" and bool(extra)
        if extra or wanted - found:
            wrong.append(f"{item['id']}: missed {sorted(wanted - found)}, false {sorted(extra)}")
    negative = len(items) - len(positive)
    return {
        "recall": str(Share(hit, expected)),
        "precision": str(Share(hit, hit + false)),
        "whole positive notes": str(Share(whole, len(positive))),
        "negative notes with a false flag": str(Share(alarms, negative)),
    }, wrong


def red_flag_report(name: str, part: str) -> None:
    items = notes(name, part)
    load_rules()
    raised(items[0])
    started = time.perf_counter()
    for item in items:
        raised(item)
    each = (time.perf_counter() - started) / len(items) * 1000
    conditions = len({item["condition"] for item in items})
    print(f"## {name}, {part} part: {len(items)} notes on {conditions} conditions, {each:.1f} ms a note\n")
    for language in ("all", *sorted({item["language"] for item in items})):
        chosen = [item for item in items if language in ("all", item["language"])]
        for method, raise_flags in (("rules", raised), ("keywords", by_keyword)):
            table, wrong = flag_table(chosen, raise_flags)
            print(f"{language} {method}: " + "; ".join(f"{key} {value}" for key, value in table.items()))
            if language == "all" and method == "rules":
                print("\n".join(f"  {line}" for line in wrong))


def visits_report() -> None:
    """Flags on 67 notes of ordinary visits (ACI-Bench train): unlabelled, so read each flag."""
    lines = (SHARED / "notes" / "acibench_train.jsonl").read_text(encoding="utf-8").splitlines()
    visits = [json.loads(line) for line in lines]
    found = {visit["encounter_id"]: raised({"text": visit["note"], "language": "en"}) for visit in visits}
    started = time.process_time()
    for visit in visits:
        raised({"text": visit["note"], "language": "en"})
    each = (time.process_time() - started) / len(visits) * 1000
    size = sum(len(visit["note"]) for visit in visits) // len(visits)
    print(f"\n## Ordinary visits: {len(visits)} notes of {size} characters, {each:.1f} CPU-ms each\n")
    print("; ".join(f"{visit}: {', '.join(sorted(flags))}" for visit, flags in found.items() if flags))


def ddinter() -> list[tuple[str, str, str]]:
    with gzip.open(SHARED / "knowledge" / "ddinter_dev.tsv.gz", "rt", encoding="utf-8") as file:
        next(file)
        return [(f[1], f[3], f[4]) for f in (line.rstrip("\n").split("\t") for line in file)]


def interaction_report() -> None:
    names, classes, knowledge = load_names(), load_classes(), load_interactions()
    pairs_only = Knowledge(
        {
            sides: rows
            for sides, rows in knowledge.pairs.items()
            if not any(side.startswith("class:") for side in sides)
        },
        {},
        (),
    )
    cache: dict[str, list[Drug]] = {}
    rows = ddinter()
    kept: list[tuple[Drug, Drug, str]] = []
    for a, b, level in rows:
        sides = [cache.setdefault(name, names.of(name) if "(" not in name else []) for name in (a, b)]
        if all(len(side) == 1 for side in sides) and sides[0] != sides[1]:
            kept.append((sides[0][0], sides[1][0], level))
    print(f"\n## Interactions against ddinter_dev: {len(rows)} pairs, {len(kept)} both names known (no local forms)\n")
    for title, known in (("starter set", knowledge), ("pairs of drugs only", pairs_only)):
        by_level: dict[str, list[str | None]] = {}
        for left, right, level in kept:
            found = between(left, right, known, classes)
            by_level.setdefault(level, []).append(LEVELS[found[0].severity] if found else None)
        for level, answers in by_level.items():
            flagged = [answer for answer in answers if answer]
            same = Share(sum(answer == level for answer in flagged), len(flagged))
            print(f"{title}, {level}: flagged {Share(len(flagged), len(answers))}; of these same severity {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--set", default="red_flags_3", choices=("red_flags", "red_flags_2", "red_flags_3"))
    parser.add_argument("--only", choices=("flags", "interactions"))
    options = parser.parse_args()
    if options.only != "interactions":
        red_flag_report(options.set, "tune" if options.tune else "report")
        visits_report()
    if options.only != "flags":
        interaction_report()


if __name__ == "__main__":
    main()
