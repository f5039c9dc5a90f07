"""An interview as plain data, its score by a rubric, and the debrief: what an expert would have asked next, and why.

The state of an interview is its script and its turns, so that any server can keep one. Every line of the score says
points of possible points and why. The plan is kept for a teacher; no rule here can judge one.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from osler.clinic.safety import red_flags
from osler.education.patient.patient import Heard, Reply, VirtualPatient
from osler.education.patient.phrasing import phrased
from osler.education.patient.script import WORDS, Fact, Script
from osler.knowledge.concepts.recogniser import findings_of
from osler.knowledge.diagnosis import explain, next_questions, rank
from osler.knowledge.graph import Graph
from osler.nouns import Evidence, NextQuestion, Noun, RankedDisease, Source
from osler.reasoning.resources import Resources, Run
from osler.record import read_text

MATTER = 6  # findings of the script that matter most
CORE = ("onset", "duration", "past", "medicines", "allergies", "family", "smoking")  # what any history holds
EMPATHY = 3  # empathetic turns for full points
RANKED, QUESTIONS = 100, 3
NAMED = 3  # right diagnoses are looked for among so many of a learner's names in the graph
SIGN = 0.02  # contribution below which a finding speaks neither for nor against
RANKS = {1: 10.0, 2: 7.0, 3: 5.0}
LATER = 3.0  # points for the right diagnosis further down
PASSAGES = 2


class Turn(Noun):
    """A line of the learner, and what the patient replied."""

    question: str
    reply: str
    facts: list[str] = []
    kind: Heard


class Opinion(Noun):
    """What the learner says a finding means for a disease (script concordance, Charlin et al. 2000)."""

    finding: str
    disease: str
    direction: Literal["for", "against", "neither"]


class Interview(Noun):
    """The whole state: script, turns, and what the learner committed to. `differential`: names, the likeliest first."""

    script: Script
    turns: list[Turn] = []
    differential: list[str] = []
    plan: str | None = None
    opinions: list[Opinion] = []

    @property
    def told(self) -> list[str]:
        return list(dict.fromkeys(fact for turn in self.turns for fact in turn.facts))

    def ask(self, line: str, run: Run) -> "tuple[Interview, Reply]":
        """The interview with one turn more, and the patient's reply."""
        plain = VirtualPatient(self.script, run.resources).hear(line, self.told)
        reply = phrased(plain, line, self.script, run)
        turn = Turn(question=line, reply=reply.text, facts=reply.facts, kind=reply.kind)
        return self.model_copy(update={"turns": [*self.turns, turn]}), reply


class Line(Noun):
    """One line of the rubric. `possible` is 0 where it did not apply."""

    item: Literal["history", "red-flags", "efficiency", "empathy", "diagnosis", "reasoning", "plan"]
    points: float
    possible: float
    why: str
    facts: list[str] = []


class Score(Noun):
    points: float
    possible: float
    lines: list[Line]


class Advice(Noun):
    """After a turn (0: before the first): what was known, and what tells the likeliest diseases best apart. `answered`:
    facts of the script that would have answered."""

    after: int
    known: int
    leading: list[str]
    questions: list[NextQuestion]
    answered: list[str]


class Marked(Noun):
    """The score and the debrief. `missed`: facts never asked for; `evidence`: what the diagnosis rests on."""

    diagnosis: str
    score: Score
    debrief: list[Advice]
    missed: list[str]
    evidence: list[Evidence]
    knowledge: dict[str, str]


def mark(interview: Interview, run: Run) -> Marked:
    """Score an interview and say what an expert would have asked. Needs no state but the interview."""
    resources = run.resources
    script, told = interview.script, set(interview.told)
    found = {fact.id: _findings(fact, resources) for fact in script.facts}
    right = _explained(script, found, script.diagnosis_ids, resources)
    lines = [
        _history(script, told, found, right),
        _flags(script, told, resources),
        _efficiency(interview),
        _empathy(interview),
        _diagnosis(interview, resources.graph),
        _reasoning(interview, found, resources),
        Line(item="plan", points=0, possible=0, why="for the teacher to judge" if interview.plan else "no plan given"),
    ]
    total = Score(
        points=round(sum(line.points for line in lines), 2), possible=sum(line.possible for line in lines), lines=lines
    )
    evidence = [*_rows(right), *run.search(script.diagnosis, PASSAGES)]
    return Marked(
        diagnosis=script.diagnosis,
        score=total,
        debrief=_debrief(interview, found, resources),
        missed=[fact.id for fact in script.facts if fact.id not in told],
        evidence=evidence,
        knowledge=run.knowledge(),
    )


# --- what is known ------------------------------------------------------------------------------------------------

Signs = dict[str, bool]  # an HPO code, and whether it is present


def _findings(fact: Fact, resources: Resources) -> Signs:
    """The HPO terms that a fact states: those it is about, else those its words name."""
    if fact.kind == "history" and fact.codes:
        return {code: fact.status == "present" for code in fact.codes if code.startswith("HP:")}
    if fact.codes:
        return dict.fromkeys(fact.codes, fact.status == "present")
    named = resources.recogniser.find(f"{fact.label}: {fact.answer}") if fact.kind != "history" else []
    return {
        one.code: one.status == "present"
        for one in named
        if one.code.startswith("HP:") and one.status != "uncertain" and one.experiencer == "patient"
    }


