"""Finds the names of ontology terms in text: longest match on word boundaries, offsets into the text as given.

English names match in any inflection, spelling and around a preposition, Chinese ones character by character.
It knows no context: a negated name is a mention too.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from osler.knowledge.concepts.index import BASE, CASED, JOIN, NEEDS_GAP, STRICT_ONLY, TURNED, Index, Name, strict_hash
from osler.knowledge.concepts.index import word_hash as _word_hash
from osler.knowledge.concepts.normal import TOKEN, form, is_function, is_join, links, unwrap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Words left of a conjunction, words right of it, words of the head that both share.
_SHAPES = [(left, right, head) for left in (1, 2, 3) for right in (1, 2) for head in (1, 2)]
_CACHED_WORDS = 300_000


class Mention(NamedTuple):
    """One name in the text. `kind`: the vocabulary (hpo, disease, drug, ...); text[start:end] == text."""

    start: int
    end: int
    code: str
    label: str
    kind: str
    text: str


class _Line(NamedTuple):
    """The content words of a text: offsets, hashes of loose forms, and whether a linking word ("of") stands before."""

    starts: list[int]
    ends: list[int]
    words: list[str]
    gaps: list[bool]
    hashes: list[int]


class Matcher:
    """Finds names of an index. Build it once, share it between threads: only a cache of words changes."""

    def __init__(self, names: Iterable[Name | tuple[str, str, str]] = (), index: Index | None = None) -> None:
        self.index = index if index is not None else Index.build(Name(*name) for name in names)
        self._cache: dict[str, int] = {}

    def find(self, text: str, nested: bool = False) -> list[Mention]:
        """Mentions sorted by start, then longest first. Of overlapping mentions of one kind the longest stays, of
        equal spans the best name (`nested`: shorter mentions inside longer ones stay too)."""
        line = self._read(unwrap(text))
        best: _Best = {}
        for row, tokens in self._candidates(line):
            self._consider(best, row, tokens, line)
        found = [
            (Mention(start, end, *self.index.terms[term][:2], kind, text[start:end]), frozenset(tokens))
            for (start, end, kind), (_, term, tokens) in best.items()
        ]
        found.sort(key=lambda pair: (pair[0].start, -pair[0].end, pair[0].kind))
        return [mention for mention, _ in found] if nested else _longest(found)

    def _read(self, text: str) -> _Line:
        line = _Line([], [], [], [], [])
        starts, ends, words, gaps, hashes = line
        cache = self._cache
        if len(cache) > _CACHED_WORDS:
            cache.clear()
        gap = False
        for match in TOKEN.finditer(text):
            word = match.group()
            number = cache.get(word)
            if number is None:
                number = cache[word] = (
                    0 if is_function(word) else JOIN if is_join(word) else _word_hash(form(word).loose)
                )
            if not number:
                gap = gap or links(word)
                continue
            start, end = match.span()
            starts.append(start)
            ends.append(end)
            words.append(word)
            gaps.append(gap)
            hashes.append(number)
            gap = False
        return line

    def _candidates(self, line: _Line) -> Iterable[tuple[int, list[int]]]:
        """Rows of the index with the numbers of the words that spell them."""
        import numpy as np

        words = np.array(line.hashes, dtype=np.uint64)
        known = self.index.knows(words)
        windows: dict[int, NDArray[np.uint64]] = {1: words}
        starts = np.flatnonzero(known)
        for length in range(1, min(self.index.longest, len(words)) + 1):
            if length > 1:
                windows[length] = windows[length - 1][:-1] * np.uint64(BASE) + words[length - 1 :]
                # only windows of words that some name has
                starts = starts[starts + length <= len(words)]
                starts = starts[known[starts + length - 1]]
            if length > 3 and not len(starts):
                break
            rows = self.index.lookup(windows[length][starts])
            hit = rows >= 0
            for start, row in zip(starts[hit].tolist(), rows[hit].tolist(), strict=True):
                yield row, list(range(start, start + length))
        joins = np.flatnonzero(words == np.uint64(JOIN))
        joins = joins[(joins > 0) & (joins + 1 < len(words))]
        joins = joins[known[joins - 1] & known[joins + 1]]
        if len(joins):
            yield from self._coordinated(windows, joins, len(words), np.array(line.gaps))

    def _coordinated(
        self,
        windows: "dict[int, NDArray[np.uint64]]",
        joins: "NDArray[np.int64]",
        count: int,
        gaps: "NDArray[np.bool_]",
    ) -> Iterable[tuple[int, list[int]]]:
        """Names torn by a conjunction: "hearing and visual loss" holds "hearing … loss", "atrophy of the optic nerve
        and the brain" holds "atrophy … brain"."""
        import numpy as np

        for left, right, head in _SHAPES:
            shift = np.uint64(pow(BASE, head, 1 << 64))
            at = joins[(joins >= left) & (joins + right + head < count)]
            at = at[~gaps[at + 1]] if len(at) else at
            if len(at) and left in windows and head in windows:
                rows = self.index.lookup(windows[left][at - left] * shift + windows[head][at + 1 + right])
                for here, row in zip(at.tolist(), rows.tolist(), strict=True):
                    if row >= 0:
                        yield row, [*range(here - left, here), *range(here + 1 + right, here + 1 + right + head)]
            at = joins[(joins >= left + head) & (joins + right < count)]
            at = at[gaps[at - left]] if len(at) else at
            if len(at) and head in windows and right in windows:
                shift = np.uint64(pow(BASE, right, 1 << 64))
                rows = self.index.lookup(windows[head][at - left - head] * shift + windows[right][at + 1])
                for here, row in zip(at.tolist(), rows.tolist(), strict=True):
                    if row >= 0:
                        yield row, [*range(here - left - head, here - left), *range(here + 1, here + 1 + right)]

    def _consider(self, best: "_Best", row: int, tokens: list[int], line: _Line) -> None:
        first, last = tokens[0], tokens[-1]
        skipped = range(first, last + 1) if last - first >= len(tokens) else ()
        if any(not line.words[token][0].isalnum() and not is_join(line.words[token]) for token in skipped):
            return
        words = [line.words[token] for token in tokens]
        strict = strict_hash("&" if is_join(word) else form(word).strict for word in words)
        for term, flags, hashed, cut in self.index.readings(row):
            same = hashed == strict
            if flags & STRICT_ONLY and not same:
                continue
            if flags & CASED and not words[0].isupper():
                continue
            if flags & NEEDS_GAP and not line.gaps[tokens[cut]]:
                continue
            key = (line.starts[first], line.ends[last], self.index.terms[term][2])
            value = (2 * (flags >> 4) + (1 if flags & TURNED else 0) + (0 if same else 20), term, tokens)
            if key not in best or value < best[key]:
                best[key] = value


