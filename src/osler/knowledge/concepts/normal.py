"""Normal forms of single words, so that "oedemas", "Edema" and "hypotonic"/"hypotonia" can meet.

A word has a strict form (case, width, plural, British spelling, Roman numeral) and a loose form (derivation and
medical adjective taken away as well). It knows no ontology; Chinese characters pass unchanged.
"""

import functools
import importlib.resources
import re
import unicodedata
from typing import NamedTuple

from osler.text import CJK


class Form(NamedTuple):
    """`strict` keeps the word's meaning; `loose` is only good enough inside a longer name or behind a check."""

    strict: str
    loose: str


class Word(NamedTuple):
    """A content word of a name. `gap`: function words stood before it; `joins`: and, or, &, /."""

    text: str
    gap: bool
    joins: bool


# A prefix with its hyphen belongs to the word that follows: "non-progressive" is "nonprogressive".
_PREFIXES = (
    "a|non|hyper|hypo|micro|macro|anti|pre|post|sub|dys|inter|intra|multi|semi|poly|hemi|para|peri|pseudo|auto|brachy|"
    "dolicho|plagio|scapho|trigono|oligo|clino|campto|syn|over|under|extra|ultra|mal|infra|supra|retro|neuro|cardio|"
    "meso|acro|hetero"
)
TOKEN = re.compile(
    rf"[{CJK}]|\b(?:{_PREFIXES})-[a-z]{{3,}}|[^\W_{CJK}]+(?:['’]s\b)?|\n|(?!(?<=\w)[-‐‑](?=\w))[^\w\s'\"“”‘’*]",
    re.IGNORECASE,
)
# Words that a name may have or lack: "pain in the chest" is "chest pain". A capital A is a grade or a type.
_FUNCTION = frozenset("of the a an in on at to for with by from its his her their this that de du der von".split())
_LINKING = frozenset("of in on to at over".split())
_AND = frozenset(["and", "or", "&", "/", "及", "和", "与"])
# A line break inside a sentence: a long line whose next begins in lower case.
_SOFT_BREAK = re.compile(r"(?<=[^\n.;:：。；]{40})\n(?=[ \t]*[a-z(])")

_IRREGULAR = {
    "phalanges": "phalanx", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman", "children": "child",
    "vertebrae": "vertebra", "metastases": "metastasis", "cortices": "cortex", "indices": "index",
    "appendices": "appendix", "vertices": "vertex", "calves": "calf", "halves": "half", "nuclei": "nucleus",
    "emboli": "embolus", "thrombi": "thrombus", "foci": "focus", "naevi": "nevus", "nevi": "nevus", "naevus": "nevus",
    "bronchi": "bronchus", "calculi": "calculus", "fungi": "fungus", "bacilli": "bacillus", "testes": "testis",
    "diverticula": "diverticulum", "septa": "septum", "ova": "ovum", "crania": "cranium", "sequelae": "sequela",
    "bursae": "bursa", "fistulae": "fistula", "striae": "stria", "petechiae": "petechia", "maxillae": "maxilla",
    "scapulae": "scapula", "patellae": "patella", "tibiae": "tibia", "fibulae": "fibula", "ulnae": "ulna",
    "humeri": "humerus", "femora": "femur", "radii": "radius", "ganglia": "ganglion", "mitochondria": "mitochondrion",
    "diseases": "disease", "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
    "behaviour": "behavior", "colour": "color", "grey": "gray", "first": "1st", "second": "2nd", "third": "3rd",
    "fourth": "4th", "fifth": "5th", "always": "always", "pus": "pus", "lens": "lens", "lenses": "lens",
    "diabetes": "diabetes", "rabies": "rabies", "scabies": "scabies", "caries": "caries", "herpes": "herpes",
    "series": "series", "species": "species", "facies": "facies", "pancreas": "pancreas", "measles": "measles",
    "mumps": "mumps", "shingles": "shingles", "hives": "hives", "rickets": "rickets", "biceps": "biceps",
    "triceps": "triceps", "forceps": "forceps", "tabes": "tabes", "ascites": "ascites", "pes": "pes",
    "has": "has", "was": "was", "does": "does", "eyes": "eye", "toes": "toe", "gas": "gas", "gases": "gas",
}  # fmt: skip
_SPELLING = (
    ("ae", "e"), ("oe", "e"), ("tumour", "tumor"), ("isation", "ization"), ("ysed", "yzed"), ("lyse", "lyze"),
    ("sulph", "sulf"), ("behaviour", "behavior"), ("colour", "color"), ("odour", "odor"), ("humour", "humor"),
    ("labour", "labor"), ("rigour", "rigor"), ("fibre", "fiber"), ("centre", "center"), ("litre", "liter"),
    ("titre", "titer"), ("mould", "mold"), ("grey", "gray"), ("haem", "hem"), ("programme", "program"),
    ("swollen", "swell"),
)  # fmt: skip
_ENDINGS = (
    ("plasia", "plas"), ("plastic", "plas"), ("plasic", "plas"), ("plasias", "plas"),
    ("trophied", "troph"), ("trophic", "troph"), ("trophy", "troph"), ("trophia", "troph"),
    ("otic", "os"), ("osis", "os"), ("etic", "es"), ("esis", "es"), ("ysis", "ys"), ("ytic", "ys"),
    ("itic", "it"), ("itis", "it"), ("matous", "m"), ("oma", "om"), ("emia", "em"), ("emic", "em"),
    ("ification", "if"), ("ified", "if"), ("ectasia", "ectas"), ("ectatic", "ectas"), ("ectasis", "ectas"),
    ("ical", ""), ("ia", ""), ("ic", ""),
)  # fmt: skip


