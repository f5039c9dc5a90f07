"""AgentClinic's OSCE cases (Schmidgall et al. 2024) as scripts: each sentence, denial and result a fact of its own.

What a sentence answers is read off its words (`says` in topics.toml), the field it stands in, and the symptoms it
names. The patient's voice is made by rule; where a parent speaks, the third person stays.
"""

import re
from collections.abc import Iterator
from typing import Any

from osler.education.patient.script import TOPICS, WORDS, Fact, Script, codes_of, finished
from osler.errors import InputError
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.record.demographics import demographics
from osler.text import sentences

_DENIES = re.compile(
    r"^(?:(?:the )?(?:patient|parents?|mother|father|she|he) (?:also )?)?"
    r"(?:denies|reports no|has no|does not (?:report|have)|no|without)\s+"
    r"(?:experiencing |having |any |recent |known |history of )*"
    r"(?P<list>(?!.*\b(?:apart from|besides|except|other than)\b).+?)\.?$",
    re.I,
)
_PARTS = re.compile(
    r",?\s+(?:accompanied by|along with|associated with)\s+|;\s*|,\s+(?:and|but)\s+(?=(?:she|he|has|is|no)\b)", re.I
)
_ITEMS = re.compile(r",\s*(?:and\s+|or\s+|but\s+)?|\s+(?:or|nor)\s+|\s+and\s+")
_SPEAKING = re.compile(
    r"^(?:(?:the )?(?:patient|she|he|parents?|mother|father) )?(?:also )?(?:"
    r"reports?|mentions?|states?|notes?|describes?|says?|complains? of|presents? (?:with|for)|recalls?|indicates?"
    r")\s+(?P<that>that\s+)?(?:having\s+|experiencing\s+)?",
    re.I,
)
_BROUGHT = re.compile(
    r"^(?:The patient|He|She|My child) (?:is|was) brought in .{0,60}?(?:due to|because of|with|for)\s+", re.I
)
_HISTORY = re.compile(
    r"^(?:I have |I've had )?an? ([\w-]+?)[- ](hour|day|week|month|year)s? history of (?:experiencing )?", re.I
)
_CLAUSE = re.compile(r"^(?:i|she|he|her|his|my|the|these|they|it|there|this|that|no|not|being|feeling)\b", re.I)
_VOICE: list[tuple[re.Pattern[str], Any]] = [
    (re.compile(r"\b(?:the patient|she|he)\b", re.I), "I"),
    (re.compile(r"\b(?:her|his)\b", re.I), "my"),
    (re.compile(r"\b(?:herself|himself)\b", re.I), "myself"),
    (re.compile(r"^Significant for\b", re.I), "I have"),
    (re.compile(r"^I have noticing\b"), "I noticed"),
    (re.compile(r"^I have (\w+ing)\b"), r"I have been \1"),
    (re.compile(r"^(I .*\b(?:and|but)) has\b"), r"\1 have"),
    (re.compile(r"^(I .*\b(?:and|but)) is\b"), r"\1 am"),
    (re.compile(r"\bI has\b"), "I have"),
    (re.compile(r"\bI is\b"), "I am"),
    (re.compile(r"\bI does\b"), "I do"),
    (re.compile(r"\bI denies\b"), "I don't have"),
    (re.compile(r"^Does not\b"), "I don't"),
    (re.compile(r"^Being\b", re.I), "I am"),
    (re.compile(r"^Feeling\b", re.I), "I feel"),
    (re.compile(r"^Non-?smoker\b", re.I), "I don't smoke"),
    (re.compile(r"^(Work|Live|Enjoy|Drink|Smoke|Use|Take|Consume|Exercise)s\b"), lambda found: f"I {found[1].lower()}"),
    (re.compile(r"\bI (\w+[sxh])es\b"), r"I \1"),
    (re.compile(r"\bI ((?!was\b|this\b)\w{2,}[^s\W])s\b"), r"I \1"),
]
_NOW = ("History", "History_of_Present_Illness", "Primary_Symptom")  # fields that tell of the complaint
_FIELDS = [  # words of a field's name, and what it answers
    (re.compile(words, re.I), topic)
    for words, topic in (
        ("past_medical", "past"), ("medication", "medicines"), ("allerg", "allergies"), ("family", "family"),
        ("surg", "surgery"), ("travel", "travel"), ("occupation", "occupation"), ("birth", "birth"),
    )
]  # fmt: skip
_SPAN = re.compile(r"(hour|day|week|month|year)s? history of", re.I)
_PLACED = {"onset", "duration", "frequency", "course", "site"}  # of the complaint, unless the sentence is of these
_APART = {"past", "family", "menses", "surgery", "pregnancy", "contraception", "sexual", "vaccines", "travel"}
_BEFORE = re.compile(r"\bhistory of\b|diagnosed with|treated for", re.I)
NAMING = 40  # characters up to which the words themselves name what they are about
SHORT = 4  # letters of everyday words that are names of drugs, too
LISTED = 90  # characters of a sentence that lists what a person does
_SMALL_CHILD = re.compile(
    r"\b(infant|newborn|baby)\b|\b\d+[- ](?:day|week|month)s?[- ]old\b|\b[0-9][- ]years?[- ]old\b", re.I
)


