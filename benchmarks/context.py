"""Status, experiencer and time of mentions on the project's own set, beside NegEx.

    python benchmarks/context.py              the tune parts, with every error
    python benchmarks/context.py --report     the report parts as tables, no texts

The first set was written before the rules and without sight of them, the second one after them by another hand
(tests/sets/README.md). Status and experiencer count on all mentions, time on those that are the patient's and not
absent. NegEx is the algorithm of Chapman et al. (J Biomed Inform 2001) written from its description: it knows only
negation, so it is also scored on absent against not absent.
"""

import argparse
import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from osler.knowledge.concepts.context import Context, contexts
from osler.splits import split
from osler.text import sentences

SETS = Path(__file__).parents[1] / "tests" / "sets"
# NegEx: phrases before a term (in a window of five words), after it, and phrases that only look like negation.
PSEUDO = (
    "no increase|no change|no suspicious change|no significant change|no interval change|not only|"
    "not certain if|not certain whether|not necessarily|not drain|gram negative|without difficulty|not cause|"
    "no further"
)
BEFORE = (
    "no evidence of|no sign of|no signs of|no|not|denies|denied|denying|without|absence of|negative for|never|"
    "ruled out|rules out|rule out|free of|fails to reveal|no history of|cannot|declined|unremarkable for|"
    "no suspicious|no complaints of|neither|nor"
)
AFTER = "unlikely|was ruled out|is ruled out|are ruled out|has been ruled out|free|was negative|ruled out"
CONJUNCTIONS = (
    "but|however|nevertheless|yet|though|although|still|aside from|except|apart from|secondary to|"
    "as the cause of|as the source of|which"
)


def negex(text: str, start: int, end: int) -> Context:
    span = next((s for s in sentences(text) if s.start <= start < s.end), None)
    if span is None:
        return Context()
    before = re.split(rf"\b(?:{CONJUNCTIONS})\b", text[span.start : start].lower())[-1]
    after = re.split(rf"\b(?:{CONJUNCTIONS})\b", text[end : span.end].lower())[0]
    before = re.sub(rf"\b(?:{PSEUDO})\b", " # ", before)
    words = r"(?:\W+\w+){0,5}\W*"
    if re.search(rf"\b(?:{BEFORE})\b{words}$", before) or re.match(rf"^(?:\W*\w+){{0,5}}\W*\b(?:{AFTER})\b", after):
        return Context("absent")
    return Context()


def of_class(row: dict[str, Any]) -> str:
    if row["experiencer"] != "patient":
        return "family or other"
    return row["time"] if row["time"] != "current" else row["status"]


def right(row: dict[str, Any], said: Context) -> bool:
    timed = row["experiencer"] == "patient" and row["status"] != "absent"
    return (row["status"], row["experiencer"]) == said[:2] and (not timed or row["time"] == said.time)


def share(flags: list[bool]) -> str:
    dice = random.Random(0)
    values = sorted(sum(dice.choices(flags, k=len(flags))) / len(flags) for _ in range(1000))
    return f"{sum(flags) / len(flags):.3f} [{values[25]:.3f}, {values[974]:.3f}]"


def table(rows: list[dict[str, Any]], said: dict[str, list[Context]]) -> None:
    print("| mentions | n | " + " | ".join(said) + " |\n|---|---|" + "---|" * len(said))
    groups: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for group in ("all", f"language {row['language']}", f"class {of_class(row)}"):
            groups[group].append(number)
        if row["language"] == "en":
            groups[f"style {row['style']}"].append(number)
    for group, numbers in sorted(groups.items()):
        cells = [share([right(rows[n], answers[n]) for n in numbers]) for answers in said.values()]
        print(f"| {group} | {len(numbers)} | " + " | ".join(cells) + " |")
    print("\nAbsent against not absent only (what NegEx claims to tell), share right:\n")
    print("| mentions | n | " + " | ".join(said) + " |\n|---|---|" + "---|" * len(said))
    for group in ("all", "language en", "language zh"):
        cells = [
            share([(rows[n]["status"] == "absent") == (answers[n].status == "absent") for n in groups[group]])
            for answers in said.values()
        ]
        print(f"| {group} | {len(groups[group])} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true", help="the parts that were not tuned on")
    options = parser.parse_args()
    for name in ("context", "context_2"):
        measure(name, "report" if options.report else "tune")


def measure(name: str, part: str) -> None:
    rows = [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if split(name, row["text"]) == part]
    by_text: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_text[row["text"]].append(row)
    mine: dict[str, Context] = {}
    for text, together in by_text.items():
        for row, context in zip(together, contexts(text, [(r["start"], r["end"]) for r in together]), strict=True):
            mine[row["id"]] = context
    said = {
        "Osler": [mine[row["id"]] for row in rows],
        "NegEx": [negex(row["text"], row["start"], row["end"]) for row in rows],
    }
    print(f"## {name}.jsonl, {part} part: {len(rows)} mentions in {len(by_text)} texts\n")
    print("Share right in status, experiencer and time at once, with the 95% bootstrap interval.\n")
    table(rows, said)
    print()
    if part == "tune":
        for row, context in zip(rows, said["Osler"], strict=True):
            if not right(row, context):
                print(row["id"], row["mention"], of_class(row), tuple(context), repr(row["text"]))


if __name__ == "__main__":
    main()
