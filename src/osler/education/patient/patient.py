"""The virtual patient: a line of the learner in, a reply out that holds what was asked for of the script, and no more.

It understands by the concepts a line names (with broader and narrower ones) and by the prompts it is near to. It never
names the diagnosis, says that it does not know where the script is silent, and keeps no state: what was told before is
handed in. It does not score.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from osler.education.patient.asked import NEAR, SURE, Prompts, is_question, own_prompts, parts, prompts
from osler.education.patient.orders import is_whole, order_of, results
from osler.education.patient.script import TOPICS, WORDS, Fact, Script, names_one
from osler.knowledge.concepts.matcher import Mention
from osler.knowledge.diagnosis.questions import NEOPLASM
from osler.nouns import Noun
from osler.reasoning.resources import Resources
from osler.text import words

OWN = 0.93  # cosine from which the name of a fact is meant whatever else the line names; read off the tune part
EXACT = 0.94  # the same for a fact that no code names, where the line names a symptom
DEEP = 5  # ancestors by which an asked symptom may be narrower than one that is present
LEAST = 6  # ancestors that a symptom has at least which may stand for a narrower one
OPEN = {"reserved": 1, "plain": 2, "anxious": 2, "talkative": 3}  # facts told to an open question
STORY = ("complaint", "onset", "duration", "site", "character", "course", "context")
Heard = Literal["told", "unknown", "not-done", "smalltalk", "refuse-diagnosis"]


class Reply(Noun):
    """What the patient says, and the facts told by it."""

    text: str
    facts: list[str] = []
    kind: Heard


class Meant(NamedTuple):
    """What one part of a line asks for: a prompt's key with its cosine, and the codes it names. `of`: the topic that
    it is near to when what it names is called "it", in a question of when, where or how ("how long has the cough
    lasted?"), or the same topic as with the name. `bare`: it asks only whether there is what it names."""

    words: str
    key: str
    score: float
    codes: tuple[str, ...]
    of: str = ""
    bare: bool = False


class VirtualPatient:
    """The patient of a script. It may be made anew for every line; embeddings of prompts are kept by the process."""

    def __init__(self, script: Script, resources: Resources) -> None:
        self.script, self._resources = script, resources
        self._words = WORDS[script.language]
        self._history = [fact for fact in script.facts if fact.kind == "history"]
        self._own: Prompts = own_prompts(self._history, resources.embedder, script.language)
        self._complaint = self._about_complaint()

    def hear(self, line: str, told: Iterable[str] = ()) -> Reply:
        """The reply to a line: a question, a remark, `/exam PART` or `/test NAME`. `told`: ids told before."""
        order = order_of(line, self.script.facts)
        if order is not None:
            if is_whole(order):
                return Reply(text=self._words["which"], kind="unknown")
            return self._results(results(order, self.script.facts))
        meant = self._meant(line)
        if self._asks_diagnosis(line, meant[0]):
            return Reply(text=self._words["refuse"], kind="refuse-diagnosis")
        whole = meant[0]
        if _of(whole.key) == "open" and whole.score >= (SURE if whole.codes else NEAR):
            return self._story(set(told), whole.key)
        if _of(whole.key) == "social" and whole.score >= NEAR:  # "Hello. Where does it hurt?"
            asked = [one for one in meant[1:] if is_question(one.words) and _of(one.key) != "social"]
            meant, whole = (asked, asked[0]) if asked and "?" in line.replace("？", "?") else (meant, whole)
        social = all(_of(one.key) == "social" and not one.codes for one in meant)
        if not is_question(line) or (social and (whole.score >= SURE or len(meant) > 1)):
            return self._small(whole)
        facts = self._answering(meant)
        if not facts:
            return Reply(text=self._pick(self._words["unknown"], line), kind="unknown")
        return Reply(text=self._told(line, facts, meant), facts=[fact.id for fact in facts], kind="told")

    # --- understanding ------------------------------------------------------------------------------------------

    def _meant(self, line: str) -> list[Meant]:
        """What the whole line asks for, then each part of it."""
        texts = parts(line)
        embedder = self._resources.embedder
        general, own = prompts(embedder, self.script.language), self._own
        named = [[one for one in self._resources.recogniser.mentions(text) if one.kind != "drug"] for text in texts]
        plain = [self._masked(text, found) for text, found in zip(texts, named, strict=True)]
        vectors = embedder.embed_queries([*texts, *plain])
        cosines = vectors @ np.concatenate([general.vectors, own.vectors]).T
        keys, best = (*general.keys, *own.keys), cosines.argmax(axis=1).tolist()
        meant = []
        for row, (text, found) in enumerate(zip(texts, named, strict=True)):
            other = row + len(texts)
            topic, near = keys[best[other]], bool(found) and cosines[other, best[other]] >= NEAR
            open_ = _of(topic) == "complaint" and bool(re.search(WORDS["open"], text))
            of = topic if near and (open_ or (_of(topic) == "person" and topic == keys[best[row]])) else ""
            codes = dict.fromkeys(code for one in found if (code := self._resources.graph.canonical(one.code)))
            bare = bool(codes) and not of and not re.search(r"\w", re.sub(WORDS["only"], "", plain[row]))
            meant.append(Meant(text, keys[best[row]], float(cosines[row, best[row]]), tuple(codes), of, bare))
        return meant

    def _masked(self, text: str, found: Sequence[Mention]) -> str:
        """The text with "it" for what it names."""
        for one in sorted(found, key=lambda one: (-one.start, -one.end)):
            if text[one.start : one.end] == one.text:
                text = f"{text[: one.start]}{self._words['it']}{text[one.end :]}"
        return text

    def _asks_diagnosis(self, line: str, whole: Meant) -> bool:
        if re.search(WORDS["kin"], line):
            return False
        if names_one(line, self.script.sealed):
            return is_question(line)
        if whole.key == "diagnosis" and whole.score >= NEAR and not any(code.startswith("HP:") for code in whole.codes):
            return True
        graph = self._resources.graph
        disease = [code for code in whole.codes if not code.startswith("HP:") or graph.descends(code, NEOPLASM)]
        if disease and re.search(WORDS["named"], line):
            return True
        guess = re.search(WORDS["guess"], line)
        for code in whole.codes if guess else ():
            for hidden in self.script.diagnosis_ids:
                if not code.startswith("HP:") and graph.find(hidden) and (
                    graph.descends(hidden, code) or graph.descends(code, hidden)
                ):  # fmt: skip
                    return not any(self._relates(fact, code) for fact in self._history)
        return False

    def _answering(self, meant: Sequence[Meant]) -> list[Fact]:
        """The facts that the line asks for, in the script's order; parts count where they ask for something."""
        whole, pieces = meant[0], meant[1:]
        found: dict[str, Fact] = {}
        for part in pieces:
            if part.codes or part.score >= SURE or _settled(part.words):
                found |= {fact.id: fact for fact in self._facts(part)}
        if not found:
            found = {fact.id: fact for fact in self._facts(whole)}
        return [fact for fact in self._history if fact.id in found]

    def _facts(self, meant: Meant) -> list[Fact]:
        if settled := _settled(meant.words):
            return [fact for fact in self._history if settled & set(fact.topics)]
        key = meant.of or meant.key
        kind, near = _of(key), bool(meant.of) or meant.score >= NEAR
        if meant.bare:
            uncoded = key.startswith("fact:") and meant.score >= EXACT
            own = [fact for fact in self._history if uncoded and fact.id == key[5:] and not fact.codes]
            return self._named(meant.codes) or own
        if key.startswith("fact:") and meant.score >= OWN:
            return [fact for fact in self._history if fact.id == key[5:]]
        by_topic = self._on(key)
        if near and kind == "complaint" and (not meant.codes or self._of_complaint(meant.codes)):
            return by_topic
        if near and kind == "complaint":  # "when did the fever start?"
            return [fact for fact in by_topic if self._any(fact, meant.codes)]
        if near and kind == "person" and by_topic and (meant.of or not meant.codes):
            return by_topic
        if meant.codes and (named := self._named(meant.codes)):
            return named
        if near and ":" in key and not key.startswith("fact:"):
            return self._named((self._resources.graph.canonical(key) or key,))
        if meant.score >= SURE and key.startswith("fact:"):
            return [fact for fact in self._history if fact.id == key[5:]]
        return []

    def _on(self, topic: str) -> list[Fact]:
        """Facts on a topic, else on the one that answers instead."""
        other = TOPICS.get(topic, {}).get("else")
        found = [fact for fact in self._history if topic in fact.topics]
        return found or [fact for fact in self._history if other in fact.topics]

    def _named(self, codes: Sequence[str]) -> list[Fact]:
        """Facts about any of the symptoms: the very ones where there are, else broader and narrower ones."""
        exact = [fact for fact in self._history if set(fact.codes) & set(codes)]
        rest = [code for code in codes if not any(code in fact.codes for fact in exact)]
        rest = [code for code in rest if not any(self._kin(code, other) for fact in exact for other in fact.codes)]
        return exact + [f for f in self._history if f not in exact and self._any(f, rest)]

    def _any(self, fact: Fact, codes: Sequence[str]) -> bool:
        return any(self._relates(fact, code) for code in codes)

    def _kin(self, one: str, other: str) -> bool:
        graph = self._resources.graph
        return bool(graph.find(one) and graph.find(other)) and (
            graph.descends(one, other) or graph.descends(other, one)
        )

    def _relates(self, fact: Fact, asked: str) -> bool:
        """Whether a fact answers for a symptom asked for: the same; a narrower one that is present, or several absent
        ones; a broader one that is absent, or present and not much broader."""
        graph = self._resources.graph
        if fact.status == "absent" and sum(self._kin(code, asked) for code in fact.codes) > 1:
            return True  # "nausea and vomiting"
        for code in fact.codes:
            known = graph.canonical(code)
            if known is None:
                continue
            if known == asked:
                return True
            if graph.descends(known, asked):
                return fact.status == "present"
            if graph.descends(asked, known):
                above, own = len(graph.ancestors(asked)), len(graph.ancestors(known))
                return fact.status == "absent" or (own >= LEAST and above - own <= DEEP)
        return False

    def _about_complaint(self) -> tuple[str, ...]:
        graph, named = self._resources.graph, self._resources.recogniser.mentions(self.script.opening)
        codes = [code for one in named if (code := graph.canonical(one.code))]
        for fact in self._history:
            if {"complaint", "site", "onset", "duration", "character"} & set(fact.topics):
                codes += fact.codes
        return tuple(dict.fromkeys(codes))

    def _of_complaint(self, codes: Sequence[str]) -> bool:
        return any(code == own or self._kin(code, own) for code in codes for own in self._complaint)

    # --- saying ---------------------------------------------------------------------------------------------------

    def _results(self, found: Sequence[Fact]) -> Reply:
        if not found:
            return Reply(text=self._words["not_done"], kind="not-done")
        lines = (
            fact.answer if fact.answer.startswith(fact.label) else f"{fact.label}: {fact.answer}" for fact in found
        )
        return Reply(text="\n".join(lines), facts=[fact.id for fact in found], kind="told")

    def _small(self, whole: Meant) -> Reply:
        kind = whole.key if whole.key in self._words["smalltalk"] else "empathy"
        return Reply(text=self._words["smalltalk"][kind], kind="smalltalk")

    def _story(self, told: set[str], key: str) -> Reply:
        """To an open question: the complaint again if nothing was told, else what of it was not told yet."""
        complaint = [fact for fact in self._history if set(fact.topics) & set(STORY) and fact.id not in told]
        if key == "associated":
            complaint = []
        some = complaint[: OPEN[self.script.personality]]
        if not some and not told and key != "associated":
            return Reply(text=self.script.opening, kind="told")
        if not some:
            return Reply(text=self._words["nothing_more"], kind="unknown")
        opening = [] if told else [self.script.opening]
        said = self._words["join"].join(_apart([*opening, *(fact.answer for fact in some)]))
        return Reply(text=said, facts=[fact.id for fact in some], kind="told")

    def _told(self, line: str, facts: Sequence[Fact], meant: Sequence[Meant]) -> str:
        said = str(self._words["join"]).join(_apart([fact.answer for fact in facts]))
        plain = len(facts) == 1 and facts[0].status == "present" and facts[0].codes and not _of(meant[0].key)
        if plain and re.search(self._words["yes_no"], line) and not re.match(self._words["answers"], said):
            said = self._words["yes"] + said
        match self.script.personality:
            case "talkative":
                return self._pick(self._words["talkative"], line) + said
            case "anxious":
                return said + self._pick(self._words["anxious"], line)
        return said

    @staticmethod
    def _pick(words: list[str], line: str) -> str:
        """One of the wordings, always the same for a line."""
        return words[hashlib.sha256(line.encode()).digest()[0] % len(words)]


def _of(key: str) -> str:
    """What a prompt's key belongs to: complaint, person, open, social; empty for symptoms and facts."""
    return str(TOPICS[key].get("of", "")) if key in TOPICS else ""


def _settled(text: str) -> set[str]:
    """Topics that words of a question settle."""
    return {topic for topic, about in TOPICS.items() if "asks" in about and re.search(about["asks"], text, re.I)}


def _apart(answers: Sequence[str]) -> list[str]:
    """Answers without those that another says already, word by word."""
    held = [set(words(answer)) for answer in answers]
    return [
        answer
        for n, answer in enumerate(answers)
        if not any(held[n] < other or (held[n] == other and m < n) for m, other in enumerate(held) if m != n)
    ]
