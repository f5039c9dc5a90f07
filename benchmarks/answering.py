"""How well questions are answered without a model, and what verification adds to one: report parts of public sets.

Prints the tables of `answering.md`. Parts: `yesno`, `hits`, `absurd` (extractive path), `generated` (needs the GGUF
that OSLER_DEV_MODEL names; its answers go to standard error). It does not measure the language of an answer.

    python benchmarks/answering.py ../shared/data yesno hits absurd generated
"""

import gzip
import hashlib
import json
import math
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from osler.nouns import Answer
from osler.reasoning.ask import Question, answer
from osler.reasoning.resources import Resources, Run
from osler.settings import Settings, load_settings
from osler.splits import split

HITS, ABSURD, GENERATED = 300, 100, 30


def rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def drawn(items: Sequence[dict[str, Any]], key: str, n: int) -> list[dict[str, Any]]:
    """`n` items in an order that depends on their ids alone."""
    return sorted(items, key=lambda item: hashlib.sha256(str(item[key]).encode()).digest())[:n]


def interval(right: int, n: int) -> str:
    """A share with its 95% Wilson interval."""
    if not n:
        return "none"
    share, z = right / n, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{100 * share:.1f}% ({100 * (middle - half):.0f}–{100 * (middle + half):.0f}), {right}/{n}"


def macro_f1(gold: Sequence[str], said: Sequence[str | None]) -> float:
    values = []
    for label in sorted(set(gold)):
        true = sum(g == s == label for g, s in zip(gold, said, strict=True))
        values.append(2 * true / (gold.count(label) + sum(s == label for s in said)))
    return sum(values) / len(values)


