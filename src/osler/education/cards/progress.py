"""How a learner gets on, and how items do. Counts and classical test theory; it asks no model.

Item analysis as in Lord and Novick (1968): difficulty is the share of right answers, discrimination the correlation of
an item's score with the rest of the taker's. Only a learner's first answer to an item counts.
"""

import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from osler.education.cards.deck import Card, CardDraft, Deck
from osler.nouns import Interval, Noun, QuizItem
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

DAY = 86400.0
# The points of the retention curve by the days since the review before, with the day each begins at.
CURVE = {"0": 0, "1": 1, "2 to 3": 2, "4 to 7": 4, "8 to 14": 8, "15 to 30": 15, "31 to 90": 31, "91 or more": 91}
TAKERS = 10  # below it an item's discrimination and its options' use say nothing
FORECAST, WEAK = 14, 5

results_table = sa.Table(
    "results",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("learner", sa.String, nullable=False, index=True),
    sa.Column("item", sa.String, nullable=False, index=True),
    sa.Column("asked", sa.Text, nullable=False),  # stem, options and key as they were
    sa.Column("chosen", sa.Text, nullable=False),
    sa.Column("correct", sa.Boolean, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
)


class Recall(Noun):
    """Of n reviews those rated 2 or better. `share` and its interval (Wilson 1927, 95%) are null for none. `what`: the
    topic, or the days since the review before."""

    what: str
    n: int
    recalled: int
    share: float | None
    interval: Interval | None


class Progress(Noun):
    """`retention`: of cards seen a day or more after the review before; `curve` has those of the same day as well;
    `weak`: the topics recalled least, of three such reviews or more; `forecast`: cards due in each 24 hours to come,
    first with what is overdue."""

    learner: str
    cards: int
    suspended: int
    due: int
    reviews: int
    retention: Recall
    curve: list[Recall]
    weak: list[Recall]
    forecast: list[int]


class ItemStatistics(Noun):
    """`difficulty`: share right; `discrimination`: point-biserial, null below ten takers or where all scored the same;
    `use`: takers by option; `review`: why a person should look at the item."""

    item: str
    stem: str
    key: str
    takers: int
    difficulty: float
    discrimination: float | None
    use: dict[str, int]
    review: list[str]


def progress_of(deck: Deck, now: datetime | None = None) -> Progress:
    """A learner's cards, what of them is recalled, and what is due."""
    now, cards, reviews = now or datetime.now(UTC), deck.cards(), deck.reviews()
    by_days, by_topic = defaultdict[str, list[bool]](list), defaultdict[str, list[bool]](list)
    for row in reviews:
        last = json.loads(row.before)["last_review"]
        if last is None:  # nothing was there to be recalled
            continue
        days, recalled = (row.time - datetime.fromisoformat(last).timestamp()) / DAY, row.rating > 1
        by_days[max((name for name in CURVE if CURVE[name] <= max(days, 0)), key=CURVE.__getitem__)].append(recalled)
        if days >= 1:
            by_topic[CardDraft.model_validate_json(row.content).topic].append(recalled)
    topics = [_recall(topic, seen) for topic, seen in by_topic.items() if len(seen) >= 3]
    weak = sorted((one for one in topics if one.recalled < one.n), key=lambda one: (one.recalled / one.n, -one.n))
    return Progress(
        learner=deck.learner, cards=len(cards), suspended=sum(card.suspended for card in cards),
        due=sum(not card.suspended and card.due <= now for card in cards), reviews=len(reviews),
        retention=_recall("a day or more", [one for seen in by_topic.values() for one in seen]),
        curve=[_recall(name, by_days[name]) for name in CURVE if by_days[name]],
        weak=weak[:WEAK], forecast=_forecast(cards, now),
    )  # fmt: skip


def _forecast(cards: Iterable[Card], now: datetime) -> list[int]:
    counts = Counter(max(0, (card.due - now) // timedelta(days=1)) for card in cards if not card.suspended)
    return [counts[day] for day in range(FORECAST)]


def _recall(what: str, seen: list[bool]) -> Recall:
    n, k, z = len(seen), sum(seen), statistics.NormalDist().inv_cdf(0.975)
    if n == 0:
        return Recall(what=what, n=0, recalled=0, share=None, interval=None)
    spread = z * z / n
    centre, half = k / n + spread / 2, z * math.sqrt(k / n * (1 - k / n) / n + spread / (4 * n))
    interval = max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))
    return Recall(what=what, n=n, recalled=k, share=k / n, interval=interval)


def keep_result(settings: Settings, learner: str, item: QuizItem, chosen: str, now: datetime | None = None) -> bool:
    """Keep what a learner chose or wrote, on disk on return; whether it is right."""
    key = next(choice.text for choice in item.options if choice.correct)
    correct = chosen.strip().casefold() in [name.casefold() for name in item.accepted or [key]]
    asked = json.dumps({"stem": item.stem, "key": key, "options": [choice.text for choice in item.options]})
    row = {"learner": learner, "item": item.id, "asked": asked, "chosen": chosen.strip(), "correct": correct}
    with writing(open_database(settings)) as connection:
        time = (now or datetime.now(UTC)).timestamp()
        connection.execute(sa.insert(results_table).values(**row, time=time))
    return correct


def missed(settings: Settings, learner: str) -> set[str]:
    """The items to which the learner's last answer was wrong."""
    mine = sa.select(results_table.c.item, results_table.c.correct).where(results_table.c.learner == learner)
    with open_database(settings).connect() as connection:
        last = {row.item: row.correct for row in connection.execute(mine.order_by(results_table.c.seq))}
    return {item for item, correct in last.items() if not correct}


def cohort(settings: Settings) -> list[Recall]:
    """How each learner did, by first answers, those with the smallest share right first; `what` is the learner."""
    by_learner = defaultdict[str, list[bool]](list)
    for answers in _first_answers(settings).values():
        for learner, row in answers.items():
            by_learner[learner].append(row.correct)
    found = [_recall(learner, answers) for learner, answers in by_learner.items()]
    return sorted(found, key=lambda one: (one.share or 0.0, one.what))


def item_statistics(settings: Settings) -> list[ItemStatistics]:
    """Every item that was answered, those to be reviewed first, then the hardest."""
    first = _first_answers(settings)
    taken, right = Counter[str](), Counter[str]()
    for answers in first.values():
        taken.update(answers.keys())
        right.update(learner for learner, row in answers.items() if row.correct)
    found = [_statistics(item, answers, taken, right) for item, answers in first.items()]
    return sorted(found, key=lambda one: (not one.review, one.difficulty, one.item))


def _first_answers(settings: Settings) -> dict[str, dict[str, sa.Row[Any]]]:
    """By item and learner."""
    with open_database(settings).connect() as connection:
        rows = connection.execute(sa.select(results_table).order_by(results_table.c.seq)).all()
    first: dict[str, dict[str, sa.Row[Any]]] = defaultdict(dict)
    for row in rows:
        first[row.item].setdefault(row.learner, row)
    return first


def _statistics(item: str, answers: dict[str, sa.Row[Any]], taken: Counter[str], right: Counter[str]) -> ItemStatistics:
    asked = json.loads(next(reversed(answers.values())).asked)
    chosen = Counter(row.chosen.casefold() for row in answers.values())
    use = {option: chosen[option.casefold()] for option in asked["options"]}
    # The rest of a taker's answers as a share, for not everybody took the same items.
    pairs = [
        (float(row.correct), (right[who] - row.correct) / (taken[who] - 1))
        for who, row in answers.items()
        if taken[who] > 1
    ]
    discrimination = _point_biserial(pairs) if len(pairs) >= TAKERS else None
    why = ["negative discrimination"] if discrimination is not None and discrimination < 0 else []
    if len(answers) >= TAKERS:
        why += [f"nobody takes {option!r}" for option, n in use.items() if n == 0 and option != asked["key"]]
    difficulty = sum(row.correct for row in answers.values()) / len(answers)
    return ItemStatistics(
        item=item, stem=asked["stem"], key=asked["key"], takers=len(answers), difficulty=difficulty,
        discrimination=discrimination, use=use, review=why,
    )  # fmt: skip


def _point_biserial(pairs: list[tuple[float, float]]) -> float | None:
    scores, rests = zip(*pairs, strict=True)
    if len(set(scores)) < 2 or len(set(rests)) < 2:
        return None
    return statistics.correlation(scores, rests)
