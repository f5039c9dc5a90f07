"""The adapters of a home: what each was made from, and which one serves.

`OSLER_HOME/adapters/NAME/` has `card.json` and `adapter.gguf` (LoRA) or `model.gguf` (all weights); the spec
`adapter:NAME` names it. It does not train, judge or admit.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from osler.errors import InputError, MissingComponent
from osler.models.files import write_atomically
from osler.nouns import Noun
from osler.settings import Settings

DEFAULT = "smollm2"


class Material(Noun):
    """Data that an adapter learned from. `sha256`: of its data sheet, which holds those of the files."""

    path: str
    sha256: str
    rows: int
    licences: list[str]


class Gate(Noun):
    """One look at an adapter beside what it was made from. `rows`: measurements, each with its paired interval."""

    made: str
    passed: bool
    why: list[str] = []
    rows: list[dict[str, Any]] = []


class AdapterCard(Noun):
    """Lineage of an adapter. `losses`: of the first and the last tenth of its steps; `agreement`: with torch, on next
    tokens; `state`: shadow ones are measured beside what serves, only admitted ones may serve."""

    name: str
    stage: str
    base: str
    base_digest: str
    parent: str | None = None
    file: str | None = None
    digest: str | None = None
    size: int | None = None
    recipe: dict[str, Any]
    data: list[Material]
    versions: dict[str, str]
    steps: int
    rows: int
    seconds: float
    losses: tuple[float, float]
    tokens_per_second: float | None = None
    agreement: dict[str, float] | None = None
    licence: str
    made: str
    state: Literal["trained", "shadow", "admitted", "withdrawn"] = "trained"
    gates: list[Gate] = []
    memorised: dict[str, Any] | None = None


def folder_of(name: str, settings: Settings) -> Path:
    """Raises InputError for a name that is none."""
    if not name or not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name.startswith("."):
        raise InputError(f"{name!r} is no name of an adapter", hint="Letters, digits, '.', '-' and '_'.")
    return settings.home / "adapters" / name


def read_card(name: str, settings: Settings) -> AdapterCard:
    """Raises MissingComponent if there is no such adapter, InputError if its card is damaged."""
    path = folder_of(name, settings) / "card.json"
    try:
        return AdapterCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise MissingComponent("no such adapter", where=name, hint="`osler adapt list` names them.") from None
    except (ValidationError, OSError):
        raise InputError("the card of the adapter is damaged", where=str(path)) from None


def write_card(card: AdapterCard, settings: Settings) -> None:
    content = json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False).encode()
    write_atomically(folder_of(card.name, settings) / "card.json", content)


def cards(settings: Settings) -> list[AdapterCard]:
    """All adapters, the oldest first."""
    paths = (settings.home / "adapters").glob("[!.]*/card.json")
    return sorted((read_card(path.parent.name, settings) for path in paths), key=lambda card: (card.made, card.name))


def serving(settings: Settings) -> list[str]:
    """The adapters that were served, the one that serves now last; empty: the model they were made from."""
    try:
        found = json.loads((settings.home / "adapters" / "serving.json").read_bytes())
    except FileNotFoundError:
        return []
    except (ValueError, OSError):
        place = str(settings.home / "adapters" / "serving.json")
        raise InputError("the file that says which adapter serves is damaged", where=place, hint="Delete it.") from None
    return [str(name) for name in found]


def set_serving(history: list[str], settings: Settings) -> None:
    write_atomically(settings.home / "adapters" / "serving.json", json.dumps(history).encode())


def language_model(settings: Settings) -> str:
    """The spec of the model in use: the settings', else the adapter that serves, else the embedded model. Asked anew
    for each answer, so a change acts at once in a server that runs."""
    if settings.models.language:
        return settings.models.language
    history = serving(settings)
    return f"adapter:{history[-1]}" if history else DEFAULT
