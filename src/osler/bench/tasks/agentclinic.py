"""AgentClinic's OSCE cases (Schmidgall et al. 2024): a diagnosis through a dialogue of few turns.

The patient here is no model: it answers with the facts of the case nearest to the question by their embeddings, and
says so when none is near. Asked for an examination or test, it looks among results. So a run can be repeated, but the
patient understands less than a person would; what is not in the case is never made up.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.figures import Figure, Reply, figure
from osler.bench.task import GENERATED, Bench, Task, rows, table
from osler.clinic.consult import phenotypes
from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
from osler.knowledge.diagnosis import rank
from osler.knowledge.graph import load_graph
from osler.knowledge.graph.names import key
from osler.models import Message
from osler.record import read_text

TURNS, TOKENS, TOP = 8, 60, 10
NEAR, NEAR_TEST = 0.8, 0.84  # cosine from which a fact, a result answers; read off the tune part
BELOW, FACTS = 0.02, 2  # how far below the nearest fact another may be told too, facts at most
PROMPT: dict[str, str] = table("prompts")["agentclinic"]
_TEST = re.compile(r"\**TEST\**\s*:\s*(.+)", re.I)
_DIAGNOSIS = re.compile(
    r"\W*(?:(?:my|the|final|most likely) )*diagnosis\**\s*(?:is|:)\s*\**\s*(?:an? |the )?(.+)", re.I
)


class Item(NamedTuple):
    """`told`: what the patient knows, `results`: of examination and tests, each a fact in words."""

    id: str
    group: str
    opening: str
    sex: str | None
    told: tuple[str, ...]
    results: tuple[str, ...]
    diagnosis: str


class Kind(Task):
    prompts = (
        PROMPT["system"],
        PROMPT["last"],
        TURNS,
        TOKENS,
        NEAR,
        NEAR_TEST,
        BELOW,
        FACTS,
        _TEST.pattern,
        _DIAGNOSIS.pattern,
    )

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            case = row["OSCE_Examination"]
            patient, name = case["Patient_Actor"], case["Correct_Diagnosis"]
            told = tuple(facts(patient))
            done = {**case["Physical_Examination_Findings"], **case["Test_Results"]}
            results = tuple(f"{test.replace('_', ' ')}: {'; '.join(facts(found))}" for test, found in done.items())
            sex = re.search(r"\b(fe)?male\b|\b(wo)?man\b", str(patient["Demographics"]).lower())
            gender = None if sex is None else "female" if sex[1] or sex[2] else "male"
            yield Item(row["id"], name.casefold(), case["Objective_for_Doctor"], gender, told, results, name)

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        if method != GENERATED:
            return super().ask(items, method, bench)
        dialogues = [_Dialogue(item, bench) for item in items]
        while waiting := [one for one in dialogues if not one.over]:
            for one, made in zip(waiting, bench.generate([one.chat for one in waiting], TOKENS), strict=True):
                one.seconds += made.seconds
                one.hear(made.text)
        return [one.reply() for one in dialogues]

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        case = read_text("\n".join((*item.told, *item.results)))
        found, patient = findings_of(case, bench.resources.recogniser), case.patient
        observed, excluded = phenotypes(found, "present"), phenotypes(found, "absent")
        ranked = rank(observed, excluded, patient.sex or item.sex, patient.age, top=TOP, general=True)
        gold = diseases(item.diagnosis)
        hits = [one.id in gold or same_disease(one.label, item.diagnosis) for one in ranked]
        scores = {"right": float(any(hits[:1])), f"in top {TOP}": float(any(hits))}
        said, why = (ranked[0].label, None) if ranked else (None, "no finding to rank by")
        return self.reply(item, said, scores=scores, output="; ".join(one.label for one in ranked), why=why)

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        commonest = Counter(item.group for item in items).most_common(1)[0][1] / len(items)
        named = sum(bool(diseases(item.diagnosis)) for item in items) / len(items)
        beside = {"commonest diagnosis": commonest, "named in the graph": named}
        metrics = (f"in top {TOP}", "turns", "questions without answer")
        found = [
            figure("right", replies, "accuracy", baseline=beside),
            *(figure(metric, replies) for metric in metrics),
        ]
        return [one for one in found if one.n]


def facts(part: Any, name: str = "") -> Iterator[str]:
    """The leaves of a case in words, each after the names that lead to it."""
    if isinstance(part, dict):
        for inner, value in part.items():
            yield from facts(value, f"{name} {inner}".replace("_", " ").strip())
    elif isinstance(part, list):
        for value in part:
            yield from facts(value, name)
    else:
        yield f"{name}: {str(part).strip()}" if name else str(part).strip()


def diseases(name: str) -> frozenset[str]:
    """Identifiers of the graph's diseases that bear this whole name."""
    mentions = load_recogniser(("disease",)).mentions(name)
    whole = [one.code for one in mentions if (one.start, one.end) == (0, len(name))]
    return frozenset(load_graph().canonical(code) or code for code in whole)


def same_disease(said: str, gold: str) -> bool:
    """Whether two names mean one disease of the graph, or are the same words."""
    return key(said) == key(gold) or bool(diseases(said) & diseases(gold))


class _Dialogue:
    """One doctor's talk with one patient."""

    def __init__(self, item: Item, bench: Bench) -> None:
        self.item, self.embedder = item, bench.resources.embedder
        self.chat = [Message("system", PROMPT["system"]), Message("user", item.opening)]
        self.told, self.results = (self.embedder.embed_passages(texts) for texts in (item.told, item.results))
        self.said: str | None = None
        self.turns = self.unanswered = 0
        self.over = False
        self.seconds = 0.0

    def hear(self, text: str) -> None:
        """One line of the doctor, and the reply to it."""
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")
        self.chat.append(Message("assistant", line or "..."))
        self.over = self.turns == TURNS
        if found := _DIAGNOSIS.match(line):
            self.said, self.over = found[1].strip(" .*`"), True
        if self.over:
            return
        self.turns += 1
        test = _TEST.search(line)
        reply = self._nearest(test[1] if test else line, bool(test)) if line else None
        self.unanswered += reply is None
        reply = reply or PROMPT["no_result" if test else "unknown"]
        self.chat.append(Message("user", f"{reply}\n{PROMPT['last']}" if self.turns == TURNS else reply))

    def _nearest(self, question: str, test: bool) -> str | None:
        texts, vectors = (self.item.results, self.results) if test else (self.item.told, self.told)
        if not texts:
            return None
        cosines = vectors @ self.embedder.embed_queries([question])[0]
        least = NEAR_TEST if test else max(NEAR, cosines.max() - BELOW)
        best = [k for k in (-cosines).argsort()[: 1 if test else FACTS] if cosines[k] >= least]
        return " ".join(texts[k] for k in best) or None

    def reply(self) -> Reply:
        right = self.said is not None and same_disease(self.said, self.item.diagnosis)
        scores = {"right": float(right), "turns": float(self.turns)}
        if self.turns:
            scores["questions without answer"] = self.unanswered / self.turns
        roles = {"assistant": "doctor", "user": "patient"}
        transcript = "\n".join(f"{roles[m.role]}: {m.content}" for m in self.chat[1:])
        why = None if self.said else "named no diagnosis"
        return Reply(self.item.id, self.item.group, self.said, scores, transcript, why, seconds=round(self.seconds, 4))
