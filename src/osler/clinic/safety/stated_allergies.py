"""Allergies that a text states: lists under a heading, "allergic to X", "hives from X", 对X过敏, 皮试阳性, and "NKDA".

The words are data (`data/allergy_words.toml`). A known drug or class is taken from the names, so that only the
relation to it has to be read; an unknown name is kept where the form of words names allergens and nothing else. The
sentence alone decides whether a statement is denied, doubted or conditional, never the section around it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from osler.clinic.safety.passages import sentence_at
from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.context import Context, contexts
from osler.knowledge.drugs import tables
from osler.knowledge.drugs.names import Drug, Mention, load_names, mentions
from osler.record.case import Document
from osler.text import Span, sentences

Kind = Literal["allergy", "intolerance"]
KNOWN = "\ue000"  # stands for each character of a known drug or class in a masked text


class Allergen(NamedTuple):
    """What the patient is allergic to: drugs or whole classes, both empty for an unknown name. `certain`: False for
    "possible"; `severe`: by the reaction beside it; `start`, `end`: the name in a text; `source`: evidence id."""

    name: str
    drugs: tuple[Drug, ...]
    classes: tuple[str, ...]
    kind: Kind = "allergy"
    certain: bool = True
    severe: bool = False
    start: int = 0
    end: int = 0
    source: str = ""


class Allergies(NamedTuple):
    """`denied`: where the text says that there are none to drugs; `places`: every name in a statement about allergies,
    so that a drug there isn't taken for one that is given."""

    stated: list[Allergen]
    denied: list[Span]
    places: list[Span]


class _Piece(NamedTuple):
    """A name with what is said around it. `cue`: from where to where the context is asked of; `drug`: what a
    diagnosis such as AERD stands for; `excepted`: named as the exception of a denial."""

    start: int
    end: int
    cue: Span
    remark: str
    kind: Kind | None = None
    drug: str | None = None
    excepted: bool = False


_SAYS = tables.patterns(__package__, "allergy_words.toml")
_PROSE = tuple(tables.patterns(__package__, "allergy_words.toml", "prose").values())
_CLASSES = tables.patterns(__package__, "allergy_words.toml", "classes")
_DIAGNOSES = tables.patterns(__package__, "allergy_words.toml", "diagnoses")


def allergies_of(document: Document) -> Allergies:
    """What a document says of allergies, in its own words."""
    text = document.text
    known = _known(text)
    masked = _masked(text, known)
    found = dict.fromkeys([*_listed(text, masked, document), *_prose(text, masked)])
    pieces = sorted(found, key=lambda one: (one.start, -one.end))
    excepted = {sentence_at(text, one.start) for one in pieces if one.excepted}
    denied = [span for span in _denials(text) if sentence_at(text, span.start) not in excepted]
    stated: list[Allergen] = []
    for piece, context in zip(pieces, _contexts(document, pieces, denied), strict=True):
        status = dialogue.status_in(text, document.turns, piece.start, context.status)
        asked = dialogue.reply_to(text, document.turns, piece.start)
        if piece.excepted:
            status, asked = "present", None
        if status == "absent" or context.experiencer != "patient" or context.time == "hypothetical":
            continue
        if status == "uncertain" and asked is not None:
            continue
        stated += _stated(text, piece, status == "present", known)
    places = [Span(piece.start, piece.end) for piece in pieces] + denied
    for answer in _answers(document, known):
        stated += answer.stated
        denied += answer.denied
        places += answer.places
    return Allergies(_merged(stated), denied, places)


def denies(label: str) -> bool:
    """Whether an entry of the record says that there are no drug allergies."""
    return bool(_denials(label)) or bool(_SAYS["none"].fullmatch(label.strip()))


def classes_in(name: str) -> tuple[str, ...]:
    """The drug classes that words name."""
    return tuple(kind for kind, pattern in _CLASSES.items() if pattern.search(name))


