"""The wording of items, from `words.toml`, and names as a sentence takes them. It knows no medicine."""

import functools
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from osler.knowledge.graph import load_graph
from osler.text import Language

MOSTLY = 3  # times as often small as great
# No name of a person or place ends so.
_CONDITION = re.compile(r"(osis|itis|emia|oma|pathy|ia|ism|uria|algia|emic|ogenic|iac|ular)$")
WORDS: dict[str, Any] = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))


def people(language: Language) -> dict[str, Any]:
    """The sentences about patients, and the small words of answers."""
    found: dict[str, Any] = WORDS["people"][language]
    return found


def listed(names: Sequence[str], language: Language) -> str:
    """Names as one phrase: "a, b and c"."""
    if language == "zh":
        return "、".join(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def in_sentence(label: str, finding: bool = False) -> str:
    """A label as it stands inside a sentence: words small that are no proper names, symbols or abbreviations; the first
    word of a finding's label is great by custom, that of a disease only when it is known from elsewhere to be small."""
    first, *others = label.split(" ")
    plain = first.lower().strip(",()")
    small = finding or plain in _small_words() or bool(_CONDITION.search(plain))
    return " ".join([_lowered(first) if small else first, *map(_lowered, others)])


def _lowered(word: str) -> str:
    return word.lower() if word[1:].islower() and word.lower().strip(",()") not in _eponyms() else word


@functools.cache
def _eponyms() -> frozenset[str]:
    """Words that MONDO, which writes small, writes great inside a name."""
    names = (name for id, name, _ in load_graph().names(("disease",)) if id.startswith("MONDO:") and name[:1].islower())
    inside = (word.strip(",()") for name in names for word in name.split(" ")[1:])
    found = {word.lower() for word in inside if word[1:].islower() and not word.islower()}
    return frozenset(found - _small_words())


@functools.cache
def _small_words() -> frozenset[str]:
    """Words that names in the graph mostly write small: no eponyms."""
    small, great = Counter[str](), Counter[str]()
    for _, name, _ in load_graph().names(("disease", "phenotype", "drug")):
        for place, word in enumerate(name.split(" ")):
            if word.islower():
                small[word.strip(",()")] += 1
            elif place and word[1:].islower():
                great[word.lower().strip(",()")] += 1
    return frozenset(word for word, count in small.items() if count >= MOSTLY * (great[word] + 1))
