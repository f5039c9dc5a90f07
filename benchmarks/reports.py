"""Draft reports without a model: what they keep of a note's substance, and whether tempting gaps stay gaps.

    python benchmarks/reports.py [--limit N]

Needs `bench.data`. ACI-Bench and MTS-Dialog validation (report parts) against copying the dialogue and its first
sentences; the trap set `tests/sets/report_traps.jsonl` (70 inputs, 202 traps, written without sight of the code)
through the extractive path, and each of its falsehoods (fragments such as "echo showed" among them) as a sentence of a
model that cites the three entries most like it.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from osler.bench.runner import run
from osler.clinic.reports import draft, kinds
from osler.clinic.reports.written import refused
from osler.nouns import Evidence
from osler.reasoning.resources import Resources, Run
from osler.record import read_text
from osler.settings import load_settings
from osler.statistics import wilson
from osler.text import words

TRAPS = Path(__file__).parents[1] / "tests" / "sets" / "report_traps.jsonl"
METRICS = ("ROUGE-L", "ROUGE-1", "likeness (e5-small)", "concept F1", "support rate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    settings = load_settings()
    print(f"osler {version('osler')}\n")
    for task in ("acibench", "mtsdialog"):
        print(f"| {task} | n | {' | '.join(METRICS)} |\n|---|---|{'---|' * len(METRICS)}")
        for method in ("extractive", "lead", "copy"):
            made = run(task, settings, method, limit=given.limit)
            by_name = {row.metric: row for row in made.measurements}
            cells = []
            for name in METRICS:
                low, high = by_name[name].interval or (0.0, 0.0)
                cells.append(f"{by_name[name].value:.3f} [{low:.3f}, {high:.3f}]")
            print(f"| {method} | {made.card.n} | {' | '.join(cells)} |", flush=True)
        print()
    traps(Resources(settings))


def traps(resources: Resources) -> None:
    """What must not be said and what must, in all statements of the drafts; by language and by kind of trap."""
    known, counts = kinds(resources.settings), Counter[tuple[str, str]]()
    for line in TRAPS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        made = draft(known[row["kind"]], read_text(row["input"]), Run(resources, "bench"), row["language"], True)
        text = folded(" ".join(one.text for part in made.sections for one in part.statements))
        run = Run(resources, "bench")
        for trap in row["traps"]:
            for name in (row["language"], trap["what"], "all"):
                counts[name, "n"] += 1
                counts[name, "said"] += any(folded(one) in text for one in trap["must_not"])
                counts[name, "lost"] += any(folded(one) not in text for one in trap["must"])
            told = [f"{lie[:1].upper()}{lie[1:]}." for lie in trap["must_not"]]
            lies = [refused(lie, nearest(lie, made.evidence), run) for lie in told]
            for name in (row["language"], trap["what"], "all"):
                counts[name, "lies"] += len(lies)
                counts[name, "passed"] += lies.count(None)
    print("| traps | n | something false said | something true lost | lies of a liar | of them not taken out |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in counts):
        n = counts[name, "n"]
        cells = []
        for what in ("said", "lost"):
            low, high = wilson(counts[name, what], n)
            cells.append(f"{counts[name, what]} [{low:.3f}, {high:.3f}]")
        low, high = wilson(counts[name, "passed"], counts[name, "lies"])
        cells += [str(counts[name, "lies"]), f"{counts[name, 'passed']} [{low:.3f}, {high:.3f}]"]
        print(f"| {name} | {n} | {' | '.join(cells)} |")


def nearest(lie: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The three entries that share most words with a sentence: what a clever liar would cite."""
    said = set(words(lie))
    return sorted(evidence, key=lambda item: -len(said.intersection(words(item.text))))[:3]


def folded(text: str) -> str:
    return "".join(text.lower().split())


if __name__ == "__main__":
    main()
