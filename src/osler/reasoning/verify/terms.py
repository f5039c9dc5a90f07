"""A text as the terms a check compares: stems with their synonyms, opposites on one axis, negation, quantities.

The words stand in `data/*.toml`; the rules here know none of them. It does not compare anything.
"""

import functools
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from osler.reasoning.verify.quantities import Quantity, quantities
from osler.text import CJK, has_chinese, sentences

DATA = Path(__file__).parent / "data"
SCOPE = 9  # words that a negation reaches at most


class Term(NamedTuple):
    """One content word or quantity. `keys`: what it may be matched by. `axes`: axis -> value (`amount` -> `+`)."""

    word: str
    keys: frozenset[str]
    axes: tuple[tuple[str, str], ...]
    weight: float
    negated: bool
    sentence: int
    position: int
    clause: int
    quantity: Quantity | None = None


class Lexicon(NamedTuple):
    stop: frozenset[str]
    generic: frozenset[str]
    negation: frozenset[str]
    negation_phrases: re.Pattern[str]
    barrier: frozenset[str]
    abbreviations: re.Pattern[str]
    long_forms: dict[str, str]
    rewrite: re.Pattern[str]
    rewritten: dict[str, str]
    axes: dict[str, tuple[tuple[str, str], ...]]
    groups: dict[str, frozenset[str]]


@functools.cache
def _stemmer() -> Any:
    import snowballstemmer  # type: ignore[import-untyped]

    return snowballstemmer.stemmer("english")


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@functools.cache
def lexicon() -> Lexicon:
    """The English words of `data/en.toml`, compiled."""
    data = tomllib.loads((DATA / "en.toml").read_text(encoding="utf-8"))
    axes: dict[str, tuple[tuple[str, str], ...]] = {}
    for axis, values in data["axes"].items():
        for value, words in values.items():
            for word in words.split():
                axes[word] = (*axes.get(word, ()), (axis, value))
    groups: dict[str, set[str]] = {}
    for number, line in enumerate(data["synonyms"]["words"].strip().splitlines()):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(f"#{number}")
    rewritten = {**data["shorthand"], **data["rewrite"]}
    long_forms = data["abbreviations"]
    return Lexicon(
        stop=frozenset(data["stop"].split()),
        generic=frozenset(stem(word) for word in data["generic"].split()),
        negation=frozenset(data["negation"].split()),
        negation_phrases=_alternatives([part.strip() for part in data["negation_phrases"].split(";")]),
        barrier=frozenset(data["barrier"].split()),
        abbreviations=_alternatives(long_forms, flags=0),
        long_forms=long_forms,
        rewrite=_alternatives(rewritten),
        rewritten={key.lower(): value for key, value in rewritten.items()},
        axes=axes,
        groups={word: frozenset(found) for word, found in groups.items()},
    )


def _alternatives(phrases: Any, flags: int = re.I) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(phrase) for phrase in ordered) + r")(?![\w-])", flags)


_REPAIRS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"[’‘]"), "'"),
    (re.compile(r"\s?(?:->|→)\s?"), " to "),
    (re.compile(r"\bPOD\s?#?(\d+)\b"), r"day \1 after surgery"),
    (re.compile(r"\b(\d{1,3})\s?(?:y/?o\s?)?F\b(?!\))"), r"\1 year old woman"),
    (re.compile(r"\b(\d{1,3})\s?(?:y/?o\s?)?M\b"), r"\1 year old man"),
    (re.compile(r"\bx\s?(\d+)\s?(d|wks?|mo|h|y)\b"), r"for \1 \2"),
    (re.compile(r"(?<=[\s(])\+\s?(?=[a-z])"), "positive "),
    (re.compile(r"(\w)n't\b"), r"\1 not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\bnon-?(?=[a-z]{4})", re.I), "not "),
    (re.compile(r"'s\b"), ""),
    (re.compile(r"\b(first|second|third|fourth|fifth) day\b", re.I), lambda m: f"day {_ORDINALS[m[1].lower()]}"),  # type: ignore[list-item]
    (re.compile(r"(?<=[a-z])/(?=[a-z])"), " / "),
]
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:['.\-][^\W_{CJK}]+)*|[,;:.()!?]")


def normalise(text: str) -> str:
    """Shorthand, abbreviations and set phrases in words."""
    words = lexicon()
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    text = words.abbreviations.sub(lambda match: words.long_forms[match.group()], text)
    for _ in range(2):
        text = words.rewrite.sub(lambda match: words.rewritten[match.group().lower()], text)
    return text


def terms(text: str, weight_of: dict[str, float] | None = None) -> list[Term]:
    """The terms of a text in order. Chinese text: see `chinese.terms`."""
    if has_chinese(text):
        from osler.reasoning.verify.chinese import chinese_terms

        return chinese_terms(text)
    found: list[Term] = []
    position = clause = 0
    for number, (start, end) in enumerate(sentences(text)):
        added, position, clause = _sentence_terms(normalise(text[start:end]), number, position + 5, clause + 1)
        found.extend(added)
    return found


def _sentence_terms(text: str, number: int, position: int, clause: int) -> tuple[list[Term], int, int]:
    words = lexicon()
    measured = quantities(text)
    found: list[Term] = []
    reach = 0
    phrase_starts = {match.start(): match.end() for match in words.negation_phrases.finditer(text)}
    skip = 0
    next_quantity = 0
    for match in _WORD.finditer(text):
        if match.start() < skip:
            continue
        while next_quantity < len(measured) and measured[next_quantity].start <= match.start():
            quantity = measured[next_quantity]
            found.append(
                Term(
                    text[quantity.start : quantity.end], frozenset(), (), 1.0, False, number, position, clause, quantity
                )
            )
            position += 1
            skip = quantity.end
            next_quantity += 1
        if match.start() < skip:
            continue
        if match.start() in phrase_starts:
            reach, skip = SCOPE, phrase_starts[match.start()]
            continue
        word = match.group().lower()
        if word in ",;:.()!?":
            if word in ";:." or (word == "," and reach < SCOPE - 3 and not _goes_on(text, match.end())):
                reach = 0
            clause += word != ","
            position += 1
            continue
        if word in words.negation:
            reach = SCOPE
            if word in words.axes:
                found.append(_term(word, words, False, number, position, clause))
            continue
        if word in words.barrier:
            reach = 0
            clause += 1
        if word not in words.stop:
            parts = [word, *word.split("-")] if "-" in word and word not in words.axes else [word]
            for part in parts[1:] or parts:
                if part and part not in words.stop:
                    found.append(_term(part, words, reach > 0, number, position, clause))
        elif word in words.axes:
            found.append(_term(word, words, reach > 0, number, position, clause))
        position += 1
        reach = max(0, reach - 1)
    return found, position, clause


def _goes_on(text: str, end: int) -> bool:
    """Whether a list goes on after this comma (`no fever, cough or rash`)."""
    return bool(re.match(r"\s*(?:\w+\s+){0,3}\w+\s*(?:,|\bor\b|\bnor\b|$)", text[end : end + 60]))


def _term(word: str, words: Lexicon, negated: bool, number: int, position: int, clause: int) -> Term:
    axes = words.axes.get(word, ())
    root = stem(word)
    keys = frozenset({root, *words.groups.get(root, ()), *(f"@{axis}{value}" for axis, value in axes)})
    weight = 0.4 if root in words.generic else 1.0
    return Term(word, keys, axes, weight, negated, number, position, clause)
