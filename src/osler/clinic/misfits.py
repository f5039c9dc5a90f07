"""Sentences of a note that probably don't fit the rest of it, why, and what would.

Without a model: a concluded diagnosis that the note's own findings put far behind another, a drug against a documented
allergy or a contraindicated partner, and a dose, side or finding that the note says otherwise. It finds few
errors (benchmarks/note_errors.md): tests, organisms and most treatments it can't judge.
"""

import functools
import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from osler.clinic.consult import DRUGS, phenotypes
from osler.clinic.safety import drug_safety
from osler.clinic.safety.passages import passage
from osler.knowledge.concepts.recogniser import findings_of
from osler.knowledge.diagnosis import explain, load_ranker
from osler.knowledge.diagnosis.ranking import Patient
from osler.knowledge.drugs.names import mentions
from osler.models import Message
from osler.nouns import Evidence, Finding, ModelReference, Noun, RankedDisease
from osler.reasoning.asking import likely
from osler.reasoning.fence import fenced
from osler.reasoning.judging import PRIVILEGE
from osler.reasoning.privilege import withheld
from osler.reasoning.resources import Run
from osler.reasoning.verify.quantities import Quantity, equal, quantities
from osler.record.case import Case, Document
from osler.text import Span, language_of, sentences

MARGIN = 2.5  # points of the ranking's score between the best disease and the concluded one, from which it is flagged
LEAD = 0.5  # points by which the best disease must lead the next one to be proposed
CONSIDERED = 200  # best diseases among which one is sought that is no kin of the concluded one
SHOWN = 3  # findings named
SURE = 0.9  # share of a model's probability from which its word is a flag; not tuned: no shipped model may be asked
READ = 6000  # code points of a note that a model reads
_FILE: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_SAYS = {name: re.compile(pattern) for name, pattern in _FILE["patterns"].items()}

Kind = Literal["diagnosis", "safety", "contradiction", "model"]


class Misfit(Noun):
    """A sentence (its number in the document, from 0) that probably doesn't fit. `correction`: the sentence as it would
    fit, null where that isn't known; `score`: of its kind, comparable within it only."""

    document: str
    sentence: int
    text: str
    kind: Kind
    why: str
    correction: str | None = None
    evidence: list[str] = []
    score: float = 1.0


class Checked(Noun):
    """The contract of `osler check --json`. `sentences`: how many were looked at."""

    sentences: int
    misfits: list[Misfit] = []
    evidence: list[Evidence] = []
    model: ModelReference | None = None
    withheld: str | None = None
    notice: str
    trace_id: str


class Note(NamedTuple):
    """A document of a case with the case's findings in it."""

    case: Case
    document: Document
    spans: list[Span]
    findings: list[Finding]
    words: dict[str, str]

    def sentence(self, place: int) -> int:
        return next((n for n, span in enumerate(self.spans) if span.start <= place < span.end), 0)

    def said(self, number: int) -> str:
        return self.document.text[slice(*self.spans[number])]

    def misfit(self, number: int, kind: Kind, why: str, cited: Sequence[Evidence], run: Run, **more: Any) -> Misfit:
        ids = list(dict.fromkeys(run.cite(item) for item in cited))
        return Misfit(
            document=self.document.id, sentence=number, text=self.said(number), kind=kind, why=why, evidence=ids, **more
        )


def check(case: Case, run: Run, quoted: bool = False) -> Checked:
    """What probably doesn't fit in the texts of a case, in their order; `quoted`: no model is asked."""
    why = "" if quoted else withheld(PRIVILEGE, case.language, run)
    found, count = list[Misfit](), 0
    findings = findings_of(case, run.resources.recogniser)
    for document in case.documents:
        own = [one for one in findings if one.source == document.id and one.start is not None]
        note = Note(case, document, list(sentences(document.text)), own, _FILE[language_of(document.text)])
        count += len(note.spans)
        found += [*_diagnoses(note, run), *_unsafe(note, run), *_contradictions(note, run)]
        found += by_model(note, run) if why is None else []
    unique = {(one.document, one.sentence, one.kind): one for one in reversed(found)}
    info = run.resources.model.info if why is None else None
    return Checked(
        sentences=count,
        misfits=sorted(unique.values(), key=lambda one: (one.document, one.sentence, one.kind)),
        evidence=list(run.evidence.values()),
        model=ModelReference(spec=info.spec, digest=info.digest) if info else None,
        withheld=why or None,
        notice=_FILE[case.language]["notice"],
        trace_id=run.id,
    )


