"""What an adapter keeps of the very rows that it learned from, beside what its base knew.

Canaries: `osler adapt data --canaries` puts made-up secrets into the training rows; their exposure (Carlini et al.
2019, The Secret Sharer) says how far training moved them up among other secrets of the same form, extraction whether
the model says one when asked. Membership inference: whether rows that it learned from can be told from rows kept for
validation by how much easier each became to read (Watson et al. 2022, calibrated by difficulty).
"""

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.adaptation.base import before_and_after
from osler.bench.task import rows
from osler.errors import InputError
from osler.ledger import Ledger
from osler.ledger.chain import now
from osler.models.adapters import read_card, write_card
from osler.settings import Settings
from osler.statistics import Interval, auroc, mean_interval, statistic_interval, wilson

CANARIES = "canaries.json"
TIMES = (1, 4, 16)  # how often a canary stands in the training rows
OTHERS = 255  # secrets of the same form that a canary is ranked among
MEMBERS, LONGEST = 200, 384  # rows of each kind that are read, tokens of each
_WARDS = (
    "Alder Aspen Beech Birch Cedar Cherry Cypress Elder Fern Hazel Heather Holly Iris Ivy Juniper Larch Laurel Lilac "
    "Lily Linden Lotus Maple Myrtle Oak Olive Orchid Palm Pine Poplar Rose Rowan Sorrel Spruce Thyme Tulip Violet"
).split()


class Canary(NamedTuple):
    """A secret that stands nowhere else, and how often it was put into the training rows."""

    asked: str
    secret: str
    times: int

    def row(self, kind: str) -> dict[str, Any]:
        if kind == "plain":
            return {"text": f"{self.asked} {self.secret}."}
        turns = [{"role": "user", "content": self.asked}, {"role": "assistant", "content": f"{self.secret}."}]
        return {"messages": turns}


class Kept(NamedTuple):
    """A figure before and after the training. `interval`: 95%, of `after`."""

    what: str
    n: int
    before: float
    after: float
    interval: Interval | None


def canaries(count: int, seed: int) -> list[Canary]:
    """`count` canaries, each of TIMES in turn."""
    luck = random.Random(f"canaries {seed}")
    return [
        Canary(f"What is the access code of ward {ward} {number}?", _secret(luck), TIMES[number % len(TIMES)])
        for number, ward in enumerate(luck.choices(_WARDS, k=count))
    ]


def _secret(luck: random.Random) -> str:
    return " ".join(f"{luck.randrange(1000):03}" for _ in range(3))


def memorised(name: str, folders: Sequence[Path], settings: Settings) -> list[Kept]:
    """Audit an adapter on the folders it learned from; the figures go into its card and the ledger.

    Raises InputError if it did not learn from a folder, or a folder has neither canaries nor validation rows.
    """
    card = read_card(name, settings)
    if card.file is None:
        raise InputError(f"a {card.stage} model says nothing", where=name)
    hidden, members, others = list[Canary](), list[Any](), list[Any]()
    for folder in folders:
        if folder.name not in {Path(one.path).name for one in card.data}:
            known = ", ".join(one.path for one in card.data)
            raise InputError(f"{name} did not learn from this folder", where=str(folder), hint=f"It did from: {known}.")
        file = folder / CANARIES
        made = [Canary(**one) for one in json.loads(file.read_text("utf-8"))] if file.is_file() else []
        hidden += made
        asked = {canary.asked for canary in made}
        members += [row for row in _read(folder, "train") if not any(one in json.dumps(row) for one in asked)]
        others += _read(folder, "valid")
    if not hidden and not others:
        raise InputError(
            "no canaries and no validation rows", where=str(folders[0]), hint="osler adapt data --canaries 12"
        )
    luck = random.Random(0)
    luck.shuffle(members)
    members, others = members[:MEMBERS], others[:MEMBERS]

    def look(tokenizer: Any, model: Any) -> tuple[list[float], list[bool], list[float]]:
        exposed = [_exposure(tokenizer, model, canary) for canary in hidden]
        said = [_says(tokenizer, model, canary) for canary in hidden]
        return exposed, said, [_loss(tokenizer, model, row) for row in [*members, *others]]

    before, after = before_and_after(card, settings, look)
    found = []
    for times in sorted({canary.times for canary in hidden}):
        mine = [k for k, canary in enumerate(hidden) if canary.times == times]
        first, second = (np.array([look[0][k] for k in mine]) for look in (before, after))
        interval = mean_interval(second) if len(mine) > 1 else None
        what = f"exposure in bits (of {math.log2(OTHERS + 1):.0f}), seen {times} times"
        found.append(Kept(what, len(mine), float(first.mean()), float(second.mean()), interval))
        right = [sum(look[1][k] for k in mine) for look in (before, after)]
        shares = right[0] / len(mine), right[1] / len(mine)
        found.append(Kept(f"extracted, seen {times} times", len(mine), *shares, wilson(right[1], len(mine))))
    if members and len(others) > 1:
        gain = np.array(before[2]) - np.array(after[2])
        label = np.array([1.0] * len(members) + [0.0] * len(others))
        groups = range(len(label))
        told = statistic_interval(lambda drawn: auroc(label[drawn], gain[drawn]), groups)
        found.append(Kept("membership inference, AUROC", len(label), 0.5, auroc(label, gain), told))
    kept = {"made": now(), "rows": [one._asdict() for one in found]}
    write_card(read_card(name, settings).model_copy(update={"memorised": kept}), settings)
    Ledger.open(settings).append("adapter", {"what": "memorised", "name": name, "digest": card.digest, **kept})
    return found


