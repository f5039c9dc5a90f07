"""Put invented identifiers (`injected.toml`) into the notes of ACI-Bench and MTS-Dialog, for judging recall.

Spans are those of the injected identifiers only: what a note already held has no gold, so precision can't be
judged on it. It knows nothing of the rules, and the same seed gives the same notes.
"""

import gzip
import json
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import build_deid

SOURCES = {  # file: style, field of the id, field of the note
    "acibench_train.jsonl": ("acitrain", "encounter_id", "note"),
    "acibench_valid.jsonl": ("acivalid", "encounter_id", "note"),
    "mtsdialog_train.jsonl.gz": ("mtstrain", "ID", "section_text"),
    "mtsdialog_valid.jsonl": ("mtsvalid", "ID", "section_text"),
}
SHORTEST = 200  # characters; shorter sections are one phrase
_POOL: dict[str, Any] = tomllib.loads((Path(__file__).parent / "injected.toml").read_text(encoding="utf-8"))
_SENTENCE_END = re.compile(r"(?<=[a-z]{3}\.)(?=\s|$)")


def _value(kind: str, rng: random.Random) -> str:
    pattern = rng.choice(_POOL["types"][kind])
    filled = re.sub(r"\{(\w+)\}", lambda part: rng.choice(_POOL["parts"][part[1]]), pattern)
    filled = (
        re.sub("@", lambda _: rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ"), filled) if kind not in ("EMAIL", "URL") else filled
    )
    return re.sub("#", lambda _: str(rng.randrange(10)), filled)


def _frame(place: str, rng: random.Random) -> str:
    def mark(slot: re.Match[str]) -> str:
        return f"[[{_POOL['types_as'].get(slot[1], slot[1])}|{_value(slot[1], rng)}]]"

    return re.sub(r"\[\[([A-Z]+)\]\]", mark, rng.choice(_POOL["frames"][place]))


def inject(note_id: str, text: str, seed: int = 0) -> dict[str, Any]:
    """Return {"id", "text", "spans"} of `text` with a header, one to three sentences and a signature added.

    `note_id` is language-style-name.
    """
    rng = random.Random(f"{seed}/{note_id}")
    ends = [match.start() for match in _SENTENCE_END.finditer(text)] or [len(text)]
    marked = text
    for place in sorted(rng.sample(ends, min(rng.randint(1, 3), len(ends))), reverse=True):
        marked = f"{marked[:place]} {_frame('sentence', rng)}{marked[place:]}"
    note = build_deid.parse(note_id, f"{_frame('header', rng)}\n\n{marked.strip()}\n\n{_frame('signature', rng)}")
    return {"id": note.id, "text": note.text, "spans": [span._asdict() for span in note.spans]}


def injected(folder: Path, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield every note of `folder` (the stored ACI-Bench and MTS-Dialog files) with identifiers injected."""
    for name, (style, key, field) in SOURCES.items():
        raw = (folder / name).read_bytes()
        lines = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode().splitlines()
        for item in map(json.loads, lines):
            if len(item[field]) >= SHORTEST:
                yield inject(f"en-{style}-{item[key]}", item[field], seed)