# --- diagnoses ------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def _places(code: str) -> tuple[int, ...]:
    """The ranked diseases that a code means: itself and what is below it."""
    ranker = load_ranker()
    if ranker.graph.find(code) is None:
        return ()
    return tuple(k for k, one in enumerate(ranker.disease_ids) if ranker.graph.descends(one, code))


def _diagnoses(note: Note, run: Run) -> Iterator[Misfit]:
    for number, (start, end) in enumerate(note.spans):
        inside = [one for one in note.findings if start <= (one.start or 0) < end]
        named = [one for one in inside if _concluded(one, note.document.text[start : one.start], note.said(number))]
        rest = [one for one in note.findings if one not in inside]
        observed, excluded = phenotypes(rest, "present"), phenotypes(rest, "absent")
        if named and observed:
            yield from _outranked(named, observed, excluded, number, note, run)


def _concluded(finding: Finding, before: str, sentence: str) -> bool:
    """Whether a sentence concludes this disease of the patient, now."""
    disease = not finding.code.startswith(("HP:", *DRUGS))
    now = finding.experiencer == "patient" and finding.time == "current" and finding.status != "absent"
    return bool(disease and now and _SAYS["concludes"].search(before) and not _SAYS["known_before"].search(sentence))


def _outranked(
    named: list[Finding], observed: list[str], excluded: list[str], number: int, note: Note, run: Run
) -> Iterator[Misfit]:
    ranker, graph, patient = load_ranker(), run.resources.graph, note.case.patient
    scores = ranker.score(observed, excluded, patient=Patient(patient.sex, patient.age, True))
    meant = {place: one for one in reversed(named) for place in _places(one.code)}
    if scores is None or not meant:
        return
    best = max(meant, key=lambda place: scores.total[place])
    # What the note has already, as a known disease of the patient, is no other answer; nor is kin of the concluded one.
    known = {one.code for one in note.findings if not one.code.startswith(("HP:", *DRUGS))}
    taken = set(meant).union(*map(_places, known))
    above = frozenset[str]().union(*(graph.ancestors(ranker.disease_ids[place]) for place in meant))
    order = np.argsort(-scores.total, kind="stable")[:CONSIDERED].tolist()
    others = [place for place in order if place not in taken and ranker.disease_ids[place] not in above]
    if len(others) < 2 or (margin := float(scores.total[others[0]] - scores.total[best])) < MARGIN:
        return
    about = {"observed": observed, "excluded": excluded, "sex": patient.sex, "age": patient.age, "general": True}
    ids = [ranker.disease_ids[place] for place in (others[0], best)]
    run.note("diagnosis.rank", about, [[one, round(float(scores.total[ranker.place[one]]), 9)] for one in ids])
    language = note.document.language
    pair = [RankedDisease(id=one, label=graph.label(one), score=float(scores.total[ranker.place[one]])) for one in ids]
    first, second = explain(pair, observed, excluded, sex=patient.sex, age=patient.age, general=True)
    less = {item.code: item.score for item in second.for_}
    gains = sorted((less.get(item.code, 0.0) - item.score, item.code) for item in first.for_)
    written = {one.code: one for one in reversed(note.findings)}
    codes = [code for gain, code in gains if gain < 0 and code in written][:SHOWN]
    mention, other = meant[best], graph.label(ids[0], language)
    said = note.words["behind"].format(
        other=other,
        named=graph.label(mention.code, language),
        findings=", ".join(graph.label(code, language) for code in codes),
    )
    leads = float(scores.total[others[0]] - scores.total[others[1]]) >= LEAD
    start, (begin, end) = mention.start or 0, note.spans[number]
    text = note.document.text
    fixed = text[begin:start] + other + text[mention.end or start : end] if leads else None
    sources = [passage(note.document, written[code].start or 0) for code in codes]
    yield note.misfit(number, "diagnosis", said, sources, run, correction=fixed, score=round(margin, 3))


