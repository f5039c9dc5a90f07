"""A learner's cards and reviews in the home's database. It does not know where a card comes from.

When a card is due is what FSRS, the Free Spaced Repetition Scheduler, says (Ye, Su and Cao, KDD 2022; version 6 of the
reference package `fsrs`): nothing of it is computed here.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import fsrs
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError as Twice

from osler.errors import InputError
from osler.nouns import Noun
from osler.settings import Settings
from osler.storage import metadata, open_database, writing
from osler.text import Language

RETENTION = 0.9  # share of cards that shall be recalled when they are due, as FSRS has it unless told otherwise

cards_table = sa.Table(
    "cards",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("learner", sa.String, nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),  # a CardDraft
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("suspended", sa.Boolean, nullable=False),
)
reviews_table = sa.Table(
    "reviews",  # rows are only added; the newest of a card says what the scheduler knows of it
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("card", sa.String, nullable=False, index=True),
    sa.Column("learner", sa.String, nullable=False, index=True),
    sa.Column("rating", sa.Integer, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("before", sa.Text, nullable=False),  # states as `fsrs.Card` writes them
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("chosen", sa.Text),
)
_any = reviews_table.alias()
_any = reviews_table.alias()
_newest = sa.select(sa.func.max(_any.c.seq)).where(_any.c.card == cards_table.c.id).correlate(cards_table)
_joined = cards_table.outerjoin(reviews_table, reviews_table.c.seq == _newest.scalar_subquery())
WITH_STATE = sa.select(cards_table, reviews_table.c.after).select_from(_joined)


class CardDraft(Noun):
    """What a card says, as plain text. `source`: what it was made from (`trace`, `item`, `document` or `package`);
    `[image: NAME]` and `[sound:NAME]` stand in the text for a file; `media`: as what the home keeps it."""

    front: str
    back: str
    kind: Literal["item", "statement", "term", "note"]
    topic: str
    source: dict[str, str] = {}
    tags: list[str] = []
    language: Language = "en"
    media: dict[str, str] = {}


class Card(CardDraft):
    """A card of a learner. `state`: that of FSRS, with `due`; times are UTC, ISO 8601 or seconds since the epoch."""

    id: str
    learner: str
    created: float
    suspended: bool
    state: dict[str, Any]

    @property
    def due(self) -> datetime:
        return datetime.fromisoformat(self.state["due"])


def media_folder(settings: Settings) -> Path:
    """Where the files that cards name are kept, each under a hash of its content."""
    return settings.home / "cards"


class Deck:
    """One learner's cards. `retention`: the share to be recalled, between 0.7 and 0.97; `fuzz`: vary long intervals a
    little, so that cards made together come apart."""

    def __init__(self, settings: Settings, learner: str, retention: float = RETENTION, fuzz: bool = True) -> None:
        if not 0.7 <= retention <= 0.97:
            raise InputError(f"{retention:g} can't be aimed at", hint="Give a retention from 0.7 to 0.97.")
        self.settings, self.learner = settings, learner
        self._engine = open_database(settings)
        self._scheduler = fsrs.Scheduler(desired_retention=retention, enable_fuzzing=fuzz)

    def add(self, drafts: Iterable[CardDraft], now: datetime | None = None) -> list[Card]:
        """The new cards among these, on disk on return; what the learner's deck says already is not said again."""
        created, rows = (now or datetime.now(UTC)).timestamp(), dict[str, dict[str, Any]]()
        for draft in drafts:
            if not draft.front.strip() or not draft.back.strip():
                raise InputError("a card needs a front and a back", where=draft.topic)
            row = {"learner": self.learner, "content": draft.model_dump_json(), "created": created, "suspended": False}
            rows.setdefault(self._id(draft), row)
        with writing(self._engine) as connection:
            added = []
            for id, row in rows.items():
                try:
                    with connection.begin_nested():
                        connection.execute(sa.insert(cards_table).values(id=id, **row))
                except Twice:
                    continue
                added.append(id)
            made = connection.execute(WITH_STATE.where(cards_table.c.learner == self.learner)).all()
        by_id = {row.id: row for row in made}
        return [_card(by_id[id]) for id in added]

    def cards(self) -> list[Card]:
        """All of them, the next due first."""
        with self._engine.connect() as connection:
            rows = connection.execute(WITH_STATE.where(cards_table.c.learner == self.learner)).all()
        return sorted(map(_card, rows), key=lambda card: (card.due, card.id))

    def due(self, now: datetime | None = None) -> list[Card]:
        """The cards to review, the longest due first; a new card is due from when it was made."""
        now = now or datetime.now(UTC)
        return [card for card in self.cards() if not card.suspended and card.due <= now]

    def review(self, id: str, rating: int, now: datetime | None = None, chosen: str | None = None) -> Card:
        """Keep how well a card was recalled (1 again, 2 hard, 3 good, 4 easy) and schedule it. Raises InputError."""
        if rating not in range(1, 5):
            raise InputError(f"{rating} is no rating", hint="1 again, 2 hard, 3 good, 4 easy.")
        mine = (cards_table.c.id == id) & (cards_table.c.learner == self.learner)
        with writing(self._engine) as connection:
            # Of two reviews at once the second goes on from the first.
            connection.execute(sa.select(cards_table.c.id).where(mine).with_for_update())
            row = connection.execute(WITH_STATE.where(mine)).first()
            if row is None:
                raise InputError(f"no card {id} of {self.learner}", hint="`osler learn cards due` lists them.")
            card, now = _card(row), now or datetime.now(UTC)
            before = fsrs.Card.from_dict(card.state)  # type: ignore[arg-type]
            after, _ = self._scheduler.review_card(before, fsrs.Rating(rating), now)
            kept = {"card": id, "learner": self.learner, "rating": rating, "time": now.timestamp(), "chosen": chosen}
            states = {"before": json.dumps(card.state), "after": after.to_json()}
            connection.execute(sa.insert(reviews_table).values(**kept, **states))
        return card.model_copy(update={"state": dict(after.to_dict())})

    def intervals(self, card: Card, now: datetime) -> list[float]:
        """Seconds until the card would come back after each of the four ratings, before they are varied."""
        plain = fsrs.Scheduler(desired_retention=self._scheduler.desired_retention, enable_fuzzing=False)
        state = fsrs.Card.from_dict(card.state)  # type: ignore[arg-type]
        return [(plain.review_card(state, rating, now)[0].due - now).total_seconds() for rating in fsrs.Rating]

    def suspend(self, id: str, suspended: bool = True) -> None:
        """Ask a card no more, or again. Raises InputError if there is none."""
        mine = (cards_table.c.id == id) & (cards_table.c.learner == self.learner)
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(cards_table).where(mine).values(suspended=suspended)).rowcount:
                raise InputError(f"no card {id} of {self.learner}", hint="`osler learn cards due` lists them.")

    def reviews(self) -> Sequence[sa.Row[Any]]:
        """Every review, oldest first, with the `content` of its card."""
        joined = sa.select(reviews_table, cards_table.c.content)
        joined = joined.join(cards_table, cards_table.c.id == reviews_table.c.card)
        with self._engine.connect() as connection:
            mine = reviews_table.c.learner == self.learner
            return connection.execute(joined.where(mine).order_by(reviews_table.c.seq)).all()

    def _id(self, draft: CardDraft) -> str:
        """By the content alone, however it is spaced and written large."""
        said = [self.learner, *(" ".join(text.casefold().split()) for text in (draft.front, draft.back))]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]


def _card(row: sa.Row[Any]) -> Card:
    made = datetime.fromtimestamp(row.created, UTC)
    state = json.loads(row.after) if row.after else dict(fsrs.Card(card_id=0, due=made).to_dict())
    said = {"id": row.id, "learner": row.learner, "created": row.created, "suspended": row.suspended, "state": state}
    return Card(**json.loads(row.content), **said)
