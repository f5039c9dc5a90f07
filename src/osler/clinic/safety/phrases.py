"""Finds the phrases of red-flag features in a note: words in order, with alternatives, word endings and short gaps.

Notes tell the same danger in many words, so an index of names isn't enough here; the notation stands at `parse`. It
knows neither medicine nor context: a negated phrase is found too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Union

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
_SIGNS = {"*": r"[\w'-]*", "#": r"(?<![\d.])\d+(?:[.,]\d+)*"}
_SIGNS_EN = {" ": _SPACE_EN, "~": rf"\b{_GAP_EN}\b", **_SIGNS}
_SIGNS_ZH = {" ": r"[\s,]*", "~": _GAP_ZH, **_SIGNS}
_TOKEN = re.compile(r"\([+-]{1,4}\)|[~*#? ()|]|[^~*#? ()|]+")  # the first: a sign of the record such as "(++)"
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


# A word or one of the signs " ~*#", or the alternatives of a group.
Node = Union[str, "tuple[list[Node], ...]"]


def parse(phrase: str) -> list[Node]:
    """The parts of a phrase of the data files.

    A space stands for white space and small words ("pain chest" finds "pain in the chest"); `~` for a gap inside the
    sentence without a negation; `*` for any end of the word; `(a|b)` for alternatives, an empty one for "or nothing";
    `#` for a number; `?` makes the character before it optional. Other English words of four letters or more may take
    a plural or verb ending.
    """
    tokens = _TOKEN.findall(fold(" ".join(phrase.split())).text)[::-1]
    nodes = _sequence(tokens)
    if tokens:
        raise ValueError(f"phrase {phrase!r}: a bracket has no partner")
    return nodes


def _sequence(tokens: list[str]) -> list[Node]:
    """The parts up to the end of this alternative; takes their tokens, the first one last, off the list."""
    nodes: list[Node] = []
    while tokens and tokens[-1] not in ("|", ")"):
        token = tokens.pop()
        if token == "(":
            alternatives, sign = [_sequence(tokens)], ""
            while tokens and (sign := tokens.pop()) == "|":
                alternatives.append(_sequence(tokens))
            if sign != ")":
                raise ValueError("a bracket has no partner")
            nodes.append(tuple(alternatives))
        elif token == "?":
            last = nodes.pop()
            if isinstance(last, str):
                nodes += [last[:-1]] if last[:-1] else []
                last = last[-1]
            nodes.append(([last], []))
        elif token != " " or nodes[-1:] != ["~"]:
            if token == "~" and nodes[-1:] == [" "]:
                nodes.pop()
            nodes.append(token)
    return nodes


def pattern(nodes: Sequence[Node], chinese: bool, left: bool = False, right: bool = False) -> str:
    """The regular expression of the parts. `left`, `right`: whether a word goes on beyond the ends."""
    signs = _SIGNS_ZH if chinese else _SIGNS_EN
    goes_on = [left, *(node not in (" ", "~") for node in nodes), right]
    parts: list[str] = []
    for node, before, after in zip(nodes, goes_on, goes_on[2:], strict=False):
        if isinstance(node, tuple):
            parts.append(f"(?:{'|'.join(pattern(one, chinese, before, after) for one in node)})")
        elif node in signs:
            parts.append(signs[node])
        else:
            parts.append(re.escape(node) if chinese else _word(node, before, after))
    return "".join(parts)


def _word(text: str, before: bool, after: bool) -> str:
    start = r"(?<![a-z0-9])" if not before and text[0].isalnum() else ""
    if after or not text[-1].isalnum():
        return start + re.escape(text)
    return start + re.escape(text) + (_ENDING if len(text) > 3 else r"(?![a-z0-9])")


def required(nodes: Sequence[Node]) -> list[frozenset[str]]:
    """For each part that must stand in every match the pieces of text of which one does; the rarest set first."""
    found: list[frozenset[str]] = []
    for node in nodes:
        if isinstance(node, str):
            if node not in _SIGNS_EN:
                found.append(frozenset([node]))
        elif all(inner := [required(one) for one in node]):
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