def yes_no(folder: Path, resources: Resources) -> None:
    sets: dict[str, tuple[list[tuple[str, str, str | None]], list[str]]] = {}
    bioasq = [
        row for row in rows(folder, "qa/bioasq_yesno_dev.jsonl.gz") if split("bioasq_yesno_dev", row["id"]) == "report"
    ]
    snippets = [
        (row["body"], row["exact_answer"].lower(), "\n".join(s["text"] for s in row["snippets"])) for row in bioasq
    ]
    pubmed = [
        (row["question"], row["final_decision"], "\n".join(row["context"]["contexts"]))
        for row in rows(folder, "qa/pubmedqa_dev.jsonl.gz")
        if split("pubmedqa_dev", row["pubid"]) == "report"
    ]
    sets["bioasq_yesno_dev, gold snippets given"] = (list(snippets), ["yes", "no"])
    sets["bioasq_yesno_dev, starter library searched"] = ([(q, a, None) for q, a, _ in snippets], ["yes", "no"])
    sets["pubmedqa_dev, abstract without conclusion given"] = (list(pubmed), ["yes", "no", "maybe"])
    print("## Yes/no questions, extractive (report part)\n")
    print("| set | n | abstained | right of answered | right of all | macro-F1 of answered | always yes | s/question |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (questions, labels) in sets.items():
        options = {label: label for label in labels}
        started = time.perf_counter()
        made = [ask(Question(text=q, options=options, context=c), resources, "extractive")[0] for q, _, c in questions]
        seconds = (time.perf_counter() - started) / len(questions)
        gold = [label for _, label, _ in questions]
        answered = [(g, item.choice) for g, item in zip(gold, made, strict=True) if item.choice is not None]
        right = sum(g == s for g, s in answered)
        score = macro_f1([g for g, _ in answered], [s for _, s in answered]) if answered else 0.0
        print(
            f"| {name} | {len(gold)} | {100 * (1 - len(answered) / len(gold)):.0f}% | "
            f"{interval(right, len(answered))} | {interval(right, len(gold))} | {score:.3f} | "
            f"{100 * gold.count('yes') / len(gold):.1f}% | {seconds:.2f} |",
            flush=True,
        )


def hits(folder: Path, resources: Resources) -> None:
    """Is a sentence from the right document cited first, or among the first three?"""
    pairs = [
        row for row in rows(folder, "adapt/medquad_qa.jsonl.gz") if split("medquad_qa", row["document_id"]) == "train"
    ]
    made = []
    for row in drawn(pairs, "id", HITS):
        result, run = ask(Question(text=row["question"]), resources, "extractive")
        urls = [run.evidence[item.evidence[0]].source.url for item in result.statements]
        made.append((row["url"], urls))
    first = sum(urls[:1] == [url] for url, urls in made)
    three = sum(url in urls[:3] for url, urls in made)
    none = sum(not urls for _, urls in made)
    print("\n## Right document cited, extractive (medquad_qa, whose articles are in the starter library)\n")
    print("| n | first citation | among the first three | abstained |\n| --- | --- | --- | --- |")
    print(f"| {len(made)} | {interval(first, len(made))} | {interval(three, len(made))} | {none} |", flush=True)


def absurd(folder: Path, resources: Resources) -> None:
    asked = [row for row in rows(folder, "qa/medhalt_fake.jsonl.gz") if split("medhalt_fake", row["id"]) == "report"]
    made = [ask(Question(text=row["question"]), resources, "extractive")[0] for row in drawn(asked, "id", ABSURD)]
    silent = sum(item.abstained is not None for item in made)
    print("\n## Absurd questions, extractive (medhalt_fake, report part)\n")
    print(f"Abstained: {interval(silent, len(made))}.", flush=True)


def generated(folder: Path, settings: Settings) -> None:
    """Statements of a model by verdict: what a reader would see without and with verification."""
    from osler.models import model_digest
    from osler.models.privileges import Privileges

    digest = model_digest(settings.models.language, settings)
    Privileges(settings).grant_provisional(digest, ["answer"], by="answering benchmark", reason="measurement")
    resources = Resources(settings)
    pairs = [
        row for row in rows(folder, "adapt/medquad_qa.jsonl.gz") if split("medquad_qa", row["document_id"]) == "train"
    ]
    verdicts: Counter[str] = Counter()
    abstained, seconds = 0, 0.0
    chosen = drawn(pairs, "id", GENERATED)
    for row in chosen:
        started = time.perf_counter()
        made, _ = ask(Question(text=row["question"]), resources, "retrieve-then-read")
        seconds += time.perf_counter() - started
        abstained += made.abstained is not None
        verdicts.update(item.verdict for item in made.statements)
        print(json.dumps(made.model_dump(mode="json"), ensure_ascii=False), file=sys.stderr, flush=True)
    total = sum(verdicts.values())
    print(f"\n## Generated answers ({resources.model.info.spec.rsplit('/', 1)[-1]}, medquad_qa questions)\n")
    print(
        f"n = {len(chosen)} questions, {total} statements, {seconds / len(chosen):.0f} s a question. Abstained: "
        f"{abstained}. Supported as written: {interval(verdicts['supported'], total)}; partial {verdicts['partial']}, "
        f"unsupported {verdicts['unsupported']}, contradicted {verdicts['contradicted']} (shown marked)."
    )


def ask(question: Question, resources: Resources, method: str) -> tuple[Answer, Run]:
    run = Run(resources, "ask")
    return answer(question, run, method), run


def main() -> None:
    folder, parts = Path(sys.argv[1]), sys.argv[2:]
    home = os.environ.get("OSLER_HOME") or tempfile.mkdtemp()
    resources = Resources(load_settings({"home": home}))
    own: dict[str, Callable[[Path, Resources], None]] = {"yesno": yes_no, "hits": hits, "absurd": absurd}
    for part in parts:
        if part == "generated":
            spec = f"gguf:{os.environ['OSLER_DEV_MODEL']}"
            generated(folder, load_settings({"home": tempfile.mkdtemp(), "models.language": spec}))
        else:
            own[part](folder, resources)


if __name__ == "__main__":
    main()
