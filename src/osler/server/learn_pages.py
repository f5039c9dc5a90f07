"""The pages for learners: a quiz on a topic, each item answered, explained and reviewed; cards; the educator's desk."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from osler.bench.leak import near_test_items
from osler.education.cards import Deck, cohort, item_statistics, keep_result, missed, progress_of
from osler.education.cards.making import from_trace
from osler.education.exams import ENDINGS, of_quiz, write
from osler.education.exams.exam import rejected_stems, review_queue
from osler.education.explaining import explain
from osler.education.quiz import Quiz, Wish, make_quiz
from osler.nouns import Principal, QuizItem
from osler.server.access import capability, role, signed_in
from osler.server.api import Who, desk_of, sight_of
from osler.server.consult_pages import evidence_part
from osler.server.look import _, page
from osler.server.problems import Refused
from osler.server.work import working

router = APIRouter(prefix="/learn", include_in_schema=False, dependencies=[Depends(signed_in)])
MAKING = [role("clinician", "educator", "researcher"), capability("learn"), working()]
KIND_NAMES = {
    "single-best": _("Single best answer"),
    "true-false": _("True or false"),
    "key-feature": _("Key feature"),
    "short-answer": _("Short answer"),
}
LEVEL_NAMES = {
    "remember": _("Remember"),
    "understand": _("Understand"),
    "apply": _("Apply"),
    "analyse": _("Analyse"),
}
DIFFICULTY_NAMES = {"easy": _("Easy"), "medium": _("Medium"), "hard": _("Hard")}
READERS = {
    "patient": _("Patient"),
    "student": _("Student"),
    "resident": _("Resident"),
    "specialist": _("Specialist"),
}
NAMES: dict[str, Any] = {
    "kinds": KIND_NAMES,
    "levels": LEVEL_NAMES,
    "difficulties": DIFFICULTY_NAMES,
    "readers": READERS,
}
RATINGS = (_("Again"), _("With effort"), _("Good"), _("At once"))
MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".json": "application/json",
}
Kind = Literal["", "single-best", "true-false", "key-feature", "short-answer"]
Level = Literal["", "remember", "understand", "apply", "analyse"]


@router.get("")
def new(request: Request, who: Who) -> Response:
    return page(request, "learn", earlier=sight_of(request).mine(who, ("quiz", "explain"), 10), **NAMES)


@router.post("/quiz", dependencies=MAKING)
def make(
    request: Request, who: Who, topic: Annotated[str, Form(max_length=200)],
    count: Annotated[int, Form(ge=1, le=50)] = 5, kind: Annotated[Kind, Form()] = "",
    level: Annotated[Level, Form()] = "", difficulty: Annotated[Literal["easy", "medium", "hard"], Form()] = "medium",
) -> Response:  # fmt: skip
    desk = desk_of(request)
    wish = Wish(count, kind or None, level or None, difficulty)
    id = str(make_quiz(topic.strip(), desk, wish, known=near_test_items(desk.settings)).trace_id)
    sight_of(request).keep(id, who, "quiz")
    return Response(status_code=204, headers={"HX-Redirect": f"/learn/quiz/{id}"})


def quiz_of(request: Request, id: str, who: Who) -> dict[str, Any]:
    it: dict[str, Any] = sight_of(request).payload(id, who, kind="quiz")["output"]
    return it


@router.get("/quiz/{id}")
def show(request: Request, id: str, who: Who) -> Response:
    return page(request, "learn_quiz", it=quiz_of(request, id, who), endings=ENDINGS, **NAMES)


@router.get("/quiz/{id}/file{ending}")
def file(request: Request, id: str, ending: str, who: Who) -> Response:
    """The quiz as a paper with its key, a table or an Anki package."""
    made = write(of_quiz(Quiz(**quiz_of(request, id, who))), ending, desk_of(request).settings)
    headers = {"Content-Disposition": f'attachment; filename="{id}{ending}"'}
    return Response(made, media_type=MEDIA.get(ending, "application/octet-stream"), headers=headers)


@router.post("/quiz/{id}/cards")
def make_cards(request: Request, id: str, who: Who, which: Annotated[Literal["all", "missed"], Form()]) -> Response:
    """Cards of the quiz's items in the learner's deck."""
    quiz_of(request, id, who)
    desk = desk_of(request)
    wrong = missed(desk.settings, who.id)
    drafts = [one for one in from_trace(id, desk.ledger) if which == "all" or one.source.get("item") in wrong]
    return page(request, "parts/learn_added", count=len(Deck(desk.settings, who.id).add(drafts)))


@router.post("/quiz/{id}/items/{item_id}")
def answer(
    request: Request, id: str, item_id: str, who: Who, chosen: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """What the learner chose or wrote, judged and explained."""
    it = quiz_of(request, id, who)
    found = next((n for n, item in enumerate(it["items"]) if item["id"] == item_id), None)
    if found is None:
        raise Refused(404, _("the quiz has no such item"))
    item = it["items"][found]
    if not chosen.strip():
        raise Refused(422, _("choose an option first"), "chosen")
    right = keep_result(desk_of(request).settings, who.id, QuizItem(**item), chosen)
    cited = list(dict.fromkeys(one for choice in item["options"] for one in choice["evidence"]))
    return page(
        request, "parts/learn_answer", it=it, item=item, n=found, right=right, chosen=chosen, cited=cited, **NAMES
    )


@router.post("/explain", dependencies=MAKING)
def explain_topic(
    request: Request, who: Who, topic: Annotated[str, Form(max_length=200)],
    level: Annotated[Literal["patient", "student", "resident", "specialist"], Form()] = "patient",
    language: Annotated[Literal["", "en", "zh"], Form()] = "",
) -> Response:  # fmt: skip
    id = str(explain(topic.strip(), desk_of(request), level, language or None).trace_id)
    sight_of(request).keep(id, who, "explain")
    return Response(status_code=204, headers={"HX-Redirect": f"/learn/explain/{id}"})


def explanation_of(request: Request, id: str, who: Who) -> dict[str, Any]:
    it: dict[str, Any] = sight_of(request).payload(id, who, kind="explain")["output"]
    return it


@router.get("/explain/{id}")
def show_explanation(request: Request, id: str, who: Who) -> Response:
    it = explanation_of(request, id, who)
    return page(request, "learn_explain", it=it, cited=[one["id"] for one in it["evidence"]], **NAMES)


@router.post("/explain/{id}/cards")
def cards_of_explanation(request: Request, id: str, who: Who) -> Response:
    explanation_of(request, id, who)
    desk = desk_of(request)
    return page(request, "parts/learn_added", count=len(Deck(desk.settings, who.id).add(from_trace(id, desk.ledger))))


@router.get("/explain/{id}/evidence/{evidence_id:path}")
def evidence_of_explanation(
    request: Request, id: str, evidence_id: str, who: Who, statement: int | None = None
) -> Response:
    return evidence_part(request, explanation_of(request, id, who), evidence_id, statement)


@router.get("/cards")
def cards(request: Request, who: Who) -> Response:
    """The card that has been due longest, and how the learner does."""
    return _cards(request, "learn_cards", who)


@router.post("/cards/{card_id}")
def review(request: Request, card_id: str, who: Who, rating: Annotated[int, Form(ge=1, le=4)]) -> Response:
    Deck(desk_of(request).settings, who.id).review(card_id, rating)
    return _cards(request, "parts/learn_card", who)


def _cards(request: Request, name: str, who: Principal) -> Response:
    deck = Deck(desk_of(request).settings, who.id)
    due, now = deck.due(), datetime.now(UTC)
    waits = deck.intervals(due[0], now) if due else []
    ratings = list(zip(range(1, 5), RATINGS, waits, strict=False))
    return page(request, name, card=due[0] if due else None, ratings=ratings, progress=progress_of(deck, now))


@router.get("/desk")
def desk(request: Request, who: Annotated[Principal, role("educator")]) -> Response:
    """How items and learners did, what waits for a reviewer, and what reviewers rejected."""
    found = desk_of(request)
    return page(
        request, "learn_desk", items=item_statistics(found.settings), learners=cohort(found.settings),
        queue=review_queue(found), rejected=rejected_stems(found),
    )  # fmt: skip


@router.get("/quiz/{id}/evidence/{evidence_id:path}")
def evidence(request: Request, id: str, evidence_id: str, who: Who) -> Response:
    return evidence_part(request, {"evidence": quiz_of(request, id, who)["evidence"]}, evidence_id, None)
