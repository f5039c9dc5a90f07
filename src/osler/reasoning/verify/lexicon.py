"""The words a check of statements knows, from `data/*.toml`, and texts with their shorthand written out.

Cues stand apart from logic: the code knows no word. English and Chinese words share axes, so that 升高 and `rise` meet.
"""

import functools
import math
import re
import tomllib
from collections.abc import Iterable
from typing import NamedTuple

from osler.reasoning.verify.quantities import DATA, ONES, TENS, quantities

COMMON, UNKNOWN = 6000, 25  # paragraphs: stems in more of them weigh least; what is not counted weighs as this many


class Lexicon(NamedTuple):
    """`axes`: word -> (axis, value) pairs; `groups`: stem or Chinese word -> names of its meanings."""

    stop: frozenset[str]
    faint: frozenset[str]
    linking: frozenset[str]
    negation: frozenset[str]
    exceptions: frozenset[str]
    barrier: frozenset[str]
    negation_phrases: re.Pattern[str]
    axes: dict[str, tuple[tuple[str, str], ...]]
    stem_axes: dict[str, tuple[tuple[str, str], ...]]
    groups: dict[str, frozenset[str]]
    prefixes: dict[str, tuple[str, str]]
    abbreviations: dict[str, str]
    chinese: re.Pattern[str]
    repairs: tuple[tuple[re.Pattern[str], str], ...]
    written_out: tuple[tuple[re.Pattern[str], dict[str, str]], ...]


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    for pattern, american in _BRITISH if len(word) > 5 else ():
        word = pattern.sub(american, word)
    import snowballstemmer  # type: ignore[import-untyped]

    return str(snowballstemmer.stemmer("english").stemWord(word))  # one of its own: a stemmer serves one thread alone


_BRITISH = [
    (re.compile(r"(?<=[a-z])(?:ae|oe)(?=[a-z])|^oe(?=[dst])"), "e"),
    (re.compile(r"our(?=s?$|ed$|ing$|less$)"), "or"),
    (re.compile(r"(?<=[a-z]{3})is(?=e[sd]?$|ing$|ation$)"), "iz"),
]


@functools.cache
def lexicon() -> Lexicon:
    """The words of both languages, compiled."""
    en, zh = (tomllib.loads((DATA / f"{language}.toml").read_text(encoding="utf-8")) for language in ("en", "zh"))
    axes: dict[str, tuple[tuple[str, str], ...]] = {}
    groups: dict[str, set[str]] = {}
    for data in (en, zh):
        for axis, values in data["axes"].items():
            for value, words in values.items():
                for word in words.split():
                    axes[word] = (*axes.get(word, ()), (axis, value))
        for line in data["synonyms"]["words"].strip().splitlines():
            for word in line.split():
                groups.setdefault(stem(word), set()).add(f"#{line}")
    known = {word for word in [*axes, *groups, *zh["negation"].split(), *zh["stop"].split()] if not word.isascii()}
    phrases = {**en["shorthand"], **en["rewrite"]}
    sets = {
        name: frozenset(f"{en.get(name, '')} {zh.get(name, '')}".split())
        for name in ("stop", "faint", "linking", "negation", "exceptions", "barrier")
    }
    return Lexicon(
        **sets,
        negation_phrases=_any_of(part.strip() for part in en["negation_phrases"].split(";")),
        axes=axes,
        stem_axes={stem(word): values for word, values in axes.items()},
        groups={word: frozenset(found) for word, found in groups.items()},
        prefixes={prefix: pair for pair in en["prefixes"].items() for prefix in pair},
        abbreviations=en["abbreviations"],
        chinese=re.compile("|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))),
        repairs=tuple((re.compile(pattern), replacement) for pattern, replacement in en["repairs"]),
        written_out=(
            (_any_of(en["abbreviations"], 0), en["abbreviations"]),
            *2 * ((_any_of(phrases), {key.lower(): value for key, value in phrases.items()}),),
        ),
    )


def _any_of(phrases: Iterable[str], flags: int = re.I) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ordered))})(?![\w-])", flags)


@functools.cache
def _frequencies() -> dict[str, int]:
    lines = (DATA / "frequency.txt").read_text(encoding="utf-8").splitlines()[1:]
    return {root: int(count) for root, count in (line.split() for line in lines)}


@functools.lru_cache(maxsize=65536)
def weight(root: str) -> float:
    """What a stem weighs: 0.3 (in every text) to 1.4 (rare), by its frequency in the shipped corpora."""
    count = _frequencies().get(root, UNKNOWN)
    return 0.3 + 1.1 * min(1.0, max(0.0, math.log(COMMON / count) / math.log(COMMON / UNKNOWN)))


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_SMALL = "|".join(ONES[1:11])
_AND_A_HALF = re.compile(rf"\b({_SMALL}|\d+) and a half\s", re.I)
_HUNDREDS = re.compile(rf"\b({_SMALL}) hundred (?:and )?({'|'.join((*ONES[1:], *TENS))})\b", re.I)
_ORDINAL_DAY = re.compile(rf"\b({'|'.join(_ORDINALS)}) day\b", re.I)


def normalise(text: str) -> str:
    """Shorthand, abbreviations and set phrases in words."""
    for pattern, replacement in lexicon().repairs:
        text = pattern.sub(replacement, text)
    text = _AND_A_HALF.sub(lambda match: f"{quantities(match[1])[0].low + 0.5:g} ", text)
    text = _HUNDREDS.sub(lambda match: f"{quantities(match[1])[0].low * 100 + quantities(match[2])[0].low:g}", text)
    text = _ORDINAL_DAY.sub(lambda match: f"day {_ORDINALS[match[1].lower()]}", text)
    for pattern, words in lexicon().written_out:
        text = pattern.sub(lambda match, known=words: known.get(match[0]) or known[match[0].lower()], text)  # type: ignore[misc]
    return text


_INITIALS = re.compile(r"\b[A-Z]{2,6}(?=s?\b)")


def initialisms(text: str, other: str) -> dict[str, str]:
    """Short forms in `text` whose letters begin a run of words in `other` (ARBs: angiotensin receptor blockers)."""
    found: dict[str, str] = {}
    for short in set(_INITIALS.findall(text)):
        if short in lexicon().abbreviations or re.search(rf"\b{short}s?\b", other):
            continue
        run = r"[\s-]+(?:(?:of|the|and|in|for|to|I{1,3}|\d)[\s-]+)?".join(rf"{letter}[A-Za-z]+" for letter in short)
        if match := re.search(rf"\b{run}", other, re.I):
            found[short] = match.group()
    return found
