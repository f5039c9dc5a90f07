"""What verification says of corpus sentences that a script edited: the truth is known by construction.

A sentence with another number or unit, a negation put in or out, or a word turned into its opposite is contradicted by
its own paragraph; unchanged or shortened at a joining word it is supported. Paragraphs of the blind sets are left
out. It says nothing of paraphrases: for those see `verification.py`.

    python benchmarks/verification_edits.py ../shared/data
"""

import gzip
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from osler.nouns import Evidence
from osler.reasoning.verify import verdict, verify
from osler.text import sentences

SETS = sorted((Path(__file__).parents[1] / "tests" / "sets").glob("verification*.jsonl"))
PARAGRAPHS = 600
UNITS = {"days": "weeks", "weeks": "days", "months": "weeks", "years": "months", "hours": "days", "mg": "g", "mm": "cm"}
OPPOSITES = dict(
    pair.split("/")
    for pair in "increase/decrease increases/decreases increased/decreased decrease/increase decreases/increases "
    "decreased/increased higher/lower lower/higher left/right right/left reduce/increase reduces/increases "
    "acute/chronic chronic/acute anterior/posterior posterior/anterior before/after after/before more/less "
    "improve/worsen proximal/distal distal/proximal positive/negative negative/positive male/female early/late "
    "rare/common common/rare long/short most/few".split()
)
_NUMBER = re.compile(r"(?<![\w.\-(])(\d+(?:\.\d+)?)(?=\s(?:percent|mg|g|days?|weeks?|months?|years?|hours?|cm|mm)\b|%)")
_UNIT = re.compile(rf"(?<=\d )({'|'.join(UNITS)})\b")
_NEGATIONS = [
    (re.compile(r"\b(is|are|was|were) not\b"), r"\1"),
    (re.compile(r"\bcannot\b"), "can"),
    (re.compile(r"\b(can|may|should|will|must) (?!not)"), r"\1 not "),
    (re.compile(r"\b(is|are) (?!not)(\w+ed\b|usually|the|a|an|often)"), r"\1 not \2"),
]


def number(text: str) -> str | None:
    match = _NUMBER.search(text)
    return text[: match.start()] + f"{3 * float(match[1]):g}" + text[match.end() :] if match else None


def unit(text: str) -> str | None:
    match = _UNIT.search(text)
    return text[: match.start()] + UNITS[match[1]] + text[match.end() :] if match else None


def negation(text: str) -> str | None:
    return next((made for pattern, new in _NEGATIONS if (made := pattern.sub(new, text, count=1)) != text), None)


def opposite(text: str) -> str | None:
    match = next((found for found in re.finditer(r"\b\w+\b", text) if found.group() in OPPOSITES), None)
    return text[: match.start()] + OPPOSITES[match.group()] + text[match.end() :] if match else None


def shortened(text: str) -> str | None:
    match = re.match(r"(.{40,}?),? (?:which|because|and|but|when|if|so that|such as) ", text)
    return f"{match[1]}." if match else None


EDITS: dict[str, tuple[Callable[[str], str | None], str]] = {
    "number": (number, "contradicted"),
    "unit": (unit, "contradicted"),
    "negation": (negation, "contradicted"),
    "opposite": (opposite, "contradicted"),
    "shortened": (shortened, "supported"),
    "unchanged": (lambda text: text, "supported"),
}


def paragraphs(folder: Path, rng: random.Random) -> Iterator[str]:
    rows = [json.loads(line) for file in SETS for line in file.read_text(encoding="utf-8").splitlines()]
    blind = {item["text"] for row in rows for item in row["evidence"]}
    found = []
    for file in sorted((folder / "corpus").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                parts = str(json.loads(line).get("text") or "").split("\n")
                found += [part for part in parts if 250 < len(part) < 900 and part not in blind][:1]
    return iter(rng.sample(found, PARAGRAPHS))


def main(folder: Path) -> None:
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
    verdict.verbatim = lambda statement, text: False  # the rules must stand without the shortcut
    counts: Counter[tuple[str, str]] = Counter()
    for paragraph in paragraphs(folder, rng):
        found = [paragraph[start:end] for start, end in sentences(paragraph)]
        found = [text for text in found if 40 < len(text) < 220 and text.endswith(".")]
        rng.shuffle(found)
        for name, (edit, _) in EDITS.items():
            if made := next((text for text in map(edit, found) if text), None):
                evidence = [Evidence(id="1", kind="passage", text=paragraph)]
                counts[name, verify(made, evidence).verdict] += 1
    print("| edit | truth | n | told | called supported |\n| --- | --- | --- | --- | --- |")
    for name, (_, truth) in EDITS.items():
        total = sum(count for (edit, _), count in counts.items() if edit == name)
        told, supported = (100 * counts[name, label] / max(1, total) for label in (truth, "supported"))
        print(f"| {name} | {truth} | {total} | {told:.1f}% | {supported:.1f}% |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
