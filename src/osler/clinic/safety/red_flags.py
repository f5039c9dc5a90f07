"""Red flags: which emergencies a case may hold, with the words and values that say so and the guideline behind each.

It raises a flag, it doesn't diagnose: a case without a flag isn't a safe case. The rules themselves are data.
"""

from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.safety import vitals
from osler.clinic.safety.conditions import Compare, Name, evaluate, lacking, names
from osler.clinic.safety.passages import entry, passage, sentence_at
from osler.clinic.safety.phrases import Span
from osler.clinic.safety.rules import Feature, Rule, RuleBook, load_rules
from osler.knowledge.concepts import dialogue
from osler.knowledge.concepts.context import Context, contexts
from osler.knowledge.drugs import tables
from osler.knowledge.graph import Graph
from osler.nouns import Evidence, Finding, RedFlag, Source
from osler.record.case import Case, Document
from osler.record.demographics import demographics, spoken_for
from osler.record.times import days_of
from osler.text import Language, shorten

_URGENCY = {"immediate": 0, "urgent": 1, "soon": 2}
# What an older document or observation says isn't today's emergency.
_RECENT_DAYS = 7
_OWN = 2  # pieces of evidence that a flag needs beside those which a better supported one explains
_NEARLY = 3  # pieces that raise a flag of a condition which lacks one more
_SAYS = tables.patterns(__package__, "flag_words.toml")


class Trigger(NamedTuple):
    """What made a name true: its words and where they stand (`source`: document id or FHIR path)."""

    text: str
    source: str | None = None
    start: int | None = None
    end: int | None = None


def red_flags(
    case: Case, findings: Sequence[Finding], graph: Graph, language: Language = "en"
) -> tuple[list[RedFlag], list[Evidence]]:
    """The flags of a case, the most urgent first, and their evidence: the guideline (`guideline:<rule id>`) and the
    passages of the record that triggered each."""
    book = load_rules()
    view = View(case, findings, graph, book)
    flags: list[RedFlag] = []
    evidence: dict[str, Evidence] = {}
    for rule, triggers in view.raised():
        items = [_guideline(rule), *_record(triggers, case)]
        evidence.update({item.id: item for item in items})
        flags.append(
            RedFlag(
                label=rule.label_zh if language == "zh" else rule.label,
                because=list(dict.fromkeys(shorten(trigger.text, 80) for trigger in triggers)),
                action=rule.action_zh if language == "zh" else rule.action,
                urgency=rule.urgency,
                evidence=list(dict.fromkeys(item.id for item in items)),
            )
        )
    flags.sort(key=lambda flag: _URGENCY[flag.urgency])
    return flags, list(evidence.values())


