"""Says of a mention whether it is present, absent or uncertain, whose it is and when: rules over cues kept as data.

A rule layer of the ConText family (Harkema et al. 2009, after NegEx, Chapman et al. 2001) for English and Chinese. It
knows no ontology and reads no meaning: it sees cues, clauses, headings, marks and their order.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from osler.knowledge.concepts.cues import Cue, find_cues, heading, lowered, marked, over
from osler.knowledge.concepts.normal import unwrap
from osler.knowledge.concepts.tables import patterns
from osler.nouns import Experiencer, Status, Time
from osler.text import Span, sentences

_SAYS = patterns("context")
_STATUS: dict[str | None, Status] = {"negated": "absent", "uncertain": "uncertain", "affirmed": "present"}
_PEOPLE: dict[str | None, Experiencer] = {"family": "family", "other": "other", "patient": "patient"}
# What no judgement reaches back over.
_BLOCKS_BACK = ("end", "verb", "affirmed", "patient", "negated", "uncertain")
_ENDED_BY_VERB = ("negated", "historical", "uncertain")
# Negations that introduce a list, whatever stands in it; others end at a comma behind something else.
_LISTING = ("den", "neg", "-ve", "neither")
_OPENERS = ("", ".", ";", ":", "!", "?", "\n", "-", "•", "*", ")", ",")
_THERE_IS = ("有", "患有", "存在", "出现")
_start = itemgetter(0)
# A mention no longer than this owns the cues inside it.
_OWN = 22


class Context(NamedTuple):
    status: Status = "present"
    experiencer: Experiencer = "patient"
    time: Time = "current"


def contexts(text: str, spans: Sequence[tuple[int, int]]) -> list[Context]:
    """The context of each span (code points into `text`), in the order given."""
    if not spans:
        return []
    low = lowered(unwrap(text))  # in this order: a line that begins in capitals is no wrapped one
    units, ordered = _units(text) or [Span(0, len(text))], sorted(spans)
    effects = _effects(text, low, units, ordered)
    cues = find_cues(low, ordered)
    owners = [over(ordered, cue.start, cue.end) for cue in cues]
    found: list[Context] = []
    for mention in map(Span._make, spans):
        unit = units[max(0, bisect_right(units, mention.start, key=_start) - 1)]
        stop = max(unit.end, mention.end)
        near = range(bisect_left(cues, unit.start, key=_start), bisect_left(cues, stop, key=_start))
        free = [cues[number] for number in near if _shared(cues[number], mention, owners[number])]
        effect = effects[bisect_right(effects, mention.start, key=_start) - 1][1]
        found.append(_context(low, mention, free, effect, ordered))
    return found


def is_heading(text: str, start: int, end: int) -> bool:
    """Whether a name is the heading of its line ("PE: lungs clear") and says nothing of the patient."""
    return text[end : end + 1] in (":", "：") and heading(lowered(text[start:end])) is not None


def _shared(cue: Cue, mention: Span, owners: Sequence[tuple[int, int]]) -> bool:
    """Whether a cue inside other mentions speaks of this one too. "Absent reflexes" keeps its cue to itself; a cue in
    the midst of a long one ("numbness, but no trouble passing urine") or of one that holds this mention doesn't."""
    if cue.start < mention.end and mention.start < cue.end:
        return False
    return cue.category == "current" or all(
        (start < mention.end and mention.start < end) or (end - start > _OWN and start < cue.start and cue.end < end)
        for start, end in owners
    )


def _units(text: str) -> list[Span]:
    """Sentences; a query mark that stands alone belongs to what follows it."""
    units: list[Span] = []
    for part in sentences(text):
        alone = units and not text[units[-1].start : units[-1].end].strip("?？ -•*")
        units.append(Span(units.pop().start, part.end) if alone else part)
    return units


def _effects(text: str, low: str, units: list[Span], spans: list[tuple[int, int]]) -> list[tuple[int, str | None]]:
    """From where on a heading says something of what stands below it, and the category that it lends."""
    marks: list[tuple[int, str | None]] = [(0, None)]
    for line in _SAYS["line"].finditer(low):
        first, stop = line.span()
        if not line.group().strip():
            if marks[-1][1] and text.count("\n", marks[-1][0], first) > 1:
                marks.append((first, None))  # an empty line ends a section that has begun
            continue
        match = _SAYS["heading"].match(low, first, stop)
        if match:
            begin, end = match.span("bare" if match["bare"] else "name")
            effect = heading(low[begin:end].strip(" *_#[]【】"))
            if effect:
                marks.append((end, effect))
                first = end
            elif not match["dash"] and (match["name"] or _SAYS["capitals"].fullmatch(text, begin, end)):
                marks += [] if over(spans, begin, end) else [(first, None)]
        for inline in _SAYS["inline_heading"].finditer(text, first, stop):
            effect = heading(inline["name"].strip().lower())
            if effect:
                # a heading inside a line holds for its sentence, one that begins a line until the next heading
                marks.append((inline.end(), effect))
                told = next((unit.end for unit in units if unit.end > inline.end()), len(low))
                if told <= stop and not any(mark == told for mark, _ in marks):
                    marks.append((told, None))
    return sorted(marks, key=_start)