# --- safety and contradictions --------------------------------------------------------------------------------


def _unsafe(note: Note, run: Run) -> Iterator[Misfit]:
    """Drugs against a documented allergy, and contraindicated pairs; of their sentences the last one is flagged."""
    case = note.case.model_copy(update={"documents": [note.document]})
    safety = drug_safety(case, note.findings, run.resources.graph, run.settings)
    known = {item.id: item for item in safety.evidence}
    for alert in safety.alerts:
        cited = [known[id] for id in alert.evidence if id in known]
        starts = [item.source.start for item in cited if item.source.document_id == note.document.id]
        places = [note.sentence(start) for start in starts if start is not None]
        stated = alert.kind == "allergy" and any(_SAYS["allergic"].search(item.text) for item in cited)
        if places and (stated or (alert.kind == "interaction" and alert.severity == "contraindicated")):
            yield note.misfit(max(places), "safety", f"{alert.message} {alert.management}", cited, run)


class Stated(NamedTuple):
    """One thing the note says of a name: its dose, side or status."""

    name: str
    what: str
    value: str | Quantity
    start: int


def _contradictions(note: Note, run: Run) -> Iterator[Misfit]:
    """What two sentences say differently, neither telling of a change; the later one is flagged."""
    for a, b in itertools.combinations([*_doses(note), *_sides(note), *_states(note)], 2):
        first, later = sorted((a, b), key=lambda one: one.start)
        here, before = note.sentence(later.start), note.sentence(first.start)
        told = any(_SAYS["changed"].search(note.said(place)) for place in (here, before))
        if here != before and (a.name, a.what) == (b.name, b.what) and not told and _differ(a.value, b.value):
            cited = [passage(note.document, one.start) for one in (first, later)]
            values = {"a": _worded(later.value, note), "b": _worded(first.value, note)}
            name = run.resources.graph.label(a.name, note.document.language)
            yield note.misfit(here, "contradiction", note.words[a.what].format(name=name, **values), cited, run)


def _differ(a: str | Quantity, b: str | Quantity) -> bool:
    return not equal(a, b) if isinstance(a, Quantity) and isinstance(b, Quantity) else a != b


def _worded(value: str | Quantity, note: Note) -> str:
    return note.words[value] if isinstance(value, str) else note.document.text[value.start : value.end].strip()


def _doses(note: Note) -> Iterator[Stated]:
    text = note.document.text
    amounts = {one.start: one for one in quantities(text) if one.dimension == "mass"}
    for one in mentions(text):
        dose = next((amounts[place] for place in range(one.end, one.end + 3) if place in amounts), None)
        if len(one.drugs) == 1 and dose is not None:
            yield Stated(one.drugs[0].id, "dose", dose, one.start)


def _now(note: Note) -> list[Finding]:
    return [one for one in note.findings if one.experiencer == "patient" and one.time == "current"]


def _sides(note: Note) -> Iterator[Stated]:
    for one in _now(note):
        found = _SAYS["side"].search(note.document.text[max(0, (one.start or 0) - 20) : one.start])
        if found and one.status == "present":
            side = (found[1] or found[2]).lower()
            yield Stated(one.code, "side", {"左": "left", "右": "right"}.get(side, side), one.start or 0)


def _states(note: Note) -> Iterator[Stated]:
    for one in _now(note):
        if one.status != "uncertain" and one.value is None:
            yield Stated(one.code, "status", one.status, one.start or 0)


# --- a model --------------------------------------------------------------------------------------------------


def by_model(note: Note, run: Run) -> Iterator[Misfit]:
    """What a model with the privilege to verify takes to be wrong, sentence by sentence."""
    whole = Evidence(id=note.document.id, kind="record", text=note.document.text)
    for number, span in enumerate(note.spans):
        sentence = fenced([passage(note.document, span.start)])
        asked = note.words["ask"].format(note=fenced([whole], READ), sentence=sentence)
        share = likely([Message("system", note.words["system"]), Message("user", asked)], ["A", "B"], run)["B"]
        if share >= SURE:
            why = note.words["model"].format(share=share)
            yield note.misfit(number, "model", why, [], run, score=round(share, 3))
