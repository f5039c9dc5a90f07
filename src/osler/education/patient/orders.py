"""What an examination or a test is called, and which results a request asks for. It knows no result itself."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from osler.education.patient.script import Fact
from osler.text import CJK

_DATA: dict[str, Any] = tomllib.loads((files(__package__) / "exams.toml").read_text("utf-8"))
_WHOLE, _MODALITY = frozenset(_DATA["whole"]), frozenset(_DATA["modality"])
_ASK = re.compile(f"{_DATA['ask']['en']}|{_DATA['ask']['zh']}")
_NEVER = re.compile(_DATA["ask"]["never"])
_COMMAND = re.compile(r"^/(exam|test)\b\s*(.*)$", re.S)
_WORD = re.compile(rf"[{CJK}]|[a-z0-9_]+")
_FILLING = frozenset(
    "i d ll s m like would want to let me us may can could we will please order examine inspect listen auscultate "
    "palpate percuss feel press on look at measure check send run request perform obtain get arrange take need needs "
    "a an the your his her their he she for of and do in with now what is are was show see some go ahead have next "
    "both my quick again it by patient so ok then also try how".split()
)


class Order(NamedTuple):
    """A request: the kind it is limited to (examination, test, or empty) and the names asked for."""

    kind: str
    names: frozenset[str]


def order_of(text: str, facts: Sequence[Fact]) -> Order | None:
    """The request that a line is, None for a question or remark to the patient."""
    command = _COMMAND.match(text.strip())
    if command:
        return Order("examination" if command[1] == "exam" else "test", named(command[2]))
    names = named(text)
    if _NEVER.search(text) or not (_ASK.search(text) or names & _MODALITY):
        return None
    known = _heads() | {name for fact in facts if fact.kind != "history" for one in fact.names for name in named(one)}
    return Order("", names) if names & (known | _WHOLE) else None


def is_whole(order: Order) -> bool:
    """Whether a request names no part ("a full physical examination")."""
    return order.names <= _WHOLE


def results(order: Order, facts: Sequence[Fact]) -> list[Fact]:
    """The results asked for; empty where there are none of that name."""
    among = [fact for fact in facts if fact.kind == order.kind or (not order.kind and fact.kind != "history")]
    found = [fact for fact in among if _asked(fact, order.names)]
    if not found:
        members = {one for name in order.names for one in _DATA["groups"].get(name, ())}
        found = [fact for fact in among if any(named(name) & members for name in fact.names)]
    if not found and order.names and not order.names & _MODALITY:  # a part of the body that only the words name
        found = [fact for fact in among if fact.kind == "examination" and order.names <= named(fact.answer)]
    return found


def _asked(fact: Fact, names: frozenset[str]) -> bool:
    own = [frozenset(one) for name in fact.names if (one := named(name) - _WHOLE)]
    every = frozenset().union(*own)
    if (
        not own
        or (names & _MODALITY) - every
        or (every & _MODALITY and not names & every & _MODALITY and fact.kind == "examination")
    ):
        return False
    if every & _MODALITY and not names & _MODALITY:  # "the knee" is no ultrasound of it
        return any(one <= names for one in own if not one & _MODALITY) and len(own) > 1 and not own[-1] & _MODALITY
    wanted = names - _WHOLE
    return any(one <= names for one in own) or (bool(wanted) and wanted <= every)


def named(text: str) -> frozenset[str]:
    """The names in a text, each by the first name of its row; words that ask are left out."""
    low = text.lower().replace("’", "'")
    for pattern, head in _rows():
        low = pattern.sub(f" {head} ", low)
    return frozenset(_WORD.findall(low)) - _FILLING


@cache
def _rows() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Every name with the first of its row, the longest first."""
    pairs = [(name, row[0].replace(" ", "_")) for row in _DATA["same"] for name in row]
    pairs.sort(key=lambda pair: -len(pair[0]))
    return tuple(
        (re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])" if name.isascii() else re.escape(name)), head)
        for name, head in pairs
    )


@cache
def _heads() -> frozenset[str]:
    return frozenset(head for _, head in _rows())
