"""When two names are the same name: `key` folds case, plural, spelling, punctuation and word order.

It does not know which thing a name belongs to; the graph's name table does.
"""

import functools
import re
import unicodedata
import zlib

from osler.text import CJK

_WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+", re.UNICODE)
_POSSESSIVE = re.compile(r"['’]s\b")
# British to American, in order; the folding only has to be the same on both sides, not to be a word.
_SPELLING = (
    (re.compile(r"ae"), "e"),
    (re.compile(r"oe"), "e"),
    (re.compile(r"our(?=$|s$|ed$|ing$|less$)"), "or"),
    (re.compile(r"ys(?=e$|ed$|ing$)"), "yz"),
    (re.compile(r"is(?=ation|e$|ed$|ing$)"), "iz"),
    (re.compile(r"(?<=[tb])re$"), "er"),
    (re.compile(r"^sulph"), "sulf"),
    (re.compile(r"^leuc(?=o|[ae]m)"), "leuk"),
    (re.compile(r"ium$"), "um"),
    (re.compile(r"^grey"), "gray"),
)
_INVARIANT = ("ss", "us", "is")


@functools.lru_cache(maxsize=65536)
def fold_word(word: str) -> str:
    """One lower-case word without its plural ending and in one spelling."""
    if not word.isascii() or len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(_INVARIANT):
        word = word[:-1]
    for pattern, other in _SPELLING:
        word = pattern.sub(other, word)
    return word


def fold_words(name: str) -> list[str]:
    """The folded words of `name` in order; a run of Chinese characters is one word."""
    text = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", name)).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character))
    return [fold_word(word) for word in _WORD.findall(text)]


def key(name: str) -> str:
    """Equal for names that differ only in case, plural, spelling, accents, punctuation or word order.

    >>> key("Tumours, Malignant") == key("malignant tumor")
    True
    """
    return " ".join(sorted(fold_words(name)))


def key_hash(name: str) -> int:
    """CRC-32 of the key, for a compact sorted index; candidates are compared by `key` itself."""
    return zlib.crc32(key(name).encode())
