"""Cards: made of what was checked, kept once, scheduled as the reference package does, counted, erased."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import fsrs
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from osler.cli import cli
from osler.clinic.desk import Desk
from osler.education.cards import CardDraft, Deck, cohort, item_statistics, keep_result, missed, progress_of
from osler.education.cards.deck import media_folder, reviews_table
from osler.education.cards.making import from_item, from_passages, from_trace
from osler.errors import InputError
from osler.nouns import Choice, Evidence, QuizItem, Source
from osler.reasoning.ask import Question
from osler.settings import load_settings
from osler.storage import open_database
from osler.trust.erasure import erase, held

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return load_settings({"home": str(tmp_path / "home")})


def draft(front="What is asthma?", back="A disease of the airways.", topic="asthma", **more):
    return CardDraft(front=front, back=back, kind="note", topic=topic, **more)


def item(number=1, options=("Salbutamol", "Aspirin", "Warfarin"), **more):
    choices = [Choice(text=o, correct=o == options[0], why=f"why {o}", evidence=["p1"]) for o in options]
    given = {"id": f"q{number}", "kind": "single-best", "stem": f"Stem {number}?", "topic": "asthma"}
    given |= {"level": "apply", "difficulty": "easy", "language": "en", "evidence": ["p1"], **more}
    return QuizItem(options=choices, **given)


def as_json(settings, *arguments, input=None):
    result = CliRunner().invoke(
        cli, ["learn", "cards", *arguments, "--json", "--home", str(settings.home)], input=input
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# --- the deck


def test_a_card_is_kept_once_for_a_learner(settings):
    deck = Deck(settings, "ana")
    assert len(deck.add([draft(), draft("  what is  ASTHMA?"), draft(back="Another back.")])) == 2
    assert deck.add([draft()]) == []
    assert len(Deck(settings, "ben").add([draft()])) == 1
    assert len(deck.cards()) == 2
    with pytest.raises(InputError, match="front and a back"):
        deck.add([draft(), draft("only a front", " ")])


def test_cards_added_at_once_by_two_are_kept_once(settings):
    Deck(settings, "ana")
    drafts = [draft(f"front {n}") for n in range(20)]
    with ThreadPoolExecutor(2) as both:
        added = list(both.map(lambda _: Deck(settings, "ana").add(drafts), range(2)))
    assert sum(map(len, added)) == 20
    assert len(Deck(settings, "ana").cards()) == 20


@pytest.mark.parametrize("retention", [0.7, 0.9, 0.95])
def test_the_schedule_is_that_of_the_reference(settings, retention):
    """40 random sequences of 12 ratings, each step the same as in `fsrs` alone."""
    deck, chance = Deck(settings, "ana", retention, fuzz=False), random.Random(7)
    reference = fsrs.Scheduler(desired_retention=retention, enable_fuzzing=False)
    for card in deck.add([draft(f"front {n}") for n in range(40)], NOON):
        alone, now = fsrs.Card(card_id=0, due=NOON), NOON
        for _ in range(12):
            rating = chance.choice([1, 2, 3, 3, 4])
            waits = deck.intervals(card, now)
            alone, _ = reference.review_card(alone, fsrs.Rating(rating), now)
            card = deck.review(card.id, rating, now)
            assert card.state == alone.to_dict()
            assert waits[rating - 1] == (alone.due - now).total_seconds()
            now = alone.due + timedelta(hours=chance.choice([-5, 0, 3, 200]))
    kept = {card.id: card.state for card in Deck(settings, "ana").cards()}
    assert kept[card.id] == alone.to_dict(), "as written and read again"


def test_due_cards_come_in_order_and_reviews_are_only_added(settings):
    deck = Deck(settings, "ana", fuzz=False)
    first, second = deck.add([draft("one")], NOON) + deck.add([draft("two")], NOON + timedelta(minutes=1))
    later = NOON + timedelta(hours=1)
    assert [card.id for card in deck.due(later)] == [first.id, second.id]
    assert deck.due(NOON - timedelta(minutes=1)) == []
    deck.review(first.id, 4, later)
    assert [card.id for card in deck.due(later)] == [second.id]
    deck.suspend(second.id)
    assert deck.due(later) == []
    deck.suspend(second.id, False)
    deck.review(first.id, 1, later + timedelta(days=9), chosen="B")
    rows = deck.reviews()
    assert [row.rating for row in rows] == [4, 1] and rows[1].before == rows[0].after and rows[1].chosen == "B"
    for wrong in (0, 5):
        with pytest.raises(InputError, match="no rating"):
            deck.review(first.id, wrong)
    with pytest.raises(InputError, match="no card"):
        Deck(settings, "ben").review(first.id, 3)
    with pytest.raises(InputError, match="retention"):
        Deck(settings, "ana", 0.5)


def test_reviews_at_once_go_on_from_each_other(settings):
    deck = Deck(settings, "ana", fuzz=False)
    (card,) = deck.add([draft()], NOON)
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda n: Deck(settings, "ana").review(card.id, 3, NOON + timedelta(days=30)), range(8)))
    rows = deck.reviews()
    assert len(rows) == 8
    assert all(later.before == row.after for row, later in pairwise(rows))


# --- making


def test_an_item_shows_its_options_and_explains_its_key():
    evidence = {"p1": Evidence(id="p1", kind="passage", text="t", source=Source(title="Asthma", year=2024))}
    made = from_item(item(), evidence, "t1")
    assert made.front == "Stem 1?\nA  Salbutamol\nB  Aspirin\nC  Warfarin"
    assert made.back == "A  Salbutamol\nwhy Salbutamol\n[Asthma, 2024]"
    assert made.source == {"item": "q1", "trace": "t1"}
    short = from_item(item(options=["Salbutamol"], kind="short-answer", accepted=["Salbutamol", "albuterol"]), {})
    assert short.front == "Stem 1?"
    assert short.back == "Salbutamol\nwhy Salbutamol\nalbuterol"


def test_an_answer_gives_its_supported_statements(settings):
    desk = Desk(settings)
    made, evidence, trace = desk.ask(Question(text="What is asthma?"))
    supported = [one for one in made.statements if one.verdict == "supported"]
    assert supported
    drafts = from_trace(trace.id, desk.ledger)
    assert [one.back.split("\n")[0] for one in drafts] == [one.text for one in supported]
    assert all(one.front.startswith(made.question) and one.source == {"trace": trace.id} for one in drafts)
    titles = {one.source.title for one in evidence}
    assert all(any(str(title) in one.back for title in titles) for one in drafts)
    desk.ledger.append("note", {"output": "nothing"}, id="t-none")
    with pytest.raises(InputError, match="no item"):
        from_trace("t-none", desk.ledger)
    said = as_json(settings, "add", "--from", trace.id, "--learner", "ana")
    assert len(said["added"]) == len(drafts) and said["repeated"] == 0
    assert as_json(settings, "add", "--from", trace.id, "--learner", "ana")["repeated"] == len(drafts)


def test_a_document_gives_the_terms_that_it_defines(settings):
    library = Desk(settings).resources.library
    found = library.search("asthma Key terms", 30)
    passage = next(one for one in found if one.source.section == "Key terms")
    document = passage.source.document_id
    made = from_passages(document, library.document(document))
    assert len(made) >= 3 and {one.kind for one in made} == {"term"}
    text = "\n".join(one.text for one in library.document(document))
    for one in made:
        assert one.front in text and one.back.split("\n")[0] in text and passage.source.title in one.back
    with pytest.raises(InputError, match="no key terms"):
        from_passages("d1", [Evidence(id="p1", kind="passage", text="no: terms", source=Source(section="Signs"))])


# --- erasure


def test_a_patients_cards_go_with_the_patient(settings, tmp_path):
    desk = Desk(settings)
    asked = Question(text="What is asthma?")
    theirs, other = desk.ask(asked, subject="patient-0077"), desk.ask(Question(text="What causes scurvy?"))
    deck = Deck(settings, "ana")
    deck.add(from_trace(theirs.trace.id, desk.ledger))
    gone = {card.id for card in deck.cards()}
    media_folder(settings).mkdir()
    for name in ("a.png", "b.png"):
        (media_folder(settings) / name).write_bytes(b"image")
    named = draft("Seen in Patient-0077 today?", media={"x": "a.png", "y": "b.png"})
    deck.add([named, *from_trace(other.trace.id, desk.ledger), draft("kept", media={"y": "b.png"})])
    gone |= {card.id for card in deck.cards() if card.front == named.front}
    for card in deck.cards():
        deck.review(card.id, 3)
    before = {card.id for card in deck.cards()}
    assert set(held("patient-0077", settings)["cards"]) == gone < before
    erase("patient-0077", settings, "privacy officer", "asked")
    assert {card.id for card in deck.cards()} == before - gone
    with open_database(settings).connect() as connection:
        assert set(connection.execute(sa.select(reviews_table.c.card)).scalars()) == before - gone
    assert [path.name for path in media_folder(settings).iterdir()] == ["b.png"]
    assert "cards" not in held("patient-0077", settings)


# --- progress


def test_progress_counts_what_was_recalled(settings):
    deck = Deck(settings, "ana", fuzz=False)
    cards = deck.add([draft(f"front {n}", topic="hard" if n < 4 else "easy") for n in range(8)], NOON)
    for number, card in enumerate(cards):
        deck.review(card.id, 3, NOON)
        deck.review(card.id, 3, NOON + timedelta(minutes=10))
        deck.review(card.id, 1 if number < 3 else 3, NOON + timedelta(days=5))
    deck.suspend(cards[0].id)
    now = NOON + timedelta(days=5, hours=1)
    made = progress_of(deck, now)
    assert (made.cards, made.suspended, made.reviews) == (8, 1, 24)
    assert (made.retention.n, made.retention.recalled) == (8, 5)
    # Wilson's interval of 5 of 8, from Newcombe's formula worked by hand: 0.3057 to 0.8632.
    assert made.retention.interval == pytest.approx((0.3057, 0.8632), abs=5e-5)
    assert [(one.what, one.n, one.recalled) for one in made.curve] == [("0", 8, 8), ("4 to 7", 8, 5)]
    assert [(one.what, one.n, one.recalled) for one in made.weak] == [("hard", 4, 1)]
    assert made.due == 2 and made.forecast == [2] + 13 * [0]
    soonest = max(card.due for card in deck.cards()) - timedelta(days=3)
    assert progress_of(deck, soonest).forecast == [2, 0, 0, 5] + 10 * [0]
    empty = progress_of(Deck(settings, "nobody"))
    assert empty.retention.share is None and empty.curve == [] and empty.forecast == [0] * 14


def test_items_are_counted_as_test_theory_has_it(settings):
    """Twelve learners: the able are right on items 1 to 4; item 5 is answered by them alone wrongly."""
    for learner in range(12):
        for number in range(1, 5):
            chosen = "Salbutamol" if learner >= 3 * (number - 1) else "Aspirin"
            assert keep_result(settings, f"l{learner}", item(number), chosen) == (chosen == "Salbutamol")
        keep_result(settings, f"l{learner}", item(5), "aspirin" if learner >= 6 else " salbutamol ")
    keep_result(settings, "l0", item(2), "Salbutamol")  # a second try doesn't count
    keep_result(settings, "l0", item(6), "Warfarin")
    results = {one.what: (one.recalled, one.n) for one in cohort(settings)}
    assert len(results) == 12 and results["l0"] == (2, 6) and results["l11"] == (4, 5), "by first answers"
    assert cohort(settings)[0].what == "l0", "who needs help comes first"
    found = {one.item: one for one in item_statistics(settings)}
    assert [found[f"q{n}"].difficulty for n in (1, 2, 3, 4)] == [1, 0.75, 0.5, 0.25]
    assert found["q1"].discrimination is None, "all scored the same"
    assert found["q3"].discrimination > 0 > found["q5"].discrimination
    # q3 by hand: right for learners 6 to 11; the others' shares of q1, q2, q4, q5 (l0 also q6).
    rests = [2 / 5, 2 / 4, 2 / 4, 3 / 4, 3 / 4, 3 / 4, 2 / 4, 2 / 4, 2 / 4, 3 / 4, 3 / 4, 3 / 4]
    right = [0] * 6 + [1] * 6
    mean = sum(rests) / 12
    up = sum((x - 0.5) * (y - mean) for x, y in zip(right, rests, strict=True))
    by_hand = up / (3 * sum((y - mean) ** 2 for y in rests)) ** 0.5
    assert found["q3"].discrimination == pytest.approx(by_hand)
    assert found["q5"].use == {"Salbutamol": 6, "Aspirin": 6, "Warfarin": 0}
    assert found["q5"].review == ["negative discrimination", "nobody takes 'Warfarin'"]
    assert found["q6"].takers == 1 and found["q6"].review == [] and found["q6"].discrimination is None
    assert missed(settings, "l0") == {"q3", "q4", "q6"}
    assert as_json(settings, "items")[0]["review"]


# --- the command


def test_a_round_of_reviews_by_pipe(settings, tmp_path):
    file = tmp_path / "quiz.json"
    file.write_text(json.dumps([item(n).model_dump() for n in (1, 2, 3)]))
    keep_result(settings, "ana", item(2), "Aspirin")
    me = ("--learner", "ana")
    assert [one["front"][:7] for one in as_json(settings, "add", "--quiz", str(file), "--missed", *me)["added"]] == [
        "Stem 2?"
    ]
    assert len(as_json(settings, "add", "--quiz", str(file), *me)["added"]) == 2
    assert len(as_json(settings, "due", *me)) == 3
    done = as_json(settings, "review", *me, input="3\n4\n")
    assert len(done["reviewed"]) == 2 and done["due"] == 1
    assert as_json(settings, "progress", *me)["reviews"] == 2
    home = ["--home", str(settings.home), *me]
    run = CliRunner().invoke(cli, ["learn", "cards", "review", *home], input="1\n")
    assert run.exit_code == 0 and "4 easy" in run.output and "1 reviewed, 0 due" in run.output
    for page, said in (
        ("progress", "3 cards"),
        ("due", "Nothing is due"),
        ("items", "not known"),
    ):
        run = CliRunner().invoke(cli, ["learn", "cards", page, *(home if page != "items" else home[:2])])
        assert run.exit_code == 0 and said in run.output and "[dim]" not in run.output, run.output


def test_what_can_not_be_used_is_refused(settings, tmp_path):
    home = ["--home", str(settings.home)]
    (tmp_path / "no.json").write_text("[{}]")
    for arguments, said in (
        (["add"], "give one of"),
        (["add", "--quiz", str(tmp_path / "no.json")], "holds no quiz"),
        (["add", "--quiz", str(tmp_path / "gone.json")], "can't be read"),
        (["add", "--from", "none"], "no ledger entry"),
        (["export", str(tmp_path / "x.apkg")], "no card to export"),
        (["import", str(tmp_path / "gone.apkg")], "not an Anki package"),
        (["suspend", "none"], "no card none"),
    ):
        run = CliRunner().invoke(cli, ["learn", "cards", *arguments, *home])
        assert run.exception is not None and said in str(run.exception), run.output
