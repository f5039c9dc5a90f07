"""Trains the de-identifier's reader: the upper layers of e5-small, fine-tuned to say the kind of every word piece.

    python scripts/train_deid_reader.py --data DATA --source FILE.bin --state STATE.pt [--check 0 1]

Needs torch and transformers (`osler[train]`) and the source of the embedder (scripts/build_embedder.py). It learns from
the notes of scripts/train_deid.py, each copy with other names, places and numbers; `--check` holds folds of the blind
notes out. Words and lower layers stay the embedder's own.
"""

import argparse
import random
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
import train_deid as data
from build_embedder import Checkpoint, build_tokenizer, kept_ids
from train_entailment import encoder

FROZEN, WINDOW, IGNORED, SEED = 6, 160, -100, 11


class Reader(nn.Module):
    """hidden states after the lower layers (batch, pieces, hidden) -> scores (batch, pieces, kinds)."""

    def __init__(self, source: Checkpoint, rows: list[int]) -> None:
        super().__init__()
        self.bert = encoder(source, rows, FROZEN)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(source.shape.hidden, len(data.KINDS)))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.head(self.bert(input_ids=ids, attention_mask=mask).last_hidden_state)


def windows(tokenizer: Any, text: str, marks: list[data.Mark]) -> list[tuple[list[int], list[int]]]:
    """Pieces of a text in windows with the kind of each."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    target, marks, at = [], sorted(marks), 0
    for start, end in encoding.offsets:
        while start < end and text[start].isspace():
            start += 1
        while at < len(marks) and marks[at][1] <= start:
            at += 1
        inside = at < len(marks) and marks[at][0] < end and start < marks[at][1]
        kind = marks[at][2] if inside else "O"
        target.append(IGNORED if kind == "?" else data.KINDS.index(kind))
    found = []
    for start in range(0, len(target), WINDOW):
        ids, kinds = encoding.ids[start : start + WINDOW], target[start : start + WINDOW]
        found.append(([0, *ids, 2], [IGNORED, *kinds, IGNORED]))
    return found


def corpus(options: argparse.Namespace, tokenizer: Any) -> list[tuple[list[int], list[int]]]:
    luck, change = random.Random(SEED), data.Variation(SEED)
    found = []

    def put(note: data.Note, copies: int, share: float = 1.0) -> None:
        for copy in range(copies):
            if luck.random() < share:
                found.extend(windows(tokenizer, *((note.text, note.marks) if copy == 0 else change(note))))

    for name in ("deid_notes", "deid_notes_2"):
        for note in data.blind(name, 1):
            if note.group not in (options.check or []):
                put(note, 9)
    for note in data.own():
        put(note, 9)
    for note in data.public(options.data):
        put(note, 2 if note.copies > 1 else 1, 0.6)
    for note in data.forms(1500, 7):
        put(note, 1)
    for note in data.prose(options.data, random.Random(5)):
        put(note, 1, 0.35)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--check", type=int, nargs="*", help="folds of the blind notes to leave out")
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--rate", type=float, default=2e-4)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    source = Checkpoint(options.source.read_bytes())
    rows = kept_ids(source.pieces)
    tokenizer = build_tokenizer([source.pieces[i] for i in rows], source.scores[rows], source.shape.positions)
    tokenizer.no_truncation()
    found = corpus(options, tokenizer)
    random.Random(SEED).shuffle(found)
    found = [w for k in range(0, len(found), 1024) for w in sorted(found[k : k + 1024], key=lambda w: len(w[0]))]
    batches = [found[k : k + 16] for k in range(0, len(found), 16)]
    random.Random(SEED).shuffle(batches)
    print(f"{sum(len(w[0]) for w in found):,} pieces, {len(batches)} batches", flush=True)
    model = Reader(source, rows)
    steps = int(options.epochs * len(batches))
    best = torch.optim.AdamW(
        [
            {"params": [p for p in model.bert.parameters() if p.requires_grad], "lr": options.rate},
            {"params": list(model.head.parameters()), "lr": options.rate * 10},
        ],
        weight_decay=0.01,
    )
    pace = torch.optim.lr_scheduler.LambdaLR(
        best, lambda s: min(1.0, (s + 1) / (0.08 * steps)) * max(0.0, 1 - s / steps)
    )
    loss_of = nn.CrossEntropyLoss(ignore_index=IGNORED)
    began, running = time.time(), 0.0
    model.train()
    for step in range(steps):
        batch = batches[step % len(batches)]
        width = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([ids + [1] * (width - len(ids)) for ids, _ in batch])
        truth = torch.tensor([kinds + [IGNORED] * (width - len(kinds)) for _, kinds in batch])
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(ids, (ids != 1).long())
        loss = loss_of(scores.float().flatten(0, 1), truth.flatten())
        best.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        best.step()
        pace.step()
        running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
        if step % 20 == 0:
            print(f"step {step} of {steps}, loss {running:.4f}, {time.time() - began:.0f} s", flush=True)
    torch.save({"model": model.state_dict(), "step": steps}, options.state)


if __name__ == "__main__":
    main()