class View:
    """What a case says, asked name by name. Answers are kept, so that a feature is worked out once a case."""

    def __init__(self, case: Case, findings: Sequence[Finding], graph: Graph, book: RuleBook) -> None:
        self._book = book
        self._sex = case.patient.sex
        self._age = days_of(case.patient.age) if case.patient.age else None
        self._pregnant = case.patient.pregnant
        self._found: dict[str, list[Trigger]] = {}
        self._otherwise: set[str] = set()  # features that the record names as denied, past, feared or another's
        self._readings: dict[str, list[vitals.Reading]] = {}
        self._answers: dict[str, list[Trigger] | None] = {}
        since = vitals.days_before(case.reference_time, _RECENT_DAYS) if case.reference_time else None
        recent = [document for document in case.documents if not (since and document.time and document.time < since)]
        for reading in vitals.observed(case.observations, since):
            self._readings[reading.measure] = [reading]
        self._length = sum(len(document.text) for document in recent)
        for document in sorted(recent, key=lambda document: document.time or ""):
            self._read(document)
        self._take(findings, graph, {document.id for document in case.documents} - {document.id for document in recent})

    def _read(self, document: Document) -> None:
        said, _ = demographics(document.text)
        if self._age is None:
            self._age = next((days_of(one.age) for one in said if one.age), None)
        self._sex = self._sex or next((one.sex for one in said if one.sex), None)
        spans = self._book.phrasebook.find(document.text)
        readings = vitals.readings(document.text, document.id)
        for span, context in _contexts(document.text, spans, self._book):
            feature = self._book.features[span.feature]
            if document.turns:
                status = dialogue.status_in(document.text, document.turns, span.start, context.status)
                context = context._replace(status=context.status if feature.plain else status)
            if not _counts(feature, _dated(document.text, span.start, context)):
                self._otherwise.add(span.feature)
                continue
            words = document.text[span.start : span.end]
            self._found.setdefault(span.feature, []).append(Trigger(words, document.id, span.start, span.end))
        around = _placed(document.text, [(reading.start or 0, reading.end or 0) for reading in readings])
        for reading, context in zip(readings, around, strict=True):
            dated = _dated(document.text, reading.start or 0, context)
            if dated.experiencer == "patient" and dated.time == "current":
                self._readings.setdefault(reading.measure, []).append(reading)

    def _take(self, findings: Sequence[Finding], graph: Graph, old: set[str]) -> None:
        codes = self._book.codes
        for finding in findings:
            if finding.status != "present" or finding.experiencer != "patient" or finding.time != "current":
                continue
            if finding.source in old or graph.position(finding.code) is None:
                continue
            if finding.value is not None and finding.unit == "Cel":
                words, source = f"{finding.value:g} °C", finding.source or ""
                reading = vitals.Reading("temp", finding.value, words, source, finding.start, finding.end)
                self._readings.setdefault("temp", [reading])
            for ancestor in graph.ancestors(finding.code).intersection(codes):
                for name in codes[ancestor]:
                    words = finding.text or finding.label
                    self._found.setdefault(name, []).append(Trigger(words, finding.source, finding.start, finding.end))

    def raised(self) -> list[tuple[Rule, list[Trigger]]]:
        """The rules that hold, with what makes them true, in the order of the book.

        A rule falls if those with more evidence explain it: less than `_OWN` pieces of its evidence stand elsewhere in
        the record than theirs. One severe illness has signs of many ("collapse" is of a dozen rules).
        """
        held = {rule: found for rule in self._book.rules if (found := self.holds(rule)) is not None}
        pieces = {rule: self._evidence(rule) for rule in held}
        kept: list[Rule] = []
        for rule in sorted(held, key=lambda rule: -_apart(pieces[rule], ())):
            explained = [
                one for other in kept if rule.id not in other.beside for piece in pieces[other] for one in piece
            ]
            if not explained or _apart(pieces[rule], explained) >= _OWN:
                kept.append(rule)
        return [(rule, found) for rule, found in held.items() if rule in kept] or self._nearly()

    def _nearly(self) -> list[tuple[Rule, list[Trigger]]]:
        """Where no rule holds but what is measured or seen alarms: the rule that lacks a single name, for notes tell in
        words that no list foresees. It must be of the most urgent kind, have evidence enough, more than any other
        such rule, and none of its names denied; a long note tells of much, so it needs more."""
        if self._answer(Name("alarm")) is None:
            return []
        least = _NEARLY + self._length // 2000
        found: list[tuple[int, Rule, list[Trigger]]] = []
        for rule in self._book.rules:
            condition = self._book.conditions[rule.id]
            if rule.urgency == "immediate" and lacking(condition, self._answer) == 1:
                pieces = self._evidence(rule)
                unsaid = [one for one in names(condition, denied=False) if self._answer(one) is None]
                if not any(isinstance(one, Name) and one.name in self._otherwise for one in unsaid):
                    found.append((_apart(pieces, ()), rule, [one for piece in pieces for one in piece]))
        found.sort(key=lambda one: -one[0])
        clear = found and found[0][0] >= least and (len(found) == 1 or found[0][0] > found[1][0])
        return [found[0][1:]] if clear else []

    def holds(self, rule: Rule) -> list[Trigger] | None:
        """What makes the rule true, or None."""
        return evaluate(self._book.conditions[rule.id], self._answer)

    def _evidence(self, rule: Rule) -> list[list[Trigger]]:
        """What the record says to each name that speaks for the rule."""
        asked = dict.fromkeys(names(self._book.conditions[rule.id], denied=False))
        return [found for one in asked if (found := self._answer(one))]

    def _answer(self, asked: Name | Compare) -> list[Trigger] | None:
        if isinstance(asked, Compare):
            return self._compared(asked)
        if asked.name not in self._answers:
            self._answers[asked.name] = None  # a feature that asks for itself is not true by that
            self._answers[asked.name] = self._named(asked.name)
        return self._answers[asked.name]

    def _compared(self, asked: Compare) -> list[Trigger] | None:
        if asked.name == "age":
            return [] if self._age is not None and asked.holds(self._age) else None
        # "glucose 1.4, after dextrose 6.1" was an emergency; a raised potassium that is normal on repeat was none.
        readings = self._readings.get(asked.name, [])
        anyone = vitals.MEASURES[asked.name].worse == ("low" if asked.sign.startswith("<") else "high")
        held = [one for one in (readings if anyone else readings[-1:]) if asked.holds(one.value)]
        return [Trigger(one.text, one.source, one.start, one.end) for one in held[-1:]] or None

    def _named(self, name: str) -> list[Trigger] | None:
        if name in ("male", "female"):
            return [] if self._sex == name else None
        if name == "pregnant":
            return [] if self._pregnant else None
        triggers = list(self._found.get(name, ()))
        condition = self._book.conditions.get(name)
        derived = evaluate(condition, self._answer) if condition is not None else None
        return [*triggers, *(derived or [])] if triggers or derived is not None else None


def _apart(pieces: Sequence[Sequence[Trigger]], explained: Sequence[Trigger]) -> int:
    """How many pieces of evidence stand at places of their own, beside those explained and each other's."""
    taken, count = list(explained), 0
    for piece in pieces:
        free = [one for one in piece if not any(_overlap(one, other) for other in taken)]
        count += bool(free)
        taken += free
    return count