def _context(low: str, mention: Span, cues: list[Cue], effect: str | None, spans: list[tuple[int, int]]) -> Context:
    mark = marked(low, mention)
    experiencer = "family" if mark == "family" else _experiencer(low, mention, cues, effect)
    mark = None if mark == "family" else mark
    acting = [cue for cue in cues if _governs(low, cue, mention, cues, spans)]
    every = {cue.category for cue in acting}
    nearest = min(
        (cue for cue in acting if cue.category in _STATUS),
        key=lambda cue: max(mention.start - cue.end, cue.start - mention.end),
        default=None,
    )
    category = mark or (nearest.category if nearest else None)
    if mark is None:
        asked = nearest is not None and (nearest.category, nearest.reach) == ("uncertain", "sentence")
        if ("hypothetical" in every or asked) and _presupposed(low, mention):
            return Context("present", experiencer)
        if "hypothetical" in every or (effect == "hypothetical" and category != "negated"):
            return Context("uncertain", experiencer, "hypothetical" if experiencer == "patient" else "current")
    status = _STATUS.get(category or effect, "present")
    if status != "present" or experiencer != "patient":
        return Context(status, experiencer)
    # "diagnosed with lupus in 2015" tells when it began, not that it is over
    told = nearest is not None and nearest.end <= mention.start and nearest.category == "affirmed"
    told &= effect != "historical"
    past = any(cue.category == "historical" and not (told and cue.reach == "next") for cue in acting)
    now = any(cue.category == "current" and cue.reach != "manner" for cue in acting)
    past = mark == "historical" or past or (effect == "historical" and not now)
    return Context(time="historical" if past and not _now(low, mention, acting) else "current")


def _presupposed(low: str, mention: Span) -> bool:
    """Whether a condition or question takes the finding for granted: "if the headache gets worse"."""
    definite = _SAYS["definite"].search(low, max(0, mention.start - 8), mention.start)
    return bool(definite and _SAYS["persists"].match(low, mention.end))


def _now(low: str, mention: Span, acting: list[Cue]) -> bool:
    """Whether a time of this illness in the same clause outweighs history before a comma: "h/o AF, chest pain since
    this morning"."""
    return any(
        cue.category == "current" and cue.start >= mention.end and not _comma(low[mention.end : cue.start])
        for cue in acting
    ) and all(
        cue.end <= mention.start and _comma(low[cue.end : mention.start])
        for cue in acting
        if cue.category == "historical"
    )


def _governs(low: str, cue: Cue, mention: Span, cues: list[Cue], spans: list[tuple[int, int]]) -> bool:
    """Whether a cue speaks of a mention: whether nothing between them ends its scope."""
    ahead = cue.end <= mention.start
    if cue.direction not in ("both", "forward" if ahead else "backward"):
        return False
    first, last = (cue.end, mention.start) if ahead else (mention.end, cue.start)
    gap = low[first:last]
    if cue.category == "historical" and not ahead:
        gap = _SAYS["lasted"].sub("", gap)
    if _SAYS["ends_ahead" if ahead else "ends_behind"].search(gap):
        return False
    if cue.reach in ("next", "final") and _SAYS["not_next"].search(gap):
        return False
    between = [other for other in cues if first <= other.start and other.end <= last]
    if not ahead:
        return _reaches_back(low, cue, gap, between)
    if cue.reach == "next":
        return all(other.category != "end" for other in between)
    return _reaches(low, cue, mention, cues, spans) and not any(_ends(low, cue, other, spans) for other in between)


def _reaches(low: str, cue: Cue, mention: Span, cues: list[Cue], spans: list[tuple[int, int]]) -> bool:
    """Whether a cue before a mention goes on over what stands between them, other cues aside."""
    gap = low[cue.end : mention.start]
    if cue.reach == "clause" and _comma(gap) and not _listed(low, cue, mention):
        return False
    if cue.category in ("negated", "uncertain") and "，" in gap and cue.reach != "sentence":
        return False
    if cue.category == "negated":
        return low.startswith(_LISTING, cue.start) or _goes_on(low, cue, mention, spans)
    if cue.category == "affirmed":
        return not any(other.category == "negated" and _governed(low, other, cue) for other in cues)
    return cue.category != "historical" or not _recent_event(low, cue, cues)


def _ends(low: str, cue: Cue, other: Cue, spans: list[tuple[int, int]]) -> bool:
    """Whether a cue between another one and its mention takes over from it."""
    gap = low[cue.end : other.start]
    if other.category == "end":
        return cue.category != "hypothetical" or other.direction == "forward"
    if other.category in _STATUS and cue.category in _STATUS:
        # "否认家族中有": the verb belongs to the denial before it
        return other.direction != "backward" and not (cue.category == "negated" and _governed(low, cue, other))
    if other.category == "current":
        return cue.category == "historical" or (cue.category == "hypothetical" and _comma(gap))
    if other.category in ("verb", "grade") and cue.category in _ENDED_BY_VERB and cue.reach != "sentence":
        return bool(_SAYS["new_clause"].search(gap)) or any(cue.end <= start < other.start for start, _ in spans)
    return False


