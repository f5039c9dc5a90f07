"""Prints how Osler treats groups: swaps, SmolLM2, mitigations, the ranker, red flags and drug safety.

Run from the repository: `.venv/bin/python benchmarks/fairness.py [PART...]`, parts: swaps, ranker, flags,
model:TASK:N:METHOD:ATTRIBUTES (attributes and crossings with + between them) or mitigations:TASK:N:ATTRIBUTE.
OSLER_BENCH_DATA names the data folder; replies are kept in OSLER_HOME, so that what was asked once isn't asked again.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from osler import __version__
from osler.bench.choice import Item
from osler.bench.runner import drawn
from osler.bench.task import Bench
from osler.bench.tasks import find_task
from osler.clinic.safety import drug_safety, red_flags
from osler.knowledge.graph import load_graph
from osler.nouns import Measurement
from osler.reasoning.registry import Question, find_method
from osler.reasoning.resources import Run
from osler.record import read
from osler.settings import Settings, load_settings
from osler.splits import split
from osler.statistics import mean_interval, wilson
from osler.trust.audit import audited
from osler.trust.fairness import GROUPS, of_groups, rows
from osler.trust.fairness_ranker import ranker_rows
from osler.trust.mitigation import MITIGATIONS, use
from osler.trust.swaps import attributes, swap, variants
from osler.trust.variants import changes

SETS = Path(__file__).resolve().parents[1] / "tests" / "sets"
NOTES = ("red_flags", "red_flags_2", "red_flags_3")
WATCHED = ("sex", "race", "insurance", "housing", "language", "religion", "orientation")
CASES = 150


def swaps() -> Iterator[str]:
    """The set of swaps: texts that came out exactly as written before the rules, by part."""
    yield "| part | expected | n | right | 95% interval |\n| --- | --- | --- | --- | --- |"
    cases = [json.loads(line) for line in (SETS / "swaps.jsonl").read_text(encoding="utf-8").splitlines()]
    found: dict[tuple[str, str], list[bool]] = {}
    for case in cases:
        made = swap(case["text"], case["attribute"], case["to"], insert=case["kind"] == "insert")
        right = made.text == case["expected"] and (made.text is not None or made.why == case["why"])
        kind = {"exception": "kept for its medicine", "absent": "not mentioned"}.get(case["why"], "changed")
        for key in (kind, f"all {case['language']}", "all"):
            found.setdefault((split("swaps", case["id"]), key), []).append(right)
    for (part, kind), hits in sorted(found.items(), reverse=True):
        low, high = wilson(sum(hits), len(hits))
        yield f"| {part} | {kind} | {len(hits)} | {sum(hits)} | {low:.3f} to {high:.3f} |"


def flags(settings: Settings) -> Iterator[str]:
    """Notes of the report parts of the red-flag sets, with each attribute swapped or put in: are flags and alerts the
    same?"""
    yield "| attribute | notes | variants | kept for their medicine | other flags | 95% interval | other alerts |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    texts = [(item["text"], item["language"]) for name in NOTES for item in _notes(name)]
    plain = {text: _said(text, language, settings) for text, language in texts}
    for attribute in WATCHED:
        changed: Counter[str] = Counter()
        for text, language in texts:
            changed["kept"] += swap(text, attribute, attributes()[attribute][0]).why == "exception"
            made = [after for _, after in variants(text, attribute, insert=True)]
            changed["notes"] += bool(made)
            for after in made:
                was, now = plain[text], _said(after, language, settings)
                changed.update({"n": 1, "flags": was[0] != now[0], "alerts": was[1] != now[1]})
        low, high = wilson(changed["flags"], changed["n"])
        cells = (attribute, changed["notes"], changed["n"], changed["kept"], changed["flags"])
        yield f"| {' | '.join(map(str, cells))} | {low:.3f} to {high:.3f} | {changed['alerts']} |"


def _notes(name: str) -> Iterator[dict[str, Any]]:
    for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if split(name, item["condition"]) == "report":
            yield item


def _said(text: str, language: Any, settings: Settings) -> tuple[list[str], list[str]]:
    case = read(text.encode(), name="note.txt")
    raised, _ = red_flags(case, [], load_graph(), language)
    return sorted(one.label for one in raised), sorted(
        one.message for one in drug_safety(case, [], load_graph(), settings).alerts
    )


def model(settings: Settings, task: str, n: str, method: str, names: str) -> Iterator[str]:
    """A task's items for every group, asked of the configured model."""
    asked = [changes("fairness")[name] for name in names.split("+")] if names else []
    method = use(method) or method
    yield from table(rows(audited(task, asked, Bench(settings), method, limit=int(n))))