def _known(found: dict[str, Signs], ids: Iterable[str]) -> tuple[list[str], list[str]]:
    signs = {code: present for id in ids for code, present in found.get(id, {}).items()}
    return [code for code, present in signs.items() if present], [code for code, there in signs.items() if not there]


def _explained(
    script: Script, found: dict[str, Signs], ids: Sequence[str], resources: Resources
) -> RankedDisease | None:
    """What each finding of the whole script says of the first of some diseases that has findings in the graph."""
    observed, excluded = _known(found, found)
    if not observed:
        return None
    sex, age = script.sex, script.age
    everything = rank(observed, excluded, sex, age, top=100_000, general=True)
    wanted = {code for id in ids if (code := resources.graph.canonical(id))}
    graph = resources.graph
    exact = [
        one for one in everything if one.id in wanted
    ]  # else the likeliest of its kinds, else what it is a kind of
    kinds = [one for one in everything if any(graph.descends(one.id, id) for id in wanted)]
    above = [one for one in everything if any(graph.descends(id, one.id) for id in wanted)]
    nearest = sorted(above, key=lambda one: -_depth(one.id, graph))
    chosen = next(iter([*exact, *kinds, *nearest]), None)
    return explain([chosen], observed, excluded, sex=sex, age=age, general=True)[0] if chosen else None


def _rows(right: RankedDisease | None) -> list[Evidence]:
    """Edges of the graph between the diagnosis and the findings that speak for it."""
    found: list[Evidence] = []
    speaking = [one for one in right.for_ if one.code.startswith("HP:")] if right else []
    for one in sorted(speaking, key=lambda one: -one.score)[:MATTER]:
        for row in one.rows[:1]:
            text = f"{right.label if right else ''}: {one.label}{f' ({row.frequency})' if row.frequency else ''}"
            id = f"edge:{row.disease}|has_phenotype|{row.term}"
            found.append(Evidence(id=id, kind="edge", text=text, score=one.score, source=Source(title=row.reference)))
    return found


# --- the rubric ---------------------------------------------------------------------------------------------------


def _history(script: Script, told: set[str], found: dict[str, Signs], right: RankedDisease | None) -> Line:
    """Of the findings that move the right diagnosis most, and of what any history holds, the share asked for."""
    weight = {one.code: abs(one.score) for one in (*right.for_, *right.against)} if right else {}
    history = [fact for fact in script.facts if fact.kind == "history"]
    moving = sorted(history, key=lambda fact: -max((weight.get(code, 0.0) for code in found[fact.id]), default=0.0))
    most = [fact for fact in moving[:MATTER] if any(weight.get(code, 0.0) > SIGN for code in found[fact.id])]
    matter = list(dict.fromkeys([*(f.id for f in most), *(f.id for f in history if set(f.topics) & set(CORE))]))
    asked = [id for id in matter if id in told]
    missed = [fact.label for fact in script.of(id for id in matter if id not in told)]
    why = f"{len(asked)} of {len(matter)} that matter most" + (f"; not asked: {', '.join(missed)}" if missed else "")
    points = 10 * len(asked) / len(matter) if matter else 0
    return Line(item="history", points=round(points, 2), possible=10 if matter else 0, why=why, facts=asked)


def _flags(script: Script, told: set[str], resources: Resources) -> Line:
    """Red flags of the whole case, and whether what raises each was asked for."""
    positive = [fact for fact in script.facts if fact.status == "present"]
    words = (fact.answer if fact.kind == "history" else f"{fact.label}: {fact.answer}" for fact in positive)
    case = read_text("\n".join([script.opening, *words]))
    patient = case.patient.model_copy(update={"sex": script.sex, "age": script.age})
    case = case.model_copy(update={"patient": patient})
    flags, _ = red_flags(case, findings_of(case, resources.recogniser), resources.graph, script.language)
    raising = {
        flag.label: [f.id for f in positive if any(_said(word, f.answer) for word in flag.because)] for flag in flags
    }
    raising = {label: facts for label, facts in raising.items() if facts}
    if not raising:
        return Line(item="red-flags", points=0, possible=0, why="the case raises none")
    shares = {label: sum(id in told for id in facts) / len(facts) for label, facts in raising.items()}
    why = "; ".join(f"{label}: {round(100 * share)}% of what raises it was found" for label, share in shares.items())
    asked = [id for facts in raising.values() for id in facts if id in told]
    return Line(
        item="red-flags",
        points=round(5 * sum(shares.values()) / len(shares), 2),
        possible=5,
        why=why,
        facts=list(dict.fromkeys(asked)),
    )


def _said(words: str, text: str) -> bool:
    return words.rstrip("…").casefold() in text.casefold()