# Endings that derive one word from another, the longest first; taken away twice at most ("-ation-al").
_DERIVED = (
    ("ization", ""), ("izing", ""), ("ized", ""), ("ize", ""), ("ational", ""), ("ation", ""), ("ating", ""),
    ("ated", ""), ("ate", ""), ("ition", "it"), ("iveness", ""), ("ness", ""), ("ment", ""), ("ability", ""),
    ("able", ""), ("ity", ""), ("ive", ""), ("ance", ""), ("ence", ""), ("ancy", ""), ("ency", ""), ("ant", ""),
    ("ent", ""), ("ing", ""), ("ied", ""), ("ed", ""), ("ial", ""), ("al", ""), ("ous", ""), ("ly", ""), ("ion", ""),
    ("y", ""), ("e", ""), ("i", ""),
)  # fmt: skip


@functools.cache
def _token_synonyms() -> dict[str, str]:
    """Words that name the same organ or change (renal = kidney, anomaly = abnormality), by strict form."""
    text = importlib.resources.files(__package__).joinpath("data/word_families.tsv").read_text(encoding="utf-8")
    table: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            head, *others = line.split("\t")[0].split()
            table.update({strict(word): strict(head) for word in [head, *others]})
    return table


def strict(word: str) -> str:
    """Case, width, possessive, plural, British spelling and Roman numerals taken away."""
    word = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").replace("-", "")
    if word.endswith(("'s", "s'")):
        word = word[:-2] if word.endswith("'s") else word[:-1]
    word = _IRREGULAR.get(word) or _singular(word)
    if len(word) >= 5:
        for british, american in _SPELLING:
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
    synonym = _token_synonyms().get(word)
    if synonym is not None:
        return synonym
    if len(word) < 5 or not word.isascii() or not word.isalpha():
        return word
    for ending, stem in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (3 if stem else 4):
            return word[: len(word) - len(ending)] + stem
    for _ in range(2):
        word = _stripped(word)
    return word


def _stripped(word: str) -> str:
    for ending, stem in _DERIVED:
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
    return token != "A" and token.lower() in _FUNCTION


def links(token: str) -> bool:
    """Whether a function word can turn a name around: "pain in the chest", not "failure with diastolic"."""
    return token.lower() in _LINKING


def is_join(token: str) -> bool:
    return token.lower() in _AND


def is_abbreviation(name: str) -> bool:
    """Short and mostly capitals, so that only the same case may match."""
    return len(name) <= 6 and sum(character.isupper() for character in name) >= 2


def read_words(name: str) -> list[Word]:
    """The content words of a name; commas count as gaps ("seizures, febrile")."""
    words: list[Word] = []
    gap = False
    for match in TOKEN.finditer(name):
        token = match.group()
        if is_function(token) or token in ",-":
            gap = bool(words)
            continue
        words.append(Word(token, gap, is_join(token)))
        gap = False
    return words