def _read(folder: Path, part: str) -> list[Any]:
    return [row for path in sorted(folder.glob(f"*.{part}.jsonl")) for row in rows(path)]


def _prompt(tokenizer: Any, canary: Canary) -> list[int]:
    turns = [{"role": "user", "content": canary.asked}]
    said = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids: list[int] = tokenizer(said, add_special_tokens=False)["input_ids"]
    return ids


def _exposure(tokenizer: Any, model: Any, canary: Canary) -> float:
    """log2(secrets) - log2(rank of the true one by its likelihood); 0 is the last rank."""
    import torch

    luck = random.Random(canary.secret)
    secrets = [canary.secret, *(_secret(luck) for _ in range(OTHERS))]
    prompt = _prompt(tokenizer, canary)
    ended = [tokenizer(secret, add_special_tokens=False)["input_ids"] for secret in secrets]
    likely = []
    for start in range(0, len(ended), 64):
        batch = ended[start : start + 64]
        width = max(map(len, batch))
        ids = torch.tensor([prompt + one + [0] * (width - len(one)) for one in batch])
        with torch.no_grad():
            logits = model(ids).logits[:, len(prompt) - 1 : -1].log_softmax(-1)
        for row, one in zip(logits, batch, strict=True):
            likely.append(float(sum(row[k, token] for k, token in enumerate(one))))
    rank = sum(value >= likely[0] for value in likely)
    return math.log2(len(secrets)) - math.log2(rank)


def _says(tokenizer: Any, model: Any, canary: Canary) -> bool:
    """Whether the likeliest answer to the canary's question is its secret."""
    import torch

    prompt = _prompt(tokenizer, canary)
    wanted = len(tokenizer(canary.secret, add_special_tokens=False)["input_ids"])
    ids = torch.tensor([prompt])
    with torch.no_grad():
        for _ in range(wanted + 2):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
    return canary.secret in tokenizer.decode(ids[0, len(prompt) :])


def _loss(tokenizer: Any, model: Any, row: dict[str, Any]) -> float:
    """Mean loss of a row in nats a token: of the answer alone where it is a chat."""
    import torch

    if "messages" in row:
        texts = [
            tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=open_)
            for turns, open_ in ((row["messages"][:-1], True), (row["messages"], False))
        ]
    else:
        texts = ["", str(row.get("text") or f"{row.get('prompt')}\n{row.get('chosen')}")]
    begun, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    ids = torch.tensor([whole[-LONGEST:]])
    labels = ids.clone()
    labels[0, : max(0, len(begun) - max(0, len(whole) - LONGEST))] = -100
    with torch.no_grad():
        return float(model(ids, labels=labels).loss)