def read_osce(row: dict[str, Any], name: str) -> Script:
    """The script of one case. Raises InputError that names the missing field."""
    case = row.get("OSCE_Examination")
    if not isinstance(case, dict):
        raise InputError("an object was expected", where=f"{name}: OSCE_Examination")
    for field in ("Patient_Actor", "Correct_Diagnosis"):
        if not case.get(field):
            raise InputError("the case lacks this field", where=f"{name}: OSCE_Examination.{field}")
    actor = case["Patient_Actor"]
    if not isinstance(actor, dict):
        raise InputError("an object was expected", where=f"{name}: OSCE_Examination.Patient_Actor")
    person = str(actor.get("Demographics", ""))
    said, _ = demographics(person)
    parent = bool(_SMALL_CHILD.search(person))
    told = [fact for field, part in actor.items() if field != "Demographics" for fact in _told(field, part, parent)]
    results = [
        fact
        for field, kind in (("Physical_Examination_Findings", "examination"), ("Test_Results", "test"))
        for fact in _results(case.get(field) or {}, kind, ())
    ]
    first = _first(actor.get("Symptoms")) or _first(actor.get("History")) or case.get("Objective_for_Doctor", "")
    fields = {
        "id": str(row.get("id") or name),
        "age": next((one.age for one in said if one.age), None),
        "sex": next((one.sex for one in said if one.sex), None),
        "opening": _voice(_first_sentence(first), parent),
        "speaker": "parent" if parent else "patient",
        "diagnosis": str(case["Correct_Diagnosis"]),
        "facts": _numbered(told, results),
    }
    return finished(fields, [], name)


def _numbered(told: list[Fact], results: list[Fact]) -> list[Fact]:
    """The facts with ids of their own; what was told before in the same words is not told again."""
    seen: dict[str, Fact] = {}
    for fact in told:
        key = re.sub(r"\W+", " ", fact.answer.casefold())
        seen.setdefault(key, fact.model_copy(update={"id": f"h{len(seen) + 1}"}))
    return [*seen.values(), *(fact.model_copy(update={"id": f"r{n}"}) for n, fact in enumerate(results, start=1))]


def _first(part: Any) -> str:
    while isinstance(part, dict | list) and part:
        part = next(iter(part.values())) if isinstance(part, dict) else part[0]
    return str(part) if part else ""


def _first_sentence(text: str) -> str:
    spans = sentences(text)
    return text[spans[0].start : spans[0].end] if spans else text


def _told(field: str, part: Any, parent: bool) -> Iterator[Fact]:
    """The facts of one field of what the patient tells."""
    if isinstance(part, dict | list):
        for name, inner in part.items() if isinstance(part, dict) else ((field, one) for one in part):
            yield from _told(name, inner, parent)
        return
    text = str(part)
    for start, end in sentences(text):
        sentence = text[start:end].strip()
        if re.match(WORDS["empty"], sentence):
            continue
        for piece in _pieces(sentence, field):
            yield from _facts(field, piece, parent)


def _pieces(sentence: str, field: str) -> list[str]:
    """A sentence in parts that answer apart: a social history by its commas, a list of symptoms by its items."""
    parts = [part for part in _PARTS.split(sentence) if part.strip()]
    if _DENIES.match(sentence):
        return [part.strip(" .") for part in parts]
    if field == "Social_History" and len(sentence) < LISTED:
        parts = [one for part in parts for one in re.split(r",\s+(?:and\s+)?", part)]
    return [one.strip(" .") for part in parts for one in _symptoms(part)]