def severity_of(words: str) -> tuple[Kind | None, bool]:
    """What reactions make of an entry: allergy or intolerance (None where they say nothing), and whether severe."""
    found = {match.lastgroup for match in _SAYS["signs"].finditer(words)}
    severe = "severe" in found or ("side" not in found and _SAYS["strong"].search(words) is not None)
    if severe or "allergic" in found:
        return "allergy", severe
    return ("intolerance", False) if found else (None, False)


def _known(text: str) -> list[Mention]:
    """Drugs and classes named in the text, the longest first where they overlap, in order."""
    found = [Mention(m.start(), m.end(), ()) for one in _CLASSES.values() for m in one.finditer(text)]
    kept: list[Mention] = []
    for one in sorted([*mentions(text), *found], key=lambda one: (one.start - one.end, not one.drugs)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept)


def _masked(text: str, known: Sequence[Mention]) -> str:
    masked = list(text)
    for one in known:
        masked[one.start : one.end] = KNOWN * (one.end - one.start)
    return "".join(masked)


def _denials(text: str) -> list[Span]:
    """Where drug allergies are denied; a denial of food allergies alone says nothing of drugs."""
    found = [
        match.span()
        for match in _SAYS["denied"].finditer(text)
        if not _SAYS["not_drugs"].search(match.group()) or _SAYS["drugs"].search(match.group())
    ]
    for match in _SAYS["heading"].finditer(text):
        body = text[match.end() : match.end() + 40]
        if (
            _SAYS["none"].match(body)
            and not _SAYS["except"].search(body.split("\n")[0])
            and not _SAYS["not_drugs"].search(match.group())
        ):
            found.append((match.start(), match.end() + len(body.split("\n")[0].split(".")[0])))
    return [Span(*span) for span in dict.fromkeys(found)]


def _listed(text: str, masked: str, document: Document) -> Iterator[_Piece]:
    """Entries of lists under a heading of allergies."""
    for match in _SAYS["heading"].finditer(text):
        if _SAYS["not_drugs"].search(match.group()) and not _SAYS["drugs"].search(match.group()):
            continue
        for start, end in _bodies(text, match.end(), document):
            yield from _entries(text, masked, start, end)


def _bodies(text: str, start: int, document: Document) -> Iterator[tuple[int, int]]:
    """The lines of a list: what follows the heading on its line and bulleted or tabulated lines below; all lines to the
    next blank one or heading where the heading stands alone."""
    heads = (text.rfind(one.title, 0, one.start) for one in document.sections)
    stop = min((head for head in heads if head >= start), default=len(text))
    first = text.find("\n", start) if "\n" in text[start:] else len(text)
    own = text[start:first].strip(" \t*|:：")
    table = "|" in text[start:first]
    if own and not table:
        yield start, first
    alone = not own
    at = first
    while at < len(text):
        begin = at + 1
        at = text.find("\n", begin) if "\n" in text[begin:] else len(text)
        line = text[begin:at]
        entry = re.match(r"[ \t]*(?:[-*•]|\d[.)]\s)", line) or (table and "|" in line)
        heading = begin >= stop or re.match(r"[A-Z][A-Z /&]{3,}\b|[A-Za-z /&]{2,30}:\s*$|#", line)
        if not line.strip() and alone and not text[first:begin].strip():
            continue
        if not (line.strip() and (entry or alone) and not (heading and not entry)):
            return
        yield begin, at


def _entries(text: str, masked: str, start: int, end: int) -> Iterator[_Piece]:
    """The entries of one line. Behind its first sentence one counts that begins with a known name and a remark."""
    for number, span in enumerate(sentences(masked[start:end])):
        first, last = start + span.start, start + span.end
        entry = re.match(rf"{KNOWN}+\s*(?:[-–(\[:,.]|$)", masked[first:last])
        if (number and not entry) or _SAYS["telling"].match(masked[first:last]):
            continue
        for begin, stop, remark in _names(text, first, last):
            yield _Piece(begin, stop, Span(begin, stop), remark)


