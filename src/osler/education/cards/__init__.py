"""Cards to remember by: made from what was checked, scheduled by FSRS, exchanged with Anki, and counted."""

from osler.education.cards.deck import Card, CardDraft, Deck
from osler.education.cards.progress import (
    ItemStatistics,
    Progress,
    cohort,
    item_statistics,
    keep_result,
    missed,
    progress_of,
)

__all__ = [
    "Card",
    "CardDraft",
    "Deck",
    "ItemStatistics",
    "Progress",
    "cohort",
    "item_statistics",
    "keep_result",
    "missed",
    "progress_of",
]
