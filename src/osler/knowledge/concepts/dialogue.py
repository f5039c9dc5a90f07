"""What a reply makes of a question: "Any fever?" "No." is an absent fever.

It reads only the first words of the reply; what else the patient says is read like any other text.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from osler.nouns import Status
from osler.record.case import Turn
from osler.text import sentences

_ASKING = re.compile(
    r"\s*(?:and |so |okay,? |ok,? |alright,? )?(?:any|do you|have you|did you|are you|is there|are there|"
    r"has (?:he|she|it)|does|were you|was there|"
    r"how about|what about|had you|ever)\b",
    re.IGNORECASE,
)
_CHINESE_ASKING = re.compile(r"有没有|有无|是否|是不是|吗[？?。]?$|没有[？?]$|呢[？?]?$")
_OPENING = r"\W*(?:(?:um+|uh+|oh|well|hmm+|er)\W+)*"
_NO = re.compile(
    _OPENING + r"(?:no\b|nope\b|nah\b|never\b|none\b|"
    r"not (?:really|at all|that i|so far|yet|any)|"
    r"i (?:don't|do not|haven't|have not|didn't|did not) (?!know\b)|i'm not\b(?! sure)|nothing\b|negative\b|"
    r"没有|没|无|不(?!知|清|确)|否)",
    re.IGNORECASE,
)
_YES = re.compile(
    _OPENING + r"(?:yes\b|yeah\b|yep\b|yup\b|yea\b|mm-?hmm\b|mhm\b|uh-huh\b|sure\b|definitely\b|"
    r"absolutely\b|sometimes\b|"
    r"a (?:little|bit|lot|few)\b|i (?:do|have|did|am|think so|was)\b(?! not)|correct\b|right\b|"
    r"occasionally\b|often\b|once\b|有|是|对|嗯|偶尔|经常)",
    re.IGNORECASE,
)
_NOT_SURE = re.compile(
    r"\W*(?:i (?:don't|do not) know|i'm not sure|not sure|maybe|perhaps|hard to say|不知道|不清楚|不确定)",
    re.IGNORECASE,
)
_NOT_NO = re.compile(r"\W*i (?:don't|do not) think so", re.IGNORECASE)


_NUMBER_FIRST = re.compile(
    r"\W*(?:(?:yes|yeah|yep|um+|uh+|oh|well|about|around|maybe|up to|it was|it's|at|a|"
    r"是|有|对|大概|最高|差不多|量了|昨晚|今早)\W*)*"
    r"(?P<number>\d{1,3}(?:\.\d{1,2})?\s?(?:°?\s?[CF]\b|degrees|度|℃)?)"
    r"(?![\d/-]|\s?(?:years|days|weeks|hours|months|times|天|次|年))",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    text = sentence.strip()
    return text.endswith(("?", "？")) or bool(_ASKING.match(text) or _CHINESE_ASKING.search(text))


def polarity(reply: str) -> Status | None:
    """What the first words of a reply say: present (yes), absent (no), uncertain (doesn't know); None if nothing."""
    if _NOT_NO.match(reply):
        return "absent"
    if _NOT_SURE.match(reply):
        return "uncertain"
    if _NO.match(reply):
        return "absent"
    return "present" if _YES.match(reply) else None


def answered(question: str, at: int, status: Status, reply: str | None) -> Status:
    """The status of a mention at `at` in a doctor's turn, given the patient's reply to that turn.

    A statement keeps its status. A question is uncertain until answered; only the questions that end the turn are.
    """
    spans = sentences(question)
    mine = next((n for n, span in enumerate(spans) if span.start <= at < span.end), None)
    if mine is None or not is_question(question[spans[mine].start : spans[mine].end]):
        return status
    trailing = all(is_question(question[span.start : span.end]) for span in spans[mine:])
    said = polarity(reply) if reply and trailing else None
    if said is None:
        return "uncertain"
    if status == "absent":
        # "No fever?" "No." and "No fever?" "Right." both deny it
        return "absent" if said != "uncertain" else "uncertain"
    return said


def reply_to(text: str, turns: Sequence[Turn], at: int) -> tuple[Turn, str | None] | None:
    """The doctor's turn at a place and what the other answers to it; None where no doctor speaks."""
    here = bisect_right([turn.start for turn in turns], at) - 1
    if here < 0 or turns[here].speaker != "doctor" or at >= turns[here].end:
        return None
    following = [turn for turn in turns[here + 1 : here + 2] if turn.speaker != "doctor"]
    return turns[here], text[following[0].start : following[0].end] if following else None


def status_in(text: str, turns: Sequence[Turn], at: int, status: Status) -> Status:
    """The status of a mention of a dialogue: what a doctor asks is what the reply makes of it."""
    asked = reply_to(text, turns, at)
    if asked is None:
        return status
    turn, reply = asked
    return answered(text[turn.start : turn.end], at - turn.start, status, reply)


def number_in_reply(text: str, turns: Sequence[Turn], at: int) -> str | None:
    """The number, with its unit as written, that the reply to a doctor's question begins with."""
    turn, reply = reply_to(text, turns, at) or (None, None)
    match = _NUMBER_FIRST.match(reply or "")
    if turn is None or match is None:
        return None
    asked = answered(text[turn.start : turn.end], at - turn.start, "present", "yes") == "present"
    return match["number"].strip() if asked else None
