"""`make_exam`: the items a blueprint asks for, none twice, none that a reviewer rejected."""

from collections.abc import Sequence
from typing import NamedTuple

from osler.clinic.desk import Desk
from osler.education.exams.blueprint import Blueprint
from osler.education.quiz.writing import Known, Quiz, write_quiz
from osler.ledger import Erased
from osler.nouns import Evidence, Noun, QuizItem, dump
from osler.reasoning.resources import Run


class Section(Noun):
    """`asked`: how many the blueprint wanted; fewer come where the knowledge gives no more that are sound."""

    topic: str
    asked: int
    items: list[QuizItem]


class Exam(Noun):
    title: str
    sections: list[Section]
    evidence: list[Evidence]
    compared: bool = False
    trace_id: str | None = None

    @property
    def items(self) -> list[QuizItem]:
        return [item for section in self.sections for item in section.items]


def make_exam(blueprint: Blueprint, desk: Desk, known: Known | None = None) -> Exam:
    """The exam of a blueprint, in the ledger before it is handed over.

    `known` says whether a text is nearly one of a test set, as for a quiz. Raises InputError for a topic that nobody
    knows.
    """
    run, rejected = Run(desk.resources, "exam"), rejected_stems(desk)
    exam = exam_of(blueprint, run, rejected, known)
    desk.keep("exam", {"blueprint": dump(blueprint), "rejected": rejected}, dump(exam), run.trace("exam"))
    return exam


def exam_of(blueprint: Blueprint, run: Run, rejected: Sequence[str], known: Known | None = None) -> Exam:
    """The exam without the items whose stems were rejected; nothing but what it cites stays cited in the run."""
    sections: list[Section] = []
    for part in blueprint.part:
        taken = {*rejected, *(item.stem for section in sections for item in section.items)}

        def refused(text: str, taken: set[str] = taken) -> bool:
            return any(text.startswith(stem) for stem in taken) or bool(known and known(text))

        items = write_quiz(part.topic, run, part.wish, blueprint.language, refused)
        sections.append(Section(topic=part.topic, asked=part.n, items=items))
    cited = dict.fromkeys(one for section in sections for item in section.items for one in item.evidence)
    run.evidence = {id: run.evidence[id] for id in cited}
    return Exam(
        title=blueprint.title, sections=sections, evidence=list(run.evidence.values()), compared=known is not None,
        trace_id=run.id,
    )  # fmt: skip


def of_quiz(quiz: Quiz) -> Exam:
    """A quiz as an exam of one section, to be written to a file."""
    section = Section(topic=quiz.topic, asked=quiz.asked, items=quiz.items)
    return Exam(
        title=quiz.topic, sections=[section], evidence=quiz.evidence, compared=quiz.compared, trace_id=quiz.trace_id
    )


class Waiting(NamedTuple):
    """An item that no reviewer has judged, with the entry it is in and what it cites."""

    entry: str
    item: QuizItem
    evidence: list[Evidence]


def review_queue(desk: Desk, most: int = 20, looked: int = 50) -> list[Waiting]:
    """Items of the latest `looked` quizzes and exams that wait for a reviewer, the newest first."""
    judged, found = _judged(desk), dict[str, Waiting]()
    kept = [entry for entry in desk.ledger.entries(None) if entry.kind in ("quiz", "exam")]
    for entry in kept[:looked]:
        output = desk.ledger.payload(entry.id)["output"]
        evidence = {one["id"]: Evidence(**one) for one in output["evidence"]}
        parts = output.get("sections", [output])
        for item in (QuizItem(**one) for part in parts for one in part["items"]):
            if item.stem not in judged:
                cited = [evidence[id] for id in item.evidence if id in evidence]
                found.setdefault(item.stem, Waiting(entry.id, item, cited))
    return list(found.values())[:most]


def rejected_stems(desk: Desk) -> list[str]:
    """Stems of the items that a reviewer called wrong and nobody accepted later."""
    return sorted(stem for stem, verdict in _judged(desk).items() if verdict == "wrong")


def _judged(desk: Desk) -> dict[str, str]:
    """The last verdict on each statement."""
    judged: dict[str, str] = {}
    for entry in reversed([entry for entry in desk.ledger.entries(None) if entry.kind == "feedback"]):
        try:
            said = desk.ledger.payload(entry.id)["feedback"]
        except Erased:
            continue
        judged[said["statement"]] = said["verdict"]
    return judged
