"""Identifiers of a text: forms that are sure, what tagger and reader find around them, every further place of a name.

It knows no dictionary but what is handed in; `benchmarks/deid.md` has its recall and precision by kind.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import numpy as np

from osler.privacy import reader
from osler.privacy.patterns import Match, Rule, matches, shipped
from osler.privacy.spans import Span, SpanType
from osler.privacy.tagger import probabilities, weights
from osler.privacy.tokens import Tokens, cues, lexicon, plain, tokenise

# A token is left alone if tagger and reader together are at least this sure that it is no identifier.
THRESHOLD = 0.8
READER = 0.7  # the reader's part of what the two say; 1 - READER is the tagger's
# By kind it is moved: postcodes look like any number, addresses of the net have a form of their own, a hospital's
# name is hardly ever anything else.
_MOVED = {"ZIP": -0.15, "IP": -0.8, "URL": -0.3, "EMAIL": -0.3, "DATE": -0.05, "HOSPITAL": 0.1}
_LIMIT = 0.97  # from here on every word would be found
# What may stand between two finds of one kind that are one.
_GAP = re.compile(r"[ \t\"“”'’.·]{0,2}|\s?[-–~至到]\s?")
_EDGE = " \t\n.,;:()[]{}<>\"“”‘’'-–—/|*_=~，。；：、（）【】《》！？!?"
TITLE = re.compile(r"(?:dr|drs|mr|mrs|ms|miss|mx|prof|professor|doctor)\b\.?\s+", re.IGNORECASE)


def find_identifiers(
    text: str, known: Callable[[str], bool] | None = None, own: tuple[Rule, ...] = (), threshold: float = THRESHOLD,
    read: bool = True,
) -> list[Span]:  # fmt: skip
    """The identifiers of a text in order, without overlaps. `known(word)`: words that are never names by themselves.
    Without `read` rules and tagger are alone: four times as fast, and a tenth fewer are found."""
    formed = list(matches(text, (*own, *shipped())))
    hinted = [(m.start, m.end, m.rule.name) for m in settled(formed, len(text))]
    spans = list(_tagged(text, tokenise(text, hinted), threshold, read))
    if known:
        spans = [s for s in spans if s.type != "NAME" or s.score > 0.9 or not known(text[s.start : s.end])]
    spans += [Span(start=m.start, end=m.end, type=m.rule.kind, score=m.rule.sure) for m in formed if m.rule.sure]
    spans = joined(spans, text)
    return joined([*spans, *_again(text, spans)], text)


def settled(found: Iterable[Match], length: int) -> list[Match]:
    """Matches without overlaps: sure rules first, then the longer match."""
    kept: list[Match] = []
    taken = bytearray(length)
    for match in sorted(found, key=lambda m: (-m.rule.sure, m.start - m.end)):
        if not any(taken[match.start : match.end]):
            kept.append(match)
            taken[match.start : match.end] = b"\1" * (match.end - match.start)
    return kept


def joined(spans: Iterable[Span], text: str) -> list[Span]:
    """Spans in order; those that overlap, or are of one kind with hardly anything between, are one of the surer's kind:
    nothing found is given up."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        last = kept[-1] if kept else None
        if last and (
            span.start < last.end or (span.type == last.type and _GAP.fullmatch(text, last.end, span.start) is not None)
        ):
            one = max(last, span, key=lambda s: s.score)
            kept[-1] = one.model_copy(update={"start": last.start, "end": max(last.end, span.end)})
        else:
            kept.append(span)
    return kept


def _tagged(text: str, tokens: Tokens, threshold: float, read: bool) -> Iterator[Span]:
    """Runs of tokens of one kind, without marks at their edges, whole where they are glued to a number."""
    if not tokens.starts:
        return
    odds = probabilities(tokens)
    if read:
        odds = odds ** (1 - READER) * reader.probabilities(text, tokens.starts, tokens.ends) ** READER
        odds /= odds.sum(axis=1, keepdims=True)
    kinds = weights().kinds
    best = odds[:, 1:].argmax(axis=1) + 1
    found = odds[:, 0] < np.array([min(threshold + _MOVED.get(kind, 0.0), _LIMIT) for kind in kinds])[best]
    run: list[int] = []

    def span() -> Iterator[Span]:
        start, end = tokens.starts[run[0]], tokens.ends[run[-1]]
        while start < end and text[start] in _EDGE and text[start] not in "(":
            start += 1
        while (
            end > start and text[end - 1] in _EDGE and not (text[end - 1] == "." and text[end - 2 : end - 1].isupper())
        ):
            end -= 1
        if start < end and text[start] == "(" and ")" not in text[start:end]:
            start += 1
        kind = kinds[best[run[0]]]
        if kind == "NAME" and (title := TITLE.match(text, start, end)):
            start = title.end()
        sure = float(1 - odds[run, 0].mean())
        if any(c.isalnum() for c in text[start:end]) and _worth(text, start, end, kind):
            yield Span(start=start, end=end, type=cast(SpanType, kind), score=round(sure, 3))

    for i in range(len(best)):
        if found[i] and (not run or best[i] == best[run[-1]] or tokens.starts[i] == tokens.ends[run[-1]]):
            run.append(i)
            continue
        if run:
            yield from span()
        run = [i] if found[i] else []
    if run:
        yield from span()


def _worth(text: str, start: int, end: int, kind: str) -> bool:
    """Whether a span of this kind can be an identifier at all."""
    inside = text[start:end]
    if kind == "NAME" and TITLE.fullmatch(inside + " "):
        return False
    if kind in ("NAME", "HOSPITAL", "ADDRESS"):
        return sum(map(str.isalpha, inside)) > 1 or "\u3400" <= inside[0] <= "\u9fff"
    if kind == "AGE":
        return not inside.isdigit() or int(inside) > 89
    if kind == "DATE" and inside.isdecimal():
        return len(inside) > 5
    return kind in ("DATE", "URL", "OTHER", "EMAIL") or any(c.isdigit() for c in inside)


def _again(text: str, found: list[Span]) -> list[Span]:
    """The other places where a found name, or a part of it, stands."""
    lower = text.islower() or sum(map(str.isupper, text)) < 0.01 * len(text)
    parts: dict[str, float] = {}
    for span in found:
        if span.type != "NAME" or span.score < 0.6:
            continue
        whole = text[span.start : span.end]
        if "\u3400" <= whole[0] <= "\u9fff":
            if len(whole) > 1:
                parts[whole] = span.score
            continue
        for part in re.split(r"[\s,.()\"“”]+", whole):
            classes = lexicon().get(plain(part), "")
            if len(part) > 2 and "c3" not in classes and not cues().get(plain(part)) and not (lower and "c" in classes):
                parts[part] = max(span.score, parts.get(part, 0))
    if not parts:
        return []
    chinese = [re.escape(part) for part in parts if "\u3400" <= part[0] <= "\u9fff"]
    latin = [re.escape(part) for part in parts if not "\u3400" <= part[0] <= "\u9fff"]
    patterns = ["|".join(chinese)] if chinese else []
    if latin:
        patterns.append(rf"(?<![^\W_])(?:{'|'.join(latin)})(?![^\W_])")
    taken = {place for span in found for place in (span.start, span.end - 1)}
    lows = {part.casefold(): score for part, score in parts.items()}
    return [
        Span(start=m.start(), end=m.end(), type="NAME", score=round(0.9 * lows[m.group().casefold()], 3))
        for pattern in patterns
        for m in re.finditer(pattern, text, re.IGNORECASE)
        if m.start() not in taken and (lower or not m.group().islower() or m.group()[0] >= "\u3400")
    ]
