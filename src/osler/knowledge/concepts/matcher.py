"""Finds the names of ontology terms in text: longest match on word boundaries, offsets into the text as given.

English names match in any inflection and spelling and in the orders that grammar allows, Chinese ones character by
character. It knows no context: a negated name is a mention too.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.concepts import index as table
from osler.knowledge.concepts.index import Entry, Index, spelled
from osler.knowledge.concepts.normal import TOKEN, Code, coded, role, strict, unwrap, word_list

_Bounds = NDArray[np.int64]
_NOT = frozenset("no not without nor never".split())
_CACHED_WORDS = 300_000
# Words read at once, and of the next block, so that no name is cut.
_BLOCK, _OVERLAP = 20_000, 32
# What stands before a word: a word that turns names around ("of", "is"), any function word, a verb like "is", and or or
# /, a comma, another mark.
_LINKED, _APART, _SAID, _JOINED, _COMMA, _MARK = 1, 2, 4, 8, 16, 32
_STANDS = {
    "function": _APART,
    "linking": _APART | _LINKED,
    "copula": _APART | _LINKED | _SAID,
    "join": _JOINED,
    "comma": _COMMA,
    "mark": _MARK,
}
# How torn names may lie: words up to the tear, words in it, words behind it, each from one up to so many.
_HEAD, _MODIFIER, _SIDE, _PREDICATE = (
    np.indices(most).reshape(3, -1) + 1 for most in ((4, 5, 3), (3, 4, 3), (3, 2, 3), (3, 6, 2))
)
_ADJECTIVES = ("otic", "etic", "ytic", "itic", "trophic", "plastic", "ectatic", "emic")


class Mention(NamedTuple):
    """One name in the text, or an abnormal measurement with its value. `kind`: the vocabulary (hpo, disease, drug);
    text[start:end] == text."""

    start: int
    end: int
    code: str
    label: str
    kind: str
    text: str
    value: float | None = None
    unit: str | None = None


class _Word(NamedTuple):
    """A content word of the text. `before`: what stands before it; `part`: number of the stretch between punctuation
    marks; `clause`: the same with commas passed over."""

    start: int
    end: int
    text: str
    code: Code
    before: int
    part: int
    clause: int


class _Reading(NamedTuple):
    """One reading of words of the text: rank (smaller is better), row of the term, numbers of the words; `plain`: they
    stand side by side, or in the order of the name."""

    rank: int
    term: int
    words: tuple[int, ...]
    plain: bool


class Matcher:
    """Finds names of an index. Build it once, share it between threads: only a cache of words changes."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._cache: dict[str, Code | int] = {}

    def find(self, text: str, nested: bool = False) -> list[Mention]:
        """Mentions sorted by start, then longest first. Of overlapping mentions of one kind the longest stays, of
        equal spans the best name (`nested`: shorter mentions inside longer ones stay too)."""
        words = self._read(unwrap(text))
        best: dict[tuple[int, int, str], _Reading] = {}
        for row, chosen in self._candidates(words):
            for reading in self._readings(row, chosen, words):
                key = words[chosen[0]].start, words[chosen[-1]].end, self.index.terms[reading.term][2]
                if key not in best or reading < best[key]:
                    best[key] = reading
        plain: dict[int, list[set[int]]] = {}
        for reading in best.values():
            if reading.plain:
                plain.setdefault(reading.term, []).append(set(reading.words))
        found = [
            (Mention(start, end, *self.index.terms[reading.term][:2], kind, text[start:end]), reading.words)
            for (start, end, kind), reading in best.items()
            # "sporadic and familial cases" says no more than the "sporadic" in it
            if reading.plain or not any(words < set(reading.words) for words in plain.get(reading.term, ()))
        ]
        kept = [mention for mention, _ in found] if nested else _longest(found)
        return sorted(kept, key=lambda mention: (mention.start, -mention.end, mention.kind))

    def _read(self, text: str) -> list[_Word]:
        if len(self._cache) > _CACHED_WORDS:
            self._cache.clear()
        words: list[_Word] = []
        sides = word_list("side")
        before = part = clause = 0
        for match in TOKEN.finditer(text):
            token = match.group()
            means = self._cache.get(token)
            if means is None:
                means = self._cache[token] = self._means(token)
            if isinstance(means, int):
                before |= means
                part += means & (_COMMA | _MARK) > 0
                clause += means & _MARK > 0
                continue
            if not before and words and words[-1].before & _LINKED and words[-1].text.lower() in sides:
                before = _LINKED | _APART  # "of the left" links what follows the side
            words.append(_Word(*match.span(), token, means, before, part, clause))
            before = 0
        return words

    def _means(self, token: str) -> Code | int:
        """The hashes of a content word, else how the token stands between words."""
        does = role(token)
        if does:
            return _STANDS[does]
        code = coded(token)
        if code.loose in self.index.vocabulary:
            return code
        # "markedly" between subject and predicate is no part of a name
        return self.index.meant(strict(token)) or (_APART if token.lower().endswith("ly") else code)

    def _candidates(self, text: list[_Word]) -> Iterator[tuple[int, list[int]]]:
        """Rows of the index with the numbers of the words that spell them, in blocks that keep memory in bounds."""
        for first in range(0, len(text), _BLOCK):
            words = text[first : first + _BLOCK + _OVERLAP]
            loose = np.array([word.code.loose for word in words], dtype=np.uint64)
            sums = np.append(np.uint64(0), np.cumsum(loose))
            bounds = np.concatenate([self._whole(words, loose), *self._torn(words, loose, sums)], axis=1)
            a, b, c, d = bounds
            rows = self.index.lookup(sums[b] - sums[a] + sums[d] - sums[c])
            hit = rows >= 0
            for row, (i, j, k, m) in zip(rows[hit].tolist(), bounds[:, hit].T.tolist(), strict=True):
                yield row, [*range(first + i, first + j), *range(first + k, first + m)]

    def _whole(self, words: list[_Word], loose: NDArray[np.uint64]) -> _Bounds:
        """Bounds of all words in a row within one part that occur in any name."""
        known = self.index.lookup(loose, "words") >= 0
        part = np.array([word.part for word in words])
        ends = np.flatnonzero(~known | np.append(part[1:] != part[:-1], True))
        places = np.arange(len(words))
        stop = ends[np.searchsorted(ends, places)]
        run = np.where(known, stop - places + known[stop], 0)
        starts, length = np.nonzero(run[:, None] > np.arange(self.index.longest))
        return np.stack([starts, *[starts + length + 1] * 3])

    def _torn(self, words: list[_Word], loose: NDArray[np.uint64], sums: NDArray[np.uint64]) -> Iterator[_Bounds]:
        """Bounds a to b and c to d of words that are torn apart.

        By a conjunction: "hearing and visual loss" holds "hearing … loss"; "atrophy of the optic nerve and the brain"
        holds "atrophy … brain"; "renal hypoplasia and agenesis" holds "renal … agenesis". By a side: "pain in the left
        knee". By what stands between a subject and its predicate: "platelets have ever since birth been low".
        """
        before = np.array([word.before for word in words])
        clause = np.array([word.clause for word in words])
        places = np.arange(len(words))
        room = places - np.searchsorted(clause, clause), np.searchsorted(clause, clause, "right") - places
        linked, apart, said, joined, comma = (before & flag > 0 for flag in (_LINKED, _APART, _SAID, _JOINED, _COMMA))
        separated = joined | comma
        # how many joins, copulas, separators and words not right behind another stand before each place
        joins, tells, marks, breaks = (
            np.append(0, np.cumsum(flags))
            for flags in (joined, said, separated, separated | apart | (np.diff(clause, prepend=0) > 0))
        )

        a, b, c, d = bounds = _spread(np.flatnonzero(separated), _HEAD, room)
        # two words share a head, or a list of single words does: "auricular, ocular and oral anomalies"
        ok = (marks[c] - marks[b] == c - b) | (joined[b] & (c - b < 3))
        ok &= (joins[c] > joins[b]) & ~linked[b] & (marks[d] == marks[c]) & (marks[b] == marks[a + 1])
        # "X, and Y" ends a list or joins sentences
        yield bounds[:, ok & (~(joined[b] & comma[b]) | (marks[a + 1] > marks[a]))]

        a, b, c, d = bounds = _spread(np.flatnonzero(joined & ~comma), _MODIFIER, room, ends=False)
        close = (breaks[c] == breaks[a + 1]) & (breaks[d] == breaks[c + 1])
        close &= np.append(np.diff(breaks) > 0, True)[d]
        ok = (marks[c] == marks[a + 1]) & (marks[d] == marks[c + 1]) & (linked[b] | close)
        # a name of its own shares no modifier: "yellow sputum and fever" is no yellow fever
        yield self._unnamed(bounds[:, ok], 2, sums)

        side = np.isin(loose, np.array([coded(word).loose for word in word_list("side")], dtype=np.uint64))
        a, b, c, d = bounds = _spread(np.flatnonzero(side), _SIDE, room)
        # a name that holds the side itself goes before one that doesn't
        yield self._unnamed(bounds[:, side[c - 1] & (marks[d] == marks[a + 1])], 0, sums)

        a, b, c, d = bounds = _spread(np.flatnonzero(said), _PREDICATE, room, ends=False)
        # what is passed over is an aside, or a list of single words of which each is a subject
        ok = (joins[c] == joins[b]) | (marks[c] - marks[b] == c - b)
        ok &= (apart | separated)[b] & (breaks[d] == breaks[c + 1]) & (tells[c] == tells[b + 1])
        yield bounds[:, ok]

    def _unnamed(self, bounds: _Bounds, first: int, sums: NDArray[np.uint64]) -> _Bounds:
        """The bounds where the words from one of them to the last make up no name."""
        return bounds[:, self.index.lookup(sums[bounds[3]] - sums[bounds[first]]) < 0]

    def _readings(self, row: int, chosen: list[int], words: list[_Word]) -> Iterator[_Reading]:
        """The names of a row that these words of the text may stand for."""
        spelling = [words[number] for number in chosen]
        strictly, order = spelled([word.code for word in spelling])
        between = 0
        for word in spelling[1:]:
            between |= word.before
        whole = chosen[-1] - chosen[0] < len(chosen)
        if not whole and any(word.text.lower() in _NOT for word in words[chosen[0] : chosen[-1]]):
            return
        joined = whole and between & _JOINED > 0
        first = spelling[0].text
        for entry in self.index.readings(row):
            same, turned, kind = entry.strict == strictly, entry.order != order, entry.flags >> table.RANK_SHIFT
            drug = self.index.terms[entry.term][2] == "drug"
            if entry.flags & table.STRICT_ONLY and not same and not _inflects(first, entry.strict, drug):
                continue
            if entry.flags & table.CASED and not first.isupper():
                continue
            if not whole and kind > 3:  # only a name that means just this may be torn
                continue
            if joined != bool(entry.flags & table.JOINED and whole) or (turned and not _turns(entry, between, whole)):
                continue
            plain = whole and not (turned and between & _APART)
            yield _Reading(2 * kind + turned + 20 * (not same) + 3 * (not whole), entry.term, tuple(chosen), plain)


