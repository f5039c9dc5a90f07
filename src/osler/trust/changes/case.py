"""Text in capitals, as in old records, or all in small letters."""

from random import Random

from osler.text import has_chinese
from osler.trust.variants import text_change


@text_change("letter case", "the whole text in capitals or in small letters (English)")
def case(text: str, luck: Random) -> str:
    return text if has_chinese(text) else luck.choice((text.upper(), text.lower()))
