"""The consult's short cited answer: what the record says, what leads the differential and why, what the library says.

Deterministic wording from facts, so no model privilege is needed; every statement is verified against its evidence
like any other. It does not rank or search beyond what the leading disease asks for.
"""

import importlib.resources
import math
import re
import tomllib
from collections.abc import Sequence
from typing import NamedTuple

from osler.knowledge.diagnosis.population import sharpness
from osler.knowledge.graph import Graph
from osler.nouns import (
    Abstention,
    Answer,
    Contribution,
    Evidence,
    Finding,
    NextQuestion,
    RankedDisease,
    RedFlag,
    Row,
    Source,
    Statement,
)
from osler.reasoning.extract import best_sentences
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.record.case import Case
from osler.text import Language, sentences

_PARENTHESIS = re.compile(r"\s*\([^)]*\)")
NAMED_FINDINGS = 6
FEATURES = 4
PASSAGES = 8
SENTENCES = 2
ALIKE = math.log(2)  # nats: diseases less than twice as likely as each other (benchmarks/diagnosis.md)

WORDS: dict[Language, dict[str, str]] = tomllib.loads(
    (importlib.resources.files("osler.clinic") / "summary.toml").read_text(encoding="utf-8")
)  # type: ignore[assignment]


class _Draft(NamedTuple):
    text: str
    evidence: list[Evidence]


def answer(
    case: Case,
    findings: Sequence[Finding],
    flags: Sequence[RedFlag],
    differential: Sequence[RankedDisease],
    questions: Sequence[NextQuestion],
    run: Run,
    language: Language,
) -> Answer:
    """The answer with its statements verified, or abstained with what is missing."""
    words = WORDS[language]
    own = [item for item in findings if item.experiencer == "patient" and item.time != "hypothetical"]
    said: dict[str, list[Finding]] = {"present": [], "past": [], "absent": []}
    for item in own:
        if item.code.startswith("HP:") and item.status != "uncertain":
            past = item.status == "present" and item.time == "historical"
            said["past" if past else item.status].append(item)
    drafts = [_record_statement(case, found, how, run, language) for how, found in said.items() if found]
    abstained: Abstention | None = None
    if not any(item.status == "present" and item.code.startswith("HP:") for item in own) and not flags:
        abstained = Abstention(reason=words["no_findings"], missing=[words["need"]])
    elif not differential or len(_features(differential[0])) < 2:
        abstained = Abstention(reason=words["not_enough"], missing=[item.label for item in questions])
    else:
        leaders = _leaders(differential)
        if len(leaders) > 1:
            drafts.append(_alike(leaders, run.resources.graph, words, language))
        for leader in leaders:
            if described := _disease_statement(leader, run.resources.graph, words, language):
                drafts.append(described)
            drafts += _library_statements(leader, run, 1 if len(leaders) > 1 else SENTENCES)
    return Answer(
        question=words["question"],
        statements=[_checked(draft, run) for draft in drafts],
        abstained=abstained,
        method="consult",
        mode="extractive",
        trace_id=run.id,
    )


def no_answer(why: str, run: Run, language: Language) -> Answer:
    """The answer of a consult that asks for none; `why`: the key of the wording."""
    words = WORDS[language]
    return Answer(question=words["question"], abstained=Abstention(reason=words[why]), method="safety", trace_id=run.id)


def _checked(draft: _Draft, run: Run) -> Statement:
    identifiers = [run.cite(item) for item in draft.evidence]
    return Statement(text=draft.text, evidence=identifiers, verdict=verify(draft.text, draft.evidence).verdict)


def _record_statement(case: Case, findings: list[Finding], how: str, run: Run, language: Language) -> _Draft:
    """`Fever, cough.` or `No fever, no cough.`, with the sentences or elements of the record that say so."""
    words, graph = WORDS[language], run.resources.graph
    named = list({item.code: item for item in findings}.values())[:NAMED_FINDINGS]
    places: dict[tuple[str | None, int | None, str], list[str]] = {}
    for item in named:
        label = _label(item.code, graph, language)
        label = label[:1].lower() + label[1:] if label[1:2].islower() else label
        places.setdefault(_place(case, item), []).append(words[how].format(finding=label))
    text = words["and"].join(part for parts in places.values() for part in parts)
    statement = text[:1].upper() + text[1:] + words["stop"]
    return _Draft(statement, [_record_evidence(place, parts) for place, parts in places.items()])


