"""How well statements are told from their evidence: the report parts of both sets in tests/sets, with two peers.

Prints the tables of `verification.md`. The tune parts chose the rules, the weights and both peers' thresholds; the
report parts are only counted here, never shown. It does not measure a model-based verifier.

    python benchmarks/verification.py [verification | verification_2]
"""

import json
import platform
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.models.embedder import load_embedder
from osler.nouns import Evidence
from osler.reasoning.verify import verify
from osler.splits import split
from osler.text import sentences, words

SETS = Path(__file__).parents[1] / "tests" / "sets"
NAMES = {
    "verification": "First set",
    "verification_2": "Second set, by another hand",
    "verification_3": "Third set, natural paraphrases",
}
VERDICTS = ("supported", "partial", "unsupported", "contradicted")
RESAMPLES = 2000


class Pair(NamedTuple):
    """A statement, its evidence and its verdict; `group`: pairs on one evidence text stay together."""

    statement: str
    evidence: list[Evidence]
    verdict: str
    kind: str
    language: str
    group: str


def pairs(name: str, part: str) -> list[Pair]:
    found = []
    for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        group = "".join(item["text"] for item in row["evidence"])
        if split(name, group) == part:
            evidence = [Evidence(id=str(n), kind="record", text=e["text"]) for n, e in enumerate(row["evidence"])]
            found.append(Pair(row["statement"], evidence, row["verdict"], row["kind"], row["language"], group))
    return found


def f1(gold: Sequence[str], said: Sequence[str], positive: Callable[[str], bool]) -> tuple[float, float, float]:
    """Precision, recall and F1 of the labels that `positive` accepts."""
    true = sum(positive(g) and positive(s) for g, s in zip(gold, said, strict=True))
    claimed, real = sum(map(positive, said)), sum(map(positive, gold))
    precision, recall = true / claimed if claimed else 0.0, true / real if real else 0.0
    return precision, recall, 2 * true / (claimed + real) if claimed + real else 0.0


def measures(gold: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    each = {verdict: f1(gold, said, lambda label, v=verdict: label == v)[2] for verdict in VERDICTS}  # type: ignore[misc]
    wrong = [s for g, s in zip(gold, said, strict=True) if g in ("unsupported", "contradicted")]
    return {
        "macro-F1": sum(each.values()) / len(each),
        **{f"F1 {verdict}": value for verdict, value in each.items()},
        "F1 not supported": f1(gold, said, lambda label: label != "supported")[2],
        "wrongly supported": wrong.count("supported") / max(1, len(wrong)),
        "accuracy": sum(g == s for g, s in zip(gold, said, strict=True)) / len(gold),
    }


def intervals(items: Sequence[Pair], said: Sequence[str]) -> dict[str, tuple[float, float]]:
    """95% bootstrap intervals, resampling evidence texts."""
    groups: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(item.group, []).append(index)
    keys, rng = sorted(groups), random.Random(0)
    drawn: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        chosen = [index for key in rng.choices(keys, k=len(keys)) for index in groups[key]]
        for name, value in measures([items[i].verdict for i in chosen], [said[i] for i in chosen]).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (sorted(values)[int(0.025 * RESAMPLES)], sorted(values)[int(0.975 * RESAMPLES)])
        for name, values in drawn.items()
    }


def overlap(item: Pair) -> float:
    """Share of the statement's words that stand in the evidence."""
    said, known = set(words(item.statement)), set(words(item.group))
    return len(said & known) / max(1, len(said))


def cosines(items: Sequence[Pair]) -> list[float]:
    """Cosine of the statement and the nearest sentence of its evidence."""
    embedder = load_embedder()
    found = []
    for item in items:
        parts = [item.group[start:end] for start, end in sentences(item.group)]
        found.append(float((embedder.embed_passages(parts) @ embedder.embed_queries([item.statement])[0]).max()))
    return found


