"""From text, and from a whole case, to findings: names, their context, abnormal measurements, dialogue turns.

It knows the vocabularies by the graph's names and this room's lay words; whether a finding matters is not its concern.
"""

import contextlib
import functools
import hashlib
import importlib.resources
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.errors import UsageError
from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.abbreviations import with_abbreviations
from osler.knowledge.concepts.context import Context, contexts, is_heading
from osler.knowledge.concepts.index import Index, Name
from osler.knowledge.concepts.matcher import Matcher, Mention
from osler.knowledge.concepts.measurements import Analyte, analyte_of, analytes, code_of, measurements
from osler.knowledge.concepts.normal import read_words
from osler.knowledge.concepts.tables import data_rows, patterns
from osler.knowledge.graph import Graph, load_graph
from osler.nouns import Finding
from osler.record.case import Case, Condition, Document, Observation
from osler.settings import load_settings
from osler.text import Language

VOCABULARIES = ("hpo", "disease", "drug")
_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_KINDS = {"hpo": "phenotype", "disease": "disease", "drug": "drug"}
# Branches of HPO that qualify a disease: inheritance; onset, course, severity. Their heads say nothing themselves
# ("onset"), and one-word names below them are everyday words.
_BRANCHES = ("HP:0000005", "HP:0012823")
_HEADS = (*_BRANCHES, "HP:0003674", "HP:0031797")
# Branches whose names say nothing of a patient: past medical history ("affected"), uniparental disomy.
_LEFT_OUT = ("HP:0032443", "HP:0032382")
# Slips of the sources: a cross-reference that makes all seizures visual ones, and a mark of shortening.
_WRONG = {("MONDO:0001386", "seizures"), ("MONDO:0001386", "seizure"), ("osler.drug:pancreatic-enzymes", "...''more''")}


class Lay(NamedTuple):
    """One row of the list of lay words and abbreviations."""

    name: str
    code: str
    kind: str
    label: str


@functools.cache
def lay_names() -> tuple[Lay, ...]:
    return tuple(Lay(*row) for row in data_rows("lay_and_abbreviations.tsv"))


def all_names(graph: Graph) -> Iterator[Name]:
    """Every name of the three vocabularies, English labels first (they become the labels of mentions)."""
    enzyme = patterns("names")["enzyme"]
    phenotypes: set[str] = set()
    for vocabulary, language in itertools.product(VOCABULARIES, _LANGUAGES):
        for code, name, type_ in graph.names([_KINDS[vocabulary]], language):
            if vocabulary == "hpo":
                if _below(graph, code, _LEFT_OUT):
                    continue
                phenotypes.add(name.lower())
            elif code.startswith("MESH:") and name.lower() in phenotypes:
                continue  # MeSH counts symptoms (pain, cough) among diseases
            elif (vocabulary == "disease" and enzyme.search(name)) or (code, name.lower()) in _WRONG:
                continue
            yield Name(code, name, vocabulary, type_)
    for code, name, type_ in graph.names(["modifier"], "en"):
        placed = code not in _HEADS and _below(graph, code, _BRANCHES) and not _below(graph, code, _LEFT_OUT)
        if placed and " " in name and len(read_words(name)[0]) > 1:
            yield Name(code, name, "hpo", type_)
    for lay in lay_names():
        yield Name(lay.code, lay.label, lay.kind, "lay")
        yield Name(lay.code, lay.name, lay.kind, "lay")


def _below(graph: Graph, code: str, roots: Sequence[str]) -> bool:
    return any(graph.descends(code, root) for root in roots)


def index_key(graph: Graph) -> str:
    """What a stored index depends on: the graph's sources, this room's word lists, the code that reads them."""
    room = importlib.resources.files(__package__)
    words = ("lay_and_abbreviations.tsv", "word_families.tsv", "word_forms.tsv")
    files = ("normal.py", "index.py", *(f"data/{name}" for name in words))
    parts = [room.joinpath(file).read_text(encoding="utf-8") for file in files]
    parts += [f"{source.name}={source.sha256}" for source in graph.sources]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@functools.cache
def _matcher() -> Matcher:
    """A matcher with the compiled index: the shipped one, else the home's, else built (some seconds) and kept there."""
    graph = load_graph()
    key = index_key(graph)
    shipped = importlib.resources.files(__package__).joinpath("data/names.npz")
    kept = load_settings().home / "cache" / f"concepts-{key}.npz"
    for file in (Path(str(shipped)), kept):
        with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
            return Matcher(Index.load(file, key))
    index = Index.build(all_names(graph))
    with contextlib.suppress(OSError):  # a home that can't be written only costs the next start these seconds again
        index.save(kept, key)
    return Matcher(index)


class Recogniser:
    """Findings of texts in some vocabularies. Safe to share between threads."""

    def __init__(self, matcher: Matcher, vocabularies: tuple[str, ...]) -> None:
        self.matcher = matcher
        self.vocabularies = vocabularies

    def mentions(self, text: str) -> list[Mention]:
        """Names in the text without their context; headings ("PE:") are not mentions."""
        return [
            mention
            for mention in with_abbreviations(text, self.matcher.find(text))
            if mention.kind in self.vocabularies and not is_heading(text, mention.start, mention.end)
        ]

    def find(self, text: str, source: str | None = None, adult: bool = True) -> list[Finding]:
        """Findings sorted by start: one per span and vocabulary, and abnormal measurements with value and unit.

        `adult`: whether ranges that hold for adults only may be used.
        """
        named = self.mentions(text) + (measurements(text, adult) if "hpo" in self.vocabularies else [])
        findings: list[Finding] = []
        for one, context in zip(named, contexts(text, [(one.start, one.end) for one in named]), strict=True):
            if one.value is not None and context.time != "hypothetical":
                # a value is a fact however it is framed, unless it is one to watch for
                context = Context(experiencer=context.experiencer)
            said = one._asdict() | context._asdict() | {"source": source}
            del said["kind"]
            findings.append(Finding.model_validate(said))
        return sorted(findings, key=lambda finding: (finding.start or 0, -(finding.end or 0), finding.code))


