"""What the consult page shows of a consult's document: the text cut into pieces at its findings, bars, a drawn path.

It decides nothing and knows no HTTP. Texts pass through `say`, the reader's language.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from osler.nouns import Finding

Say = Callable[[str], str]
_WORD = re.compile(r"[\u4e00-\u9fff]{2}|[^\W\d_\u4e00-\u9fff]{4,}|\d[\d.,]*")
_CUT = re.compile(f"({_WORD.pattern})")
HALF = 60  # pixels of a bar to either side
STEP, HIGH, WIDE = 250, 34, 180  # pixels from node to node of a path, and of a node


class Piece(NamedTuple):
    """A stretch of a document; `finding`: the number of the finding it says, if any, with its look and word."""

    text: str
    finding: int | None = None
    look: str = ""
    word: str = ""
    said: str = ""


def pieces(document: dict[str, Any], findings: Sequence[Finding], say: Say) -> list[Piece]:
    """The document's text with the findings that stand in it; of overlapping ones the phenotype, then the longer."""
    here = [(n, item) for n, item in enumerate(findings) if item.source == document["id"] and item.end is not None]
    here.sort(key=lambda pair: (not pair[1].code.startswith("HP:"), -(pair[1].end or 0) + (pair[1].start or 0)))
    taken: list[tuple[int, int, int]] = []
    for n, item in here:
        start, end = item.start or 0, item.end or 0
        if all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, n))
    text, at, found = document["text"], 0, []
    for start, end, n in sorted(taken):
        item = findings[n]
        found += [Piece(text[at:start])] if start > at else []
        word = short_word(item, say)
        look = item.status if item.experiencer == "patient" and item.time == "current" else "aside"
        found.append(Piece(text[start:end], n, look, word, f"{item.label}, {described(item, say)}"))
        at = end
    return [*found, Piece(text[at:])]


def short_word(item: Finding, say: Say) -> str:
    """What the mark of a finding says beside its look: nothing of what is simply present."""
    words: list[str] = [item.status] if item.status != "present" else []
    words += [item.experiencer] if item.experiencer != "patient" else []
    words += [item.time] if item.time != "current" else []
    return ", ".join(map(say, words))


def described(item: Finding, say: Say) -> str:
    return ", ".join(map(say, (item.status, item.experiencer, item.time)))


def bars(differential: Sequence[dict[str, Any]]) -> list[Markup]:
    """A two-sided bar for each disease: what speaks against it to the left, for it to the right, on one scale."""
    sums = [
        (sum(-min(0, part["score"]) for part in item["against"]), sum(max(0, part["score"]) for part in item["for"]))
        for item in differential
    ]
    most = max((max(pair) for pair in sums), default=0) or 1
    made = []
    for against, for_ in sums:
        left, right = against / most * HALF, for_ / most * HALF
        label = f"{for_:.2f} − {against:.2f}"
        made.append(
            Markup(
                f'<svg class="bar" width="{2 * HALF}" height="12" role="img" aria-label="{label}">'
                f'<rect class="against" x="{HALF - left:.1f}" y="2" width="{left:.1f}" height="8"/>'
                f'<rect class="for" x="{HALF}" y="2" width="{right:.1f}" height="8"/>'
                f'<line class="axis" x1="{HALF}" x2="{HALF}" y1="0" y2="12"/></svg>'
            )
        )
    return made


def drawn_path(nodes: Sequence[str], edges: Sequence[str]) -> Markup:
    """A path of the graph from left to right: the nodes' labels, and between them what each edge says."""
    width = STEP * (len(nodes) - 1) + WIDE + 4
    parts = [
        f'<svg class="path" viewBox="0 0 {width} {HIGH + 24}" role="img" aria-label="{escape(" – ".join(nodes))}">'
    ]
    for n, _ in enumerate(pairwise(nodes)):
        x, y = n * STEP + WIDE + 2, HIGH // 2 + 12
        parts.append(f'<line x1="{x}" x2="{x + STEP - WIDE}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="edge" x="{x + (STEP - WIDE) / 2}" y="{y - 6}" text-anchor="middle">')
        parts.append(f"{escape(edges[n])}</text>")
    for n, label in enumerate(nodes):
        x = n * STEP + 2
        shown = label if len(label) <= 27 else f"{label[:26]}…"
        parts.append(f'<rect x="{x}" y="12" width="{WIDE}" height="{HIGH}" rx="4"/><title>{escape(label)}</title>')
        parts.append(f'<text x="{x + WIDE / 2}" y="{HIGH // 2 + 16}" text-anchor="middle">{escape(shown)}</text>')
    return Markup("".join([*parts, "</svg>"]))


def marked(text: str, statement: str) -> list[tuple[str, bool]]:
    """A passage in pieces, those words marked that the statement shares with it (Chinese: pairs of characters)."""
    wanted = {_stem(word) for word in _WORD.findall(statement)}
    spoken = [(part, bool(_WORD.fullmatch(part)) and _stem(part) in wanted) for part in _CUT.split(text) if part]
    return [("".join(text for text, _ in same), lit) for lit, same in groupby(spoken, key=lambda part: part[1])]


def _stem(word: str) -> str:
    return word.lower()[:6]
