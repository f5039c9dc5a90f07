"""Allergies that a text states: which names of its statements the patient surely or possibly reacts to.

The sentence alone decides whether a statement is denied, doubted or conditional, never the section around it. An
unknown name is kept where the form of words names allergens and nothing else.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from osler.clinic.safety.named_allergens import SAYS, Kind, Piece, names_in, of_drugs, pieces_of, severity_of
from osler.clinic.safety.passages import sentence_at
from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.context import Context, contexts
from osler.knowledge.drugs.names import Drug, Mention, classes_in, load_names, mentions_and_classes
from osler.record.case import Document
from osler.text import Span, sentences


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


def allergies_of(document: Document) -> Allergies:
    """What a document says of allergies, in its own words."""
    text = document.text
    known = mentions_and_classes(text)
    pieces = pieces_of(document, known)
    excepted = {sentence_at(text, one.start) for one in pieces if one.excepted}
    denied = [span for span in _denials(text) if sentence_at(text, span.start) not in excepted]
    whose = contexts(text, [piece.cue for piece in pieces])
    stated: list[Allergen] = []
    for piece, context in zip(pieces, whose, strict=True):
        if (sure := _holds(document, piece, context, denied)) is not None:
            stated += _stated(text, piece, sure, known)
    places = [Span(piece.start, piece.end) for piece in pieces] + denied
    for answer in _answers(document, known):
        stated += answer.stated
        denied += answer.denied
        places += answer.places
    return Allergies(_merged(stated), denied, places)


def denies(label: str) -> bool:
    """Whether an entry of the record says that there are no drug allergies."""
    return bool(_denials(label)) or bool(SAYS["none"].fullmatch(label.strip()))


def _denials(text: str) -> list[Span]:
    """Where drug allergies are denied; a denial of food allergies alone says nothing of drugs."""
    found = [Span(*match.span()) for match in SAYS["denied"].finditer(text) if of_drugs(match.group())]
    for match in SAYS["heading"].finditer(text):
        body = text[match.end() : match.end() + 40]
        line = body.split("\n")[0]
        bare = not SAYS["except"].search(line) and not SAYS["not_drugs"].search(match.group())
        if bare and SAYS["none"].match(body):
            found.append(Span(match.start(), match.end() + len(line.split(".")[0])))
    return list(dict.fromkeys(found))


def _holds(document: Document, piece: Piece, whose: Context, denied: Sequence[Span]) -> bool | None:
    """Whether the patient surely has it, False where in doubt, None if it is denied, only asked or another's.
    Status and time by the sentence alone, the experiencer by the whole text."""
    text = document.text
    unit = sentence_at(text, piece.cue.start)
    first, stop = max(unit.start, text.rfind("，", 0, piece.cue.start) + 1), max(unit.end, piece.cue.end)
    before = text[first : piece.start]
    if whose.experiencer != "patient" and not SAYS["told"].search(text, unit.start, piece.start):
        return None
    if piece.excepted:
        return True
    if SAYS["asked"].search(before) or (not document.turns and text[first:stop].endswith(("?", "？"))):
        return None
    refuted = SAYS["refuted"].search(text, piece.end, stop)
    if refuted or any(span.start < piece.end and piece.start < span.end for span in denied):
        return None
    context = contexts(text[first:stop], [(piece.cue.start - first, piece.cue.end - first)])[0]
    if context.status == "present" and SAYS["doubt"].search(before):
        context = Context("uncertain")
    status = dialogue.status_in(text, document.turns, piece.start, context.status)
    unanswered = status == "uncertain" and dialogue.reply_to(text, document.turns, piece.start) is not None
    left = status == "absent" or unanswered or context.time == "hypothetical"
    return None if left else status == "present"


def _stated(text: str, piece: Piece, certain: bool, known: Sequence[Mention]) -> Iterator[Allergen]:
    """The allergens of a piece: the known drugs and classes in it, else its name as it is."""
    kind, severe = severity_of(piece.remark)
    kind = piece.kind or kind or "allergy"
    if piece.drug is not None:
        drugs = tuple(load_names().exact(piece.drug))
        yield Allergen(piece.drug, drugs, (), kind, certain, severe, piece.start, piece.end)
        return
    severe = severe and kind == "allergy"
    inside = [one for one in known if one.start < piece.end and piece.start < one.end]
    for one in inside or [Mention(piece.start, piece.end, ())]:
        name = text[one.start : one.end]
        yield Allergen(name, one.drugs, classes_in(name), kind, certain, severe, one.start, one.end)


def _merged(stated: Sequence[Allergen]) -> list[Allergen]:
    """One of each place: the surest and most severe."""
    best: dict[tuple[int, int], Allergen] = {}
    for one in sorted(stated, key=lambda one: (one.start, one.kind != "intolerance", one.certain, one.severe)):
        best[one.start, one.end] = one
    return list(best.values())


def _answers(document: Document, known: Sequence[Mention]) -> Iterator[Allergies]:
    """Replies to a doctor who asks about allergies: "Penicillin. I got hives." or "No."."""
    text = document.text
    for asking, turn in pairwise(document.turns):
        if asking.speaker != "doctor" or turn.speaker == "doctor":
            continue
        asked, reply, place = text[asking.start : asking.end], text[turn.start : turn.end], Span(turn.start, turn.end)
        last = "".join(asked[span.start : span.end] for span in sentences(asked)[-1:])
        if not dialogue.is_question(last):
            continue
        about = SAYS["naming"].search(text, max(0, asking.start - 200), asking.start) and len(last.split()) < 8
        agreed = about and dialogue.polarity(reply) == "present"
        named = [one for one in known if asking.start <= one.start < asking.end]
        happens = named if agreed or (SAYS["happens"].search(last) and severity_of(reply)[0]) else []
        for one in happens:
            piece = Piece(one.start, one.end, Span(one.start, one.end), reply)
            yield Allergies(list(_stated(text, piece, True, known)), [], [Span(one.start, one.end)])
        if happens or not SAYS["naming"].search(last):
            continue
        no = dialogue.polarity(reply) == "absent" and not SAYS["except"].search(reply)
        if no or SAYS["none_known"].match(reply):
            yield Allergies([], [] if SAYS["specific"].search(last) else [place], [place])
            continue
        found: list[Allergen] = []
        for span in sentences(reply):
            first, end = turn.start + span.start, turn.start + span.end
            doubt = dialogue.polarity(text[first:end]) == "uncertain"
            for begin, stop, _ in names_in(text, first, end):
                if any(one.start < stop and begin < one.end for one in known):
                    found += _stated(text, Piece(begin, stop, span, reply), not doubt, known)
        yield Allergies(found, [], [place])
