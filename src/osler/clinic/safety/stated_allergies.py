"""Allergies that a text states: "allergic to X", "Allergies: X (rash)", "hives from X", 对X过敏, and "NKDA".

It finds the words and asks the context layer whether they are denied, doubted or a relative's. What a name means is
for `allergy`; an intolerance told as such ("codeine makes me sick") is no allergy here.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.context import contexts
from osler.record.case import Document
from osler.text import sentences

_REACTION = (
    r"(?:hives|rash(?:es)?|urticaria|wheals|anaphyla\w+|angio-?o?edema|facial swelling|swelling|itch\w*|wheez\w+|"
    r"allergic reaction|bronchospasm|throat (?:swelling|closing)|stevens[- ]johnson\w*|peeling skin)"
)
_REACTION_ZH = r"(?:皮疹|荨麻疹|过敏性休克|过敏反应|喉头水肿|风团|皮肤瘙痒|剥脱性皮炎)"
_KINDS = (
    r"(?:(?:known|drug|medication|medicine|food|environmental|other|significant|documented)"
    r"(?:\s*(?:,|/|or|and)\s*|\s+))*"
)
DENIED = re.compile(
    r"\bNKD?A\b|\bnot allergic to (?:any|anything)"
    rf"|\b(?:no|denies|denied|without|nil|negative for)\s+(?:any\s+|history of\s+)?{_KINDS}allerg(?:y|ies)\b(?!\s+to\b)"
    r"|\ballerg(?:y|ies)\b[^.\n]{0,20}?[:=-][ \t]*(?:none|nil|no\b|denie[sd]|NKD?A|-(?=[ \t]*(?:$|[\n.,;])))"
    r"|(?:否认|无|没有|未发现)(?:明确|已知|任何|明显|特殊)*(?:药物|食物|药品|药|及|和|与|或|、|/|等|其他)*过敏(?!性)"
    r"|过敏史?\s*[:：]\s*(?:无|否认|没有|未发现)|(?:药物|食物)过敏史?(?:阴性|\(-\))",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\b(?:allerg(?:y|ies)|adverse (?:drug )?reactions)(?: list)?[ \t]*[:=][ \t]*"
    r"(?P<list>(?:[^.\n]|\.(?=\d))+|(?:\n[ \t]*(?:[-*•]|\d[.)])[^\n]+)+)"
    r"|(?:药物|食物)?过敏史?\s*[:：]\s*(?P<list_zh>[^。；\n]+)",
    re.IGNORECASE,
)
_TO = re.compile(
    r"\b(?:allergic|anaphylactic|hypersensitive)(?: reactions?)? to\s+(?P<list>[^.;:\n]+)"
    r"|\b(?:allerg(?:y|ies)|anaphylaxis|hypersensitivity|(?:allergic )?reactions?|reacted)(?: badly)? to\s+"
    r"(?P<list2>[^.;:\n]+)"
    r"|对(?P<list_zh>[^，。；,;\n不]{1,30}?)(?:有|药物|严重|明显|均)*过敏",
    re.IGNORECASE,
)
# Behind one of these characters begins the Chinese name: "母亲青霉素过敏", "否认青霉素过敏".
_BREAKS_ZH = "对有无是史认诉者亲子夫儿女"
_BEFORE = re.compile(
    r"(?<![\w-])(?P<name>[A-Za-z][\w-]*(?:(?:/| and | or |, )?\s?[A-Za-z][\w-]*)?)[\s-]+allerg(?:y|ies|ic)\b"
    rf"|(?P<name_zh>(?:(?![{_BREAKS_ZH}])[\u4e00-\u9fff、]){{2,14}})过敏(?!性|史?\s*[:：]|反应)",
    re.IGNORECASE,
)
_REACTED = re.compile(
    rf"\b{_REACTION}\s+(?:from|to|with|after|on|due to|caused by)\s+(?:taking\s+|having\s+)?"
    r"(?P<name>[A-Za-z][\w/ -]{2,30})"
    r"|(?P<name2>[A-Za-z][\w/-]{2,30})\s+(?:causes?|caused|gives?|gave|brings|brought|->|→|=)\s+"
    rf"(?:(?:him|her|me|them|out|in|a|an|bad|severe|widespread|my|his)\s+)*{_REACTION}"
    rf"|(?:服用|应用|使用|注射|静滴|静点|输注|口服|用)(?P<name_zh>[\u4e00-\u9fff]{{2,10}}?)后[^。；\n]{{0,8}}?{_REACTION_ZH}",
    re.IGNORECASE,
)
_NAMING = re.compile(r"allerg|anaphyl|过敏", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(?:,|;|、|，|；|\n\s*(?:[-*•]|\d[.)])?|\band\b|\bor\b|&|\+|及|和|与|以及)\s*", re.IGNORECASE)
_REMARK = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]|(?<=\w)(?:[ \t]+[-–:](?=\s)|[ \t]*(?:->|→))[^,;、，；\n]*")
# A piece with one of these goes on with something else than names of allergens.
_STOP = re.compile(
    r"\b(?:but|which|who|takes?|taking|took|started|starting|given|was|were|is|are|has|had|have|he|she|they|i|it"
    r"|presents?|presented|presenting|prescribed|now|came|comes|denies|reports|with|so|because|since|on|in|for|when"
    r"|where|as|unsure|unknown|not|reviewed|updated|see)\b|目前|现|给予|予|服用|因|入院|不详|未知|什么",
    re.IGNORECASE,
)
# "Are you allergic to penicillin?" asks about one drug: a "no" says nothing of others.
_SPECIFIC = re.compile(
    r"allerg\w*\s+to\s+(?!any|anything|med|drug|food|the)|对(?!什么|任何|哪|药|食)[^，。？?]{1,12}过敏", re.IGNORECASE
)
_EXCEPT = re.compile(r"\b(?:except|apart from|but|only|just|other than)\b|除了|只有|就是", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:just|only|yes|yeah|well|um+|uh+|to|the|a|an|some|any|possible|possibly|probable|reported|severe|mild|known"
    r"|my|all|drugs?|like|such as|is|maybe|i think|there's|oh|except|but|history of|h/o|her|his|of|with|has"
    r"|no|not|denies|(?:she|he|i|patient|pt)(?:'s)?)\b\s*|(?:不|曾|既往|患者|可疑|可能|疑似|嗯)\s*)+",
    re.IGNORECASE,
)
_SEVERE = re.compile(
    r"anaphyla|angio-?o?edema|stevens|necrolysis|\bSJS\b|\bDRESS\b|(?:tongue|throat|face|lips?) swel"
    r"|swelling of (?:the |my |his |her )?(?:tongue|throat|face|lips?)|collaps|couldn't breathe|could not breathe"
    r"|休克|喉头|剥脱",
    re.IGNORECASE,
)


class Stated(NamedTuple):
    """One name given as an allergen. `certain`: False for "possible"; `severe`: by the reaction written beside it;
    `listed`: the form of words names allergens and nothing else, so an unknown name is worth telling; `start`, `end`:
    the name in the document's text."""

    name: str
    listed: bool
    certain: bool
    severe: bool
    start: int
    end: int