def _inflects(word: str, name: int, drug: bool) -> bool:
    """Whether a word stands for a name of one word (its strict hash) that it does not spell: "osteoporotic" does for
    osteoporosis, "dehydrated" for dehydration, "vaccinated" not for vaccinia."""
    if word.lower().endswith("ted") and name in (coded(word[:-2] + end).strict for end in ("ion", "ation")):
        return True
    return not drug and len(strict(word)) >= 7 and strict(word).endswith(_ADJECTIVES)


def _turns(entry: Entry, between: int, whole: bool) -> bool:
    """Whether a name may stand in another order: around a preposition, or side by side ("patellar dysplasia")."""
    if entry.flags & table.ORDERED:
        return False
    if entry.flags & table.LINKED or between & _LINKED:
        return True
    return whole and not between & (_APART | _JOINED)


def _spread(at: _Bounds, shapes: _Bounds, room: tuple[_Bounds, _Bounds], ends: bool = True) -> _Bounds:
    """Bounds a to b and c to d (rows) of two stretches of words in one clause. At each place the first ends (or, not
    `ends`, the second begins). `room`: words of the clause before each word, and from it on."""
    first, gap, second = shapes
    back, ahead = (first, gap + second) if ends else (first + gap, second)
    place, shape = np.nonzero((back <= room[0][at, None]) & (ahead <= room[1][at, None]))
    b = at[place] - (0 if ends else gap[shape])
    c = b + gap[shape]
    return np.stack([b - first[shape], b, c, c + second[shape]])


def _longest(found: list[tuple[Mention, tuple[int, ...]]]) -> list[Mention]:
    """Of overlapping mentions of a kind the one with most words, of equal ones the longest, then the first."""
    kept: list[Mention] = []
    over: dict[tuple[str, int], list[tuple[int, ...]]] = {}
    for mention, words in sorted(found, key=lambda one: (-len(one[1]), one[0].start - one[0].end, one[0].start)):
        places = [(mention.kind, number) for number in range(words[0], words[-1] + 1)]
        if not any(_rivals(words, taken) for place in places for taken in over.get(place, ())):
            kept.append(mention)
            for place in places:
                over.setdefault(place, []).append(words)
    return kept


def _rivals(words: tuple[int, ...], taken: tuple[int, ...]) -> bool:
    """Whether two overlapping names claim the same words. Names torn apart share their head, not more: "hearing and
    visual loss" is "hearing … loss" and "visual loss"."""
    if set(words) <= set(taken):
        return True
    return not any(one[-1] - one[0] >= len(one) for one in (words, taken))
