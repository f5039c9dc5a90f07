"""Dates in another way of writing them that means the same day."""

import re
from datetime import date
from random import Random

from osler.trust.variants import text_change

MONTHS = "January February March April May June July August September October November December".split()
NAMED = "|".join(f"{name}|{name[:3]}" for name in MONTHS)
NUMBERS = re.compile(r"(?<!\d)(\d{4})[-年](\d{1,2})[-月](\d{1,2})(?:日|(?!\d))")
WORDS = re.compile(rf"\b(?:({NAMED})\.? (\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}}) ({NAMED})\.?),? (\d{{4}})\b")


@text_change("date format", "dates written in another way that means the same day")
def dates(text: str, luck: Random) -> str:
    """Dates in words become figures and the reverse; what is no date stays."""
    return NUMBERS.sub(_in_words, text) if NUMBERS.search(text) else WORDS.sub(_in_figures, text)


def _in_words(match: re.Match[str]) -> str:
    try:
        day = date(*map(int, match.groups()))
    except ValueError:
        return match[0]
    return day.isoformat() if "年" in match[0] else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _in_figures(match: re.Match[str]) -> str:
    month = [name[:3] for name in MONTHS].index((match[1] or match[4])[:3]) + 1
    try:
        return date(int(match[5]), month, int(match[2] or match[3])).isoformat()
    except ValueError:
        return match[0]
