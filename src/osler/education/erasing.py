"""What learners keep of a patient: cards made from an answer about the patient or that name the patient, interviews."""

import sqlalchemy as sa

from osler.education.cards.deck import CardDraft, cards_table, media_folder, reviews_table
from osler.education.patient.sittings import sittings_table
from osler.ledger import Ledger
from osler.settings import Settings
from osler.storage import Forgetting, eraser, open_database, writing


@eraser("cards")
def erase_cards(settings: Settings, who: Forgetting) -> list[str]:
    """The cards by id, with their reviews. The ledger, which comes last, still says whose an entry is."""
    ledger = Ledger.open(settings)
    theirs = {entry.id for name in who.names for entry in ledger.of_patient(name)}
    with open_database(settings).connect() as connection:
        rows = connection.execute(sa.select(cards_table.c.id, cards_table.c.content).order_by(cards_table.c.id)).all()
    made = [(row.id, row.content, CardDraft.model_validate_json(row.content)) for row in rows]
    found = [id for id, content, card in made if card.source.get("trace") in theirs or who.concerns(content)]
    if found and not who.only_look:
        with writing(open_database(settings)) as connection:
            connection.execute(sa.delete(reviews_table).where(reviews_table.c.card.in_(found)))
            connection.execute(sa.delete(cards_table).where(cards_table.c.id.in_(found)))
        kept = {file for id, _, card in made if id not in found for file in card.media.values()}
        for file in {file for id, _, card in made if id in found for file in card.media.values()} - kept:
            (media_folder(settings) / file).unlink(missing_ok=True)
    return found


@eraser("interviews")
def erase_interviews(settings: Settings, who: Forgetting) -> list[str]:
    """Interviews whose case is a patient's record."""
    with open_database(settings).connect() as connection:
        rows = connection.execute(sa.select(sittings_table.c.id, sittings_table.c.content)).all()
    found = sorted(row.id for row in rows if who.concerns(row.content))
    if found and not who.only_look:
        with writing(open_database(settings)) as connection:
            connection.execute(sa.delete(sittings_table).where(sittings_table.c.id.in_(found)))
    return found