class Allergies(NamedTuple):
    """`denied`: where the text says that there are none; `places`: every stretch that speaks of allergies by name, so
    that a drug in it isn't taken for one that is given."""

    stated: list[Stated]
    denied: list[tuple[int, int]]
    places: list[tuple[int, int]]


class _Piece(NamedTuple):
    """`span`: what the context is asked of; `reaction`: the words around the names."""

    name: str
    listed: bool
    start: int
    end: int
    span: tuple[int, int]
    reaction: str


def allergies_of(document: Document) -> Allergies:
    """What a document says of allergies, in its own words."""
    text = document.text
    pieces = list(dict.fromkeys(sorted(_pieces(text), key=lambda piece: (piece.start, -piece.end))))
    spans = [piece.span for piece in pieces]
    stated: list[Stated] = []
    denied = [match.span() for match in DENIED.finditer(text)]
    for piece, context in zip(pieces, contexts(text, spans), strict=True):
        status = dialogue.status_in(text, document.turns, piece.start, context.status)
        unanswered = status == "uncertain" and dialogue.reply_to(text, document.turns, piece.start) is not None
        meant = context.time != "hypothetical" and context.experiencer == "patient" and status != "absent"
        if meant and not unanswered and not any(start < piece.end and piece.start < end for start, end in denied):
            severe = _SEVERE.search(piece.reaction) or _SEVERE.search(text, piece.start, _end(text, piece.end))
            stated.append(Stated(piece.name, piece.listed, status == "present", bool(severe), piece.start, piece.end))
    places = [*spans, *denied]
    for answer in _answers(document):
        stated += answer.stated
        denied += answer.denied
        places += answer.places
    return Allergies(list({(one.start, one.end): one for one in stated}.values()), denied, places)


