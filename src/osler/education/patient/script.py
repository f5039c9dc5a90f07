"""What a virtual patient knows: a `Script`, read from the author's form, an AgentClinic case, a phenopacket or FHIR.

The author's form is a TOML file. Everything a patient can tell is one `[[facts]]`:

    language = "en"                      # or zh
    age = "P58Y"                         # ISO 8601 duration
    sex = "male"
    opening = "I've got this pain in my chest, doctor."
    personality = "plain"                # talkative, anxious, reserved
    diagnosis = "myocardial infarction"  # a name or an identifier of the graph
    never_say = ["heart attack"]         # further names of it

    [[facts]]
    id = "site"
    about = ["site", "chest pain"]       # topics (topics.toml), HPO codes, symptoms and illnesses in words
    answer = "It's right in the middle."
    status = "present"                   # or absent, of the symptoms in `about`

    [[facts]]
    id = "ecg"
    kind = "test"                        # or examination; `about`: the names by which it is asked for
    about = ["ECG"]
    value = "ST elevation in II, III and aVF"

A script never holds a name of its diagnosis in what it tells: `sealed` takes the clauses out that name it. It does not
know how a question is understood.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from osler.errors import InputError
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.knowledge.graph import load_graph
from osler.nouns import Noun
from osler.record.source import decode, load
from osler.text import Language, sentences

Kind = Literal["history", "examination", "test"]
Personality = Literal["plain", "talkative", "anxious", "reserved"]
TOPICS: dict[str, Any] = tomllib.loads((files(__package__) / "topics.toml").read_text("utf-8"))
WORDS: dict[str, Any] = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
_CODE = re.compile(r"[A-Za-z][\w.]*:\S+")
_SHORT = 5  # letters up to which a name in capitals is an abbreviation, matched as written
_CLAUSE = re.compile(r"[^,;，；。.!?！？]+(?:\.(?=\d)[^,;，；。.!?！？]+)*[,;，；。.!?！？]*\s*")


class Fact(Noun):
    """One thing the patient knows, or one result. `topics`: keys of topics.toml; `codes`: terms of the graph; `names`:
    words by which an examination or test is asked for; `answer`: the patient's words, or the result; `source`: the
    script's own words."""

    id: str
    kind: Kind = "history"
    label: str
    topics: list[str] = []
    codes: list[str] = []
    names: list[str] = []
    status: Literal["present", "absent"] = "present"
    answer: str
    source: str | None = None


class Script(Noun):
    """A case to practise on. `diagnosis`, `diagnosis_ids` and `sealed` (names never said) are for the examiner only;
    `speaker`: who answers, a parent for a small child."""

    id: str
    language: Language = "en"
    age: str | None = None
    sex: Literal["male", "female", "other", "unknown"] | None = None
    opening: str
    personality: Personality = "plain"
    speaker: Literal["patient", "parent"] = "patient"
    diagnosis: str
    diagnosis_ids: list[str] = []
    sealed: list[str] = []
    facts: list[Fact]

    def of(self, ids: Iterable[str]) -> list[Fact]:
        wanted = set(ids)
        return [fact for fact in self.facts if fact.id in wanted]


def read_script(path: str | Path, diagnosis: str | None = None) -> Script:
    """The script of a file: the author's TOML, AgentClinic JSON (of several lines one is chosen by `FILE#ID`), a GA4GH
    phenopacket or a FHIR record. `diagnosis`: what is asked for, where a record has several problems.

    Raises InputError that names the file and the field.
    """
    file, _, chosen = str(path).partition("#")
    data = load(file)
    if file.endswith(".toml"):
        return _author(data, file)
    if b'"OSCE_Examination"' in data:
        from osler.education.patient.osce import read_osce

        return read_osce(_row(data, file, chosen), file)
    from osler.education.patient.records import from_case
    from osler.record import read

    return from_case(read(data, name=file), file, diagnosis)


def _row(data: bytes, name: str, chosen: str) -> dict[str, Any]:
    """The case of a JSON document, or the chosen one of a file of one case a line."""
    try:
        lines = [data] if data.count(b'"OSCE_Examination"') == 1 else data.splitlines()
        rows = [msgspec.json.decode(line) for line in lines if line.strip()]
    except msgspec.DecodeError as error:
        raise InputError(f"not valid JSON: {error}", where=name) from None
    found = [row for row in rows if isinstance(row, dict) and (not chosen or row.get("id") == chosen)]
    if len(found) != 1:
        said = f"no case has the id {chosen!r}" if chosen else "this file holds several cases"
        raise InputError(said, where=name, hint=f"Name one: {name}#ID, such as {rows[0].get('id')}.")
    return found[0]


