"""Normal forms of single words, so that "oedemas", "Edema" and "hypotonic"/"hypotonia" can meet.

A word has a strict form (case, width, plural, British spelling, Roman numeral) and a loose form (derivation and
medical adjective taken away as well); the tables are data (`word_forms.tsv`, `word_families.tsv`). It knows no
ontology; Chinese characters pass unchanged.
"""

import functools
import importlib.resources
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from osler.text import CJK


class Form(NamedTuple):
    """`strict` keeps the word's meaning; `loose` is only good enough inside a longer name or behind a check."""

    strict: str
    loose: str


class Word(NamedTuple):
    """A content word of a name. `gap`: function words or a comma stood before it; `joins`: and, or, &, / did."""

    text: str
    gap: bool
    joins: bool


def data_rows(name: str) -> Iterator[list[str]]:
    """Rows of a data file of this room, without comments."""
    text = importlib.resources.files(__package__).joinpath(f"data/{name}").read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


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


@functools.cache
def _families() -> dict[str, str]:
    """Words that name the same organ or change (renal = kidney, anomaly = abnormality), by strict form."""
    rows = (row[0].split() for row in data_rows("word_families.tsv"))
    return {strict(word): strict(family[0]) for family in rows for word in family}


def strict(word: str) -> str:
    """Case, width, possessive, plural, British spelling and Roman numerals taken away."""
    word = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("-", "")
    if word.endswith(("'s", "s'")):
        word = word[:-2] if word.endswith("'s") else word[:-1]
    word = _table("irregular").get(word) or _singular(word)
    if len(word) >= 5:
        for british, american in _table("spelling").items():
            if british in word:
                word = word.replace(british, american)
    return word


def _singular(word: str) -> str:
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    if word.endswith(("omata", "emata")):
        return word[:-2]
    if word.endswith(("oses", "yses", "theses")) and word not in ("noses", "doses", "glucoses"):
        return word[:-2] + "is"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _loose(word: str) -> str:
    family = _families().get(word)
    if family is not None:
        return family
    if len(word) < 5 or not word.isascii() or not word.isalpha():
        return word
    for ending, stem in _table("ending").items():
        if word.endswith(ending) and len(word) - len(ending) >= (3 if stem else 4):
            return word[: len(word) - len(ending)] + stem
    return _stripped(_stripped(word))


def _stripped(word: str) -> str:
    for ending, stem in _table("derived").items():
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: len(word) - len(ending)] + stem
    return word


@functools.lru_cache(maxsize=200_000)
def form(word: str) -> Form:
    """Both normal forms of a word as written."""
    plain = strict(word)
    return Form(plain, _loose(plain))


def unwrap(text: str) -> str:
    """The text with the line breaks that only wrap a sentence as spaces; no offset changes."""
    return _SOFT_BREAK.sub(" ", text) if "\n" in text else text


def is_function(token: str) -> bool:
    """Whether a name may have or lack the word. A capital A is a grade or a type, a capital Still a person."""
    return token not in ("A", "Still") and any(
        token.lower() in word_list(name) for name in ("function", "copula", "adverb")
    )


def is_medical_adjective(word: str) -> bool:
    """Whether the word's ending stands for that of a medical noun: "osteoporotic", "nephritic"."""
    plain = form(word).strict
    return len(plain) >= 7 and plain.endswith(("otic", "etic", "ytic", "itic", "trophic", "plastic", "ectatic", "emic"))


def is_mark(token: str) -> bool:
    """Whether a token is punctuation; signs that mean something are words."""
    return not token[0].isalnum() and token not in "+%°"


def is_abbreviation(name: str) -> bool:
    """Short and mostly capitals, so that only the same case may match."""
    return len(name) <= 6 and sum(character.isupper() for character in name) >= 2


def read_words(name: str) -> list[Word]:
    """The content words of a name; marks count as gaps ("seizures, febrile")."""
    words: list[Word] = []
    gap = joins = False
    for match in TOKEN.finditer(name):
        token = match.group()
        if token.lower() in word_list("join"):
            joins = bool(words)
        elif is_function(token) or is_mark(token):
            gap = bool(words)
        else:
            words.append(Word(token, gap, joins))
            gap = joins = False
    return words
