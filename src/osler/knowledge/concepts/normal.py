"""Normal forms of single words, so that "oedemas", "Edema" and "hypotonic"/"hypotonia" can meet, and words of names.

A word has a strict form (case, width, plural, British spelling, Roman numeral) and a loose form (derivation and
medical adjective taken away as well); the tables are data (`word_forms.tsv`, `word_families.tsv`). It knows no
ontology; Chinese characters pass unchanged.
"""

import functools
import hashlib
import re
import unicodedata
import zlib
from typing import NamedTuple

from osler.knowledge.concepts.tables import data_rows
from osler.text import CJK


class Code(NamedTuple):
    """Hashes of a word's loose form (64 bits, odd), which is only good enough inside a longer name or behind a check,
    and of its strict form (32 bits), which keeps the word's meaning."""

    loose: int
    strict: int


@functools.cache
def _table(name: str) -> dict[str, str]:
    return {written: form for table, written, form in data_rows("word_forms.tsv") if table == name}


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """A list of `word_forms.tsv`."""
    return frozenset(next(iter(_table(name))).split())


# A prefix with its hyphen belongs to the word that follows: "non-progressive" is "nonprogressive".
TOKEN = re.compile(
    rf"明显|显著|逐渐|变得|[{CJK}]|\b(?:[a-z]\.){{2,}}|\b(?:{'|'.join(sorted(word_list('prefix')))})-[a-z]{{3,}}|[^\W_{CJK}]+(?:['’]s\b)?|\n"
    r"|(?!(?<=\w)[-‐‑](?=\w))[^\w\s'\"“”‘’*]",
    re.IGNORECASE,
)
# A line break inside a sentence: a long line whose next begins in lower case.
_SOFT_BREAK = re.compile(r"(?<=[^\n]{39}[^\n.;:：。；])\n(?=[ \t]*[a-z(])")


@functools.lru_cache(maxsize=200_000)
def coded(word: str) -> Code:
    """Both normal forms of a word as written."""
    plain = strict(word)
    return Code(hashed(_loose(plain)) | 1, zlib.crc32(plain.encode()))


def hashed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@functools.cache
def _families() -> dict[str, str]:
    """Words that name the same organ or change (renal = kidney, anomaly = abnormality), by strict form."""
    rows = (row[0].split() for row in data_rows("word_families.tsv"))
    return {strict(word): strict(family[0]) for family in rows for word in family}


@functools.lru_cache(maxsize=200_000)
def strict(word: str) -> str:
    """Case, width, possessive, plural, British spelling and Roman numerals taken away."""
    word = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("-", "")
    if word.endswith(("'s", "s'")):
        word = word.removesuffix("'s").removesuffix("'")
    word = _table("irregular").get(word) or (_changed(word, "plural", 2) if len(word) >= 4 else word)
    if len(word) >= 5:
        for british, american in _table("spelling").items():
            word = word.replace(british, american)
    return word


def _loose(word: str) -> str:
    family = _families().get(word)
    if family is not None or len(word) < 5:
        return family or word
    stem = _changed(word, "ending", 3)
    return stem if stem != word else _changed(_changed(word, "derived", 3), "derived", 3)


def _changed(word: str, table: str, least: int) -> str:
    """An English word with its ending in the form that a table gives it: the first ending that leaves `least` letters,
    and one more where nothing takes its place."""
    if word.isascii() and word.isalpha():
        for ending, form in _table(table).items():
            if word.endswith(ending) and len(word) - len(ending) >= least + (not form):
                return word.removesuffix(ending) + form
    return word


def unwrap(text: str) -> str:
    """The text with the line breaks that only wrap a sentence as spaces; no offset changes."""
    return _SOFT_BREAK.sub(" ", text) if "\n" in text else text


@functools.cache
def _roles() -> dict[str, str]:
    lists = {"adverb": "function", "function": "function", "copula": "copula", "linking": "linking", "join": "join"}
    roles = {word: role for name, role in lists.items() for word in word_list(name)}
    return roles | dict.fromkeys(word_list("break"), "mark") | dict.fromkeys(",，", "comma")


def role(token: str) -> str | None:
    """What a token does between words: join, linking ("of"), copula, function, comma, mark; None for a word itself. A
    capital A is a grade or a type, a capital Still a person; signs that mean something are words."""
    if token in ("A", "Still"):
        return None
    other = None if token[0].isalnum() or token in "+%°" else "mark"
    return _roles().get(token.lower(), other)


def read_words(name: str) -> tuple[list[str], set[str]]:
    """The content words of a name, and the roles of what stands between them ("seizures, febrile": comma)."""
    words: list[str] = []
    between: set[str] = set()
    pending: set[str] = set()
    for token in TOKEN.findall(name):
        does = role(token)
        if does:
            pending.add(does)
            continue
        between |= pending if words else set()
        pending = set()
        words.append(token)
    return words, between
