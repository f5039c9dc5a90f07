"""Says of a mention whether it is present, absent or uncertain, whose it is and when: rules over cues kept as data.

A rule layer of the ConText family (Harkema et al. 2009, after NegEx, Chapman et al. 2001) for English and Chinese. It
knows no ontology and reads no meaning: it sees cues, clauses, headings, marks and their order.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

from osler.knowledge.concepts.cues import Hit, find_cues, heading, lowered, over, overlaps
from osler.knowledge.concepts.marks import marked
from osler.knowledge.concepts.normal import unwrap
from osler.nouns import Experiencer, Status, Time
from osler.text import Span, sentences

_Effect = tuple[int, str | None]


class Context(NamedTuple):
    status: Status = "present"
    experiencer: Experiencer = "patient"
    time: Time = "current"


_BLOCKS_BACK = ("end", "verb", "affirmed", "patient", "negated", "uncertain")
_STATUS = ("negated", "uncertain", "affirmed")
# Negations that introduce a list, whatever stands in it; others end at a comma behind something else.
_ENDED_BY_VERB = ("negated", "historical", "uncertain")
_LISTING = ("den", "neg", "-ve", "neither")
_OPENERS = ("", ".", ";", ":", "!", "?", "\n", "-", "•", "*", ")", ",")
_THERE_IS = ("有", "患有", "存在", "出现")
_EXPERIENCERS = ("family", "other", "patient")
# A mention no longer than this owns the cues inside it.
_OWN = 22
_LINE = re.compile(r"[^\n]*\n?")
_HEADING = re.compile(
    r"\s*(?:[-*•#]+\s*|\d{1,2}[.)]\s*)?(?:(?P<name>[^:：\n]{1,60}?)(?:\s*[:：]|(?P<dash>\s+[-–—]\s))|(?P<bare>[^:：\n]{1,60}?)\s*$)"
)
_INLINE_HEADING = re.compile(r"(?<=[.;。；\s])(?P<name>[A-Z][A-Za-z/&() ]{1,40}|[\u4e00-\u9fff]{2,8})[:：]")
_DEFINITE = re.compile(r"\b(?:the|this|these|his|her|their|your|my)\s$")
_GOES_ON = re.compile(
    r"\s+(?:gets?|becomes?|is getting|worsens?|persists?|continues?|does not|doesn't|fails? to|spreads?|is not|is no|"
    r"was|were|is due|are due|is caused|is related|represents?)\b"
)
# "no signs of meningism, and the rash blanches": the denial ends where another subject begins.
_NEW_SUBJECT = re.compile(r", and (?:the|this|his|her|their|he|she|they|it|there)\b")
# How long it lasted stands between a Chinese finding and its end: "腹泻3天，已自愈".
_LASTED = re.compile(r"^[约共]?[\d半数十]+余?(?:个?[天日周月年次]|小时)(?:余|左右)?，?")
_YEAR = re.compile(r"\d{4}")
_ONSET = re.compile(r"\b(?:since|started|starting|began|beginning|onset|first (?:noticed|noted|appeared))\b")
_ENUMERATED = re.compile(r"\s\d{1,2}[.)]\s")
_CAPITALS = re.compile(r"[A-Z][A-Z/& ]{3,40}")
_CLAUSE_END = re.compile(
    r"\s*(?:$|[\n,.;:!?()，。；：、？（）–—-]|and\b|but\b|or\b|at\b|on\b|in\b|for\b|today\b|now\b|by\b|given\b|because\b|based\b|as\b|from\b|after\b|per\b|with\b|clinically\b|this\b|since\b|during\b|to\b)"
)


def contexts(text: str, spans: Sequence[tuple[int, int]]) -> list[Context]:
    """The context of each span (code points into `text`), in the order given."""
    if not spans:
        return []
    low = lowered(unwrap(text))  # in this order: a line that begins in capitals is no wrapped one
    units, ordered = _units(text), sorted(spans)
    effects = _effects(text, low, units, ordered)
    hits, touching = find_cues(low, spans)
    owners = {hit: over(ordered, hit.start, hit.end) for hit in touching}
    found: list[Context] = []
    for mention in map(Span._make, spans):
        at = bisect_left(units, mention.start + 1, key=_start) - 1
        unit = units[max(0, at)] if units else Span(0, len(text))
        stop = max(unit.end, mention.end)
        near = _within(hits, unit.start, stop)
        shared = [hit for hit in _within(touching, unit.start, stop) if _shared(hit, mention, owners[hit])]
        effect = effects[bisect_left(effects, mention.start + 1, key=_start) - 1][1]
        found.append(_context(low, mention, sorted([*near, *shared]), effect, spans))
    return found


def _start(one: tuple[int, Any] | Hit | Span) -> int:
    return one[0]


def _within(hits: list[Hit], start: int, stop: int) -> list[Hit]:
    return hits[bisect_left(hits, start, key=_start) : bisect_left(hits, stop, key=_start)]


def _shared(hit: Hit, mention: Span, owners: Sequence[tuple[int, int]]) -> bool:
    """Whether a cue inside other mentions speaks of this one too. "Absent reflexes" keeps its cue to itself; a cue in
    the midst of a long one ("numbness, but no trouble passing urine") or of one that holds this mention doesn't."""
    if hit.start < mention.end and mention.start < hit.end:
        return False
    return hit.cue.category == "current" or all(
        (start < mention.end and mention.start < end) or (end - start > _OWN and start < hit.start and hit.end < end)
        for start, end in owners
    )