def _names(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The names of a list with their places and remarks, to the first piece that isn't one."""
    body = text[start:end]
    bare = _SAYS["remark"].sub(lambda match: "\x00" * len(match.group()), body)
    splits = [*_SAYS["split"].finditer(bare), None]
    at = 0
    for number, split in enumerate(splits):
        stop = split.start() if split else len(bare)
        piece = bare[at:stop]
        lead = _SAYS["lead"].match(piece)
        begin = at + (lead.end() if lead else 0)
        halt = _SAYS["stop"].search(bare, begin, stop)
        name = bare[begin : halt.start() if halt else stop].split("\x00")[0].rstrip(" -?？!.*\n\t")
        following = next((one.start() for one in splits[number + 1 :] if one), len(bare))
        remark = body[begin + len(name) : stop] + (body[stop:following] if _only_sign(body[stop:following]) else "")
        if (
            len(name) > 1
            and len(name.split()) <= 4
            and not _only_sign(name)
            and not (_SAYS["none"].match(name) or _SAYS["general"].match(name))
        ):
            yield start + begin, start + begin + len(name), (lead.group() if lead else "") + remark
        if halt and not _SAYS["remark"].search(body[halt.start() : stop]):
            return
        at = split.end() if split else stop


def _only_sign(words: str) -> bool:
    """Whether words are a reaction and no name: "rash, hives" behind a name."""
    bare = words.strip(" ,;、，；.")
    match = _SAYS["signs"].match(bare)
    return match is not None and match.end() >= len(bare) - 3


def _prose(text: str, masked: str) -> Iterator[_Piece]:
    for drug, diagnosis in _DIAGNOSES.items():
        for match in diagnosis.finditer(text):
            at = Span(*match.span())
            yield _Piece(at.start, at.end, at, match.group(), "allergy", drug)
    for unit in sentences(text):
        sentence = masked[unit.start : unit.end]
        for match in (found for pattern in _PROSE for found in pattern.finditer(sentence)):
            groups = {name: value for name, value in match.groupdict().items() if value is not None}
            around = Span(unit.start + match.start(), unit.start + match.end())
            intolerance: Kind | None = "intolerance" if {"side", "side_zh"} & set(groups) else None
            if "why" in groups and severity_of(groups["why"])[0] is None and _SAYS["reason"].search(groups["why"]):
                continue
            if groups.get("effect") == "":
                continue
            for name in ("list", "list_zh", "unknown", "unknown_zh", "known", "known2"):
                if name not in groups:
                    continue
                start, end = (unit.start + place for place in match.span(name))
                if name.startswith("unknown") and _SAYS["no_allergen"].match(text[start:end]):
                    continue
                for begin, stop, remark in _names(text, start, end):
                    beside = text[around.start : start] + text[end : max(end, around.end)]
                    remark = f"{beside} {remark} {_behind(text, stop, unit.end)}"
                    relieving = _SAYS["relief"].search(text[begin:stop]) and "allerg" not in match.group().lower()
                    if not relieving:
                        cue = Span(min(around.start, begin), max(around.end, stop))
                        yield _Piece(begin, stop, cue, remark, intolerance, None, "except" in groups)


def _behind(text: str, start: int, end: int) -> str:
    """Words up to the next name of the list or the sentence's end, a bracket whole."""
    match = re.compile(r"[,;、，；。\n]|\.(?!\d)").search(text, start, end)
    bracket = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]").match(text, start, end)
    return text[start : max(match.start() if match else end, bracket.end() if bracket else 0)]


