"""A text as the terms a check compares: stems with their synonyms, opposites on one axis, negation, quantities.

The words stand in `data/*.toml`; the rules here know none of them. It does not compare anything.
"""

import functools
import math
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from osler.reasoning.verify.quantities import Quantity, quantities
from osler.text import CJK, has_chinese, sentences

DATA = Path(__file__).parent / "data"
FOCUS = 3  # content words that a negated verb reaches (`does not shorten life`)
COMMON = 6000  # paragraphs: stems in more of them weigh least
LIST = 8  # content words that a negated list reaches (`no fever, cough or rash`)


class Term(NamedTuple):
    """One content word or quantity. `keys`: what it may be matched by. `axes`: axis -> value (`amount` -> `+`).

    `clause` and `claim` number the parts of the text between subordinating words and between any joining ones.
    """

    word: str
    keys: frozenset[str]
    axes: tuple[tuple[str, str], ...]
    weight: float
    negated: bool
    sentence: int
    position: int
    clause: int
    claim: int
    quantity: Quantity | None = None


class Reading(NamedTuple):
    """The terms of a text. `denying`: sentences with a negation; `excepting`: with `unless`, `only`, `avoid` and such,
    where a negation can't be taken at its word. `starts`: the code points at which each sentence begins and ends."""

    terms: list[Term]
    denying: frozenset[int]
    excepting: frozenset[int]


class Lexicon(NamedTuple):
    stop: frozenset[str]
    faint: frozenset[str]
    linking: frozenset[str]
    negation: frozenset[str]
    negating_verbs: frozenset[str]
    exceptions: frozenset[str]
    negation_phrases: re.Pattern[str]
    barrier: frozenset[str]
    abbreviations: re.Pattern[str]
    long_forms: dict[str, str]
    rewrite: re.Pattern[str]
    rewritten: dict[str, str]
    axes: dict[str, tuple[tuple[str, str], ...]]
    prefixes: dict[str, tuple[str, str]]
    warnings: re.Pattern[str]
    permissions: re.Pattern[str]
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
        faint=frozenset(data["faint"].split()),
        linking=frozenset(data["linking"].split()),
        negation=frozenset(data["negation"].split()),
        negating_verbs=frozenset(data["negating_verbs"].split()),
        exceptions=frozenset(data["exceptions"].split()),
        negation_phrases=_alternatives([part.strip() for part in data["negation_phrases"].split(";")]),
        barrier=frozenset(data["barrier"].split()),
        abbreviations=_alternatives(long_forms, flags=0),
        long_forms=long_forms,
        rewrite=_alternatives(rewritten),
        rewritten={key.lower(): value for key, value in rewritten.items()},
        axes=axes,
        prefixes={prefix: pair for pair in data["prefixes"].items() for prefix in pair},
        warnings=_alternatives([part.strip() for part in data["warnings"].split(";")]),
        permissions=_alternatives([part.strip() for part in data["permissions"].split(";")]),
        groups={word: frozenset(found) for word, found in groups.items()},
    )


def _alternatives(phrases: Any, flags: int = re.I) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(re.escape(phrase) for phrase in ordered) + r")(?![\w-])", flags)


