"""Rewards that can be checked, for GRPO: no model judges another.

A row's `check` says how: {"option": "B", "options": {...}}, {"number": 3.1, "tolerance": 0.05} or {"evidence": "text"}.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from osler.nouns import Evidence
from osler.reasoning.asking import read_reply
from osler.reasoning.verify import verify
from osler.text import sentences

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")


def rewards() -> list[Callable[..., list[float]]]:
    """What GRPO's trainer asks: a number for each completion."""

    def checked(completions: Sequence[Any], check: Sequence[dict[str, Any]], **more: Any) -> list[float]:
        return [reward(_text(said), asked) for said, asked in zip(completions, check, strict=True)]

    return [checked]


def reward(text: str, check: dict[str, Any]) -> float:
    """1 for what is right, 0 for what is wrong, between them for statements of which a share is supported; a tenth for
    an answer that can be read but is wrong."""
    check = {key: value for key, value in check.items() if value is not None}  # tables fill missing columns with null
    if "option" in check:
        said = read_reply(text, {key: value for key, value in check["options"].items() if value is not None})
        return 1.0 if said == check["option"] else 0.1 if said else 0.0
    if "number" in check:
        found = _NUMBER.findall(text.replace(",", ""))
        if not found:
            return 0.0
        wanted = float(check["number"])
        near = abs(float(found[-1]) - wanted) <= float(check.get("tolerance", 0.01)) * max(1.0, abs(wanted))
        return 1.0 if near else 0.1
    if "evidence" in check:
        return _supported(text, str(check["evidence"]))
    return 0.0


def _text(said: Any) -> str:
    return said if isinstance(said, str) else str(said[-1]["content"])


def _supported(text: str, evidence: str) -> float:
    """The share of sentences that the evidence supports, less those it contradicts."""
    said = [text[start:end] for start, end in sentences(text) if text[start:end].strip()]
    if not said:
        return 0.0
    known = [Evidence(id="check", kind="record", text=evidence)]
    verdicts = [verify(one, known).verdict for one in said]
    good, bad = verdicts.count("supported"), verdicts.count("contradicted")
    return max(0.0, (good - bad) / len(said))