def _units(text: str) -> list[Span]:
    """Sentences; a query mark that stands alone belongs to what follows it."""
    units: list[Span] = []
    for part in sentences(text):
        if units and not text[units[-1].start : units[-1].end].strip("?？ -•*"):
            units[-1] = Span(units[-1].start, part.end)
        else:
            units.append(part)
    return units


def _effects(text: str, low: str, units: list[Span], spans: list[tuple[int, int]]) -> list[_Effect]:
    """From where on a heading says something of what stands below it, and the category that it lends."""
    marks: list[_Effect] = [(0, None)]
    for line in _LINE.finditer(low):
        if not line.group().strip():
            if marks[-1][1] and text[marks[-1][0] : line.start()].count("\n") > 1:
                marks.append((line.start(), None))  # an empty line ends a section that has begun
            continue
        first = line.start()
        match = _HEADING.match(line.group().rstrip("\n"))
        if match:
            which = "bare" if match["bare"] else "name"
            begin, end = first + match.start(which), first + match.end(which)
            effect = heading(match[which].strip(" *_#[]【】"))
            if effect:
                marks.append((end, effect))
                first = end
            elif not match["dash"] and (which == "name" or _CAPITALS.fullmatch(text[begin:end])):
                marks += [] if overlaps(spans, begin, end) else [(first, None)]
        for inline in _INLINE_HEADING.finditer(text, first, line.end()):
            effect = heading(inline["name"].strip().lower())
            if effect:
                # a heading inside a line holds for its sentence, one that begins a line until the next heading
                marks.append((inline.end(), effect))
                stop = next((unit.end for unit in units if unit.end > inline.end()), len(low))
                if stop < line.end() and not any(mark == stop for mark, _ in marks):
                    marks.append((stop, None))
    return sorted(marks, key=_start)


def _context(low: str, mention: Span, hits: list[Hit], effect: str | None, spans: Sequence[tuple[int, int]]) -> Context:
    before = [hit for hit in hits if hit.end <= mention.start]
    after = [hit for hit in hits if hit.start >= mention.end]
    mark = marked(low, mention)
    experiencer = "family" if mark == "family" else _experiencer(low, mention, before, after, effect)
    mark = None if mark == "family" else mark
    ahead = [
        hit for hit in before if hit.cue.direction in ("forward", "both") and _reaches(low, hit, mention, before, spans)
    ]
    behind = [
        hit for hit in after if hit.cue.direction in ("backward", "both") and _reaches_back(low, hit, mention, after)
    ]
    acting = [*ahead, *behind]
    every = {hit.cue.category for hit in acting}
    nearest = min(
        (hit for hit in acting if hit.cue.category in _STATUS),
        key=lambda hit: max(mention.start - hit.end, hit.start - mention.end),
        default=None,
    )
    category = mark or (nearest.cue.category if nearest else None)
    asked = nearest is not None and (nearest.cue.category, nearest.cue.reach) == ("uncertain", "sentence")
    if mark is None and ("hypothetical" in every or asked) and _presupposed(low, mention):
        return Context("present", experiencer)
    if mark is None and ("hypothetical" in every or (effect == "hypothetical" and category != "negated")):
        return Context("uncertain", experiencer, "hypothetical" if experiencer == "patient" else "current")
    if category is None and effect in ("negated", "uncertain"):
        category = effect
    if category == "negated":
        return Context("absent", experiencer)
    if category == "uncertain":
        return Context("uncertain", experiencer)
    # "diagnosed with lupus in 2015" tells when it began, not that it is over
    told = nearest in ahead and nearest.cue.category == "affirmed" and effect != "historical"
    past = any(hit.cue.category == "historical" and not (told and hit.cue.reach == "next") for hit in acting)
    now = any(hit.cue.category == "current" and hit.cue.reach != "manner" for hit in acting)
    past = mark == "historical" or past or (effect == "historical" and not now)
    past = past and experiencer == "patient" and not _now(low, mention, ahead, behind)
    return Context("present", experiencer, "historical" if past else "current")