_REPAIRS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"[’‘]"), "'"),
    (re.compile(r"\s?(?:->|→)\s?"), " became "),
    (re.compile(r"\bfrom (\d[\d.,]*(?:\s?[%\w/]+)?) to (?=\d)"), r"from \1 became "),
    (re.compile(r"\bPOD\s?#?(\d+)\b"), r"day \1 after surgery"),
    (re.compile(r"(?<![\d.])\b(\d{1,3})(?:\s?y/?o\s?)?F\b"), r"\1 year old woman"),
    (re.compile(r"(?<![\d.])\b(\d{1,3})(?:\s?y/?o\s?)?M\b"), r"\1 year old man"),
    (re.compile(r"\bx\s?(\d+)\s?(d|wks?|mo|h|y)\b"), r"for \1 \2"),
    (re.compile(r"(?<=[\s(])\+\s?(?=[a-z])"), "positive "),
    (re.compile(r"(\w)n't\b"), r"\1 not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\bnon-?(?=[a-z]{4})", re.I), "non "),
    (re.compile(r"(?<![\d.])(?<![\d.]\s)\bL(?=\s[a-z]|[.,;]|$)"), "left"),
    (re.compile(r"(?<![\d.])(?<![\d.]\s)\bR(?=\s[a-z]|[.,;]|$)"), "right"),
    (re.compile(r"'s\b"), ""),
    (re.compile(r"(?<=[a-z]{4})/(?=[a-z]{4})"), " / "),
]
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_AND_A_HALF = re.compile(r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d+) and a half\s", re.I)
_ORDINAL_DAY = re.compile(rf"\b({'|'.join(_ORDINALS)}) day\b", re.I)
_WORD = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:['.\-][^\W_{CJK}]+)*|[,;:.()!?]")


def normalise(text: str) -> str:
    """Shorthand, abbreviations and set phrases in words."""
    words = lexicon()
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    text = _AND_A_HALF.sub(lambda match: f"{quantities(match[1])[0].low + 0.5:g} ", text)
    text = _ORDINAL_DAY.sub(lambda match: f"day {_ORDINALS[match[1].lower()]}", text)
    text = words.abbreviations.sub(lambda match: words.long_forms[match.group()], text)
    for _ in range(2):
        text = words.rewrite.sub(lambda match: words.rewritten[match.group().lower()], text)
    return text


@functools.cache
def _frequencies() -> tuple[int, dict[str, int]]:
    lines = (DATA / "frequency.txt").read_text(encoding="utf-8").splitlines()
    return int(lines[0].split()[-1]), {root: int(count) for root, count in (line.split() for line in lines[1:])}


@functools.lru_cache(maxsize=65536)
def weight(root: str) -> float:
    """What a stem weighs: 0.3 (in every text) to 1.4 (rare), by its frequency in the shipped corpora."""
    count = _frequencies()[1].get(root, 25)
    return 0.3 + 1.1 * min(1.0, max(0.0, math.log(COMMON / count) / math.log(COMMON / 25)))


def read(text: str, short: dict[str, str] | None = None) -> Reading:
    """The terms of a text in order. Chinese text: see `chinese`. `short`: further short forms, see `initialisms`."""
    for form, words in (short or {}).items():
        text = re.sub(rf"\b{form}s?\b", words, text)
    if has_chinese(text):
        from osler.reasoning.verify.chinese import read_chinese

        return read_chinese(text)
    reader = _Reader(lexicon())
    for number, (start, end) in enumerate(sentences(text)):
        reader.sentence(normalise(text[start:end]), number)
    return Reading(reader.found, frozenset(reader.denying), frozenset(reader.excepting))


def terms(text: str) -> list[Term]:
    """The terms alone."""
    return read(text).terms


class _Reader:
    """Walks the words of one text, sentence by sentence, with the negation that is in force."""

    def __init__(self, words: Lexicon) -> None:
        self.words = words
        self.found: list[Term] = []
        self.denying: set[int] = set()
        self.excepting: set[int] = set()
        self.position = self.clause = self.claim = self.reach = 0
        self.number = self.verb = 0
        self.opening: list[Term] = []

    def sentence(self, text: str, number: int) -> None:
        self.number, self.reach = number, 0
        self.clause += 1
        self.claim += 1
        self.position += 5
        first = len(self.found)
        self.verb = 0
        if pronoun := PRONOUN.match(text):
            # `It`, `They`, `This`: what the sentence before began with is spoken of again.
            self.found += [
                item._replace(sentence=number, position=self.position, clause=self.clause, claim=self.claim)
                for item in self.opening
            ]
        measured = quantities(text)
        if move := _MOVE.search(text):
            self._move(move)
        denied = {match.start(): match.end() for match in self.words.negation_phrases.finditer(text)}
        skip = following = 0
        for match in _WORD.finditer(text):
            while following < len(measured) and measured[following].start <= match.start():
                quantity = measured[following]
                self.found.append(self._measure(quantity, text))
                self.position += 1
                skip, following = quantity.end, following + 1
            if match.start() < skip:
                continue
            if match.start() in denied:
                skip = denied[match.start()]
                self._deny(LIST)
                continue
            self._word(match.group().lower(), text, match.end())
            self.position += 1
        if not pronoun:
            subject = [item for item in self.found[first:] if item.quantity is None and item.position < self.verb]
            self.opening = subject[:FOCUS]

    def _word(self, word: str, text: str, end: int) -> None:
        words = self.words
        if word in ",;:.()!?":
            self.clause += word != ","
            self.claim += 1
            if word in ";:." or (word == "," and not _goes_on(text, end)):
                self.reach = 0
            return
        if word in words.exceptions:
            self.excepting.update((self.claim, self.claim + 1))
        if word in words.negation or word in words.negating_verbs:
            self._deny(
                1 if word == "non" else FOCUS if word in ("not", "never") or word in words.negating_verbs else LIST
            )
            if word in words.negating_verbs or word in words.axes:
                self._add(word, negated=False)
            return
        if word in words.barrier:
            self.reach = 0
            self.clause += 1
        self.claim += word in _JOINING
        if word in _AUXILIARIES and not self.verb:
            self.verb = self.position
        if word in _AUXILIARIES and self.reach and self.reach < LIST and self.found and self.found[-1].negated:
            self.reach = 0
        parts = word.split("-") if "-" in word and word not in words.axes else [word]
        for place, part in enumerate(parts):
            if part and (part not in words.stop or part in words.axes):
                # `fat-soluble` and `water-soluble`, `oxygen-rich` and `oxygen-poor` exclude each other.
                other = parts[1 - place] if len(parts) == 2 else ""
                self._add(part, negated=self.reach > 0, compound=(f"{'-' * place}{part}", other) if other else None)
                self.reach = max(0, self.reach - 1)

    def _deny(self, reach: int) -> None:
        self.reach = reach
        self.denying.add(self.clause)

    def _add(self, word: str, negated: bool, compound: tuple[str, str] | None = None) -> None:
        axes = self.words.axes.get(word, ())
        if compound is not None:
            axes = (*axes, compound)
        root = stem(word)
        for prefix, pair in self.words.prefixes.items():
            if word.startswith(prefix) and len(word) > len(prefix) + 4:
                axes = (*axes, (f"{pair[0]} {stem(word[len(prefix) :])}", prefix))
        if len(word) == 1 and self.found and self.found[-1].sentence == self.number:
            # `hepatitis B`, `vitamin C`: the letter names which one.
            axes = ((f"which {stem(self.found[-1].word)}", word),)
            keys = frozenset({f"@{axes[0][0]} {word}"})
            self.found.append(Term(word, keys, axes, 1.3, negated, self.number, self.position, self.clause, self.claim))
            return
        keys = frozenset({root, *self.words.groups.get(root, ()), *(f"@{axis}{value}" for axis, value in axes)})
        heavy = 0.15 if word in self.words.faint else weight(root)
        self.found.append(Term(word, keys, axes, heavy, negated, self.number, self.position, self.clause, self.claim))

    def _measure(self, quantity: Quantity, text: str) -> Term:
        if quantity.dimension == "time" and _AGE.match(text, quantity.end):
            quantity = quantity._replace(dimension="age")
        if quantity.dimension == "" and _NAMING.search(text, 0, quantity.start):
            quantity = quantity._replace(dimension="name")
        written = text[quantity.start : quantity.end].strip()
        return Term(written, frozenset(), (), 1.3, False, self.number, self.position, self.clause, self.claim, quantity)

    def _move(self, match: re.Match[str]) -> None:
        """`14.2 to 9.8` after `from` or an arrow is a fall: say so."""
        before, after = float(match["a"].replace(",", "")), float(match["b"].replace(",", ""))
        if before != after:
            value = "+" if after > before else "-"
            axes = (("amount", value),)
            keys = frozenset({f"@amount{value}"})
            word = "rise" if value == "+" else "fall"
            self.found.append(Term(word, keys, axes, 0.6, False, self.number, self.position, self.clause, self.claim))


PRONOUN = re.compile(
    r"(?:it|they|he|she|these|this|those)(?=\s+(?:\w+ly\s+)?(?:is|are|was|were|will|can|may|should|has|have|had|do|does|did)\b|\s+\w+(?:s|ed)\b)",
    re.I,
)
_MOVE = re.compile(r"(?P<a>\d[\d.,]*)[^.;,\d]{0,12}\bbecame\s+(?P<b>\d[\d,]*(?:\.\d+)?)")
_AGE = re.compile(r"[\s-]*(?:old|of age)\b")
_INITIALS = re.compile(r"\b[A-Z]{2,6}(?=s?\b)")
_JOINING = frozenset("and or nor but which who because whereas while although though however".split())
# A bare number after one of these is part of a name.
_NAMING = re.compile(
    r"\b(?:types?|stages?|grades?|class|phase|level|factor|group|category|disease|disorder|syndrome|deficiency|virus|"
    r"protein|chromosome|interleukin|receptor|locus) $",
    re.I,
)
_AUXILIARIES = frozenset("is are was were will should can may must has have had".split())


def _goes_on(text: str, end: int) -> bool:
    """Whether a list goes on after this comma (`no fever, cough or rash`)."""
    return bool(re.match(r"\s*(?:[\w-]+\s+){0,3}[\w-]+\s*(?:,|\bor\b|\bnor\b|$|[.;])", text[end : end + 60]))


def initialisms(text: str, other: str) -> dict[str, str]:
    """Short forms in `text` whose letters begin a run of words in `other` (ARBs: angiotensin receptor blockers)."""
    found: dict[str, str] = {}
    for short in set(_INITIALS.findall(text)):
        if short in lexicon().long_forms or re.search(rf"\b{short}s?\b", other):
            continue
        run = r"[\s-]+(?:(?:of|the|and|in|for|to|I{1,3}|\d)[\s-]+)?".join(rf"{letter}[A-Za-z]+" for letter in short)
        if match := re.search(rf"\b{run}", other, re.I):
            found[short] = match.group()
    return found