def _overlap(one: Trigger, other: Trigger) -> bool:
    if one.source != other.source or one.start is None or other.start is None:
        return one.source == other.source
    return one.start < (other.end or other.start) and other.start < (one.end or one.start)


def _counts(feature: Feature, context: Context) -> bool:
    if context.status != "present" or context.time == "hypothetical":
        return False
    return (context.time == "current" or feature.time == "any") and (
        context.experiencer == "patient" or feature.who == "any"
    )


def _dated(text: str, place: int, context: Context) -> Context:
    """A context is left in the past only where the sentence says that it was long ago: taking today's emergency for
    history costs more than the reverse."""
    if context.time != "historical":
        return context
    unit = sentence_at(text, place)
    return context if _SAYS["long_ago"].search(text, unit.start, unit.end) else context._replace(time="current")


def _contexts(text: str, spans: Sequence[Span], book: RuleBook) -> list[tuple[Span, Context]]:
    """Each span with its context. Words of time and manner have none, so they don't hide their cues from others either:
    "2 hours ago" still says when the pain began."""
    plain = [span for span in spans if book.features[span.feature].plain]
    asked = [span for span in spans if not book.features[span.feature].plain]
    # A phrase with a negation of its own ("no bowel sounds") must not take that cue from the others.
    marked = [
        not _SAYS["negated"].match(text, span.start)
        and bool(_SAYS["holds_negation"].search(text, span.start, span.end))
        for span in asked
    ]
    found: list[Context] = [Context()] * len(asked)
    for kind in (False, True):
        mine = [number for number, own in enumerate(marked) if own is kind]
        places = [(asked[number].start + _lead(text, asked[number]), asked[number].end) for number in mine]
        for number, context in zip(mine, _placed(text, places), strict=True):
            found[number] = context
    owned = [
        context._replace(status="present") if context.status == "absent" and _owns_negation(text, span) else context
        for span, context in zip(asked, found, strict=True)
    ]
    return [*((span, Context()) for span in plain), *zip(asked, owned, strict=True)]


def _placed(text: str, spans: Sequence[tuple[int, int]]) -> list[Context]:
    """The contexts of spans. What a relative tells ("Mother on the phone: ...") is of the patient unless the sentence
    alone gives it to someone else; what advice lists is of nobody, and what a known allergy once did ("Allergies:
    penicillin (hives)") is not of today."""
    found = contexts(text, spans)
    told, kin = _SAYS["teller"].search(text), spoken_for(text)
    denials = list(_SAYS["denial_list"].finditer(text))
    for number, ((start, end), context) in enumerate(zip(spans, found, strict=True)):
        unit = sentence_at(text, start)
        known = _SAYS["known_reaction"].search(text[unit.start : start])
        if _SAYS["advice"].search(text, unit.start, start) or (
            known and not _SAYS["just_now"].search(text, unit.start, unit.end)
        ):
            found[number] = Context("uncertain", context.experiencer, "hypothetical")
        elif _SAYS["past_stay"].search(text, unit.start, unit.end) and not _SAYS["today"].search(
            text, unit.start, unit.end
        ):
            found[number] = context._replace(time="historical")
        elif any(match.start("list") < start < match.end("list") for match in denials):
            found[number] = context._replace(status="absent")
        elif kin and context.experiencer != "patient":
            found[number] = context._replace(experiencer="patient")
        elif told and context.experiencer == "family":
            alone = contexts(text[unit.start : max(unit.end, end)], [(start - unit.start, end - unit.start)])[0]
            found[number] = (
                alone if not _SAYS["teller"].match(text, unit.start) else context._replace(experiencer="patient")
            )
    return found


def _lead(text: str, span: Span) -> int:
    """The length of the auxiliary words that a phrase begins with: the verb of "had a fit" ends what an earlier "not"
    denies."""
    match = _SAYS["auxiliary"].match(text, span.start, span.end)
    return match.end() - span.start if match and match.end() < span.end else 0


def _owns_negation(text: str, span: Span) -> bool:
    """Whether a phrase is itself a negation ("cannot pass urine") and only another one before it made it absent: no
    list goes on into it, unless the sentence denies all of it."""
    if not _SAYS["negated"].match(text, span.start) or _SAYS["answered"].match(text, span.end):
        return False
    return not _SAYS["denies"].search(text, sentence_at(text, span.start).start, span.start)


def _guideline(rule: Rule) -> Evidence:
    text = f"{rule.label}. {rule.action}"
    return Evidence(
        id=f"guideline:{rule.id}", kind="passage", text=text, source=Source(title=rule.source, year=rule.year)
    )


def _record(triggers: Sequence[Trigger], case: Case) -> list[Evidence]:
    """One evidence for each sentence or entry of the record that holds triggers."""
    documents = {document.id: document for document in case.documents}
    items: dict[str, Evidence] = {}
    for trigger in triggers:
        document = documents.get(trigger.source or "")
        if document is not None and trigger.start is not None:
            item = passage(document, trigger.start)
            items[item.id] = item
        elif trigger.source is not None:
            items[trigger.source] = entry(trigger.source, trigger.text)
    return list(items.values())