def _reaches_back(low: str, cue: Cue, gap: str, between: list[Cue]) -> bool:
    """Whether a cue behind a mention goes back over what stands between them."""
    past = cue.category == "historical"
    if (past and _SAYS["onset"].search(gap)) or (cue.reach == "final" and not _SAYS["clause_end"].match(low, cue.end)):
        return False
    if any(other.category in _BLOCKS_BACK and not (past and other.category == "verb") for other in between):
        return False
    # only an enumeration carries a judgement back over commas: "fever, cough and rash were absent"
    *items, last = gap.split(",")
    return len(items) != 1 or bool(_SAYS["joins_last"].search(last))


def _governed(low: str, denial: Cue, verb: Cue) -> bool:
    """Whether a Chinese "there is" stands in the clause of a denial before it."""
    between = low[denial.end : verb.start]
    return low[verb.start : verb.end] in _THERE_IS and denial.end <= verb.start and not re.search("[，,、；]", between)


def _recent_event(low: str, cue: Cue, cues: list[Cue]) -> bool:
    """Whether a time of this illness stands right before a historical cue: "3天前曾呕血" is not past history."""
    return not _SAYS["year"].search(low, cue.start, cue.end) and any(
        other.category == "current" and 0 <= cue.start - other.end <= 6 and not _comma(low[other.end : cue.start])
        for other in cues
    )


def _goes_on(low: str, cue: Cue, mention: Span, spans: list[tuple[int, int]]) -> bool:
    """Whether "no", "not" or "without" goes on over a comma: it does over a list of findings ("no rash, fever"), but
    "not sleeping well, anxious" denies the sleep alone."""
    gap = low[cue.end : mention.start]
    comma = gap.find(",")
    word = low[cue.start : cue.end]
    # "red eyes without pus, cracked lips" goes on with what is there, and so does "no falls, no thirst, poor intake"
    aside = word == "without" and low[: cue.start].rstrip(" \t")[-1:] not in _OPENERS
    aside |= bool(re.search(rf"\b{re.escape(word)}\b[^,.;]*, *$", low[max(0, cue.start - 60) : cue.start]))
    if _SAYS["new_subject"].search(gap):
        return False
    if comma < 0 or (not aside and any(cue.end <= start < cue.end + comma for start, _ in spans)):
        return True
    joins = _SAYS["joins_denied" if aside else "joins_more"]
    return bool(joins.search(gap[comma:] + low[mention.end : mention.end + 60].split(".")[0]))


def _listed(low: str, cue: Cue, mention: Span) -> bool:
    """Whether the commas between cue and mention belong to an enumeration "A, B or C"."""
    rest = low[cue.end : mention.end + 60].split(".")[0]
    return bool(_SAYS["listed"].search(rest)) and len(low[cue.end : mention.start].split()) <= 12


def _comma(between: str) -> bool:
    return "," in between or "，" in between


def _experiencer(low: str, mention: Span, cues: list[Cue], effect: str | None) -> Experiencer:
    """Whose a mention is: the nearest person's before it, or that of one it belongs to behind it."""
    for cue in reversed(cues):
        if cue.end > mention.start or cue.category not in _PEOPLE:
            continue
        if cue.category != "patient" and _SAYS["ends_ahead"].search(low, cue.end, mention.start):
            break
        if cue.category == "patient" or _SAYS["speaks"].match(low, cue.end):
            return "patient"
        if cue.direction != "backward" and not _reports(low, cue, mention, cues):
            return _PEOPLE[cue.category]
    for cue in cues:
        if cue.start < mention.end:
            continue
        gap = low[mention.end : cue.start]
        if cue.category in ("end", "patient") or _SAYS["ends_ahead"].search(gap):
            break
        if cue.category in _PEOPLE and (
            _SAYS["belongs"].search(gap) or (cue.direction == "backward" and not _comma(gap))
        ):
            return _PEOPLE[cue.category]
    return _PEOPLE.get(effect, "patient")


def _reports(low: str, cue: Cue, mention: Span, cues: list[Cue]) -> bool:
    """Whether the person only tells or brings: "his wife has noted irritability", "brought by her mother"."""
    head = low[max(0, cue.start - 24) : cue.start]
    if _SAYS["told_by"].search(head):
        return not _SAYS["who" if _SAYS["brought"].search(head) else "who_has"].match(low, cue.end, cue.end + 12)
    telling = [other.start for other in cues if other.category == "reporter" and cue.end <= other.start < mention.start]
    return any(len(low[cue.end : start].split()) <= 3 for start in telling)