def _presupposed(low: str, mention: Span) -> bool:
    """Whether a condition or question takes the finding for granted: "if the headache gets worse"."""
    return bool(_DEFINITE.search(low, max(0, mention.start - 8), mention.start) and _GOES_ON.match(low, mention.end))


def _now(low: str, mention: Span, ahead: list[Hit], behind: list[Hit]) -> bool:
    """Whether a time of this illness in the same clause outweighs history before a comma: "h/o AF, chest pain since
    this morning"."""
    told = [hit for hit in behind if hit.cue.category == "current" and not _comma(low[mention.end : hit.start])]
    past = [hit for hit in [*ahead, *behind] if hit.cue.category == "historical"]
    return bool(told) and all(hit.end <= mention.start and _comma(low[hit.end : mention.start]) for hit in past)


def _reaches(low: str, hit: Hit, mention: Span, before: list[Hit], spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a cue before the mention governs it."""
    between = low[hit.end : mention.start]
    if ";" in between or "；" in between:
        return False
    category = hit.cue.category
    later = [other for other in before if other.start >= hit.end]
    if hit.cue.reach == "next":
        return _adjacent(between) and not any(other.cue.category == "end" for other in later)
    if category == "historical" and _recent_event(low, hit, before):
        return False
    if hit.cue.reach == "clause" and _comma(between) and not _listed(low, hit, mention):
        return False
    if (
        category == "negated"
        and not low[hit.start : hit.end].startswith(_LISTING)
        and not _goes_on(low, hit, mention, spans)
    ):
        return False
    if category in ("negated", "uncertain") and "，" in between and hit.cue.reach != "sentence":
        return False
    if category == "affirmed" and any(
        _governed(low, other, hit) for other in before if other.cue.category == "negated"
    ):
        return False
    for other in later:
        name = other.cue.category
        if name == "end" and (category != "hypothetical" or other.cue.direction == "forward"):
            return False
        # "否认家族中有": the verb belongs to the denial before it
        if (
            category in _STATUS
            and name in _STATUS
            and other.cue.direction in ("forward", "both")
            and not (category == "negated" and _governed(low, hit, other))
        ):
            return False
        if category == "historical" and name == "current":
            return False
        if category == "hypothetical" and name == "current" and _comma(low[hit.end : other.start]):
            return False
        if name in ("verb", "grade") and category in _ENDED_BY_VERB and hit.cue.reach != "sentence":
            gap = low[hit.end : other.start]
            if re.search(r"[,，]|\band\b", gap) or any(hit.end <= start < other.start for start, _ in spans):
                return False
    return True


def _governed(low: str, denial: Hit, verb: Hit) -> bool:
    """Whether a Chinese "there is" stands in the clause of a denial before it."""
    between = low[denial.end : verb.start]
    return low[verb.start : verb.end] in _THERE_IS and denial.end <= verb.start and not re.search("[，,、；]", between)


def _recent_event(low: str, hit: Hit, before: list[Hit]) -> bool:
    """Whether a time of this illness stands right before a historical cue: "3天前曾呕血" is not past history."""
    if _YEAR.search(low, hit.start, hit.end):
        return False
    near = (other for other in before if other.cue.category == "current" and other.end <= hit.start)
    return any(hit.start - other.end <= 6 and not _comma(low[other.end : hit.start]) for other in near)


def _goes_on(low: str, hit: Hit, mention: Span, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether "no", "not" or "without" goes on over a comma: it does over a list of findings ("no rash, fever"), but
    "not sleeping well, anxious" denies the sleep alone."""
    between = low[hit.end : mention.start]
    comma = between.find(",")
    cue = low[hit.start : hit.end]
    # "red eyes without pus, cracked lips" goes on with what is there, and so does "no falls, no thirst, poor intake"
    aside = cue == "without" and low[: hit.start].rstrip(" \t")[-1:] not in (*_OPENERS, "")
    aside |= bool(re.search(rf"\b{re.escape(cue)}\b[^,.;]*, *$", low[max(0, hit.start - 60) : hit.start]))
    if _NEW_SUBJECT.search(between):
        return False
    if comma < 0 or (not aside and any(hit.end <= start < hit.end + comma for start, _ in spans)):
        return True
    joins = r"\b(?:or|nor)\b" if aside else r"\b(?:or|and|nor)\b|/"
    return bool(re.search(joins, between[comma:] + low[mention.end : mention.end + 60].split(".")[0]))


def _listed(low: str, hit: Hit, mention: Span) -> bool:
    """Whether the commas between cue and mention belong to an enumeration "A, B or C"."""
    rest = low[hit.end : mention.end + 60].split(".")[0]
    return bool(re.search(r",? (?:or|vs\.?|versus) ", rest)) and len(low[hit.end : mention.start].split()) <= 12


def _adjacent(between: str) -> bool:
    return not _comma(between) and "、" not in between and len(between.split()) <= 2 and len(between) <= 24


def _comma(between: str) -> bool:
    return "," in between or "，" in between


def _reaches_back(low: str, hit: Hit, mention: Span, after: list[Hit]) -> bool:
    """Whether a cue behind the mention governs it."""
    between = low[mention.end : hit.start]
    if hit.cue.category == "historical":
        between = _LASTED.sub("", between)
    if ";" in between or "；" in between or ":" in between or "：" in between:
        return False
    if hit.cue.category == "historical" and _ONSET.search(between):
        return False
    if hit.cue.reach in ("next", "final") and not _adjacent(between):
        return False
    if hit.cue.reach == "final" and not _CLAUSE_END.match(low, hit.end):
        return False
    for other in after:
        if other.end > hit.start:
            break
        if other.cue.category in _BLOCKS_BACK and not (
            hit.cue.category == "historical" and other.cue.category == "verb"
        ):
            return False
    if "，" in between:
        return False
    if _ENUMERATED.search(between):
        return False
    if "," in between:
        # only an enumeration carries a judgement back over commas: "fever, cough and rash were absent"
        last = between.rsplit(",", 1)[1]
        return bool(re.search(r"\b(?:and|or)\b|/", last)) or len(between.split(",")) > 2
    return True


def _experiencer(low: str, mention: Span, before: list[Hit], after: list[Hit], effect: str | None) -> Experiencer:
    people = [hit for hit in before if hit.cue.category in _EXPERIENCERS]
    default: Experiencer = "family" if effect == "family" else "other" if effect == "other" else "patient"
    for hit in reversed(people):
        between = low[hit.end : mention.start]
        if hit.cue.category == "patient":
            return "patient"
        if ";" in between or "；" in between:
            break
        if _SPEAKS.match(low, hit.end):
            return "patient"
        if _reports(low, hit, before):
            continue
        if hit.cue.direction != "backward":
            return "family" if hit.cue.category == "family" else "other"
    for hit in after:
        between = low[mention.end : hit.start]
        if ";" in between or "；" in between or hit.cue.category in ("end", "patient"):
            break
        if hit.cue.category in ("family", "other") and (
            re.search(_BELONGS, between) or (hit.cue.direction == "backward" and not _comma(between))
        ):
            return "family" if hit.cue.category == "family" else "other"
    return default


_BROUGHT = re.compile(r"\b(?:brought|accompanied|escorted|carried|driven|referred|sent|seen)\b[^.;]*$")
_SPEAKS = re.compile(r"\s*[:：]\s*[\"'“]?(?:s?he|they|it|my (?:husband|wife|son|daughter|child|baby))\b")
_BELONGS = re.compile(
    r"^[^,]{0,40}(?:\b(?:in|of|on|with|through|from|via)\s+"
    r"(?:(?:his|her|the|their|a|an|two|both|one|my|patient's|\S+ of (?:his|her|the))\s+)*|\(\s*)$"
)


def _reports(low: str, hit: Hit, before: list[Hit]) -> bool:
    """Whether the person only tells or brings: "his wife has noted irritability", "brought by her mother"."""
    head = low[max(0, hit.start - 24) : hit.start]
    if re.search(r"\b(?:by|per|from|to|with|via|for|told)\s+(?:(?:a|an|his|her|the|their|pt's|patient's)\s+)?$", head):
        goes_on = r",?\s+who\b" if _BROUGHT.search(head) else r",?\s+(?:who|has|had|with)\b"
        return not re.match(goes_on, low[hit.end : hit.end + 12])
    tail = [other for other in before if other.start >= hit.end and other.cue.category == "reporter"]
    return bool(tail) and len(low[hit.end : tail[0].start].split()) <= 3


def is_heading(text: str, start: int, end: int) -> bool:
    """Whether a name is the heading of its line ("PE: lungs clear") and says nothing of the patient."""
    return text[end : end + 1] in (":", "：") and heading(lowered(text[start:end])) is not None
