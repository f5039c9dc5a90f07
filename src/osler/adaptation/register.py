"""What becomes of a trained adapter: shadow, admission, serving, and back. Each step is one entry in the ledger.

A trained adapter is measured beside what it was made from (`gate.py`) before it may be admitted, and admitted before it
may serve.
"""

from osler.errors import InputError
from osler.ledger import Ledger
from osler.models.adapters import AdapterCard, cards, language_model, read_card, serving, set_serving, write_card
from osler.settings import Settings


def admit(name: str, by: str, reason: str, settings: Settings) -> AdapterCard:
    """Let an adapter serve. Raises InputError for one without a passed gate: a named person may say otherwise only with
    a reason that begins with "override:", which is kept."""
    card = read_card(name, settings)
    if card.file is None:
        raise InputError(f"a {card.stage} model can't serve", where=name)
    last = card.gates[-1] if card.gates else None
    if (last is None or not last.passed) and not reason.lower().startswith("override:"):
        why = "; ".join(last.why) if last else "it was not measured"
        hint = f"`osler adapt gate {name}` measures it; a reason that begins with 'override:' admits it all the same."
        raise InputError(f"the adapter did not pass its gate: {why}", where=name, hint=hint)
    return _set(card, "admitted", by, reason, settings)


def withdraw(name: str, by: str, reason: str, settings: Settings) -> AdapterCard:
    """Never let it serve again; if it serves now, what served before does."""
    made = _set(read_card(name, settings), "withdrawn", by, reason, settings)
    set_serving([one for one in serving(settings) if one != name], settings)
    return made


def serve(name: str, by: str, settings: Settings) -> str:
    """Let an admitted adapter answer from now on, also in a server that runs; the spec in use. Raises InputError."""
    card = read_card(name, settings)
    if card.state != "admitted":
        hint = f"`osler adapt gate {name}` and `osler adapt admit {name}` come first."
        raise InputError(f"the adapter is {card.state}, not admitted", where=name, hint=hint)
    return _changed([*(one for one in serving(settings) if one != name), name], by, settings)


def roll_back(by: str, settings: Settings) -> str:
    """Let what served before answer again; the spec in use. Raises InputError if no adapter serves."""
    history = serving(settings)
    if not history:
        raise InputError("no adapter serves", hint="`osler adapt list` shows them.")
    return _changed(history[:-1], by, settings)


def _changed(history: list[str], by: str, settings: Settings) -> str:
    if settings.models.language:
        said = f"the settings name a model themselves (models.language = {settings.models.language!r})"
        raise InputError(said, hint="Take that line out, so that adapters can serve.")
    before = language_model(settings)
    after = f"adapter:{history[-1]}" if history else "smollm2"
    Ledger.open(settings).append("adapter", {"what": "serving", "by": by, "before": before, "after": after})
    set_serving(history, settings)
    return language_model(settings)


def _set(card: AdapterCard, state: str, by: str, reason: str, settings: Settings) -> AdapterCard:
    if not by.strip() or not reason.strip():
        raise InputError("this needs a name and a reason", where=card.name)
    made = AdapterCard.model_validate({**card.model_dump(), "state": state})
    said = {"what": state, "name": card.name, "digest": card.digest, "by": by, "reason": reason}
    Ledger.open(settings).append("adapter", said)
    write_card(made, settings)
    return made


def listed(settings: Settings) -> list[dict[str, object]]:
    """The adapters with whether each serves now."""
    now = serving(settings)[-1:]
    return [{**card.model_dump(mode="json"), "serves": [card.name] == now} for card in cards(settings)]