# Of one span and vocabulary: the best reading's rank (smaller is better), its term and its words.
_Best = dict[tuple[int, int, str], tuple[int, int, list[int]]]
_Placed = tuple[Mention, frozenset[int]]


def _longest(found: list[_Placed]) -> list[Mention]:
    """Of overlapping mentions of a kind the longest, of equally long ones the first. `found` is sorted by start."""
    kept: list[Mention] = []
    for kind in {mention.kind for mention, _ in found}:
        cluster: list[_Placed] = []
        reach = -1
        for placed in (placed for placed in found if placed[0].kind == kind):
            if placed[0].start >= reach:
                kept.extend(_greedy(cluster))
                cluster = []
            cluster.append(placed)
            reach = max(reach, placed[0].end)
        kept.extend(_greedy(cluster))
    kept.sort(key=lambda mention: (mention.start, -mention.end, mention.kind))
    return kept


def _greedy(cluster: list[_Placed]) -> list[Mention]:
    kept: list[_Placed] = []
    for mention, words in sorted(cluster, key=lambda placed: (-len(placed[1]), placed[0].start - placed[0].end)):
        if not any(_rivals(mention, words, *rival) for rival in kept):
            kept.append((mention, words))
    return [mention for mention, _ in kept]


def _rivals(mention: Mention, words: frozenset[int], longer: Mention, taken: frozenset[int]) -> bool:
    """Whether two mentions claim the same words. Names torn by a conjunction share their head, not more:
    "hearing and visual loss" is "hearing … loss" and "visual loss"."""
    if mention.end <= longer.start or longer.end <= mention.start:
        return False
    if words <= taken:
        return True
    torn = max(taken) - min(taken) >= len(taken) or max(words) - min(words) >= len(words)
    return not torn
