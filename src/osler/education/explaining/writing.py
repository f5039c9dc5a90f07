"""`explain`: a topic for a reader of a level, from sentences of the library and rows of the graph, each cited.

The level decides which sections come, how findings are named and counted, and how hard a sentence may be. Sentences of
passages stand word for word; a model that may summarise puts hard ones into plainer words, which are kept only where
the passage still supports them.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from osler.clinic.desk import Desk
from osler.education.explaining.facts import FACTS, PLAN, Facts, rarity
from osler.education.explaining.readability import Readability, grade, readability
from osler.education.quiz.material import Material
from osler.education.quiz.topics import focus, mentions
from osler.education.quiz.words import capital
from osler.errors import InputError
from osler.knowledge.graph import Node
from osler.models import Message, Request
from osler.nouns import Evidence, Noun, Source, Statement, dump
from osler.reasoning.extract import Sentence, diverse, score_sentences
from osler.reasoning.judging import judge
from osler.reasoning.privilege import withheld
from osler.reasoning.resources import Run
from osler.text import Language, has_chinese, words

Level = Literal["patient", "student", "resident", "specialist"]
LEVELS: tuple[Level, ...] = ("patient", "student", "resident", "specialist")
READ = 12  # passages looked at for a section
HARD = 0.08  # off a sentence's score for each grade above the aim
TOO_HARD = 4.0  # grades above the aim from which on a sentence is left out
OWN = 0.1  # for a passage whose title is the topic
LEAST, MEANT = 0.45, 0.25  # score and cosine below which a sentence says too little of the question
SHORTEST = 6  # words
DEFINES = 0.15  # for a sentence that says what the topic is
# What sends the reader elsewhere, and what a list's line says without a verb.
_UNFIT = re.compile(r"^\(?(?:See|Watch|Visit|Click|Send|Read|[A-Z]\w+ing(?! (?:is|are|can|may)))\b|\bwebsite\b")
LAST = ("sorts", "place")  # what is told where nothing else is known
KINDS = {"disease": "disease", "drug": "drug", "phenotype": "finding"}
TERM = 0.6  # rarity from which on a word is explained
PRIVILEGE, TOKENS = "summarise", 120


class Term(Noun):
    """A word of the text that the graph knows: its identifier, label and, where it has one, meaning."""

    text: str
    code: str
    label: str
    meaning: str | None


class Section(Noun):
    title: str
    statements: list[Statement]


class Explanation(Noun):
    """`about`: the topic in the graph; `terms`: what its text names; `missing`: sections for which nothing was found in
    the language; `readability`: of all statements together."""

    topic: str
    about: str | None
    level: Level
    language: Language
    sections: list[Section]
    terms: list[Term]
    missing: list[str]
    readability: Readability
    evidence: list[Evidence]
    trace_id: str | None = None


def explain(topic: str, desk: Desk, level: Level = "patient", language: Language | None = None) -> Explanation:
    """An explanation made at a desk: it is in the ledger, and can be replayed, before it is handed over.

    Raises InputError where neither the graph nor the library knows the topic.
    """
    run = Run(desk.resources, "explain")
    made, trace = explanation_of(topic, run, level, language), run.trace("explain")
    made = made.model_copy(update={"trace_id": trace.id})
    desk.keep("explain", {"topic": topic, "level": level, "language": language}, dump(made), trace)
    return made


def explanation_of(topic: str, run: Run, level: Level, language: Language | None = None) -> Explanation:
    """The explanation that a run makes."""
    if not words(topic):
        raise InputError("the topic is empty")
    language = language or ("zh" if has_chinese(topic) else "en")
    material = Material(run, language)
    node = _node(topic, material)
    name = material.name(node.id) if node else topic.strip()
    plan, aim = PLAN["levels"][level], PLAN["levels"][level]["aim"].get(language)
    reader, before = _Reader(level, language, aim, material), set[str]()
    sections, missing = list[Section](), list[str]()
    planned = plan[KINDS.get(node.kind, "finding") if node else "finding"]
    for key in dict.fromkeys((*planned, *LAST)):
        if key not in planned and sections:
            break
        asked = PLAN["sections"][key]
        said = list(reader.told(key, asked, name, node, before))
        before |= {one.text for one in said}
        if said:
            sections.append(Section(title=asked[language], statements=said))
        else:
            missing.append(asked[language])
    if not sections:
        raise InputError(f"neither the graph nor the library knows {topic!r}", hint="Name a disease, finding or drug.")
    texts = [one.text for section in sections for one in section.statements]
    return Explanation(
        topic=topic, about=node.id if node else None, level=level, language=language, sections=sections,
        terms=_terms(texts, node, material), missing=missing, readability=readability(texts, language, aim),
        evidence=list(run.evidence.values()),
    )  # fmt: skip


def _node(topic: str, material: Material) -> Node | None:
    """What a topic names, a disease before a drug before a finding; of several the one called so."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    named = [node for node in focus(topic, material) if node.kind in order and material.named(node.id)]
    called = {node.id for node in material.graph.called(topic)}
    return min(named, key=lambda node: (node.id not in called, order[node.kind]), default=None)


