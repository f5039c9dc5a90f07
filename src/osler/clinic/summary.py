"""The consult's short cited answer: what the record says, what leads the differential and why, what the library says.

Deterministic wording from facts, so no model privilege is needed; every statement is verified against its evidence
like any other. It does not rank or search beyond what the leading disease asks for.
"""

from collections.abc import Sequence
from typing import NamedTuple

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
    Source,
    Statement,
)
from osler.reasoning.extract import best_sentences
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.record.case import Case
from osler.text import Language, sentences

NAMED_FINDINGS = 6
FEATURES = 4
PASSAGES = 8
SENTENCES = 2

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "question": "What may explain these findings, and what should be done next?",
        "present": "The record states {findings}.",
        "absent": "The record denies {findings}.",
        "leads": "{disease} is described with {features}.",
        "and": ", ",
        "no_findings": "no finding of the patient was recognised in this case",
        "need": "symptoms, signs or test results, in English, Chinese or as HPO terms",
        "not_enough": "the findings are too few or too unspecific to single out a disease",
    },
    "zh": {
        "question": "这些表现可能由什么引起，下一步应做什么？",
        "present": "病历记载：{findings}。",
        "absent": "病历否认：{findings}。",
        "leads": "{disease}的已知表现包括{features}。",
        "and": "、",
        "no_findings": "未能在病例中识别到患者的任何表现",
        "need": "症状、体征或检查结果（中文、英文或HPO术语）",
        "not_enough": "表现太少或特异性不足，无法指向某一疾病",
    },
}


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
    drafts = [
        draft
        for status in ("present", "absent")
        if (draft := _record_statement(case, [item for item in own if item.status == status], status, words))
    ]
    abstained: Abstention | None = None
    if not any(item.status == "present" and item.code.startswith("HP:") for item in own) and not flags:
        abstained = Abstention(reason=words["no_findings"], missing=[words["need"]])
    elif not differential or len(differential[0].for_) < 2:
        abstained = Abstention(reason=words["not_enough"], missing=[item.label for item in questions])
    else:
        leader = differential[0]
        if described := _disease_statement(leader, run.resources.graph, words, language):
            drafts.append(described)
        drafts += _library_statements(leader, run)
    return Answer(
        question=words["question"],
        statements=[_checked(draft, run) for draft in drafts],
        abstained=abstained,
        method="consult",
        mode="extractive",
        trace_id=run.id,
    )


def _checked(draft: _Draft, run: Run) -> Statement:
    identifiers = [run.cite(item) for item in draft.evidence]
    return Statement(text=draft.text, evidence=identifiers, verdict=verify(draft.text, draft.evidence).verdict)


def _record_statement(case: Case, findings: list[Finding], status: str, words: dict[str, str]) -> _Draft | None:
    """`The record states fever, cough`: each finding with the sentence or element it was read from."""
    named = list({item.label: item for item in findings if item.code.startswith("HP:")}.values())[:NAMED_FINDINGS]
    if not named:
        return None
    text = words[status].format(findings=words["and"].join(item.label for item in named))
    return _Draft(text, [_record_evidence(case, item) for item in named])


def _record_evidence(case: Case, finding: Finding) -> Evidence:
    document = next((item for item in case.documents if item.id == finding.source), None)
    quoted = finding.text or finding.label
    if document is not None and finding.start is not None and finding.end is not None:
        for start, end in sentences(document.text):
            if start <= finding.start < end:
                quoted = document.text[start : max(end, finding.end)]
                break
    return Evidence(
        id=f"record:{finding.source or 'case'}:{finding.start if finding.start is not None else finding.code}",
        kind="record",
        text=f"{quoted} [{finding.label}: {finding.status}]",
        source=Source(document_id=finding.source, start=finding.start, end=finding.end),
    )


def _disease_statement(leader: RankedDisease, graph: Graph, words: dict[str, str], language: Language) -> _Draft | None:
    """What the leading disease is known to have of what the case shows, each from its annotation row."""
    contributions = [item for item in leader.for_ if item.rows][:FEATURES]
    if not contributions:
        return None
    labels = [_label(item.rows[0].term, graph, language) for item in contributions]
    labels = list(dict.fromkeys(labels))
    disease = _label(leader.id, graph, language)
    text = words["leads"].format(disease=disease, features=words["and"].join(labels))
    return _Draft(text, [_edge_evidence(leader, disease, item, graph, language) for item in contributions])


def _edge_evidence(
    leader: RankedDisease, disease: str, item: Contribution, graph: Graph, language: Language
) -> Evidence:
    row = item.rows[0]
    frequency = f" ({row.frequency})" if row.frequency else ""
    return Evidence(
        id=f"edge:{leader.id}|has_phenotype|{row.term}",
        kind="edge",
        text=f"{disease} — has phenotype — {_label(row.term, graph, language)}{frequency}",
        source=Source(title=f"HPO annotations of {row.disease}", document_id=row.reference),
    )


def _library_statements(leader: RankedDisease, run: Run) -> list[_Draft]:
    """The library's best sentences about the leading disease, verbatim; none if no passage names it."""
    query = f"{leader.label} diagnosis and treatment"
    found = run.search(query, k=PASSAGES)
    name = run.resources.graph.node(leader.id)
    names = {leader.label.lower(), name.label.lower(), *(synonym.lower() for synonym in name.synonyms)}
    about = [item for item in found if any(_names(item, candidate) for candidate in names)]
    return [_Draft(sentence.text, [sentence.evidence]) for sentence in best_sentences(query, about, run, SENTENCES)]


def _names(item: Evidence, name: str) -> bool:
    return name in item.text.lower() or name in (item.source.title or "").lower()


def _label(code: str, graph: Graph, language: Language) -> str:
    node = graph.find(code)
    if node is None:
        return code
    return node.label_zh if language == "zh" and node.label_zh else node.label
