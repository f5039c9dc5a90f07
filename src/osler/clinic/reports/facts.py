"""The facts of a record that a report may say: what each is about, in words, with the element or sentence it is from.

Structured elements are worded by fixed forms; text is quoted. It chooses nothing: a template does that.
"""

import importlib.resources
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from osler.clinic.reports.said import topics_of, units_of
from osler.clinic.safety.passages import entry
from osler.knowledge.concepts.recogniser import findings_of
from osler.knowledge.graph import Graph
from osler.nouns import Evidence, Finding
from osler.reasoning.resources import Resources
from osler.record.case import Allergy, Case, Condition, Encounter, Medication, Named, Observation, Procedure
from osler.text import Language, words

WORDS: dict[Language, dict[str, str]] = tomllib.loads(
    (importlib.resources.files(__package__) / "words.toml").read_text(encoding="utf-8")
)  # type: ignore[assignment]
_TAG = re.compile(r"\s*\((?:disorder|finding|situation|procedure|regime/therapy|event|observable entity|person)\)$")
_LOINC = re.compile(r"\s*\[[^\]]*\]|\s+by (?:Automated|Manual) count")  # how a result was counted
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T.*$")
_NO_ALLERGY = re.compile(r"(?i)^\s*(?:no (?:known|drug)|nkda|nka\b|没有|无)")
_UNITS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"\{[^}]*\}|^1$"), ""),
    (re.compile(r"^Cel$"), "°C"),
    (re.compile(r"^\[degF\]$"), "°F"),
    (re.compile(r"\bu(?=[LgmUs]|mol|kat)"), "µ"),
    (re.compile(r"\[(Hg|IU|iU)\]"), lambda found: {"iU": "IU"}.get(found[1], found[1])),
    (re.compile(r"^10\*(\d+)"), lambda found: "×10" + found[1].translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))),
]  # fmt: skip
BRIEF = 5  # words, the speaker's label among them
PAST = ("inactive", "resolved", "remission")


class Fact(NamedTuple):
    """`must`: a report that has a place for its topic must not drop it."""

    topic: str
    text: str
    evidence: list[Evidence]
    must: bool = False


def facts_of(case: Case, resources: Resources, language: Language) -> list[Fact]:
    """All facts, structured ones first, each kind in the record's order."""
    return [*Structured(case, resources.graph, language).facts(), *said(case, resources)]


def said(case: Case, resources: Resources) -> Iterator[Fact]:
    """What the record's texts say, without courtesies: what the model of topics takes for one, and a few words that are
    no answer. A sentence stays in any case if it has a number or names a finding or drug."""
    found = findings_of(case, resources.recogniser) if case.documents else []
    for document in case.documents:
        units = units_of(document)
        marked = [item.start for item in found if item.source == document.id and item.start is not None]
        for unit, topics in zip(units, topics_of(units, resources.embedder), strict=True):
            telling = any(c.isdigit() for c in unit.text) or any(unit.start <= place < unit.end for place in marked)
            brief = unit.speaker in ("doctor", "patient") and len(words(unit.text)) <= BRIEF
            if telling or not (brief or topics[0] == "none"):
                topic = next(one for one in topics if one != "none")
                yield Fact(topic, unit.text, [unit.evidence()], must=topic == "allergy")


