"""Item-writing flaws by rule: what lets a testwise learner find the key, or keeps a knowing one from it.

The rules follow NBME, *Constructing Written Test Questions for the Health Sciences* (2020), chapter 3: testwiseness
(word repeats, grammar, length, absolute terms, convergence) and irrelevant difficulty (negative stems, vague frequency
terms, "all of the above", overlapping or unlike options, a stem that asks nothing). They read English and Chinese.
"""

import functools
import itertools
import math
import re
from collections.abc import Sequence

from osler.education.quiz.words import WORDS
from osler.knowledge.graph import Node, load_graph
from osler.text import has_chinese, words

LONGER, LONGER_BY = 1.6, 12  # times and characters by which a key is conspicuously longer than any distractor
ROOT = 6  # letters by which two English words are one root
LONGEST_OPTION, LONGEST_STEM = 160, 900  # characters
SHORTEST_STEM = 5  # words

_BUNDLED = re.compile(r"\b(both |options? )?[A-E1-5]( and |\s?[&和及与、+]\s?)[A-E1-5]\b(?!\s*[a-z])", re.I)
_UNFOCUSED = re.compile(
    r"^(which|what) (of the following )?(statements? )?(is|are) (true|correct|accurate)\b.*\?$"
    r"|which of the following statements (is|are) (true|correct|accurate)\b"
    r"|^(下列|以下|关于).{0,30}(说法|叙述|描述|陈述).{0,8}(是|？|\?)$|^关于[^，]{1,20}，(下列)?[^，]{0,6}正确的是$",
    re.I,
)
_EVERY = re.compile(r"\bevery (?=\d|other|few)", re.I)  # how often, not how surely
_LEADS = {"should", "to", "will", "must", "can", "would"}  # a stem that ends so is completed by a verb
_WHO = {"he", "she", "it", "they", "who", "which", "that"}
_NOUN = re.compile(r"(tion|sion|graphy|scopy|ment|ness|ity|logy|ic|al|ive|ary|ous|ly|[^s]s)$")
_BELOW = re.compile(r"less than|fewer than|under|below|up to|<|不足|低于|小于|以下|以内")
_ABOVE = re.compile(r"more than|greater than|over|above|at least|>|超过|高于|大于|以上|满")
_SPELT = {"half": 0.5, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def find_flaws(stem: str, options: Sequence[str], key: int | None) -> list[str]:
    """Names of the flaws of an item, `key` being the place of its right option (None: not checked for cues to it).

    `negative stem`, `no question`, `long stem` speak of the stem; `bundled option`, `absolute term`, `vague term`,
    `overlapping options`, `unlike options`, `long option` of the options; `word repeat`, `longest option`, `grammar`,
    `convergence` are cues to the key. Empty where there is none.
    """
    language = "zh" if has_chinese(stem) else "en"
    rules = WORDS["flaws"][language]
    question = re.split(r"(?<=[.。])\s*", stem.strip())[-1] or stem
    of_stem = [
        ("negative stem", _has(question, rules["negative"], language)),
        ("no question", _asks_nothing(stem.strip(), question)),
        ("long stem", len(stem) > LONGEST_STEM),
    ]
    found = [flaw for flaw, holds in [*of_stem, *_of_options(options, rules, language)] if holds]
    if key is not None and len(options) > 1:
        others = [option for place, option in enumerate(options) if place != key]
        found += [flaw for flaw, holds in _cues(question, stem, options[key], others) if holds]
    return found


def _asks_nothing(stem: str, question: str) -> bool:
    """Whether the question can't be answered with the options covered: too short, a finished statement, or "which is
    true"."""
    enough = len(stem) >= 2 * SHORTEST_STEM if has_chinese(stem) else len(words(stem)) >= SHORTEST_STEM
    return not enough or stem.endswith((".", "。")) or bool(_UNFOCUSED.search(question))


def _of_options(options: Sequence[str], rules: dict[str, list[str]], language: str) -> list[tuple[str, bool]]:
    pairs = list(itertools.permutations(options, 2))
    bundled = [
        bool(_BUNDLED.search(option)) or any(re.search(phrase, option.lower()) for phrase in rules["bundled"])
        for option in options
    ]
    alone = [_EVERY.sub("", option) for option, of_others in zip(options, bundled, strict=True) if not of_others]
    return [
        ("bundled option", any(bundled)),
        ("absolute term", any(_has(option, rules["absolute"], language) for option in alone)),
        ("vague term", any(_has(option, rules["vague"], language) for option in options)),
        ("overlapping options", any(overlap(a, b) for a, b in pairs)),
        ("unlike options", _unlike([option for option, of in zip(options, bundled, strict=True) if not of])),
        ("long option", any(len(option) > LONGEST_OPTION for option in options)),
    ]


def _cues(question: str, stem: str, key: str, others: Sequence[str]) -> list[tuple[str, bool]]:
    of_others = [roots(option) for option in others]
    only_key = roots(key) - set[str]().union(*of_others)
    longest = max(map(len, others))
    return [
        ("word repeat", bool(roots(stem) & only_key)),
        ("longest option", len(key) > LONGER * longest and len(key) - longest > LONGER_BY),
        ("grammar", not has_chinese(stem) and _fits_alone(question, key, others)),
        ("convergence", _converges(key, others)),
    ]


def _fits_alone(question: str, key: str, others: Sequence[str]) -> bool:
    """Whether only the key completes the stem: by its article, as a verb, or as the form that the stem asks for."""
    said = words(question)
    last = said[-1] if said and question.rstrip()[-1:].isalnum() else ""
    first = [(words(option) or [""])[0] for option in (key, *others)]
    if last in ("a", "an"):
        fits = [(word[:1] in "aeiou") == (last == "an") for word in first]
    elif last == "by":
        fits = [word.endswith("ing") for word in first]
    elif last in _WHO:
        fits = [word.endswith("s") and not word.endswith("ss") for word in first]
    elif last in _LEADS:
        fits = [word not in ("a", "an", "the") and not _NOUN.search(word) for word in first]
    else:
        return False
    return fits[0] and sum(fits[1:]) <= len(others) / 2


def _converges(key: str, others: Sequence[str]) -> bool:
    """Whether the key can be told by sharing most with the rest: whole components of lists, or roots of words."""
    lists = [{part.strip().lower() for part in re.split(r"[,;+、，；]", option)} for option in (key, *others)]
    if min(map(len, lists[:3])) > 1:
        shared = [sum(len(one & other) for other in lists) - len(one) for one in lists]
        return shared[0] > max(shared[1:])
    held = [roots(option) for option in (key, *others)]
    alike = [sum(bool(one & other) for other in held if other is not one) for one in held]
    return len(others) > 2 and alike[0] == len(others) and alike[0] > max(alike[1:])


def overlap(a: str, b: str) -> bool:
    """Whether the second option holds of all of which the first does: the same words, a narrower range of numbers, or
    a broader term."""
    first, second = _range(a), _range(b)
    if first and second:
        inside = max(first[0], second[0]) < min(first[1], second[1])
        return inside or (first != second and second[0] < first[0] == first[1] < second[1])
    if words(a) == words(b) or (f" {' '.join(words(b))} " in f" {' '.join(words(a))} " and not has_chinese(a)):
        return True
    narrow, broad = _node(a), _node(b)
    if narrow is None or broad is None or narrow.kind == "heading":  # of parts of the body "narrower" may mean a part
        return False
    return load_graph().descends(narrow.id, broad.id)


def _range(option: str) -> tuple[float, float] | None:
    """The numbers that an option stands for; None where it stands for none."""
    text = option.lower().strip()
    first = text.split(" ", 1)[0]
    bare = _ABOVE.sub("", _BELOW.sub("", text)).strip()
    found = [float(one) for one in _NUMBER.findall(text)] or [value for name, value in _SPELT.items() if name == first]
    if not found or not (bare[:1].isdigit() or first in _SPELT) or len(found) > 2 or len(words(bare)) > 6:
        return None
    if _BELOW.search(text):
        return -math.inf, found[0]
    if _ABOVE.search(text):
        return found[0], math.inf
    return min(found), max(found)


def _unlike(options: Sequence[str]) -> bool:
    """Whether one option is of another kind than the rest: a number among words, a drug or test among conditions."""
    numeric = [_range(option) is not None for option in options]
    if any(numeric) and not all(numeric):
        return True
    kinds = [_kind(option) for option in options]
    for stray, kind in enumerate(kinds):
        rest = [other for place, other in enumerate(kinds) if place != stray]
        like = any(roots(options[stray]) & roots(option) for place, option in enumerate(options) if place != stray)
        if kind and kind != "condition" and rest.count("condition") >= 2 and kind not in rest and not like:
            return True
        if kind == "condition" and rest.count("drug") >= 2 and kind not in rest and not like:
            return True
    return False


def _kind(option: str) -> str:
    found = _node(option)
    return {"phenotype": "condition", "disease": "condition"}.get(found.kind, found.kind) if found else ""


@functools.lru_cache(maxsize=4096)
def _node(option: str) -> Node | None:
    """The term of the graph that an option, without its article, is a name of."""
    return next(iter(load_graph().called(re.sub(r"^(an?|the) ", "", option.strip(), flags=re.I))), None)


def roots(text: str) -> set[str]:
    """The beginnings of the content words of a text; pairs of characters for Chinese."""
    if has_chinese(text):
        runs = re.findall(r"[\u4e00-\u9fff]+", text)
        return {run[n : n + 2] for run in runs for n in range(len(run) - 1)} - set(WORDS["flaws"]["zh"]["common"])
    said = (word.rstrip("s") if len(word) <= ROOT else word for word in words(text))
    return {word[:ROOT] for word in said if len(word) >= 4 and word.isalpha()} - _common()


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(word[:ROOT] for word in WORDS["flaws"]["en"]["common"])


def _has(text: str, listed: Sequence[str], language: str) -> bool:
    if language == "zh":
        return any(re.search(word, text) for word in listed)
    return bool(set(words(text)) & set(listed))
