"""From one wrong answer to its trace, to the answers that may be wrong for the same reason, and to what fixed it.

Alike are answers that rest on the same evidence or answer a question in the same words; method and model are named
where they are the same. It does not judge which of them are wrong.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from osler.errors import InputError
from osler.ledger import Entry, Erased, Ledger
from osler.settings import Settings
from osler.text import words
from osler.trust.replay import Difference, differences

EVIDENCE, WORDING, MOST = 0.3, 0.5, 20  # least shares in common, and how many alike are told


class Alike(NamedTuple):
    """`evidence` and `wording`: shares in common (Jaccard) with the answer in question."""

    id: str
    time: str
    question: str
    same: list[str]
    evidence: float
    wording: float


class Fix(NamedTuple):
    """`changes`: what differs between the wrong answer's trace and the one of the answer after the fix."""

    entry: str
    time: str
    by: str
    note: str
    fixed_by: str | None
    changes: list[Difference]


class Incident(NamedTuple):
    """`looked_at`: other answers that could be read; `unreadable`: those that were erased."""

    id: str
    time: str
    question: str
    method: str
    models: list[str]
    evidence: list[str]
    alike: list[Alike]
    looked_at: int
    unreadable: int
    fixes: list[Fix]


class _Told(NamedTuple):
    question: str
    method: str
    models: list[str]
    evidence: set[str]


def incident(id: str, settings: Settings) -> Incident:
    """The report of an answer's entry. Raises InputError for an entry that is no answer, Erased for one gone."""
    ledger = Ledger.open(settings)
    entry, payload = ledger.entry(id), ledger.payload(id)
    mine = _told(payload)
    if mine is None:
        raise InputError(f"entry {id} is a {entry.kind}: there is no answer in it")
    alike: list[Alike] = []
    fixes: list[Fix] = []
    looked = gone = 0
    for other in ledger.entries(None):
        try:
            held = ledger.payload(other.id) if other.id != id else {}
        except Erased:
            gone += 1
            continue
        if other.kind == "incident" and held.get("answer") == id:
            fixes.append(_fix(other, held, payload, ledger))
        elif (its := _told(held)) is not None:
            looked += 1
            alike += _compared(other, mine, its)
    alike.sort(key=lambda one: one.evidence + one.wording, reverse=True)
    about = (mine.question, mine.method, mine.models, sorted(mine.evidence))
    return Incident(id, entry.time, *about, alike[:MOST], looked, gone, fixes[::-1])


def note_fix(id: str, fixed_by: str | None, note: str, by: str, settings: Settings) -> Entry:
    """Put down what was done about a wrong answer, and the answer that shows it. Raises InputError for what is none."""
    ledger = Ledger.open(settings)
    for one in (id, fixed_by) if fixed_by else (id,):
        if _told(ledger.payload(one)) is None:
            raise InputError(f"entry {one} is no answer")
    return ledger.append("incident", {"answer": id, "fixed_by": fixed_by, "note": note, "by": by}, about=id)


def _told(payload: dict[str, Any]) -> _Told | None:
    """What an entry's answer was; None where it holds none."""
    with suppress(KeyError, TypeError, AttributeError):
        answer, trace = payload["output"]["answer"], payload["trace"]
        models = sorted({f"{call['model']['spec']} {call['model']['digest']}" for call in trace["calls"]})
        return _Told(answer["question"], trace["method"], models, set(trace["evidence"]))
    return None


def _compared(other: Entry, mine: _Told, its: _Told) -> Iterator[Alike]:
    evidence = _shared(mine.evidence, its.evidence)
    wording = _shared(set(words(mine.question)), set(words(its.question)))
    if evidence >= EVIDENCE or wording >= WORDING:
        same = [name for name in ("method", "models") if getattr(mine, name) == getattr(its, name)]
        yield Alike(other.id, other.time, its.question, same, round(evidence, 3), round(wording, 3))


def _shared(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _fix(entry: Entry, held: dict[str, Any], wrong: dict[str, Any], ledger: Ledger) -> Fix:
    changes: list[Difference] = []
    with suppress(Erased):
        after = ledger.payload(held["fixed_by"]) if held["fixed_by"] else wrong
        for part in ("method", "parameters", "knowledge", "versions"):
            changes += differences(wrong["trace"].get(part), after["trace"].get(part), part)
    return Fix(entry.id, entry.time, held["by"], held["note"], held["fixed_by"], changes)
