"""Finds the names of ontology terms in text: longest match on word boundaries, offsets into the text as given.

English names match in any inflection and spelling and in the orders that grammar allows, Chinese ones character by
character. It knows no context: a negated name is a mention too.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.knowledge.concepts import index as table
from osler.knowledge.concepts.index import Code, Entry, Index, Name, coded, order_hash
from osler.knowledge.concepts.normal import TOKEN, form, is_function, is_mark, is_medical_adjective, unwrap, word_list

# Words of a name left of a conjunction, words right of it that are passed over or make it up, words both share.
_AHEAD = list(itertools.product((1, 2, 3, 4), (1, 2, 3, 4, 5), (1, 2, 3)))
_BEHIND = list(itertools.product((1, 2, 3, 4), (1, 2, 3), (1, 2, 3)))
# Words of the subject, words passed over, words of what is said of it: "platelets have ever since birth been low".
_SAID = list(itertools.product((1, 2, 3), (1, 2, 3, 4, 5, 6), (1, 2)))
# Words of a name before a side, words of the side, words of the name behind it: "pain in the left knee".
_SIDED = list(itertools.product((1, 2, 3), (1, 2), (1, 2, 3)))
_NOT = frozenset("no not without nor never".split())
_CACHED_WORDS = 300_000
# Words read at once, and of the next block, so that no name is cut.
_BLOCK, _OVERLAP = 20_000, 32


class Mention(NamedTuple):
    """One name in the text. `kind`: the vocabulary (hpo, disease, drug, ...); text[start:end] == text."""

    start: int
    end: int
    code: str
    label: str
    kind: str
    text: str


class _Word(NamedTuple):
    """A content word of the text. Before it stand: `linked` a word that turns names around ("of", "is"), `apart` any
    function word, `said` a verb like "is", `joined` and, or, /, `comma`. `part`: number of the stretch between
    punctuation marks; `clause`: the same with commas passed over."""

    start: int
    end: int
    text: str
    code: Code
    linked: bool
    apart: bool
    said: bool
    joined: bool
    comma: bool
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

    def __init__(self, names: Iterable[Name | tuple[str, str, str]] = (), index: Index | None = None) -> None:
        self.index = index if index is not None else Index.build(Name(*name) for name in names)
        self._cache: dict[str, Code | str] = {}

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
        words: list[_Word] = []
        if len(self._cache) > _CACHED_WORDS:
            self._cache.clear()
        roles: set[str] = set()
        sides = word_list("side")
        part = clause = 0
        for match in TOKEN.finditer(text):
            token = match.group()
            role = self._cache.get(token)
            if role is None:
                role = self._cache[token] = self._role(token)
            if isinstance(role, str):
                roles.add(role)
                part += role in ("comma", "mark")
                clause += role == "mark"
                continue
            said = linked = apart = joined = comma = False
            if roles:
                said, joined, comma = "copula" in roles, "join" in roles, "comma" in roles
                linked = said or "linking" in roles
                apart = linked or "function" in roles
                roles.clear()
            elif words and words[-1].linked and words[-1].text.lower() in sides:
                linked = apart = True  # "of the left" links what follows the side
            words.append(_Word(*match.span(), token, role, linked, apart, said, joined, comma, part, clause))
        return words

    def _role(self, token: str) -> Code | str:
        """The hashes of a content word, else what the token does between words."""
        low = token.lower()
        if low in word_list("join"):
            return "join"
        if token in ",，":
            return "comma"
        if is_function(token):
            return next((name for name in ("linking", "copula") if low in word_list(name)), "function")
        if is_mark(token) or low in word_list("break"):
            return "mark"
        code = coded(token)
        if code.loose in self.index.vocabulary:
            return code
        # "markedly" between subject and predicate is no part of a name
        return self.index.meant(form(token).strict) or ("function" if low.endswith("ly") else code)

    def _candidates(self, text: list[_Word]) -> Iterator[tuple[int, list[int]]]:
        """Rows of the index with the numbers of the words that spell them, in blocks that keep memory in bounds."""
        for first in range(0, len(text), _BLOCK):
            for row, chosen in self._in_block(text[first : first + _BLOCK + _OVERLAP]):
                yield row, [first + number for number in chosen]

    def _in_block(self, words: list[_Word]) -> Iterator[tuple[int, list[int]]]:
        """The candidates of some words: words in a row, and words torn apart."""
        loose = np.array([word.code.loose for word in words], dtype=np.uint64)
        part = np.array([word.part for word in words])
        sums = np.append(np.uint64(0), np.cumsum(loose))
        run = _runs(self.index.knows(loose), part)
        for length in range(1, self.index.longest + 1):
            starts = np.flatnonzero(run >= length)
            if not len(starts):
                break
            for start, row in self._hits(starts, sums[starts + length] - sums[starts]):
                yield row, list(range(start, start + length))
        yield from self._torn(words, loose, sums)

    def _hits(self, at: NDArray[np.int64], keys: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
        rows = self.index.lookup(keys)
        hit = rows >= 0
        yield from zip(at[hit].tolist(), rows[hit].tolist(), strict=True)

    def _torn(
        self, words: list[_Word], loose: NDArray[np.uint64], sums: NDArray[np.uint64]
    ) -> Iterator[tuple[int, list[int]]]:
        """Names torn by a conjunction: "hearing and visual loss" holds "hearing … loss"; "atrophy of the optic nerve
        and the brain" holds "atrophy … brain"; "renal hypoplasia and agenesis" holds "renal … agenesis". And names
        torn by a side ("pain in the left knee") or by what stands between a subject and its predicate."""
        linked, apart, said, joined, comma = (
            np.array([word[field] for word in words], dtype=bool) for field in range(4, 9)
        )
        clause = np.array([word.clause for word in words])
        # how many joins, separators and words not right behind another stand before each place
        joins, tells, marks, breaks = (
            np.append(0, np.cumsum(flags))
            for flags in (joined, said, joined | comma, joined | comma | apart | np.append(False, np.diff(clause) > 0))
        )
        follows = np.append(np.diff(breaks) == 0, False)

        at, left, right, head = _placed(np.flatnonzero(joined | comma), _AHEAD, clause, 1)
        # two words share a head, or a list of single words does: "auricular, ocular and oral anomalies"
        single = marks[at + right] - marks[at] == right
        ok = (single | (joined[at] & (right < 3))) & (joins[at + right] > joins[at]) & ~linked[at]
        ok &= (marks[at + right + head] == marks[at + right]) & (marks[at] == marks[at - left + 1])
        # "X, and Y" ends a list or joins sentences
        ok &= ~(joined[at] & comma[at]) | (marks[at - left + 1] > marks[at - left])
        yield from self._pairs(sums, (at - left)[ok], at[ok], (at + right)[ok], (at + right + head)[ok])

        at, left, head, right = _placed(np.flatnonzero(joined & ~comma), _BEHIND, clause, 2)
        ok = (marks[at] == marks[at - left - head + 1]) & (marks[at + right] == marks[at + 1])
        close = (breaks[at] == breaks[at - left - head + 1]) & (breaks[at + right] == breaks[at + 1])
        ok &= linked[at - left] | (close & ~follows[at + right])
        # a name of its own shares no modifier: "yellow sputum and fever" is no yellow fever
        ok[ok] = self.index.lookup((sums[at + right] - sums[at])[ok]) < 0
        yield from self._pairs(sums, (at - left - head)[ok], (at - left)[ok], at[ok], (at + right)[ok])

        side = np.isin(loose, np.array([coded(word).loose for word in word_list("side")], dtype=np.uint64))
        at, left, over, right = _placed(np.flatnonzero(side), _SIDED, clause, 1)
        ok = side[at + over - 1] & (marks[at + over + right] == marks[at - left + 1])
        # a name that holds the side itself goes before one that doesn't
        ok[ok] = self.index.lookup((sums[at + over + right] - sums[at - left])[ok]) < 0
        yield from self._pairs(sums, (at - left)[ok], at[ok], (at + over)[ok], (at + over + right)[ok])

        at, subject, over, told = _placed(np.flatnonzero(said), _SAID, clause, 2)
        # what is passed over is an aside, or a list of single words of which each is a subject
        between = joins[at] == joins[at - over]
        ok = (apart | comma | joined)[at - over] & (breaks[at + told] == breaks[at + 1])
        ok &= (between | (marks[at] - marks[at - over] == over)) & (tells[at] == tells[at - over + 1])
        yield from self._pairs(sums, (at - over - subject)[ok], (at - over)[ok], at[ok], (at + told)[ok])

    def _pairs(self, sums: NDArray[np.uint64], *bounds: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
        """Names made of two stretches of words: from the first to the second bound, from the third to the fourth."""
        a, b, c, d = bounds
        rows = self.index.lookup(sums[b] - sums[a] + sums[d] - sums[c])
        hit = rows >= 0
        for row, *ends in zip(rows[hit].tolist(), *(bound[hit].tolist() for bound in bounds), strict=True):
            yield row, [*range(ends[0], ends[1]), *range(ends[2], ends[3])]

    def _readings(self, row: int, chosen: list[int], words: list[_Word]) -> Iterator[_Reading]:
        """The names of a row that these words of the text may stand for."""
        spelled = [words[number] for number in chosen]
        strict = sum(word.code.strict for word in spelled) & 0xFFFFFFFF
        order = order_hash(word.code.loose for word in spelled)
        whole = chosen[-1] - chosen[0] < len(chosen)
        if not whole and any(word.text.lower() in _NOT for word in words[chosen[0] : chosen[-1]]):
            return
        joined = whole and any(word.joined for word in spelled[1:])
        first = spelled[0].text
        for entry in self.index.readings(row):
            same, turned, kind = entry.strict == strict, entry.order != order, entry.flags >> table.RANK_SHIFT
            drug = self.index.terms[entry.term][2] == "drug"
            if entry.flags & table.STRICT_ONLY and not same and not _inflects(first, entry.strict, drug):
                continue
            if entry.flags & table.CASED and not first.isupper():
                continue
            if not whole and kind > 3:  # only a name that means just this may be torn
                continue
            if joined != bool(entry.flags & table.JOINED and whole) or (turned and not _turns(entry, spelled, whole)):
                continue
            plain = whole and not (turned and any(word.apart for word in spelled[1:]))
            yield _Reading(2 * kind + turned + 20 * (not same) + 3 * (not whole), entry.term, tuple(chosen), plain)


def _inflects(word: str, name: int, drug: bool) -> bool:
    """Whether a word stands for a name of one word (its strict hash) that it does not spell: "osteoporotic" does for
    osteoporosis, "dehydrated" for dehydration, "vaccinated" not for vaccinia."""
    if word.lower().endswith("ted") and name in (coded(word[:-2] + end).strict for end in ("ion", "ation")):
        return True
    return not drug and is_medical_adjective(word)


def _turns(entry: Entry, spelled: list[_Word], whole: bool) -> bool:
    """Whether a name may stand in another order: around a preposition, or side by side ("patellar dysplasia")."""
    if entry.flags & table.ORDERED:
        return False
    if entry.flags & table.LINKED or any(word.linked for word in spelled[1:]):
        return True
    return whole and not any(word.apart or word.joined for word in spelled[1:])


def _placed(
    at: NDArray[np.int64], shapes: list[tuple[int, int, int]], clause: NDArray[np.int64], before: int
) -> tuple[NDArray[np.int64], ...]:
    """Every place with every shape, as far as both fit into one clause. `before`: how many of the three lengths lie
    before the place; the others lie behind it."""
    sizes = np.array(shapes).T
    place, *lengths = (array.ravel() for array in np.broadcast_arrays(at[:, None], *(size[None, :] for size in sizes)))
    back = sum(lengths[:before])
    ahead = sum(lengths[before:])
    fits = (place >= back) & (place + ahead <= len(clause))
    fits[fits] = clause[(place - back)[fits]] == clause[(place + ahead - 1)[fits]]
    return place[fits], *(length[fits] for length in lengths)


def _runs(known: NDArray[np.bool_], part: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many known words follow each other from each word on, within one part."""
    ends = np.flatnonzero(~known | np.append(part[1:] != part[:-1], True))
    places = np.arange(len(known))
    stop = ends[np.searchsorted(ends, places)]
    return np.where(known, stop - places + known[stop], 0)


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