def _contexts(document: Document, pieces: Sequence[_Piece], denied: Sequence[Span]) -> list[Context]:
    """Status and time by the sentence alone, the experiencer by the whole text."""
    text = document.text
    whose = contexts(text, [piece.cue for piece in pieces])
    found: list[Context] = []
    for piece, around in zip(pieces, whose, strict=True):
        unit = sentence_at(text, piece.cue.start)
        first, stop = max(unit.start, text.rfind("，", 0, piece.cue.start) + 1), max(unit.end, piece.cue.end)
        context = contexts(text[first:stop], [(piece.cue.start - first, piece.cue.end - first)])[0]
        before = text[first : piece.start]
        if _SAYS["told"].search(text, unit.start, piece.start):
            around = Context()
        if piece.excepted:
            context = Context()
        elif _SAYS["asked"].search(before) or (not document.turns and text[first:stop].endswith(("?", "？"))):
            context = Context("uncertain", time="hypothetical")
        elif any(span.start < piece.end and piece.start < span.end for span in denied) or _SAYS["refuted"].search(
            text, piece.end, stop
        ):
            context = Context("absent")
        elif context.status == "present" and _SAYS["doubt"].search(before):
            context = Context("uncertain")
        found.append(context._replace(experiencer=around.experiencer))
    return found


def _stated(text: str, piece: _Piece, certain: bool, known: Sequence[Mention]) -> Iterator[Allergen]:
    """The allergens of a piece: the known drugs and classes in it, else its name as it is."""
    kind, severe = severity_of(piece.remark)
    kind = piece.kind or kind or "allergy"
    if piece.drug is not None:
        yield Allergen(
            piece.drug, tuple(load_names().exact(piece.drug)), (), kind, certain, severe, piece.start, piece.end
        )
        return
    inside = [one for one in known if one.start < piece.end and piece.start < one.end]
    for one in inside or [Mention(piece.start, piece.end, ())]:
        name = text[one.start : one.end]
        yield Allergen(
            name, one.drugs, classes_in(name), kind, certain, severe and kind == "allergy", one.start, one.end
        )


def _merged(stated: Sequence[Allergen]) -> list[Allergen]:
    """One of each place: the surest and most severe."""
    best: dict[tuple[int, int], Allergen] = {}
    for one in sorted(stated, key=lambda one: (one.start, one.kind != "intolerance", one.certain, one.severe)):
        best[one.start, one.end] = one
    return list(best.values())


def _answers(document: Document, known: Sequence[Mention]) -> Iterator[Allergies]:
    """Replies to a doctor who asks about allergies: "Penicillin. I got hives." or "No."."""
    text = document.text
    for asking, turn in zip(document.turns, document.turns[1:], strict=False):
        if asking.speaker != "doctor" or turn.speaker == "doctor":
            continue
        last = [text[s.start + asking.start : s.end + asking.start] for s in sentences(text[asking.start : asking.end])]
        if not last or not dialogue.is_question(last[-1]):
            continue
        reaction = text[turn.start : turn.end]
        about = _SAYS["naming"].search(text, max(0, asking.start - 200), asking.start) and len(last[-1].split()) < 8
        agreed = about and dialogue.polarity(reaction) == "present"
        named = [one for one in known if asking.start <= one.start < asking.end]
        happens = named if agreed or (_SAYS["happens"].search(last[-1]) and severity_of(reaction)[0]) else []
        for one in happens:
            piece = _Piece(one.start, one.end, Span(one.start, one.end), reaction)
            yield Allergies(list(_stated(text, piece, True, known)), [], [Span(one.start, one.end)])
        if happens or not _SAYS["naming"].search(last[-1]):
            continue
        reply, place = text[turn.start : turn.end], Span(turn.start, turn.end)
        if _SAYS["none_known"].match(reply) or (
            dialogue.polarity(reply) == "absent" and not _SAYS["except"].search(reply)
        ):
            yield Allergies([], [] if _SAYS["specific"].search(last[-1]) else [place], [place])
            continue
        found: list[Allergen] = []
        for span in sentences(reply):
            first, end = turn.start + span.start, turn.start + span.end
            doubt = dialogue.polarity(text[first:end]) == "uncertain"
            for begin, stop, _ in _names(text, first, end):
                if any(one.start < stop and begin < one.end for one in known):
                    found += _stated(text, _Piece(begin, stop, span, reply), not doubt, known)
        yield Allergies(found, [], [place])
