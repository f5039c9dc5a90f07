"""Open medical language models that can be connected to Osler: facts from a file, nothing is downloaded or called.

It knows what a model's publishers say, not how good it is: `osler bench` and `osler models admit` measure that.
"""

import tomllib
from importlib.resources import files
from typing import Literal

from pydantic import ValidationError

from osler.errors import IntegrityError
from osler.nouns import Noun


class OpenModel(Noun):
    """One model or family. `sizes`: 10^9 parameters of each release; `repository`: on its hub (`hub`); null: not known.

    `commercial`: whether the licence allows commercial use; `gated`: whether access must be asked for.
    """

    name: str
    publisher: str | None
    repository: str | None
    hub: Literal["huggingface", "github"] | None
    sizes: list[float]
    base: str | None
    languages: list[str]
    modality: Literal["text", "text and image"]
    licence: str | None
    commercial: bool | None
    gated: bool | None
    connect: list[Literal["gguf", "openai"]]
    note: str | None


def open_models() -> list[OpenModel]:
    """All entries of the catalogue by name. Raises IntegrityError naming the entry that can't be read."""
    text = (files("osler.models") / "data" / "catalog.toml").read_text(encoding="utf-8")
    found = []
    for entry in tomllib.loads(text)["model"]:
        known = dict.fromkeys(OpenModel.model_fields) | entry  # TOML has no null
        try:
            found.append(OpenModel.model_validate(known))
        except ValidationError as error:
            raise IntegrityError(f"an entry is wrong: {error}", where=f"catalog.toml, {entry.get('name')}") from None
    return sorted(found, key=lambda model: model.name.casefold())


def how_to_connect(model: OpenModel) -> str:
    """What to give `--model` once the weights are on this machine or served."""
    ways = {"gguf": "gguf:PATH (a GGUF conversion)", "openai": "openai:URL#NAME (any OpenAI-compatible server)"}
    return " or ".join(ways[way] for way in model.connect)
