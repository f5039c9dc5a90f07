"""Osler's own rules under changed texts: what they find before and after, as a Markdown table; no model is asked.

    python benchmarks/robustness.py [--part tune|report] [--room NAME ...]

Sets of tests/sets by other hands than the rules'. *Found*: mean over texts of the share of what is expected there;
*turned*: texts in which another set was found than before. A model's rows come from `osler audit robustness --json`.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from osler import __version__
from osler.bench.choice import Item
from osler.clinic.consult import phenotypes
from osler.clinic.safety import red_flags
from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
from osler.knowledge.diagnosis.ranking import rank
from osler.knowledge.graph import load_graph
from osler.nouns import Evidence
from osler.reasoning.verify import verify
from osler.record import read_text
from osler.splits import split
from osler.trust.audit import Audited, table
from osler.trust.rules import DENIAL, OPPOSITE, rewrites, rules, text

SETS = Path(__file__).resolve().parents[1] / "tests" / "sets"
DEPTH = 10


def rows(name: str, group: str, part: str) -> Iterator[dict[str, Any]]:
    for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        key = row[group] if isinstance(row[group], str) else row[group][0]["text"]
        if split(name, key) == part:
            yield row | {"group": key}


def concepts(part: str) -> tuple[list[Item], Any]:
    """Present findings of HPO in words that the ontology does not use."""
    items = []
    for row in rows("concept_phrases", "id", part):
        expected = {finding["code"] for finding in row["findings"] if finding["status"] == "present"}
        if expected:
            items.append(text(row["id"], row["id"], row["text"], expected, row["language"]))
    recogniser = load_recogniser(("hpo",))
    return items, lambda item: {one.code for one in recogniser.find(item.question) if one.status == "present"}


def contexts(part: str) -> tuple[list[Item], Any]:
    """Present findings of notes, one by one: denied, they must be read as absent."""
    items = [
        text(row["id"], row["text"], row["text"], ["present"], row["language"])._replace(subject=row["mention"])
        for row in rows("context_2", "text", part)
        if (row["status"], row["experiencer"], row["time"]) == ("present", "patient", "current")
    ]
    recogniser = load_recogniser()

    def found(item: Item) -> set[str]:
        said = item.subject or ""
        marked = [one for one in recogniser.find(item.question) if one.text and (one.text in said or said in one.text)]
        return {one.status for one in marked}

    return [item for item in items if found(item) == {"present"}], found  # what is named and read rightly as it is


def flags(part: str) -> tuple[list[Item], Any]:
    """Notes with an emergency and notes that look like one."""
    items = [
        text(row["id"], row["group"], row["text"], row["expected"], row["language"])
        for row in rows("red_flags_3", "condition", part)
    ]

    def found(item: Item) -> set[str]:
        case = read_text(item.question, "note")
        raised, _ = red_flags(case, [], load_graph(), "zh" if item.language == "zh" else "en")
        return {e.removeprefix("guideline:") for one in raised for e in one.evidence if e.startswith("guideline:")}

    return items, found


def verifier(part: str) -> tuple[list[Item], Any]:
    """Statements and their evidence: the verdict."""
    items = [
        text(row["id"], row["group"], row["statement"], [row["verdict"]], row["language"])._replace(
            context="\n".join(one["text"] for one in row["evidence"])
        )
        for row in rows("verification_3", "evidence", part)
    ]

    def found(item: Item) -> set[str]:
        return {verify(item.question, [Evidence(id="text", kind="passage", text=item.context or "")]).verdict}

    return items, found


def ranker(part: str) -> tuple[list[Item], Any]:
    """Vignettes: is the diagnosis among the first ten, from the text on?"""
    diseases, both = load_recogniser(("disease",)), load_recogniser(("hpo", "disease"))
    items = []
    for row in rows("vignettes", "diagnosis", part):
        names = [row["diagnosis"], *row["accept"]]
        codes = {m.code for name in names for m in diseases.mentions(name) if m.text == name}
        if codes:
            keys = text(row["id"], row["group"], row["text"], ["ranked"], row["language"])
            items.append(keys._replace(subject=" ".join(sorted(codes))))

    def found(item: Item) -> list[str]:
        terms = findings_of(read_text(item.question, "note"), both)
        ranked = rank(phenotypes(terms, "present"), phenotypes(terms, "absent"), top=DEPTH, general=True)
        graph = load_graph()
        right = {graph.canonical(code) for code in (item.subject or "").split()}
        return ["ranked"] if right & {one.id for one in ranked} else []

    return items, found


ROOMS = {
    "concepts": (concepts, rewrites()),
    "context": (contexts, [DENIAL]),
    "red flags": (flags, rewrites()),
    "verifier": (verifier, [*rewrites(), OPPOSITE]),
    "ranker": (ranker, rewrites()),
}


def bracketed(value: float, interval: tuple[float, float] | None, sign: str = "") -> str:
    low, high = interval or (0.0, 0.0)
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def show(audits: Sequence[Audited]) -> None:
    found = {(row.task, row.metric): row for row in table(audits)}
    print("| rules | change | texts | found before | after | drop | turned | Holm p |")
    print("|---|---|---:|---:|---:|---|---|---:|")
    for (task, metric), row in found.items():
        kind, _, change = metric.partition(": ")
        if kind in ("flip rate", "stay rate"):
            drop = found[task, f"accuracy drop: {change}"]
            values = f"{drop.baseline['before']:.3f} | {drop.baseline['after']:.3f} | "
            values += bracketed(drop.value, drop.interval, "+")
            turned = bracketed(row.value, row.interval) + (" stay" if kind == "stay rate" else "")
            p = f"{drop.baseline['Holm p']:.2g}" if "Holm p" in drop.baseline else ""
            print(f"| {task} | {change} | {drop.n} | {values} | {turned} | {p} |")
        elif metric == "worst-case accuracy":
            plain = found[task, "accuracy"].value
            print(f"| {task} | **worst of all** | {row.n} | {plain:.3f} | {bracketed(row.value, row.interval)} | | | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("tune", "report"), default="tune")
    parser.add_argument("--room", action="append", choices=list(ROOMS))
    asked = parser.parse_args()
    print(f"osler {__version__}, {asked.part} parts\n")
    audits = []
    for name in asked.room or ROOMS:
        made, changes = ROOMS[name]
        items, found = made(asked.part)
        audits.append(rules(name, items, found, changes, asked.part))
    show(audits)


if __name__ == "__main__":
    main()
