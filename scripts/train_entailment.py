"""Train the small model that says whether evidence supports a statement: e5-small, fine-tuned on pairs.

    python scripts/train_entailment.py --source FILE.bin [--epochs 4] [--out training/verifier/state.pt]

Needs torch and transformers (`osler[train]`) and the source of the embedder (scripts/build_embedder.py). Trains on
`training/verifier/*.jsonl` and the tune parts of `tests/sets/verification*.jsonl`; a tenth of the texts of evidence is
held out and scored after every epoch. It saves its state after every epoch and goes on from there.
"""

import argparse
import hashlib
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
from build_embedder import Checkpoint, build_tokenizer, kept_ids

from osler.splits import split

ROOT = Path(__file__).parents[1]
VERDICTS = ("supported", "partial", "unsupported", "contradicted")
LONGEST = 256  # tokens of a pair
SEED = 0
# Parts of a layer in the source, and what transformers calls them.
NAMES = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
    "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip


class Pair(NamedTuple):
    statement: str
    evidence: str
    verdict: int
    group: str


def pairs() -> list[Pair]:
    found = []
    for path in sorted((ROOT / "training" / "verifier").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.append(Pair(row["statement"], row["evidence"], VERDICTS.index(row["verdict"]), row["evidence"]))
    for name in ("verification", "verification_2", "verification_3"):
        found += part(name, "tune")
    return found


def part(name: str, wanted: str) -> list[Pair]:
    """The pairs of a part of one of the project's sets."""
    rows = map(json.loads, (ROOT / "tests" / "sets" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
    found = []
    for row in rows:
        evidence = row["evidence"] if isinstance(row["evidence"], list) else [{"text": row["evidence"]}]
        texts = [item["text"] if isinstance(item, dict) else item for item in evidence]
        if split(name, texts[0]) == wanted:
            found.append(Pair(row["statement"], "\n".join(texts), VERDICTS.index(row["verdict"]), texts[0]))
    return found


def made(real: list[Pair], luck: random.Random) -> list[Pair]:
    """Pairs that make themselves: a sentence of the evidence supports itself; a statement about another text is not
    supported by this one."""
    from osler.text import sentences

    by_group: dict[str, str] = {pair.group: pair.evidence for pair in real}
    texts = list(by_group.values())
    found = []
    for text in texts:
        spans = sentences(text)
        start, end = luck.choice(spans)
        found.append(Pair(text[start:end], text, 0, text))
        other = luck.choice(real)
        if other.evidence != text:
            found.append(Pair(other.statement, text, 2, text))
    return found


class Encoder(nn.Module):
    """The source's encoder with a head of one linear layer over the mean of the tokens."""

    def __init__(self, source: Checkpoint, rows: list[int], frozen: int) -> None:
        super().__init__()
        self.bert = encoder(source, rows, frozen)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(source.shape.hidden, len(VERDICTS)))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        shown = mask.unsqueeze(-1).to(hidden.dtype)
        return self.head((hidden * shown).sum(1) / shown.sum(1))


def encoder(source: Checkpoint, rows: list[int], frozen: int) -> Any:
    """The source's encoder (BERT). Words stay frozen, and the lower layers that are asked to."""
    from transformers import BertConfig, BertModel

    shape = source.shape
    config = BertConfig(
        vocab_size=len(rows), hidden_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=shape.feed_forward, type_vocab_size=1,
        max_position_embeddings=shape.positions, layer_norm_eps=source.epsilon,
    )  # fmt: skip
    made = BertModel(config, add_pooling_layer=False)
    made.load_state_dict({k: torch.tensor(v) for k, v in weights(source, rows).items()}, strict=False)
    for part in (made.embeddings, *made.encoder.layer[:frozen]):
        part.requires_grad_(False)
    return made


def weights(source: Checkpoint, rows: list[int]) -> dict[str, np.ndarray]:
    """The source's tensors under the names of transformers."""
    hidden = source.shape.hidden
    place = source.vector("emb.pos").reshape(-1, hidden)
    found = {
        "embeddings.word_embeddings.weight": source.matrix("emb.word", hidden)[rows],
        "embeddings.position_embeddings.weight": place,
        "embeddings.token_type_embeddings.weight": source.vector("emb.type")[:hidden].reshape(1, hidden),
        "embeddings.LayerNorm.weight": source.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": source.vector("emb.ln.b"),
    }
    for layer in range(source.shape.layers):
        for short, name in NAMES.items():
            to = f"encoder.layer.{layer}.{name}"
            key = f"l{layer}.{short}"
            columns = source.shape.feed_forward if short == "fo" else hidden
            is_norm = short.endswith("ln")
            found[f"{to}.weight"] = source.vector(f"{key}.w") if is_norm else source.matrix(f"{key}.w", columns)
            found[f"{to}.bias"] = source.vector(f"{key}.b")
    return {name: np.array(value, np.float32) for name, value in found.items()}


def encode(tokenizer: Any, batch: list[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    """`<s> query: statement </s> passage: evidence </s>`, padded."""
    encoded = []
    for pair in batch:
        first = tokenizer.encode(f"query: {pair.statement}").ids
        second = tokenizer.encode(f"passage: {pair.evidence}").ids[1:]
        encoded.append([*first, *second][:LONGEST])
    width = max(map(len, encoded))
    ids = torch.tensor([row + [1] * (width - len(row)) for row in encoded])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in encoded])
    return ids, mask


def predicted(model: Encoder, tokenizer: Any, rows: list[Pair]) -> list[int]:
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].evidence))
    found = [0] * len(rows)
    with torch.no_grad():
        for start in range(0, len(order), 16):
            chosen = order[start : start + 16]
            for i, value in zip(chosen, model(*encode(tokenizer, [rows[i] for i in chosen])).argmax(-1), strict=True):
                found[i] = int(value)
    return found


