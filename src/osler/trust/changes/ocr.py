"""Letters as a scanner misreads them."""

import re
from random import Random

from osler.trust.rewriting import rows, some_words
from osler.trust.variants import text_change

MISREAD = {read: rest for read, *rest in rows("ocr.tsv")}
SEEN = re.compile(rf"(?<![\d.])(?:{'|'.join(sorted(map(re.escape, MISREAD), key=len, reverse=True))})(?![\d.])")


@text_change("OCR noise", "letters as a scanner misreads them, 3 of 100 of those it confuses; figures stay")
def ocr(text: str, luck: Random) -> str:
    return some_words(text, luck, lambda one, luck: luck.choice(MISREAD[one]), 0.03, SEEN)