@functools.lru_cache(maxsize=8)
def load_recogniser(vocabularies: tuple[str, ...] = VOCABULARIES) -> Recogniser:
    """The recogniser of some vocabularies (`all` for every one). Raises UsageError for an unknown one."""
    wanted = VOCABULARIES if "all" in vocabularies else vocabularies
    unknown = [name for name in wanted if name not in VOCABULARIES]
    if unknown or not wanted:
        raise UsageError(
            f"unknown vocabulary {', '.join(unknown) or '(none)'}.", hint=f"Known: {', '.join(VOCABULARIES)}, all."
        )
    return Recogniser(_matcher(), tuple(wanted))


def findings_of(case: Case, recogniser: Recogniser) -> list[Finding]:
    """All findings of a case: those the record states as codes, its texts, its conditions and abnormal observations."""
    adult = _adult(case.patient.age)
    found = list(case.findings)
    for document in case.documents:
        found += _of_document(document, recogniser, adult)
    for condition in case.conditions:
        found += _of_condition(condition, recogniser)
    if "hpo" in recogniser.vocabularies:
        found += _of_observations(case.observations, adult)
    unique: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        if not _qualifies(finding.code):
            unique.setdefault((finding.code, finding.source, finding.start, finding.end, finding.status), finding)
    return list(unique.values())


@functools.lru_cache(maxsize=10_000)
def _qualifies(code: str) -> bool:
    """Whether an HPO term qualifies a disease (inheritance, onset, course) and is no finding of a patient."""
    node = load_graph().find(code) if code.startswith("HP:") else None
    return node is not None and node.kind == "modifier"


def _adult(age: str | None) -> bool:
    """Whether an ISO 8601 age is 18 years or more; an unknown age counts as adult."""
    years = re.match(r"P(?:(\d+)(?:\.\d+)?Y)?", age or "")
    return years is None or int(years[1] or 0) >= 18


def _of_document(document: Document, recogniser: Recogniser, adult: bool) -> list[Finding]:
    if not document.turns:
        return recogniser.find(document.text, document.id, adult)
    findings: list[Finding] = []
    for turn in document.turns:
        for finding in recogniser.find(document.text[turn.start : turn.end], document.id, adult):
            start = turn.start + (finding.start or 0)
            moved: dict[str, object] = {"start": start, "end": turn.start + (finding.end or 0)}
            moved["status"] = dialogue.status_in(document.text, document.turns, start, finding.status)
            if moved["status"] != "absent":
                moved |= _measured_reply(document, start, finding, adult)
            findings.append(finding.model_copy(update=moved))
    return findings


def _measured_reply(document: Document, start: int, finding: Finding, adult: bool) -> dict[str, object]:
    """ "Any fever?" "39.2 last night": the status and value that a number in the reply gives to what was asked."""
    number = dialogue.number_in_reply(document.text, document.turns, start)
    analyte = next((one for one in analytes() if finding.code in (one.below, one.above)), None)
    if number is None or analyte is None:
        return {}
    read = [one for one in measurements(f"{analyte.names[0]} {number}", adult) if one.code == finding.code]
    return {"status": "present", "value": read[0].value, "unit": read[0].unit} if read else {}


def _of_condition(condition: Condition, recogniser: Recogniser) -> list[Finding]:
    """A condition by its code where that is in the graph, else by the names in its label."""
    coded = (load_graph().find(code.code) for code in condition.codes if code.code and ":" in code.code)
    node = next(filter(None, coded), None)
    found = [Finding(code=node.id, label=node.label)] if node else recogniser.find(condition.label)
    update: dict[str, object] = {"source": condition.source, "text": condition.label, "start": None, "end": None}
    if condition.status in ("inactive", "remission", "resolved") or condition.abatement:
        update["time"] = "historical"
    if condition.verification == "refuted":
        update |= {"status": "absent", "time": "current"}
    elif condition.verification in ("provisional", "differential", "unconfirmed"):
        update |= {"status": "uncertain"}
    return [finding.model_copy(update=update) for finding in found]


def _of_observations(observations: Sequence[Observation], adult: bool) -> Iterator[Finding]:
    """The newest value of each quantity, where it lies outside its own range or the table's."""
    newest: dict[str, tuple[Analyte, Observation]] = {}
    for one in sorted(observations, key=lambda one: one.time or ""):
        analyte = analyte_of(one.label, [code.code for code in one.codes if code.code])
        if analyte and one.value is not None and one.status not in ("cancelled", "entered-in-error"):
            newest[analyte.name] = analyte, one
    for analyte, one in newest.values():
        code = code_of(analyte, one.value or 0, one.unit, one.low, one.high)
        if code and (adult or not analyte.adult or one.low is not None or one.high is not None):
            label = load_graph().node(code).label
            yield Finding(code=code, label=label, text=one.label, source=one.source, value=one.value, unit=one.unit)
