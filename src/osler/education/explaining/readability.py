"""How hard a text is to read: a school grade for English, the length of sentences for Chinese."""

import re
from collections.abc import Sequence
from typing import Literal

from osler.nouns import Noun
from osler.text import Language

WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:(?<!ch)(?<!sh)(?<![laeiouysxzcg])es|[^dt]ed|[^laeiouy]e)$")
_APART = re.compile(
    r"[ioau]a(?!u)|[^gqtcs]io|eo(?!us|p)|ea$|[aeiou]ing$|uou|[aeo]ic|ier$|ience"
)  # vowels in two syllables
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Readability(Noun):
    """`flesch_kincaid_grade`: years of American schooling (Kincaid and others 1975); `characters_per_sentence` for
    Chinese. `aim`: the most that the level should have, where one is set."""

    measure: Literal["flesch_kincaid_grade", "characters_per_sentence"]
    value: float
    sentences: int
    words: int
    aim: float | None = None


def readability(texts: Sequence[str], language: Language, aim: float | None = None) -> Readability:
    """Of sentences, each given whole. `words` counts Chinese characters in a Chinese text."""
    count = max(1, len(texts))
    if language == "zh":
        characters = sum(len(_HAN.findall(text)) for text in texts)
        return Readability(
            measure="characters_per_sentence", value=round(characters / count, 1), sentences=len(texts),
            words=characters, aim=aim,
        )  # fmt: skip
    found = [word for text in texts for word in WORD.findall(text)]
    return Readability(
        measure="flesch_kincaid_grade", value=round(_grade(found, count), 1), sentences=len(texts), words=len(found),
        aim=aim,
    )  # fmt: skip


def grade(sentence: str) -> float:
    """The Flesch–Kincaid grade of one English sentence."""
    return _grade(WORD.findall(sentence), 1)


def _grade(words: Sequence[str], sentences: int) -> float:
    if not words:
        return 0.0
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """Syllables of an English word, by its vowels."""
    small = word.lower().replace("’", "'").removesuffix("'s")
    if len(small) <= 3:
        return 1
    return max(1, len(_VOWELS.findall(_SILENT.sub("", small) or small)) + len(_APART.findall(small)))