class Structured:
    """The facts of a record's elements, worded."""

    def __init__(self, case: Case, graph: Graph, language: Language) -> None:
        self.case, self.graph, self.language, self.words = case, graph, language, WORDS[language]
        stays = [one for one in case.encounters if one.started]
        self.stay: Encounter | None = max(stays, key=lambda one: one.started or "", default=None)

    def facts(self) -> Iterator[Fact]:
        yield from self._patient()
        yield from self._stay()
        yield from (fact for one in self.case.conditions for fact in self._condition(one))
        yield from (fact for one in self.case.medications for fact in self._drug(one))
        yield from (fact for one in self.case.allergies for fact in self._allergy(one))
        yield from (fact for one in latest(self.case.observations) for fact in self._observation(one))
        yield from (fact for one in self.case.procedures for fact in self._procedure(one))
        yield from (self._finding(one) for one in self.case.findings if one.source and one.experiencer == "patient")

    def _patient(self) -> Iterator[Fact]:
        one = self.case.patient
        born = self._say("born", date=one.birth_date)
        parts = [one.name, self.words.get(one.sex or ""), None if one.name and born else self._age(one.age), born]
        if any(parts) and one.source:
            yield self._fact("patient", parts, one.source, [one.name, one.sex, self._age(one.age), one.birth_date])

    def _stay(self) -> Iterator[Fact]:
        one = self.stay
        if one is None:
            return
        start, end = _day(one.started), _day(one.ended)
        when = self._say("from_to", start=start, end=end) if end and end != start else start
        parts = [_plain(one.label or one.kind), when]
        yield self._fact("encounter", parts, one.source, [one.label, one.kind, one.started, one.ended, one.reason])
        if one.reason:
            yield self._fact("reason", [_plain(one.reason)], one.source, [one.label, one.reason])

    def _condition(self, one: Condition) -> Iterator[Fact]:
        if one.verification == "refuted":
            return
        past = one.status in PAST or one.abatement is not None
        name = self._name(one)
        if one.verification in ("provisional", "differential", "unconfirmed"):
            name = self._say("unsure", what=name) or name
        since, until = self._say("since", date=_day(one.onset)), self._say("until", date=_day(one.abatement))
        told = [one.label, self._name(one), one.status, one.verification, one.onset, one.abatement]
        yield self._fact("past_problem" if past else "problem", [name, since, until], one.source, told, must=not past)

    def _drug(self, one: Medication) -> Iterator[Fact]:
        begun = self.stay.started if self.stay else None
        new = bool(begun and one.started and one.started[:10] >= begun[:10])
        if not one.current and not (begun and one.ended and one.ended[:10] >= begun[:10]):
            return
        topic = "stopped_drug" if not one.current else "new_drug" if new else "drug"
        form = {"stopped_drug": "stopped", "new_drug": "new", "drug": "drug"}[topic]
        name = self._say(form, what=self._name(one))
        since = self._say("since", date=_day(one.started)) if one.current else self._say("until", date=_day(one.ended))
        parts = [name, one.dose, one.route, self._say("reason", what=_plain(one.reason)), since]
        told = [one.label, self._name(one), one.dose, one.route, one.reason, one.status, one.started, one.ended]
        yield self._fact(topic, parts, one.source, told, must=True)

    def _allergy(self, one: Allergy) -> Iterator[Fact]:
        if one.verification == "refuted" or one.status in ("inactive", "resolved"):
            return
        label = self._name(one)
        name = label if _NO_ALLERGY.match(one.label) else self._say("allergy", what=label)
        shown = self.words["comma"].join(_plain(one) or one for one in one.reactions)
        reactions = self._say("reactions", what=shown or None)
        high = self.words["high"] if one.criticality == "high" else None
        told = [
            one.label,
            self._name(one),
            *one.reactions,
            one.criticality and f"criticality {one.criticality}",
            one.status,
            one.recorded,
        ]
        yield self._fact("allergy", [name, reactions, high], one.source, told, must=True)

    def _observation(self, one: Observation) -> Iterator[Fact]:
        value = f"{one.value:g} {one.unit or ''}".strip() if one.value is not None else one.text
        shown = f"{one.value:g} {printed_unit(one.unit)}".strip() if one.value is not None else one.text
        if value is None:
            return
        low, high = one.low, one.high
        below = one.value is not None and low is not None and one.value < low
        above = one.value is not None and high is not None and one.value > high
        mark = (one.interpretation or "").upper()
        off = below or above or (mark not in ("", "N", "NORMAL", "NEG", "ND") and low is None and high is None)
        side = "below" if below or mark in ("L", "LL") else "above" if above or mark in ("H", "HH") else "abnormal"
        usual = self._say("range", low=f"{low:g}", high=f"{high:g}") if low is not None and high is not None else None
        parts = [f"{self._name(one)} {shown}", self.words[side] if off else None, usual, _day(one.time)]
        category = one.category or ""
        topic = "vital" if "vital" in category else "social" if category in ("social-history", "survey") else "result"
        told = [
            one.label,
            self._name(one),
            value,
            shown if shown != value else None,
            one.interpretation,
            usual,
            one.time,
            one.status,
        ]
        yield self._fact("abnormal" if off else topic, parts, one.source, told, must=off)

    def _procedure(self, one: Procedure) -> Iterator[Fact]:
        if one.status in (None, "completed", "in-progress") and one.kind == "procedure":
            told = [one.label, self._name(one), one.status, one.started, one.ended]
            yield self._fact("procedure", [self._name(one), _day(one.started)], one.source, told)

    def _finding(self, one: Finding) -> Fact:
        label = self.graph.label(one.code, self.language) if self.graph.find(one.code) else one.label
        name = self._say(one.status, what=label) or label
        return self._fact("history", [name], one.source or "", [one.label, label, one.status])

    def _fact(
        self, topic: str, parts: Iterable[str | None], source: str, told: Sequence[object], must: bool = False
    ) -> Fact:
        text = self.words["comma"].join(part for part in parts if part)
        known = "; ".join(_MOMENT.sub(r"\1", str(value)) for value in told if value is not None)
        return Fact(topic, text[:1].upper() + text[1:] + self.words["stop"], [entry(source, known)], must)

    def _say(self, key: str, **parts: str | None) -> str | None:
        return None if None in parts.values() else self.words[key].format(**parts)

    def _age(self, age: str | None) -> str | None:
        match = re.match(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", age or "")
        for value, unit in zip(match.groups() if match else (), ("years", "months", "days"), strict=False):
            if value and int(value):
                return self._say(unit, n=value)
        return None

    def _name(self, one: Named) -> str:
        """The label as the record has it; in the report's language where the graph knows the code."""
        label = _plain(one.label) or one.label
        for code in one.codes if self.language == "zh" else ():
            node = self.graph.find(f"{code.system}:{code.code}") if code.system and code.code else None
            if node is not None and node.label_zh:
                return node.label_zh
        return label


def latest(observations: Sequence[Observation]) -> list[Observation]:
    """The newest of each label, in the order they first appear."""
    newest: dict[str, Observation] = {}
    for one in observations:
        known = newest.get(one.label)
        if known is None or (one.time or "") >= (known.time or ""):
            newest[one.label] = one
    return list(newest.values())


def printed_unit(unit: str | None) -> str:
    """A UCUM unit as clinicians write it: Cel as °C, mm[Hg] as mmHg, 10*3/uL as ×10³/µL, {score} as nothing."""
    for pattern, written in _UNITS:
        unit = pattern.sub(written, unit or "")
    return unit or ""


def _plain(label: str | None) -> str | None:
    return _LOINC.sub("", _TAG.sub("", label)) if label else None


def _day(moment: str | None) -> str | None:
    return moment[:10] if moment else None