def _end(text: str, start: int) -> int:
    """To where a reaction may be written behind a name: the next name of the list, or the end of the sentence."""
    match = re.compile(r"[,;、，；。\n]|\.(?!\d)").search(text, start)
    bracket = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]").match(text, start)
    return max(match.start() if match else len(text), bracket.end() if bracket else 0)


def _pieces(text: str) -> Iterator[_Piece]:
    for pattern in (_LISTED, _TO, _BEFORE, _REACTED):
        for match in pattern.finditer(text):
            group = next(name for name, value in match.groupdict().items() if value is not None)
            listed = pattern in (_LISTED, _TO) and bool(_NAMING.search(match.group()))
            for name, start, end in _names(text, *match.span(group)):
                # the words that name the allergy, without a "no" before them, which is context
                first = match.start() if match.start() < match.start(group) else start
                stop = match.end() if pattern is _BEFORE else end
                around = text[match.start() : match.start(group)] + text[match.end(group) : match.end()]
                yield _Piece(name, listed, start, end, (first, max(end, stop)), around)


def _names(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The names of a list with their places, to the first piece that isn't one; reactions beside them left out."""
    bare = _REMARK.sub(lambda match: " " * len(match.group()), text[start:end])
    at = 0
    for match in [*_SPLIT.finditer(bare), None]:
        stop = match.start() if match else len(bare)
        piece = bare[at:stop].lstrip(" -*•\n\t")
        lead = _LEAD.match(piece)
        begin = stop - len(piece) + (lead.end() if lead else 0)
        at = match.end() if match else stop
        halt = _STOP.search(bare, begin, stop)
        name = bare[begin : halt.start() if halt else stop].rstrip(" -?？!.\n\t")
        if len(name) > 1 and len(name.split()) <= 4:
            yield name, start + begin, start + begin + len(name)
        if halt:
            return


def _answers(document: Document) -> Iterator[Allergies]:
    """Replies to a doctor who asks about allergies: "Penicillin. I got hives." or "No."."""
    text = document.text
    for asking, turn in zip(document.turns, document.turns[1:], strict=False):
        if asking.speaker != "doctor" or turn.speaker == "doctor":
            continue
        last = [text[s.start + asking.start : s.end + asking.start] for s in sentences(text[asking.start : asking.end])]
        if not last or not _NAMING.search(last[-1]) or not dialogue.is_question(last[-1]):
            continue
        reply, place = text[turn.start : turn.end], (turn.start, turn.end)
        if dialogue.polarity(reply) == "absent" and not _EXCEPT.search(reply):
            yield Allergies([], [] if _SPECIFIC.search(last[-1]) else [place], [place])
            continue
        found: list[Stated] = []
        for span in sentences(reply):
            first, end = turn.start + span.start, turn.start + span.end
            words = re.sub(r"[.!?。！？]+$", "", text[first:end])
            doubt = dialogue.polarity(words) == "uncertain"
            severe = bool(_SEVERE.search(reply))
            for name, begin, stop in _names(text, first, first + len(words)):
                found.append(Stated(name, False, not doubt, severe, begin, stop))
        yield Allergies(found, [], [place])