def _author(data: bytes, name: str) -> Script:
    try:
        form = tomllib.loads(decode(data, name))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=name) from None
    rows = form.pop("facts", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError("a script needs [[facts]]", where=f"{name}: facts")
    seen: set[str] = set()
    facts = []
    for number, row in enumerate(rows, start=1):
        where = f"{name}: facts[{number}]"
        fact = _authored(row, where)
        if fact.id in seen:
            raise InputError(f"the id {fact.id!r} stands twice", where=f"{where}.id")
        seen.add(fact.id)
        facts.append(fact)
    for field in ("opening", "diagnosis"):
        if not isinstance(form.get(field), str) or not form[field].strip():
            raise InputError("a script needs this text", where=f"{name}: {field}")
    never = form.pop("never_say", [])
    if not isinstance(never, list) or not all(isinstance(one, str) for one in never):
        raise InputError("a list of texts was expected", where=f"{name}: never_say")
    return finished({"id": Path(name).stem, **form, "facts": facts}, never, name)


def _authored(row: dict[str, Any], where: str) -> Fact:
    about, kind = row.get("about"), row.get("kind", "history")
    if not isinstance(about, list) or not about or not all(isinstance(one, str) and one.strip() for one in about):
        raise InputError("a list of topics, codes or words was expected", where=f"{where}.about")
    given = {key: value for key, value in row.items() if key not in ("about", "value")}
    given["answer"] = row.get("value" if kind != "history" else "answer")
    if not isinstance(given["answer"], str) or not given["answer"].strip():
        raise InputError("this text is missing", where=f"{where}.{'answer' if kind == 'history' else 'value'}")
    if kind == "history":
        words = [one for one in about if one not in TOPICS]
        given["topics"] = [one for one in about if one in TOPICS]
        named = [*words, given["answer"]] if "past" in about else words  # "I had asthma as a child"
        given["codes"] = list(dict.fromkeys(code for one in named for code in codes_of(one)))
        given["names"] = [one for one in words if not _CODE.fullmatch(one)]
    else:
        given["names"] = about
    given.setdefault("label", next((one for one in about if kind != "history" or one not in TOPICS), about[0]))
    given.setdefault("source", given["answer"])
    try:
        return Fact(**given)
    except ValidationError as error:
        raise _bad(error, where) from None


def codes_of(text: str) -> list[str]:
    """Symptoms and illnesses that words name, HPO terms before diseases; a code stands for itself."""
    if _CODE.fullmatch(text):
        return [text]
    mentions = load_recogniser(("hpo", "disease")).mentions(text)
    return [one.code for one in sorted(mentions, key=lambda one: one.kind != "hpo")]


def finished(fields: dict[str, Any], never: Sequence[str], name: str) -> Script:
    """A script whose facts name no diagnosis. Raises InputError where a field is wrong or nothing is left."""
    graph = load_graph()
    asked = fields["diagnosis"]
    found = [node for node in graph.resolve(asked, limit=3) if node.kind == "disease"] if asked else []
    exact = [found[0]] if found and _names_it(asked, found[0]) else []
    exact += [node for code in codes_of(asked) if (node := graph.find(code)) and _names_it(asked, node)]
    ids = list(dict.fromkeys(node.id for node in exact))
    label = exact[0].label if exact and _CODE.fullmatch(asked) else asked
    names = {label, *never, *re.findall(r"\(([^)]+)\)", asked), re.sub(r"\s*\([^)]*\)", "", asked)}
    for node in exact:
        names |= {node.label, node.label_zh or "", *node.synonyms}
    sealed = sorted({one.strip() for one in names if len(one.strip()) > 1 and not _CODE.fullmatch(one)})
    facts = []
    language: Language = fields.get("language", "en")
    for fact in fields.pop("facts"):
        told = without(fact.answer, sealed)
        if not told and fact.kind != "history":
            told = WORDS[language]["withheld"]
        if told:
            source = without(fact.source or fact.answer, sealed) or told
            facts.append(
                fact.model_copy(update={"answer": told, "source": source, "label": without(fact.label, sealed)})
            )
    opening = without(fields["opening"], sealed) or WORDS[language]["opening"]
    try:
        return Script(
            **{**fields, "opening": opening, "diagnosis": label, "diagnosis_ids": ids}, sealed=sealed, facts=facts
        )
    except ValidationError as error:
        raise _bad(error, name) from None


def _names_it(asked: str, node: Any) -> bool:
    plain = re.sub(r"\s*\([^)]*\)", "", asked).casefold()
    names = {node.id, *node.equivalents, node.label, node.label_zh or "", *node.synonyms}
    return plain in {one.casefold() for one in names}


def _bad(error: ValidationError, where: str) -> InputError:
    first = error.errors()[0]
    return InputError(
        first["msg"], where=f"{where}{':' if ':' not in where else ''} {'.'.join(map(str, first['loc']))}"
    )


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names, word by word; abbreviations in capitals only, other names in any case and number."""
    parts = []
    for name in sorted(names, key=len, reverse=True):
        words = r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]+", name) if word)
        plain = not (len(name) <= _SHORT and name.isupper())
        if not name[0].isascii():
            parts.append(words)
        else:
            parts.append(rf"(?i:(?<!\w){words}(?:'?e?s)?(?!\w))" if plain else rf"(?<!\w){words}(?!\w)")
    return re.compile("|".join(parts) or r"(?!)")


def names_one(text: str, names: Sequence[str]) -> bool:
    """Whether a text holds one of the names."""
    return bool(_pattern(tuple(names)).search(text))


def without(text: str, names: Sequence[str]) -> str:
    """A text without its conclusions and clauses that hold one of the names; empty if nothing is left."""
    if not names_one(text, names):
        return text
    kept = []
    for start, end in sentences(text):
        sentence = text[start:end]
        if names_one(sentence, names):
            cut = re.sub(WORDS["concludes"], "", sentence)
            sentence = cut if cut != sentence and not names_one(cut, names) else _clauses(sentence, names)
        kept.append(sentence.strip(" ,;，；"))
    return " ".join(one for one in kept if re.search(r"\w", one))


def _clauses(sentence: str, names: Sequence[str]) -> str:
    return "".join(part for part in _CLAUSE.findall(sentence) if not names_one(part, names))
