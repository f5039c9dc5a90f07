"""What a reply makes of a question: "Any fever?" "No." is an absent fever.

It reads only the first words of the reply; what else the patient says is read like any other text.
"""

from bisect import bisect_right
from collections.abc import Sequence

from osler.knowledge.concepts.tables import patterns
from osler.nouns import Status
from osler.record.case import Turn
from osler.text import sentences

_SAYS = patterns("dialogue")
_REPLIES: tuple[Status, ...] = ("uncertain", "absent", "present")


def is_question(sentence: str) -> bool:
    return _SAYS["asks"].search(sentence.strip()) is not None


def polarity(reply: str) -> Status | None:
    """What the first words of a reply say: present (yes), absent (no), uncertain (doesn't know); None if nothing."""
    return next((status for status in _REPLIES if _SAYS[status].match(reply)), None)


def reply_to(text: str, turns: Sequence[Turn], at: int) -> tuple[Turn, str | None] | None:
    """The doctor's turn at a place and what the other answers to it; None where no doctor speaks."""
    here = bisect_right([turn.start for turn in turns], at) - 1
    if here < 0 or turns[here].speaker != "doctor" or at >= turns[here].end:
        return None
    following = [turn for turn in turns[here + 1 : here + 2] if turn.speaker != "doctor"]
    return turns[here], text[following[0].start : following[0].end] if following else None


def status_in(text: str, turns: Sequence[Turn], at: int, status: Status) -> Status:
    """The status of a mention of a dialogue: what a doctor asks is what the reply makes of it. A statement keeps its
    status; a question is uncertain until answered, and only those that end the turn are."""
    turn, reply = reply_to(text, turns, at) or (None, None)
    asks = _asks(text, turn, at) if turn else []
    if not asks or not asks[0]:
        return status
    said = polarity(reply) if reply and all(asks) else None
    # "No fever?" "No." and "No fever?" "Right." both deny it
    return "absent" if said == "present" and status == "absent" else said or "uncertain"


def number_in_reply(text: str, turns: Sequence[Turn], at: int) -> str | None:
    """The number, with its unit as written, that the reply to what a doctor asks or says begins with."""
    turn, reply = reply_to(text, turns, at) or (None, None)
    match = _SAYS["number"].match(reply or "")
    asks = _asks(text, turn, at) if turn else []
    return match["number"].strip() if match and (all(asks) or not asks[0]) else None


def _asks(text: str, turn: Turn, at: int) -> list[bool]:
    """Of the sentence at a place of a turn and of those behind it, whether it is a question."""
    said = text[turn.start : turn.end]
    spans = [span for span in sentences(said) if at - turn.start < span.end]
    return [is_question(said[span.start : span.end]) for span in spans]
