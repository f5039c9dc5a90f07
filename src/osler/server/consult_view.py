"""What the consult page shows of a consult's document: the text cut into pieces at its findings, bars, a path.

It decides nothing and knows no HTTP. Texts pass through `say`, the reader's language.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from osler.knowledge.graph import Path
from osler.nouns import Finding

Say = Callable[[str], str]
_WORD = re.compile(r"[\u4e00-\u9fff]{2}|[^\W\d_\u4e00-\u9fff]{4,}|\d[\d.,]*")
_CUT = re.compile(f"({_WORD.pattern})")
HALF = 60  # pixels of a bar to either side
_WRAPPED = re.compile(r"(?m)^(.{60,})\n(?=[a-z])")


class Piece(NamedTuple):
    """A stretch of a document; `finding`: the number of the finding it says, if any, with its look and word."""

    text: str
    finding: int | None = None
    look: str = ""
    word: str = ""
    said: str = ""


class Step(NamedTuple):
    """A node of a drawn path: the relation that led to it, and whether it is read towards it or from it."""

    arrow: str
    relation: str
    label: str


def pieces(document: dict[str, Any], findings: Sequence[Finding], say: Say) -> list[Piece]:
    """The document's text with the findings that stand in it; of overlapping ones the phenotype, then the longer."""
    here = [(n, item) for n, item in enumerate(findings) if item.source == document["id"] and item.end is not None]
    here.sort(key=lambda pair: (not pair[1].code.startswith("HP:"), -(pair[1].end or 0) + (pair[1].start or 0)))
    taken: list[tuple[int, int, int]] = []
    for n, item in here:
        start, end = item.start or 0, item.end or 0
        if all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, n))
    text, at, found = _WRAPPED.sub(r"\1 ", document["text"]), 0, []  # lines broken for a terminal flow again
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


def steps(path: Path, label: Callable[[str], str]) -> list[Step]:
    """A path of the graph from left to right, step by step."""
    led = [
        Step("→" if edge.subject == before else "←", edge.relation.replace("_", " "), label(node))
        for edge, (before, node) in zip(path.edges, pairwise(path.nodes), strict=True)
    ]
    return [Step("", "", label(path.nodes[0])), *led]


def shown_by(evidence: dict[str, Any], findings: Sequence[Finding]) -> list[int]:
    """The numbers of the findings that a piece of evidence from the record shows: those whose words it spans."""
    where = evidence["source"]
    if evidence["kind"] != "record":
        return []
    return [
        n
        for n, item in enumerate(findings)
        if item.source == where["document_id"]
        and (where["start"] is None or (where["start"] < (item.end or 0) and (item.start or 0) < where["end"]))
    ]


def stated(statements: Sequence[dict[str, Any]], evidence: Sequence[str]) -> list[tuple[int, str]]:
    """The statements, numbered, that rest on any of the evidence."""
    return [(n, item["text"]) for n, item in enumerate(statements) if set(item["evidence"]) & set(evidence)]


def marked(text: str, statement: str) -> list[tuple[str, bool]]:
    """A passage in pieces, those words marked that the statement shares with it (Chinese: pairs of characters)."""
    wanted = {_stem(word) for word in _WORD.findall(statement)}
    spoken = [(part, bool(_WORD.fullmatch(part)) and _stem(part) in wanted) for part in _CUT.split(text) if part]
    return [("".join(text for text, _ in same), lit) for lit, same in groupby(spoken, key=lambda part: part[1])]


def _stem(word: str) -> str:
    return word.lower()[:6]