def _place(case: Case, finding: Finding) -> tuple[str | None, int | None, str]:
    """Source, offset and words of the sentence that a finding was read from; its element where there is no text."""
    document = next((item for item in case.documents if item.id == finding.source), None)
    if document is not None and finding.start is not None and finding.end is not None:
        for start, end in sentences(document.text):
            if start <= finding.start < end:
                return finding.source, start, document.text[start : max(end, finding.end)]
    return finding.source, finding.start, finding.text or finding.label


def _record_evidence(place: tuple[str | None, int | None, str], found: list[str]) -> Evidence:
    source, start, quoted = place
    return Evidence(
        id=f"record:{source or 'case'}:{start if start is not None else quoted}",
        kind="record",
        text=f"{' '.join(quoted.split())} [{'; '.join(found)}]",
        source=Source(document_id=source, start=start, end=None if start is None else start + len(quoted)),
    )


def _disease_statement(leader: RankedDisease, graph: Graph, words: dict[str, str], language: Language) -> _Draft | None:
    """What the leading disease is known to have of what the case shows, each from its annotation row."""
    contributions = [item for item in _features(leader) if item.rows][:FEATURES]
    if not contributions:
        return None
    labels = [_label(item.rows[0].term, graph, language) for item in contributions]
    labels = list(dict.fromkeys(labels))
    disease = _label(leader.id, graph, language)
    text = words["leads"].format(disease=disease, features=words["and"].join(labels))
    return _Draft(text, [_edge_evidence(leader, disease, item, graph, language) for item in contributions])


def _features(disease: RankedDisease) -> list[Contribution]:
    """The findings that speak for a disease; how common it is and the like is no finding."""
    return [item for item in disease.for_ if item.code.startswith("HP:")]


def _leaders(differential: Sequence[RankedDisease]) -> list[RankedDisease]:
    """The first disease and those that can't be told from it by score, three at most."""
    first = differential[0]
    sharp = sharpness(len(first.for_) + len(first.against))  # a score counts the more, the more findings it rests on
    return [item for item in differential if sharp * (first.score - item.score) < ALIKE][:3]


def _alike(leaders: Sequence[RankedDisease], graph: Graph, words: dict[str, str], language: Language) -> _Draft:
    names = [_label(item.id, graph, language) for item in leaders]
    text = words["alike"].format(diseases=words["and"].join(names))
    scores = ", ".join(f"{name} {item.score:.2f}" for name, item in zip(names, leaders, strict=True))
    evidence = Evidence(id="ranking", kind="case", text=f"{text} ({scores})", source=Source(title="this ranking"))
    return _Draft(text, [evidence])


def _row_source(row: Row) -> Source:
    """The annotation's publication, the project's profile, or the place in the library that says it
    ("medquad:4-0000415:120-125")."""
    document, _, place = (row.reference or "").rpartition(":")
    start, dash, end = place.partition("-")
    if document.startswith(("medquad:", "openstax:")) and dash:
        return Source(title=document, document_id=document, start=int(start), end=int(end))
    whose = "Osler profile" if document.startswith("osler.profiles") else "HPO annotations"
    return Source(title=f"{whose} of {row.disease}", document_id=row.reference)


def _edge_evidence(
    leader: RankedDisease, disease: str, item: Contribution, graph: Graph, language: Language
) -> Evidence:
    row = item.rows[0]
    frequency = f" ({row.frequency})" if row.frequency else ""
    return Evidence(
        id=f"edge:{leader.id}|has_phenotype|{row.term}",
        kind="edge",
        text=f"{disease} — has phenotype — {_label(row.term, graph, language)}{frequency}",
        source=_row_source(row),
    )


def _library_statements(leader: RankedDisease, run: Run, count: int) -> list[_Draft]:
    """The library's best sentences about a disease, verbatim under its name; none if no passage names it."""
    query = f"{leader.label} diagnosis and treatment"
    node = run.resources.graph.node(leader.id)
    names = {leader.label.lower(), *(name.lower() for name in (node.label, *node.synonyms))}
    about = [item for item in run.search(query, k=PASSAGES) if any(_names(item, name) for name in names)]
    drafts = []
    for sentence in best_sentences(query, about, run, count):
        bare = _PARENTHESIS.sub("", sentence.text).lower()
        title = sentence.evidence.source.title or leader.label
        named = any(name in bare for name in (*names, title.lower()))
        drafts.append(_Draft(sentence.text if named else f"{title}: {sentence.text}", [sentence.evidence]))
    return drafts


def _names(item: Evidence, name: str) -> bool:
    return name in item.text.lower() or name in (item.source.title or "").lower()


def _label(code: str, graph: Graph, language: Language) -> str:
    node = graph.find(code)
    if node is None:
        return code
    return node.label_zh if language == "zh" and node.label_zh else node.label