def cuts(scores: Sequence[float], gold: Sequence[str]) -> tuple[float, float]:
    """The two thresholds that make the best macro-F1: above the first supported, between them contradicted."""
    steps = sorted(set(scores))[:: max(1, len(set(scores)) // 40)]
    return max(
        ((high, low) for high in steps for low in steps if low <= high),
        key=lambda pair: measures(gold, cut(scores, pair))["macro-F1"],
    )


def cut(scores: Sequence[float], pair: tuple[float, float]) -> list[str]:
    high, low = pair
    return ["supported" if s >= high else "contradicted" if s >= low else "unsupported" for s in scores]


def table(items: Sequence[Pair], said: dict[str, list[str]]) -> None:
    gold = [item.verdict for item in items]
    print(f"| measure | {' | '.join(said)} |\n| --- |{' --- |' * len(said)}")
    bounds = {name: intervals(items, labels) for name, labels in said.items()}
    values = {name: measures(gold, labels) for name, labels in said.items()}
    for measure in next(iter(values.values())):
        cells = [f"{values[n][measure]:.3f} ({bounds[n][measure][0]:.2f}–{bounds[n][measure][1]:.2f})" for n in said]
        print(f"| {measure} | {' | '.join(cells)} |")


def report(name: str, items: Sequence[Pair], peers: dict[str, list[str]]) -> None:
    """The tables of one report part."""
    gold = [item.verdict for item in items]
    started = time.process_time()
    mine: list[str] = [verify(item.statement, item.evidence).verdict for item in items]
    seconds = time.process_time() - started
    said = {"verify": mine, **peers}
    print(f"\n## {NAMES[name]}: report part, n = {len(items)}, {len({item.group for item in items})} evidence texts\n")
    table(items, said)
    print(f"\n{len(items) / seconds:.0f} statements a CPU second, one thread.\n")
    print("| class | n | precision | recall | F1 |\n| --- | --- | --- | --- | --- |")
    for verdict in VERDICTS:
        p, r, f = f1(gold, mine, lambda label, v=verdict: label == v)  # type: ignore[misc]
        print(f"| {verdict} | {gold.count(verdict)} | {p:.3f} | {r:.3f} | {f:.3f} |")
    counts = Counter(zip(gold, mine, strict=True))
    print(f"\n| truth \\ said | {' | '.join(VERDICTS)} |\n| --- |{' --- |' * len(VERDICTS)}")
    for row in VERDICTS:
        print(f"| {row} | {' | '.join(str(counts[row, column]) for column in VERDICTS)} |")
    for language in ("en", "zh"):
        chosen = [index for index, item in enumerate(items) if item.language == language]
        values = measures([gold[i] for i in chosen], [mine[i] for i in chosen])
        print(f"\n{language}, n = {len(chosen)}: {', '.join(f'{key} {value:.3f}' for key, value in values.items())}.")
    print("\n| kind | n | right | of these false | called supported |\n| --- | --- | --- | --- | --- |")
    for kind, n in Counter(item.kind for item in items).most_common():
        mentioned = [(item.verdict, label) for item, label in zip(items, mine, strict=True) if item.kind == kind]
        right = sum(truth == label for truth, label in mentioned) / n
        false = [label for truth, label in mentioned if truth in ("unsupported", "contradicted")]
        print(f"| {kind} | {n} | {right:.2f} | {len(false)} | {false.count('supported')} |")


def main() -> None:
    tune = [item for name in NAMES for item in pairs(name, "tune")]
    gold = [item.verdict for item in tune]
    lexical, near = cuts([overlap(item) for item in tune], gold), cuts(cosines(tune), gold)
    print("# Verification of statements against their evidence\n")
    print(
        f"osler {__version__}, Python {platform.python_version()}; `python benchmarks/verification.py`. 95% bootstrap "
        "intervals over evidence texts. Peers in the same run: share of the statement's words in the evidence, and "
        "cosine (e5-small) with its nearest sentence, each with two thresholds tuned for macro-F1 on the tune parts of "
        "both sets (neither can say partial). *Wrongly supported*: share of the unsupported and contradicted "
        "statements that are called supported, the figure that matters for safety."
    )
    verify("warm", [Evidence(id="1", kind="record", text="warm and dry")])
    for name in sys.argv[1:] or NAMES:
        items = pairs(name, "report")
        peers = {
            "word overlap": cut([overlap(item) for item in items], lexical),
            "e5-small cosine": cut(cosines(items), near),
        }
        report(name, items, peers)


if __name__ == "__main__":
    sys.exit(main())
