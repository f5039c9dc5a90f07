"""A text as the terms a check compares: stems with their synonyms and concepts, opposites, negation, quantities.

One reader serves English and Chinese. It does not compare anything and knows no word: see `lexicon`.
"""

import functools
import re
from typing import NamedTuple

from osler.reasoning.verify.lexicon import lexicon, normalise, stem, weight
from osler.reasoning.verify.quantities import Quantity, quantities
from osler.text import CJK, sentences

FOCUS, LIST = 3, 8  # content words that a negated verb (`does not shorten life`) and a negated list reach
DRUGS = ("DRUGBANK:", "osler.drug:")
TO_THE_END = 99  # a Chinese negation reaches to the next punctuation


class Term(NamedTuple):
    """One content word or quantity. `keys`: what it may be matched by. `axes`: (axis, value), as (`amount`, `+`).

    `clause` and `claim` number the parts of the text between subordinating words and between any joining ones.
    `concept`: code of the concept it names a part of; `doubtful`: the text leaves that open; `who` has it.
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
    start: int
    quantity: Quantity | None = None
    concept: str | None = None
    doubtful: bool = False
    who: str | None = None


class Reading(NamedTuple):
    """`denying`: clauses with a negation; `excepting`: claims with `unless`, `only` and such, where a negation can't be
    taken at its word. `lines`: the stems of each sentence but articles; what links a subject with what is said is `=`.
    """

    terms: list[Term]
    denying: frozenset[int]
    excepting: frozenset[int]
    lines: list[list[str]]


def terms(text: str) -> list[Term]:
    """The terms of a text without its concepts."""
    return read(text).terms


@functools.lru_cache(maxsize=64)
def read(text: str, short: tuple[tuple[str, str], ...] = (), concepts: bool = False) -> Reading:
    """The terms of a text in order, with the concepts they name if asked. `short`: its `initialisms`."""
    for form, words in short:
        text = re.sub(rf"\b{form}s?\b", words, text)
    text = normalise(text)
    reader = _Reader()
    spans = sentences(text)
    for number, (start, end) in enumerate(spans):
        reader.sentence(text[start:end], number, start)
    found = _with_concepts(reader.found, text) if concepts else reader.found
    lines = [_stems(text[start:end]) for start, end in spans]
    return Reading(found, frozenset(reader.denying), frozenset(reader.excepting), lines)


def _stems(text: str) -> list[str]:
    words = (word for word in _LINE.findall(text.lower()) if word not in _ARTICLES)
    return ["=" if word in lexicon().linking else word if word in lexicon().negation else stem(word) for word in words]


def _with_concepts(found: list[Term], text: str) -> list[Term]:
    """Words inside the name of a concept may be matched by the concept's code, and share its status."""
    from osler.knowledge.concepts.recogniser import load_recogniser

    for finding in load_recogniser().find(text):
        start, end = finding.start or 0, finding.end or 0
        for i, term in enumerate(found):
            if term.quantity is not None or not start <= term.start < end:
                continue
            drug = (("drug", finding.code),) if finding.code.startswith(DRUGS) else ()
            found[i] = term = term._replace(
                keys=term.keys | {finding.code}, concept=finding.code, axes=(*term.axes, *drug)
            )
            if finding.time != "hypothetical":
                doubtful = finding.status == "uncertain" and not finding.code.startswith(DRUGS)
                found[i] = term._replace(negated=finding.status == "absent", doubtful=doubtful, who=finding.experiencer)
    return found


_WORD = re.compile(rf"[^\W_{CJK}]+(?:['.\-][^\W_{CJK}]+)*|[{CJK}]|[,;:.()!?，、。；：！？（）“”]")
_LINE = re.compile(rf"[{CJK}]|[^\W_]+(?:[.\-'][^\W_]+)*|[:=]")
_ARTICLES = frozenset("the a an his her their its this that also".split())
_JOINING = frozenset("and or nor but which who because whereas while although though however".split())
_AUXILIARIES = frozenset("is are was were will should can may must has have had".split())
_MOVE = re.compile(r"(?P<a>\d[\d.,]*)[^.;,\d]{0,12}\bbecame\s+(?P<b>\d[\d,]*(?:\.\d+)?)")
_AGE = re.compile(r"[\s-]*(?:old|of age)\b")


