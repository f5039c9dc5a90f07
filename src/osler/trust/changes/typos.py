"""Slips of the keyboard in one long word of ten; in Chinese, characters that sound or look alike."""

import re
from random import Random

from osler.text import has_chinese
from osler.trust.rewriting import rows, some_words
from osler.trust.variants import text_change

KEYS = {key: near for key, near in rows("typos.tsv") if key.isascii()}
ALIKE = {a: b for a, b in rows("typos.tsv") if not a.isascii()}


@text_change("typos", "slips of the keyboard in one long word of ten")
def typos(text: str, luck: Random) -> str:
    if has_chinese(text):
        return some_words(text, luck, lambda one, _: ALIKE[one], 0.3, re.compile(f"[{''.join(ALIKE)}]"))
    return some_words(text, luck, _slip)


def _slip(word: str, luck: Random) -> str:
    """One inner letter left out, doubled, swapped with the next or hit beside; the first and the last stay."""
    at = luck.randrange(1, len(word) - 2)
    before, one, two, after = word[:at], word[at], word[at + 1], word[at + 2 :]
    beside = luck.choice(KEYS[one.lower()])
    return before + luck.choice((two, one + one + two, two + one, beside + two)) + after