def _efficiency(interview: Interview) -> Line:
    """The share of questions that brought something new."""
    told: set[str] = set()
    asked = new = 0
    for turn in interview.turns:
        if turn.kind != "smalltalk":
            asked += 1
            new += bool(set(turn.facts) - told)
        told |= set(turn.facts)
    why = f"{new} of {asked} questions brought something new"
    return Line(item="efficiency", points=round(5 * new / asked, 2) if asked else 0, possible=5, why=why)


def _empathy(interview: Interview) -> Line:
    """Turns with words of empathy, courtesy or the patient's own view (a list of cues, no judgement of tone)."""
    cues = re.compile(WORDS["empathy"])
    kind = [turn.question for turn in interview.turns if cues.search(turn.question)]
    why = f"{len(kind)} turns with such words" + (f', as "{kind[0]}"' if kind else "")
    return Line(item="empathy", points=round(3 * min(len(kind), EMPATHY) / EMPATHY, 2), possible=3, why=why)


def _diagnosis(interview: Interview, graph: Graph) -> Line:
    """The rank of the right diagnosis among the learner's; half for a broader or narrower name of it."""
    right = interview.script.diagnosis
    best, why = 0.0, f"{right} was not named"
    for place, name in enumerate(interview.differential, start=1):
        points = RANKS.get(place, LATER)
        how = _same(name, interview.script, graph)
        points *= {"the diagnosis": 1.0, "a broader or narrower name": 0.5}.get(how, 0.0)
        if points > best:
            best, why = points, f"{name!r} is {how} of the case ({right}), named in place {place}"
    return Line(item="diagnosis", points=best, possible=RANKS[1], why=why)


def _same(name: str, script: Script, graph: Graph) -> str:
    if name.strip().casefold() in {one.casefold() for one in (script.diagnosis, *script.sealed)}:
        return "the diagnosis"
    named = [node.id for node in graph.resolve(name, limit=NAMED) if node.kind in ("disease", "phenotype")]
    exact = named[:1] if named else []
    hidden = [code for id in script.diagnosis_ids if (code := graph.canonical(id))]
    if set(exact) & set(hidden):
        return "the diagnosis"
    near = any(
        (graph.descends(one, two) or graph.descends(two, one)) and min(_depth(one, graph), _depth(two, graph)) > 3
        for one in exact
        for two in hidden
    )
    return "a broader or narrower name" if near else ""


def _depth(code: str, graph: Graph) -> int:
    return len(graph.ancestors(code))


def _reasoning(interview: Interview, found: dict[str, Signs], resources: Resources) -> Line:
    """Whether each stated direction agrees with the sign of what the finding contributes to that disease."""
    judged, right = 0, []
    for opinion in interview.opinions:
        graph = resources.graph
        ids = [node.id for node in graph.resolve(opinion.disease, limit=NAMED) if node.kind == "disease"]
        explained = _explained(interview.script, found, ids, resources)
        codes = {one.code for one in resources.recogniser.mentions(opinion.finding)} | {opinion.finding}
        if explained is None or not codes & {code for signs in found.values() for code in signs}:
            continue
        sum_ = sum(one.score for one in (*explained.for_, *explained.against) if one.code in codes)
        sign = "for" if sum_ > SIGN else "against" if sum_ < -SIGN else "neither"
        judged += 1
        right += [opinion.finding] * (sign == opinion.direction)
    stated = len(interview.opinions)
    why = f"{len(right)} of {judged} directions agree with the graph ({stated} stated)" if stated else "none stated"
    points = round(5 * len(right) / judged, 2) if judged else 0
    return Line(item="reasoning", points=points, possible=5 if judged else 0, why=why)


# --- the debrief --------------------------------------------------------------------------------------------------


def _debrief(interview: Interview, found: dict[str, Signs], resources: Resources) -> list[Advice]:
    """After the opening and each turn that told a finding: the questions with the most expected information."""
    script, told = interview.script, list[str]()
    opening = resources.recogniser.find(script.opening)
    start: Signs = {one.code: True for one in opening if one.code.startswith("HP:") and one.status == "present"}
    states, last = [], None
    for number in range(len(interview.turns) + 1):
        told += interview.turns[number - 1].facts if number else []
        known = _known({"opening": start, **found}, ["opening", *told])
        if known != last and known[0]:
            states.append((number, known))
            last = known
    made = []
    for number, (observed, excluded) in states:
        sex, language = script.sex, script.language
        ranked = rank(observed, excluded, sex, script.age, top=RANKED, general=True)
        questions = next_questions(observed, excluded, ranked, QUESTIONS, language, sex)
        codes = {question.code for question in questions}
        answered = [
            f.id for f in script.facts if any(_near(code, other, resources) for code in codes for other in found[f.id])
        ]
        leading = [one.label for one in ranked[:QUESTIONS]]
        made.append(
            Advice(
                after=number,
                known=len(observed) + len(excluded),
                leading=leading,
                questions=questions,
                answered=answered,
            )
        )
    return made


def _near(asked: str, known: str, resources: Resources) -> bool:
    graph = resources.graph
    return asked == known or bool(graph.find(known) and graph.find(asked) and graph.descends(known, asked))
