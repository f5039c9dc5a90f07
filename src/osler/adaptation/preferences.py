"""What reviewers said in the workbench, as pairs of a better and a worse text: data for the stages reward and prefer.

Only feedback given with consent counts. Where reviewers differ the majority holds, and a tie is left out. How far they
agree is said beside it (Krippendorff 2011, nominal; Cohen 1960 for two). It trains nothing.
"""

import itertools
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.adaptation.data import prepare
from osler.adaptation.progress import Step
from osler.adaptation.training import train
from osler.errors import InputError, OslerError
from osler.ledger import Ledger
from osler.settings import Settings


class Said(NamedTuple):
    """One reviewer's word on one statement. `asked`: what the answer was about; `instead`: the better wording."""

    who: str
    entry: str
    trace: str
    kind: str
    asked: str
    statement: str
    verdict: str
    instead: str | None
    reason: str | None


class Pairs(NamedTuple):
    """`rows`: of preference data, each with its provenance; the rest counts what was left out and how far reviewers
    agree (null where nothing was judged by two)."""

    rows: list[dict[str, Any]]
    said: int
    without_consent: int
    conflicts: int
    without_counterpart: int
    unreadable: int
    alpha: float | None
    kappa: float | None


def pairs(settings: Settings) -> Pairs:
    """All pairs that the ledger's feedback gives, in its order."""
    ledger = Ledger.open(settings)
    found, silent, unreadable = list[Said](), 0, 0
    for entry in reversed(ledger.entries(None)):
        if entry.kind != "feedback":
            continue
        try:
            payload = ledger.payload(entry.id)
            about = ledger.payload(payload["feedback"]["trace_id"])
        except (OslerError, KeyError, TypeError):
            unreadable += 1  # erased with its patient, or not of this shape
            continue
        if not payload["feedback"].get("consent"):
            silent += 1
            continue
        found.append(_said(payload, about, entry.id))
    return _paired(found, silent, unreadable)


def _said(payload: Mapping[str, Any], about: Mapping[str, Any], entry: str) -> Said:
    word, output = payload["feedback"], about.get("output") or {}
    asked = output.get("question") or (output.get("answer") or {}).get("question")
    asked = asked or _section(output, str(word["statement"])) or _case(about)
    return Said(
        who=str(payload.get("who") or word.get("reviewer_role") or "reviewer"),
        entry=entry,
        trace=str(word["trace_id"]),
        kind=str(about.get("kind", "")),
        asked=str(asked),
        statement=str(word["statement"]),
        verdict=str(word["verdict"]),
        instead=word.get("text"),
        reason=word.get("reason"),
    )


def _section(output: Mapping[str, Any], statement: str) -> str | None:
    """What a sentence of a report was to say: its heading, and what it rests on."""
    known = {item["id"]: item["text"] for item in output.get("evidence") or []}
    for part in output.get("sections") or []:
        for one in part.get("statements") or []:
            if one["text"] == statement:
                told = " ".join(known[id] for id in one["evidence"] if id in known)
                return f"{output.get('title', '')}, {part['title']}. {told}".strip()
    return None


def _case(about: Mapping[str, Any]) -> str:
    given = about.get("input") or {}
    return str(given.get("content") or given.get("question") or given.get("name") or "")


def _paired(found: Sequence[Said], silent: int, unreadable: int) -> Pairs:
    votes: dict[tuple[str, str], dict[str, Said]] = defaultdict(dict)
    for one in found:
        votes[one.trace, one.statement][one.who] = one  # a reviewer's last word holds
    rows, conflicts, alone = list[dict[str, Any]](), 0, 0
    right: dict[str, list[Said]] = defaultdict(list)
    settled = list[Said]()
    for given in votes.values():
        counts = Counter("right" if one.verdict == "right" else "wrong" for one in given.values()).most_common()
        if len(counts) > 1 and counts[0][1] == counts[1][1]:
            conflicts += 1
            continue
        for one in given.values():
            if (one.verdict == "right") == (counts[0][0] == "right"):
                settled.append(one)
                if one.verdict == "right":
                    right[one.trace].append(one)
    for one in settled:
        if one.verdict == "right":
            continue
        better = one.instead or next((other.statement for other in right[one.trace]), None)
        if better is None:
            alone += 1
            continue
        made = {"prompt": one.asked, "chosen": better, "rejected": one.statement}
        about = {"entry": one.entry, "trace": one.trace, "verdict": one.verdict, "reason": one.reason}
        rows.append({**made, "provenance": about})
    table = [{who: one.verdict != "right" for who, one in given.items()} for given in votes.values()]
    return Pairs(rows, len(found), silent, conflicts, alone, unreadable, krippendorff(table), cohen(table))


def krippendorff(table: Sequence[Mapping[str, Hashable]]) -> float | None:
    """Alpha for nominal values; a unit is a mapping of rater to value. None where no unit has two, or all are alike."""
    units = [list(unit.values()) for unit in table if len(unit) > 1]
    totals = Counter(itertools.chain.from_iterable(units))
    n = totals.total()
    observed = sum(_unlike(Counter(unit)) / (len(unit) - 1) for unit in units)
    expected = _unlike(totals) / (n - 1) if n > 1 else 0.0
    return 1 - observed / expected if expected else None


def _unlike(counts: Counter[Hashable]) -> float:
    """Ordered pairs of unlike values."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())


def cohen(table: Sequence[Mapping[str, Hashable]]) -> float | None:
    """Kappa of the two raters who judged most in common. None where no two did, or chance explains all."""
    together: dict[tuple[str, str], list[tuple[Hashable, Hashable]]] = defaultdict(list)
    for unit in table:
        for one, other in itertools.combinations(sorted(unit), 2):
            together[one, other].append((unit[one], unit[other]))
    if not together:
        return None
    judged = max(together.values(), key=len)
    n = len(judged)
    agreed = sum(a == b for a, b in judged) / n
    first, second = Counter(a for a, _ in judged), Counter(b for _, b in judged)
    chance = sum(first[value] * second[value] for value in first) / n**2
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def align(
    target: Path,
    settings: Settings,
    name: str | None = None,
    parent: str | None = None,
    changes: Sequence[str] = (),
    watch: Callable[[Step], None] = lambda step: None,
) -> dict[str, Any]:
    """Pairs from feedback as a folder of training data, checked as any other; with `name` an adapter trained on it.

    Raises InputError where feedback gives no pair.
    """
    found = pairs(settings)
    counts = {key: value for key, value in found._asdict().items() if key != "rows"} | {"pairs": len(found.rows)}
    if not found.rows:
        hint = "Edited statements, and wrong ones beside right ones, make pairs; reviewers must have consented."
        raise InputError(f"no pair in {found.said} words of feedback", hint=hint)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.rows), encoding="utf-8")
        sheet = prepare([str(path)], target, settings, licence="reviewers of this home, with consent", phi="mask",
                        permission="given with each word of feedback")  # fmt: skip
    card = train("prefer", [target], name, settings, parent=parent, changes=changes, watch=watch) if name else None
    return {"feedback": counts, "data": sheet, "adapter": card.model_dump(mode="json") if card else None}
