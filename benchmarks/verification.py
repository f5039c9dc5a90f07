"""How well statements are told from their evidence: the report half of tests/sets/verification.jsonl, with two peers.

Prints the tables of `verification.md`. The tune half chose the rules and both peers' thresholds; the report half is
only counted here, never shown. It does not measure a model-based verifier.

    python benchmarks/verification.py > benchmarks/verification.md
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

SET = Path(__file__).parents[1] / "tests" / "sets" / "verification.jsonl"
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


def pairs(part: str) -> list[Pair]:
    found = []
    for line in SET.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        group = "".join(item["text"] for item in row["evidence"])
        if split("verification", group) == part:
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
    return {
        "macro-F1": sum(each.values()) / len(each),
        **{f"F1 {verdict}": value for verdict, value in each.items()},
        "F1 not supported": f1(gold, said, lambda label: label != "supported")[2],
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


def main() -> None:
    tune, report = pairs("tune"), pairs("report")
    embedder = load_embedder()
    started = time.perf_counter()
    mine = [verify(item.statement, item.evidence).verdict for item in report]
    seconds = time.perf_counter() - started
    with_embedder = [verify(item.statement, item.evidence, embedder).verdict for item in report]
    tuned = [verify(item.statement, item.evidence).verdict for item in tune]
    tune_gold = [item.verdict for item in tune]
    lexical = cuts([overlap(item) for item in tune], tune_gold)
    near = cuts(cosines(tune), tune_gold)
    said: dict[str, list[str]] = {
        "verify": list(mine),
        "verify + embedder": list(with_embedder),
        "word overlap": cut([overlap(item) for item in report], lexical),
        "e5-small cosine": cut(cosines(report), near),
    }
    print("# Verification of statements against their evidence\n")
    print(
        f"osler {__version__}, Python {platform.python_version()}; `python benchmarks/verification.py`. Set: "
        f"`tests/sets/verification.jsonl`; report half n = {len(report)} (tune half n = {len(tune)}), "
        f"{len({item.group for item in report})} evidence texts. 95% bootstrap intervals over evidence texts. Peers: "
        "share of the statement's words in the evidence, and cosine with its nearest sentence, each with two "
        "thresholds tuned for macro-F1 on the tune half (neither can say partial).\n"
    )
    print("## Report half\n")
    table(report, said)
    gold = [item.verdict for item in report]
    print(
        "\n## verify, each class (report half)\n\n| class | n | precision | recall | F1 |\n"
        "| --- | --- | --- | --- | --- |"
    )
    for verdict in VERDICTS:
        p, r, f = f1(gold, mine, lambda label, v=verdict: label == v)  # type: ignore[misc]
        print(f"| {verdict} | {gold.count(verdict)} | {p:.3f} | {r:.3f} | {f:.3f} |")
    counts = Counter(zip(gold, mine, strict=True))
    print(f"\n| truth \\ said | {' | '.join(VERDICTS)} |\n| --- |{' --- |' * len(VERDICTS)}")
    for row in VERDICTS:
        print(f"| {row} | {' | '.join(str(counts[row, column]) for column in VERDICTS)} |")
    print("\n## By language (report half)\n")
    for language in ("en", "zh"):
        chosen = [index for index, item in enumerate(report) if item.language == language]
        print(f"\n{language}, n = {len(chosen)}\n")
        table([report[i] for i in chosen], {name: [labels[i] for i in chosen] for name, labels in said.items()})
    print("\n## By kind (report half): share of right verdicts\n\n| kind | n | right |\n| --- | --- | --- |")
    kinds = Counter(item.kind for item in report)
    right = Counter(item.kind for item, label in zip(report, mine, strict=True) if item.verdict == label)
    for kind, n in kinds.most_common():
        print(f"| {kind} | {n} | {right[kind] / n:.2f} |")
    values = measures(tune_gold, tuned)
    listed = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
    print(f"\n## Tune half, where the rules were made\n\n{listed}.")
    print(
        f"\n## Speed\n\n{len(report) / seconds:.0f} statements a second without embedder, one thread, shared machine."
    )


if __name__ == "__main__":
    sys.exit(main())
