"""Finds the phrases of red-flag features in a note: words in order, with alternatives, word endings and short gaps.

Notes tell the same danger in many words, so an index of names isn't enough here; the notation stands at `parse`. It
knows neither medicine nor context: a negated phrase is found too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from osler.text import has_chinese

# A gap never steps over a negation ("pain, no radiation to the arm" isn't pain that radiates to the arm) and over one
# comma at most: what stands behind two is another matter.
_STEP_EN = r"(?:(?!\b(?:no|not|nor|without|never|denie[sd]|neither|none|nobody)\b)(?:[^.,;:\n]|\.(?=\d)))"
_GAP_EN = rf"{_STEP_EN}{{0,60}}?(?:,{_STEP_EN}{{0,40}}?)?"
_STEP_ZH = r"(?:(?![无未不没]|否认)[^。，,；;\n])"
_GAP_ZH = rf"{_STEP_ZH}{{0,12}}?(?:[，,]{_STEP_ZH}{{0,8}}?)?"
_SMALL = (
    "the an? of his her their my its in on at to is are was were has have been very both right left for by from".split()
)
_SPACE_EN = rf"(?:[\s/-]+|,\s)(?:(?:{'|'.join(_SMALL)})\b\s*){{0,3}}"
_ENDING = r"(?:'?s|es|e?d|ing|y)?(?![a-z0-9])"
# No phrase is longer than this around its rarest word, so a long note is searched only there.
_REACH = 200
_SIGNS = "~*#? "
_FOLD = re.compile(r"(?<=[ao])e")
_PUNCTUATION = str.maketrans({"’": "'", "‘": "'", "–": "-", "，": ",", "－": "-", "（": "(", "）": ")", "＋": "+"})


class Span(NamedTuple):
    feature: str
    start: int
    end: int


class Folded(NamedTuple):
    """Lower-case text in one spelling ("oedema" is "edema"), and the place of each character in the text as given."""

    text: str
    places: list[int]


def fold(text: str) -> Folded:
    lowered = "".join(character.lower() if len(character.lower()) == 1 else character for character in text)
    lowered = lowered.translate(_PUNCTUATION)
    dropped = {match.start() - 1 for match in _FOLD.finditer(lowered)}
    kept = [place for place in range(len(lowered)) if place not in dropped]
    return Folded("".join(lowered[place] for place in kept), [*kept, len(text)])


class Word(NamedTuple):
    text: str


class Sign(NamedTuple):
    sign: str


class Group(NamedTuple):
    alternatives: "tuple[Sequence[Node], ...]"


Node = Word | Sign | Group


def parse(phrase: str) -> Sequence[Node]:
    """The parts of a phrase of the data files.

    A space stands for white space and small words ("pain chest" finds "pain in the chest"); `~` for a gap inside the
    sentence without a negation; `*` for any end of the word; `(a|b)` for alternatives, an empty one for "or nothing";
    `#` for a number; `?` makes the character before it optional. Other English words of four letters or more may take
    a plural or verb ending.
    """
    chinese = has_chinese(phrase)
    nodes, rest = _sequence(fold(" ".join(phrase.split())).text, chinese)
    if rest:
        raise ValueError(f"phrase {phrase!r}: a bracket has no partner")
    return nodes


def _sequence(text: str, chinese: bool) -> tuple[Sequence[Node], str]:
    nodes: list[Node] = []
    while text and text[0] not in "|)":
        if text[0] == "(" and re.match(r"\([+-]{1,4}\)", text):  # a sign of the record such as "(++)"
            length = text.index(")") + 1
            nodes.append(Word(text[:length]))
            text = text[length:]
        elif text[0] == "(":
            alternatives: list[Sequence[Node]] = []
            while text[0] != ")":
                inner, text = _sequence(text[1:], chinese)
                alternatives.append(inner)
                if not text:
                    raise ValueError("a bracket has no partner")
            nodes.append(Group(tuple(alternatives)))
            text = text[1:]
        elif text[0] == "?":
            last = nodes.pop()
            if isinstance(last, Word) and len(last.text) > 1:
                nodes.append(Word(last.text[:-1]))
                last = Word(last.text[-1])
            nodes.append(Group(((last,), ())))
            text = text[1:]
        elif text[0] in _SIGNS:
            if text[0] != " " or not (nodes and nodes[-1] == Sign("~")):
                if text[0] == "~" and nodes and nodes[-1] == Sign(" "):
                    nodes.pop()
                nodes.append(Sign(text[0]))
            text = text[1:]
        else:
            match = re.match(r"[^~*#? ()|]+", text)
            assert match
            nodes.append(Word(match.group()))
            text = text[match.end() :]
    return nodes, text


def pattern(nodes: Sequence[Node], chinese: bool, left: bool = False, right: bool = False) -> str:
    """The regular expression of the parts. `left`, `right`: whether a word goes on beyond the ends."""
    parts: list[str] = []
    for place, node in enumerate(nodes):
        before = (
            left
            if place == 0
            else not (isinstance(nodes[place - 1], Sign) and nodes[place - 1] in (Sign(" "), Sign("~")))
        )
        last = place == len(nodes) - 1
        after = (
            right if last else not (isinstance(nodes[place + 1], Sign) and nodes[place + 1] in (Sign(" "), Sign("~")))
        )
        if isinstance(node, Word):
            parts.append(re.escape(node.text) if chinese else _word(node.text, before, after))
        elif isinstance(node, Group):
            parts.append(f"(?:{'|'.join(pattern(one, chinese, before, after) for one in node.alternatives)})")
        elif node.sign == " ":
            parts.append(r"[\s,]*" if chinese else _SPACE_EN)
        elif node.sign == "~":
            parts.append(_GAP_ZH if chinese else rf"\b{_GAP_EN}\b")
        else:
            parts.append(r"[\w'-]*" if node.sign == "*" else r"(?<![\d.])\d+(?:[.,]\d+)*")
    return "".join(parts)


def _word(text: str, before: bool, after: bool) -> str:
    start = r"(?<![a-z0-9])" if not before and text[0].isalnum() else ""
    if after or not text[-1].isalnum():
        return start + re.escape(text)
    return start + re.escape(text) + (_ENDING if len(text) > 3 else r"(?![a-z0-9])")


def required(nodes: Sequence[Node]) -> list[frozenset[str]]:
    """For each part that must stand in every match the pieces of text of which one does; the rarest set first."""
    found = []
    for node in nodes:
        if isinstance(node, Word):
            found.append(frozenset([node.text]))
        elif isinstance(node, Group):
            inner = [required(one) for one in node.alternatives]
            if all(inner):
                found.append(frozenset().union(*(sets[0] for sets in inner)))
    return sorted(found, key=lambda pieces: -min(map(len, pieces)))


class Phrasebook:
    """All phrases of all features, compiled. Safe to share between threads."""

    def __init__(self, features: Mapping[str, Iterable[str]]) -> None:
        import ahocorasick  # type: ignore[import-not-found, import-untyped, unused-ignore]

        self._phrases: list[tuple[str, str, list[frozenset[str]]]] = []
        self._compiled: dict[int, re.Pattern[str]] = {}
        wanted: dict[str, list[int]] = {}
        for name, phrases in features.items():
            for phrase in phrases:
                nodes = parse(phrase)
                keys = required(nodes)
                if not keys:
                    raise ValueError(f"feature {name}: the phrase {phrase!r} has no word that must occur")
                for key in keys[0]:
                    wanted.setdefault(key, []).append(len(self._phrases))
                self._phrases.append((name, pattern(nodes, has_chinese(phrase)), keys[1:]))
        self._automaton: Any = ahocorasick.Automaton()
        for key, rows in wanted.items():
            self._automaton.add_word(key, rows)
        self._automaton.make_automaton()

    def find(self, text: str) -> list[Span]:
        """Every phrase found, sorted by place; spans in code points of `text`."""
        folded = fold(text)
        windows: dict[int, list[list[int]]] = {}
        for end, rows in self._automaton.iter(folded.text):
            for row in rows:
                known = windows.setdefault(row, [])
                if known and end - _REACH <= known[-1][1]:
                    known[-1][1] = end + _REACH
                else:
                    known.append([max(0, end - _REACH), end + _REACH])
        spans = {
            Span(self._phrases[row][0], folded.places[match.start()], folded.places[match.end() - 1] + 1)
            for row, places in windows.items()
            if all(any(piece in folded.text for piece in pieces) for pieces in self._phrases[row][2])
            for first, last in places
            for match in self._regex(row).finditer(folded.text, first, last)
            if match.end() > match.start()
        }
        return sorted(spans, key=lambda span: (span.start, span.end, span.feature))

    def _regex(self, row: int) -> re.Pattern[str]:
        # Compiled when first needed: four thousand patterns at once would cost seconds at the first consult.
        found = self._compiled.get(row)
        if found is None:
            found = self._compiled[row] = re.compile(self._phrases[row][1])
        return found