class _Reader:
    """Walks the words of one text, sentence by sentence, with the negation that is in force."""

    def __init__(self) -> None:
        self.words = lexicon()
        self.found: list[Term] = []
        self.denying: set[int] = set()
        self.excepting: set[int] = set()
        self.position = self.clause = self.claim = self.reach = self.number = 0

    def sentence(self, text: str, number: int, offset: int) -> None:
        self.number, self.reach = number, 0
        self.clause += 1
        self.claim += 1
        self.position += 5
        measured = {item.start: item for item in quantities(text)}
        if move := _MOVE.search(text):
            self._move(move, offset)
        denied = {match.start(): match.end() for match in self.words.negation_phrases.finditer(text)}
        at = 0
        while match := _WORD.search(text, at):
            start = match.start()
            if quantity := next((measured.pop(i) for i in list(measured) if i <= start), None):
                self._measure(quantity, text, offset)
                at = max(quantity.end, at + 1)
            elif start in denied:
                self._deny(LIST)
                at = denied[start]
                continue
            elif match.group() > "\u2fff":
                known = self.words.chinese.match(text, start)
                self._chinese(known.group() if known else match.group(), text, start, offset)
                at = known.end() if known else match.end()
            else:
                self._word(match.group().lower(), text, match.end(), offset + start)
                at = match.end()
            self.position += 1

    def _chinese(self, word: str, text: str, start: int, offset: int) -> None:
        """A known word, a mark, or a single character, which only counts with its neighbours."""
        if word in "，、。；：！？（）“”":
            self.claim += 1
            if word != "、":
                self.clause += 1
                self.reach = 0
        elif word in self.words.negation:
            self._deny(TO_THE_END)
        elif word in self.words.stop:
            return
        elif len(word) > 1 or word in self.words.axes or word in self.words.groups:
            self._term(
                word, {word, *self.words.groups.get(word, ())}, self.words.axes.get(word, ()), 1.0, offset + start
            )
        else:
            pairs = {text[max(0, start - 1) : start + 1], text[start : start + 2]}
            keys = {pair for pair in pairs if len(pair) == 2 and min(pair) > "\u2fff"}
            self._term(word, keys, (), 0.5, offset + start)

    def _word(self, word: str, text: str, end: int, start: int) -> None:
        words = self.words
        if word in ",;:.()!?":
            after_chinese = text[end - 2 : end - 1] > "\u2fff"
            self.clause += word != "," or after_chinese
            self.claim += 1
            if word in ";:." or after_chinese:
                self.reach = 0
            return
        if word in words.exceptions:
            self.excepting.update((self.claim, self.claim + 1))
        if word in words.negation:
            self._deny(1 if word == "non" else FOCUS if word in ("not", "never") else LIST)
            if word in words.axes:
                self._english(word, start, negated=False)
            return
        if word in words.barrier:
            self.reach = 0
            self.clause += 1
        self.claim += word in _JOINING
        if word in _AUXILIARIES and 0 < self.reach < LIST and self.found and self.found[-1].negated:
            self.reach = 0
        parts = word.split("-") if "-" in word and word not in words.axes else [word]
        for place, part in enumerate(parts):
            if part and (part not in words.stop or part in words.axes):
                # `fat-soluble` and `water-soluble`, `oxygen-rich` and `oxygen-poor` exclude each other.
                other = parts[1 - place] if len(parts) == 2 else ""
                self._english(part, start, self.reach > 0, (f"{'-' * place}{part}", other) if other else None)
                self.reach = max(0, self.reach - 1)

    def _english(self, word: str, start: int, negated: bool, compound: tuple[str, str] | None = None) -> None:
        axes = self.words.axes.get(word, ())
        if compound is not None:
            axes = (*axes, compound)
        root = stem(word)
        for prefix, pair in self.words.prefixes.items():
            if word.startswith(prefix) and len(word) > len(prefix) + 4:
                axes = (*axes, (f"{pair[0]} {stem(word[len(prefix) :])}", prefix))
        if len(word) == 1 and self.found and self.found[-1].sentence == self.number:
            # `hepatitis B`, `vitamin C`: the letter names which one.
            self._term(word, set(), ((f"which {stem(self.found[-1].word)}", word),), 1.3, start, negated)
            return
        heavy = 0.15 if word in self.words.faint else weight(root)
        self._term(word, {root, *self.words.groups.get(root, ())}, axes, heavy, start, negated)

    def _term(
        self,
        word: str,
        keys: set[str],
        axes: tuple[tuple[str, str], ...],
        heavy: float,
        start: int,
        negated: bool | None = None,
        quantity: Quantity | None = None,
    ) -> None:
        keys |= {f"@{axis} {value}" for axis, value in axes}
        negated = self.reach > 0 if negated is None else negated
        here = (self.number, self.position, self.clause, self.claim, start, quantity)
        self.found.append(Term(word, frozenset(keys), axes, heavy, negated, *here))

    def _deny(self, reach: int) -> None:
        self.reach = reach
        self.denying.add(self.clause)

    def _measure(self, quantity: Quantity, text: str, offset: int) -> None:
        if quantity.dimension == "time" and _AGE.match(text, quantity.end):
            quantity = quantity._replace(dimension="age")
        written = text[quantity.start : quantity.end].strip()
        self._term(written, set(), (), 1.3, offset + quantity.start, False, quantity)

    def _move(self, match: re.Match[str], offset: int) -> None:
        """`14.2 to 9.8` after `from` or an arrow is a fall: say so."""
        before, after = float(match["a"].replace(",", "")), float(match["b"].replace(",", ""))
        if before != after:
            word, value = ("rise", "+") if after > before else ("fall", "-")
            self._term(word, set(), (("amount", value),), 0.6, offset + match.start(), False)
