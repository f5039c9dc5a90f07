"""What a sign, box or value right at a mention says of it: "fever (-)", "[ ] rash", "cough: yes", "syncope? denied".

It sees one line and knows neither cues nor clauses; the words that count as values are data (`cues_*.tsv`).
"""

from osler.knowledge.concepts.cues import said
from osler.knowledge.concepts.tables import patterns
from osler.text import Span

_SAYS = patterns("marks")


def marked(low: str, mention: Span) -> str | None:
    """The category (negated, affirmed, uncertain, historical, family) that a mark lends; None without one."""
    line = low[low.rfind("\n", 0, mention.start) + 1 : mention.start]
    box = _boxed(low, line, mention)
    if box:
        return box
    signed = _SAYS["signed"].search(line)
    if signed and line[: signed.start() + 1].strip() not in ("", "-", "–", "+"):
        return "affirmed" if signed[1] == "+" else "negated"
    match = _SAYS["written"].match(low, mention.end)
    if match is None:
        return None
    written = word = match[match.lastindex or 0].strip("() ")
    sign = _SAYS["sign"].fullmatch(written)
    if sign:
        return sign.lastgroup
    while word and word not in said("value"):
        word = word.rpartition(" ")[0]
    category = said("value").get(word)
    # "depression - no suicidal ideation" denies something else
    elsewhere = category == "family" or (
        word in ("no", "not") and low[mention.end + 1 : mention.end + 2] in tuple("-–—")
    )
    return None if word != written and elsewhere else category


def _boxed(low: str, line: str, mention: Span) -> str | None:
    """A box before the name, or behind it on a line that begins with a name: "cough [x] yes [ ] no"."""
    first = match = _SAYS["box_after"].match(low, mention.end)
    if match and not _SAYS["boxes_after"].fullmatch(line + low[mention.start :].partition("\n")[0]):
        first = match = None
    while match:
        if match[2] and _checked(match[1]):
            return said("value").get(match[2])
        match = _SAYS["box_after"].match(low, match.end())
    if first is None:
        first = _SAYS["box_before"].search(line)
        first = None if first and _SAYS["boxes_after"].fullmatch(line) else first
    return ("affirmed" if _checked(first[1]) else "negated") if first else None


def _checked(box: str) -> bool:
    return box.strip("[( )]") not in ("", "☐", "□", "✗", "✘")