def told(name: str, rows: list[Pair], said: list[int]) -> str:
    """Accuracy, F1 of each verdict, and wrong statements that pass."""
    table = Counter((row.verdict, one) for row, one in zip(rows, said, strict=True))
    parts = []
    for k, verdict in enumerate(VERDICTS):
        right = table[k, k]
        there = sum(table[k, j] for j in range(4))
        claimed = sum(table[j, k] for j in range(4))
        parts.append((verdict, 2 * right / (there + claimed) if there + claimed else 0.0))
    accuracy = sum(table[k, k] for k in range(4)) / len(rows)
    wrong = sum(table[k, j] for k in (2, 3) for j in range(4))
    passing = (table[2, 0] + table[3, 0]) / max(1, wrong)
    each = ", ".join(f"{verdict} {value:.3f}" for verdict, value in parts)
    macro = sum(value for _, value in parts) / 4
    return (
        f"{name}: n {len(rows)}, accuracy {accuracy:.3f}, macro-F1 {macro:.3f} ({each}), wrong that pass {passing:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--out", type=Path, default=ROOT / "training" / "verifier" / "state.pt")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long; the next call goes on")
    parser.add_argument("--frozen", type=int, default=0, help="lower layers that stay as they are; words always do")
    parser.add_argument("--report", action="store_true", help="score the report parts and nothing else")
    given = parser.parse_args()
    torch.manual_seed(SEED)
    luck = random.Random(SEED)
    source = Checkpoint(given.source.read_bytes())
    rows = kept_ids(source.pieces)
    tokenizer = build_tokenizer([source.pieces[i] for i in rows], source.scores[rows], source.shape.positions)
    model = Encoder(source, rows, given.frozen)
    real = pairs()
    held = [pair for pair in real if int(hashlib.sha256(pair.group.encode()).hexdigest(), 16) % 10 == 0]
    kept = [pair for pair in real if pair not in set(held)]
    train = [*kept, *made(kept, luck)]
    print(
        len(train), "to train,", len(held), "held out;", Counter(VERDICTS[pair.verdict] for pair in train), flush=True
    )
    plan = [batches(rows_, given.batch, SEED + epoch) for epoch, rows_ in enumerate([train] * given.epochs)]
    steps = sum(map(len, plan))
    grouped = [
        {"params": list(model.bert.parameters()), "lr": given.rate},
        {"params": list(model.head.parameters()), "lr": given.rate * 10},
    ]
    best = torch.optim.AdamW(
        [g | {"params": [p for p in g["params"] if p.requires_grad]} for g in grouped], weight_decay=0.01
    )
    pace = torch.optim.lr_scheduler.LambdaLR(
        best, lambda s: min(1.0, (s + 1) / (0.1 * steps)) * max(0.0, 1 - s / steps)
    )
    step = 0
    if given.out.exists():
        state = torch.load(given.out, weights_only=False)
        model.load_state_dict(state["model"])
        best.load_state_dict(state["best"])
        pace.load_state_dict(state["pace"])
        step = state["step"]
    if given.report:
        for name in ("verification", "verification_2", "verification_3"):
            rows_ = part(name, "report")
            print(told(f"{name} report", rows_, predicted(model, tokenizer, rows_)))
        return
    began, loss_of = time.time(), nn.CrossEntropyLoss(label_smoothing=0.05)
    running, ends = 0.0, 0
    for todo in plan:
        ends += len(todo)
        model.train()
        for batch in todo[len(todo) - max(0, ends - step) :]:
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(*encode(tokenizer, batch))
            loss = loss_of(logits.float(), torch.tensor([pair.verdict for pair in batch]))
            best.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            best.step()
            pace.step()
            step += 1
            running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
            if step % 10 == 0:
                print(f"step {step} of {steps}, loss {running:.3f}, {(time.time() - began):.0f} s", flush=True)
            if time.time() - began > given.seconds:
                break
        torch.save(
            {"model": model.state_dict(), "best": best.state_dict(), "pace": pace.state_dict(), "step": step}, given.out
        )
        print(told(f"held out, step {step}", held, predicted(model, tokenizer, held)), flush=True)
        if time.time() - began > given.seconds:
            break


def batches(rows: list[Pair], size: int, seed: int) -> list[list[Pair]]:
    """Batches of like length, in random order."""
    luck = random.Random(seed)
    order = luck.sample(rows, len(rows))
    order = [
        one for k in range(0, len(order), 512) for one in sorted(order[k : k + 512], key=lambda p: len(p.evidence))
    ]
    found = [order[k : k + size] for k in range(0, len(order) - size + 1, size)]
    luck.shuffle(found)
    return found


if __name__ == "__main__":
    main()
