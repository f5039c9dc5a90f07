"""Med-HALT's false questions (Pal et al. 2023): absurd ones, right only when the option of not knowing is taken."""

import re
from typing import Any

from osler.bench.choice import ChoiceTask, Item, lettered

_UNKNOWN = re.compile(r"\b(?:do(?:es)? ?n[o'\"]?t know|don't know|no idea|unknown)\b", re.I)


def _item(row: dict[str, Any]) -> Item | None:
    options = sorted(row["options"].items(), key=lambda pair: int(pair[0]))
    texts = [str(text) for _, text in options if str(text).strip()]
    knowing = [place for place, text in enumerate(texts) if _UNKNOWN.search(text)]
    if not knowing or not 2 <= len(texts) <= 10:
        return None
    # A few absurd options speak of not knowing, too: the one meant stands last.
    return Item(row["id"], row["id"], row["question"], lettered(texts), "ABCDEFGHIJ"[knowing[-1]])


TASK = ChoiceTask(
    name="medhalt_fake",
    about="absurd questions; right is the option of not knowing",
    path="qa/medhalt_fake.jsonl.gz",
    licence="not stated",
    item=_item,
)
