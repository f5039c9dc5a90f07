"""Whether evidence still stands, and what a reader must know of it: retracted, superseded, old, or contradicted.

It changes no ranking and hides nothing: what doesn't stand supports nothing, and says so beside the statement.
"""

from collections.abc import Sequence

from osler.nouns import Evidence
from osler.reasoning.resources import Run
from osler.reasoning.verify import denied

AGAINST = 0.75  # share of a statement that a passage must cover before its "no" counts
OTHERS = 6  # passages asked whether they contradict a statement


def stands(evidence: Evidence) -> bool:
    """Whether it may support anything."""
    return not evidence.retracted


def cautions(text: str, cited: Sequence[Evidence], read: Sequence[Evidence], run: Run) -> list[str]:
    """What a reader must know before relying on a statement, in words; passages that say otherwise are cited by it."""
    found = [said for item in cited for said in about(item, run.settings.library.oldest)]
    mine = {item.id for item in cited}
    for other in [item for item in read if item.id not in mine and stands(item)][:OTHERS]:
        reasons, covered = denied(text, other.text)
        if reasons and covered >= AGAINST:
            found.append(f"{run.cite(other)} says otherwise: {reasons[0]}")
    return found


def about(item: Evidence, oldest: int | None) -> list[str]:
    """What is to be said of a piece of evidence by itself. `oldest`: the first year the reader relies on."""
    found = [f"{item.id} was retracted"] if item.retracted else []
    if item.superseded_by:
        found.append(f"{item.id} was superseded by {item.superseded_by}")
    since = (item.valid_from or "")[:4]
    year = int(since) if since.isdigit() else item.source.year
    if oldest is not None and year is not None and year < oldest:
        found.append(f"{item.id} is of {year}, before {oldest}")
    return found