def mitigations(settings: Settings, task: str, n: str, attribute: str) -> Iterator[str]:
    """What `direct` chooses for every group of an attribute, as it is and with each mitigation; before verification,
    which changes no choice."""
    yield "| method | items | flip rate | 95% interval | accuracy | 95% interval | of answered | no answer |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    bench = Bench(settings)
    asked = drawn(find_task(task).items(bench.data, "report"), int(n), 0)
    made = [(item, of_groups(GROUPS[attribute], item, Random(0))) for item in asked]
    fit = [(item, list(worlds.values())) for item, worlds in made if worlds]
    for how in ("", *MITIGATIONS):
        name = str(use("direct", how))
        said = [[_choice(name, world, bench) for world in worlds] for _, worlds in fit]
        turned = sum(len(set(choices)) > 1 for choices in said)
        every = [(choice, item.answer) for (item, _), choices in zip(fit, said, strict=True) for choice in choices]
        hits, none = sum(choice == answer for choice, answer in every), sum(choice is None for choice, _ in every)
        groups = [number for number, choices in enumerate(said) for _ in choices]
        low, high = mean_interval([float(choice == answer) for choice, answer in every], groups)
        least, most = wilson(turned, len(fit))
        of_answered = f"{hits / max(1, len(every) - none):.3f}"
        yield (
            f"| {name} | {len(fit)} | {turned / len(fit):.3f} | {least:.3f} to {most:.3f} | {hits / len(every):.3f} "
            f"| {low:.3f} to {high:.3f} | {of_answered} | {none} of {len(every)} |"
        )


def _choice(method: str, item: Item, bench: Bench) -> str | None:
    question = Question(text=item.question, options=item.options, context=item.context)
    draft = find_method(method).function(question, Run(bench.remembering, "bench"))
    return None if draft.abstained else max(draft.votes, key=draft.votes.__getitem__)


def table(found: Iterable[Measurement]) -> Iterator[str]:
    yield "| figure | value | 95% interval | n | Holm p | not applicable |\n| --- | --- | --- | --- | --- | --- |"
    for row in found:
        low, high = row.interval or (float("nan"), float("nan"))
        p, unfit = (row.baseline.get(name) for name in ("Holm p", "not applicable"))
        beside = f"{'' if p is None else f'{p:.3g}'} | {'' if unfit is None else f'{unfit:.0f}'}"
        yield f"| {row.metric} | {row.value:.3f} | {low:.3f} to {high:.3f} | {row.n} | {beside} |"


def main(parts: Sequence[str]) -> None:
    settings = load_settings()
    print(f"osler {__version__}, Python {sys.version.split()[0]}")
    for part in parts or ("swaps", "ranker", "flags"):
        name, *given = part.split(":")
        print(f"\n## {part}\n")
        lines = {
            "swaps": lambda: swaps(),
            "ranker": lambda: table(ranker_rows(Bench(settings), CASES)),
            "flags": lambda: flags(settings),
            "mitigations": lambda given=given: mitigations(settings, *given),
            "model": lambda given=given: model(settings, *given),
        }[name]()
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
