"""Chinese text as terms: known words first, then single characters that count only in runs. No segmenter is needed.

It does not compare anything; see `terms` for the meaning of the fields.
"""

import functools
import re
import tomllib
from typing import NamedTuple

from osler.reasoning.verify.quantities import quantities
from osler.reasoning.verify.terms import DATA, Reading, Term
from osler.text import CJK

_CLAUSE = re.compile(r"[，。；：、！？,;:\n（）()“”]")
_SENTENCE_END = "。；！？;\n"
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9\-]*")
_CHARACTER = re.compile(f"[{CJK}]")


class ChineseLexicon(NamedTuple):
    words: re.Pattern[str]
    axes: dict[str, tuple[tuple[str, str], ...]]
    groups: dict[str, str]
    negation: frozenset[str]
    stop: frozenset[str]


@functools.cache
def lexicon() -> ChineseLexicon:
    """The Chinese words of `data/zh.toml`, compiled."""
    data = tomllib.loads((DATA / "zh.toml").read_text(encoding="utf-8"))
    axes: dict[str, tuple[tuple[str, str], ...]] = {}
    for axis, values in data["axes"].items():
        for value, words in values.items():
            for word in words.split():
                axes[word] = (*axes.get(word, ()), (axis, value))
    groups: dict[str, str] = {}
    for number, line in enumerate(data["synonyms"]["words"].strip().splitlines()):
        groups.update(dict.fromkeys(line.split(), f"#{number}"))
    negation, stop = frozenset(data["negation"].split()), frozenset(data["stop"].split())
    known = sorted({*axes, *groups, *negation, *stop}, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(word) for word in known))
    return ChineseLexicon(pattern, axes, groups, negation, stop)


def read_chinese(text: str) -> Reading:
    """Terms of a Chinese text. A character stands for itself and for the pairs it makes with its neighbours."""
    words = lexicon()
    measured = {item.start: item for item in quantities(text)}
    found: list[Term] = []
    sentence = clause = position = index = 0
    negated = False
    denying: set[int] = set()
    while index < len(text):
        if index in measured:
            quantity = measured[index]
            written = text[quantity.start : quantity.end]
            found.append(Term(written, frozenset(), (), 1.0, False, sentence, position, clause, clause, quantity))
            index, position = quantity.end, position + 1
            continue
        if _CLAUSE.match(text, index):
            negated = negated and text[index] == "、"
            clause += text[index] != "、"
            sentence += text[index] in _SENTENCE_END
        elif latin := _LATIN.match(text, index):
            word = latin.group().lower()
            found.append(Term(word, frozenset({word}), (), 1.0, negated, sentence, position, clause, clause))
            index = latin.end() - 1
        elif known := words.words.match(text, index):
            word = known.group()
            if word in words.negation:
                negated = True
                denying.add(clause)
            elif word not in words.stop:
                axes = words.axes.get(word, ())
                keys = {word, words.groups.get(word, word), *(f"@{axis}{value}" for axis, value in axes)}
                found.append(Term(word, frozenset(keys), axes, 1.0, negated, sentence, position, clause, clause))
            index = known.end() - 1
        elif _CHARACTER.match(text, index):
            before, after = text[max(0, index - 1) : index + 1], text[index : index + 2]
            keys = {pair for pair in (before, after) if len(pair) == 2 and all(map(_CHARACTER.match, pair))}
            found.append(Term(text[index], frozenset(keys), (), 0.5, negated, sentence, position, clause, clause))
        index += 1
        position += 1
    return Reading(found, frozenset(denying), frozenset())