class _Reader(NamedTuple):
    """What each section says to one reader."""

    level: Level
    language: Language
    aim: float | None
    material: Material

    def told(
        self, key: str, asked: dict[str, Any], name: str, node: Node | None, before: Container[str]
    ) -> Iterator[Statement]:
        """What a section says; no sentence of a passage that was said `before`."""
        if "ask" in asked:
            if key == "what" and self.level != "patient" and self.language == "en":
                yield from self.defined(name)
            query = asked["ask"][self.language].format(name=name)
            yield from self.from_library(query, name, node, asked["n"], before, key == "what")
        if node is not None and key in FACTS:
            facts = Facts(self.level, self.language, self.material)
            for text, cited in FACTS[key](node, facts):
                yield Statement(text=text, evidence=cited, verdict="supported")

    def defined(self, name: str) -> Iterator[Statement]:
        """The definition that the graph has for what is called so."""
        for node in self.material.graph.called(name):
            if node.definition:
                source = Source(title=node.id)
                held = Evidence(id=f"definition:{node.id}", kind="edge", text=node.definition, source=source)
                cited = [self.material.run.cite(held)]
                yield Statement(text=node.definition, evidence=cited, verdict="supported")
                return

    def from_library(
        self, query: str, name: str, node: Node | None, most: int, before: Container[str], defining: bool
    ) -> Iterator[Statement]:
        """Sentences that answer a question about the topic, in the order of their passages."""
        run = self.material.run
        names = self.material.names_of(node.id) if node else [name]
        hits = [hit for hit in run.search(query, READ) if _about(names, hit) and not self._of_another(hit, node)]
        own = {hit.id for hit in hits if (hit.source.title or "").lower() in map(str.lower, names)}
        scored = [
            one._replace(score=one.score - self._over(one.text) * HARD + (one.evidence.id in own) * OWN)
            for one in score_sentences(query, hits, run)
            if self._fit(one) and one.text not in before
        ]
        if defining:
            scored = [one._replace(score=one.score + _defines(one.text, names) * DEFINES) for one in scored]
        chosen = [one for one in diverse([s for s in scored if s.score >= LEAST], most) if one.text]
        place = {hit.id: rank for rank, hit in enumerate(hits)}
        for one in sorted(chosen, key=lambda one: (place[one.evidence.id], one.evidence.text.find(one.text))):
            yield self.plainer(Statement(text=one.text, evidence=[run.cite(one.evidence)], verdict="supported"), hits)

    def _fit(self, one: Sentence) -> bool:
        """Whether a sentence is of the language, easy enough, and one that can stand here."""
        whole = len(words(one.text)) >= SHORTEST and one.cosine >= MEANT and not _UNFIT.search(one.text)
        return whole and has_chinese(one.text) == (self.language == "zh") and self._over(one.text) < TOO_HARD

    def _of_another(self, hit: Evidence, node: Node | None) -> bool:
        """Whether a passage's title is the name of something else, no kind of the topic."""
        graph = self.material.graph
        titled = graph.called(hit.source.title or "") if node else []
        named = {name.lower() for name in self.material.names_of(node.id)} if node else set()
        return bool(node and titled) and not any(
            other.label.lower() in named or graph.descends(other.id, node.id) for other in titled if node
        )

    def _over(self, text: str) -> float:
        """Grades by which a sentence is harder than the aim."""
        return max(0.0, grade(text) - self.aim) if self.aim is not None and self.language == "en" else 0.0

    def plainer(self, said: Statement, hits: Sequence[Evidence]) -> Statement:
        """In a model's words if it may summarise, the sentence is hard, and the passage supports the plainer one."""
        run, who = self.material.run, PLAN["reword"][self.language]["who"].get(self.level)
        if who is None or not self._over(said.text) or withheld(PRIVILEGE, self.language, run):
            return said
        asked = PLAN["reword"][self.language]
        messages = [Message("system", asked["system"]), Message("user", asked["ask"].format(who=who, text=said.text))]
        made = run.generate([Request(messages=messages, max_tokens=TOKENS)])[0].text.strip()
        passage = [hit for hit in hits if hit.id in said.evidence]
        if made and self._over(made) < self._over(said.text) and judge(made, passage, run) == "supported":
            return said.model_copy(update={"text": made})
        return said


def _defines(text: str, names: Iterable[str]) -> bool:
    """Whether a sentence begins with what is called so and says what it is."""
    called = "|".join(map(re.escape, names))
    return bool(re.match(rf"(?:an? |the )?(?:{called})\b[^,;.]{{0,30}} (?:is|are|means|refers to) ", text, re.I))


def _about(names: Iterable[str], hit: Evidence) -> bool:
    """Whether a passage is about what is called so: by its title, or by its text and the heading above it."""
    title, text = hit.source.title or "", f"{hit.source.section} {hit.text}"
    return any(mentions(name, title) or f" {name.lower()}" in f" {text.lower()}" for name in names if len(name) > 2)


def _terms(texts: Sequence[str], node: Node | None, material: Material) -> list[Term]:
    """What the text names, each once, without the topic itself and everyday words, in order."""
    found: dict[str, Term] = {}
    graph, said = material.graph, set[str]()
    for text in texts:
        for item in material.run.resources.recogniser.find(text):
            known, written = graph.find(item.code), text[item.start : item.end]
            if known is None or known.kind not in KINDS or written.lower() in said:
                continue
            if rarity(written) < TERM or (node and material.kin(known.id, node.id)):
                continue
            label = capital(graph.label(known.id, material.language))
            meaning = known.definition if material.language == "en" else None
            if known.id not in found and (meaning or label.lower() != written.lower()):
                found[known.id] = Term(text=written, code=known.id, label=label, meaning=meaning)
            said.add(written.lower())
    return list(found.values())