def _symptoms(part: str) -> list[str]:
    """ "Reports fatigue, night sweats, and weight loss" as three, if each item names a symptom of its own."""
    spoken = _SPEAKING.match(part)
    rest = part[spoken.end() :] if spoken else part
    items = [one for one in re.split(r",\s+(?:and\s+)?", rest) if one]
    concludes = re.search(WORDS["concludes"], rest)
    if (
        len(items) < 2
        or (spoken and spoken["that"])
        or _CLAUSE.match(rest)
        or not all(map(codes_of, items))
        or concludes
    ):
        return [part]
    return [f"Reports {one}" for one in items] if spoken else items


def _facts(field: str, piece: str, parent: bool) -> Iterator[Fact]:
    denied = _DENIES.match(re.sub(r"\s*\([^)]*\)|,? but\b.*", "", piece))
    if denied and len(denied["list"].split()) <= 25:
        items = _ITEMS.split(denied["list"])
        whole = re.search(r"(history|illness\w*|problems)$", denied["list"])  # "medical or surgical history"
        if (whole and "," not in denied["list"]) or any(re.match(r"(her|his|their|the) ", one) for one in items):
            items = [denied["list"]]
        for item in items:
            item = re.sub(r"^(any|recent|known|no|history of|significant)\s+", "", item.strip(" ."))
            if item:
                answer = WORDS["en"]["no"].format(item)
                yield _fact(field, item, answer, "absent", f"{field}: {item} ({piece})")
        return
    found = load_recogniser(("hpo", "disease")).find(piece)
    absent = bool(found) and all(one.status == "absent" for one in found)
    yield _fact(field, piece, _voice(piece, parent), "absent" if absent else "present", f"{field}: {piece}")


def _fact(field: str, words: str, answer: str, status: Any, source: str) -> Fact:
    before = bool(_BEFORE.search(words)) and not _SPAN.search(words)
    now = field in _NOW and not before
    said = [(topic, about) for topic, about in TOPICS.items() if now or about.get("of") != "complaint"]
    topics = [topic for topic, about in said if "says" in about and re.search(about["says"], words, re.I)]
    if _APART & set(topics):
        topics = [topic for topic in topics if topic not in _PLACED]
    if any(one.kind == "drug" and len(one.text) > SHORT for one in load_recogniser().mentions(words)):
        topics = list(dict.fromkeys([*topics, "medicines"])) if "drugs" not in topics else topics
    own = next((topic for name, topic in _FIELDS if name.search(field)), "past" if before else None)
    ill = "family" not in topics and any(code.startswith("MONDO:") for code in codes_of(words))
    if own and (own != "past" or not topics or ill):
        topics = list(dict.fromkeys([own, *topics]))
    codes = codes_of(words)
    if field == "Primary_Symptom":
        topics.append("complaint")
    names = [] if codes or len(words) > NAMING else [words]
    return Fact(
        id="", label=words, names=names, topics=topics, codes=codes, status=status, answer=answer, source=source
    )


def _voice(text: str, parent: bool) -> str:
    """A sentence about the patient in the patient's words; the parent of a small child keeps the third person."""
    spoken = _SPEAKING.match(text)
    said = text[spoken.end() :] if spoken else text
    if parent:
        said = re.sub(r"\b[Tt]he (?:patient|child)\b", "my child", _BROUGHT.sub("", said))
    else:
        if spoken and not spoken["that"] and not _CLAUSE.match(said):
            said = f"I have {said}"
        said = _HISTORY.sub(lambda found: f"for {found[1]} {found[2]}s I've had ", said)
        for pattern, words in _VOICE:
            said = pattern.sub(words, said)
    said = said.strip(" .")
    return f"{said[:1].upper()}{said[1:]}." if said else text


def _results(part: Any, kind: Any, path: tuple[str, ...]) -> Iterator[Fact]:
    """The leaves of examination and tests, each under the names that lead to it."""
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from _results(inner, kind, (*path, name.replace("_", " ")))
    elif isinstance(part, list):
        yield from _results("; ".join(map(str, part)), kind, path)
    elif str(part).strip() and not re.match(WORDS["empty"], str(part)):
        text, names = str(part).strip(), list(path)
        source = f"{' '.join(path)} {' '.join(path).replace(' ', '_')}: {text}"
        yield Fact(id="", kind=kind, label=", ".join(names), names=names, answer=text, source=source)
