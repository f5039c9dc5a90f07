"""De-identification on sets by other hands, beside other tools: recall and precision by entity and kind.

    python benchmarks/deid.py --data DATA [--part tune] [--sets NAME ...] [--peer "NAME=COMMAND"]

Sets: deid_notes, deid_notes_2 (tests/sets), injected (tests/sets/build_deid_injected.py into ACI-Bench and MTS-Dialog
notes: recall alone), presidio_synth, asq_phi_dev, meddocan_dev (DATA; of MEDDOCAN the kinds that don't hang on Spanish
words).
A peer is a command that reads {"id", "text"} a line and prints {"id", "spans": [[start, end, kind]]} a line.
An identifier is found if found spans of any kind cover every character of it but white space; a found span is right if
it touches a marked one. Marks that Safe Harbor does not name are neither asked nor wrong. Intervals: Wilson, 95 %.
"""

import argparse
import json
import platform
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from osler import __version__
from osler.bench.task import rows
from osler.bench.tasks import deid as task
from osler.privacy.deid import find_identifiers
from osler.splits import split
from osler.statistics import wilson

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {  # file's fields: text, spans, start, end, kind
    "presidio_synth": ("full_text", "spans", "start_position", "end_position", "entity_type", "template_id"),
    "asq_phi_dev": ("query", "phi_tags", "start", "end", "identifier_type", "id"),
    "meddocan_dev": ("text", "spans", "start", "end", "type", "id"),
}
SPANISH = {"NAME", "ADDRESS", "HOSPITAL", "AGE", "LICENSE"}  # kinds that hang on Spanish words
Found = dict[str, list[tuple[int, int, str]]]


class Text(NamedTuple):
    id: str
    text: str
    language: str
    marks: list[tuple[int, int, str | None]]


def own(name: str, part: str) -> Iterator[Text]:
    with (ROOT / "tests" / "sets" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if split(name, row["id"]) == part:
                marks = [(s["start"], s["end"], s["type"]) for s in row["spans"]]
                yield Text(row["id"], row["text"], row["language"], marks)


def injected(data: Path) -> Iterator[Text]:
    """The parts of both note sets that nothing was trained on; their own identifiers are not marked."""
    sys.path.insert(0, str(ROOT / "tests" / "sets"))
    from build_deid_injected import injected as notes

    for row in notes(data / "notes"):
        if row["id"].startswith(("en-acivalid", "en-mtsvalid")):
            yield Text(row["id"], row["text"], "en", [(s["start"], s["end"], s["type"]) for s in row["spans"]])


def public(name: str, data: Path, part: str) -> Iterator[Text]:
    text, spans, start, end, kind, group = PUBLIC[name]
    for row in rows(data / "deid" / f"{name}.jsonl.gz"):
        if split(name, str(row[group])) == part:
            marks = [task._mark(row[text], s[start], s[end], s[kind]) for s in row[spans]]
            yield Text(str(row["id"]), row[text], "en", [(m.start, m.end, m.kind) for m in marks if m])


def ours(texts: list[Text]) -> tuple[Found, float]:
    find_identifiers("warm up")
    started = time.process_time()
    found = {t.id: [(s.start, s.end, s.type) for s in find_identifiers(t.text)] for t in texts}
    return found, time.process_time() - started


def peer(command: str, texts: list[Text]) -> tuple[Found, float]:
    lines = "".join(json.dumps({"id": t.id, "text": t.text}) + "\n" for t in texts)
    done = subprocess.run(shlex.split(command), input=lines, check=True, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    spans = {a["id"]: [tuple(s) for s in a["spans"]] for a in answers if "id" in a}
    return spans, float(next((a["seconds"] for a in answers if "seconds" in a), 0))


def rate(hits: int, n: int) -> str:
    if not n:
        return "-"
    low, high = wilson(hits, n)
    return f"{hits / n:.3f} [{low:.3f}, {high:.3f}]"


def table(name: str, texts: list[Text], found: Found, seconds: float, who: str, details: bool) -> None:
    gold, hit, typed, said, right = Counter(), Counter(), Counter(), Counter(), Counter()
    skipped = SPANISH if name.startswith("meddocan") else set()
    for item in texts:
        spans = found[item.id]
        covered = {i for start, end, _ in spans for i in range(start, end)}
        for start, end, kind in item.marks:
            if kind is None or kind in skipped:
                continue
            groups = [kind, "all", *([f"all {item.language}"] if item.language == "zh" else [])]
            good = all(i in covered or item.text[i].isspace() for i in range(start, end))
            gold.update(groups)
            hit.update(groups if good else [])
            typed.update(groups if good and any(s < end and start < e and k == kind for s, e, k in spans) else [])
        for start, end, kind in spans:
            touched = [k for s, e, k in item.marks if s < end and start < e]
            if (touched and not any(touched)) or (
                skipped and (kind in skipped or (touched and set(touched) <= skipped))
            ):
                continue
            groups = [kind, "all", *([f"all {item.language}"] if item.language == "zh" else [])]
            said.update(groups)
            right.update(groups if touched else [])
    size = sum(len(item.text) for item in texts)
    speed = f"{size / seconds:,.0f} characters per CPU-second" if seconds else ""
    print(f"\n**{name}**, {who}: {len(texts)} texts, {speed}\n")
    print("| kind | n | recall (covered) | typed recall | found | precision |\n|---|---:|---|---:|---:|---|")
    kinds = sorted(k for k in gold if not k.startswith("all")) if details else []
    for kind in [*kinds, *(["all zh"] if gold["all zh"] else []), "all"]:
        same = f"{typed[kind] / gold[kind]:.3f}" if gold[kind] else "-"
        precision = "not judged" if name == "injected" else rate(right[kind], said[kind])
        covered = rate(hit[kind], gold[kind])
        print(f"| {kind} | {gold[kind]} | {covered} | {same} | {said[kind]} | {precision} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", default="report", choices=["tune", "report"])
    parser.add_argument("--sets", nargs="*", default=["deid_notes", "deid_notes_2", "injected", *PUBLIC])
    parser.add_argument("--peer", action="append", default=[], help="NAME=COMMAND")
    options = parser.parse_args()
    print(f"osler {__version__}, Python {platform.python_version()}, {options.part} parts")
    for name in options.sets:
        if name == "injected":
            texts = list(injected(options.data))
        elif name in PUBLIC:
            texts = list(public(name, options.data, options.part))
        else:
            texts = list(own(name, options.part))
        table(name, texts, *ours(texts), "osler", details=True)
        for entry in options.peer:
            who, _, command = entry.partition("=")
            table(name, texts, *peer(command, texts), who, details=False)


if __name__ == "__main__":
    main()
