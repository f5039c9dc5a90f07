"""One interface to any language model: embedded weights, a GGUF file, or an OpenAI-compatible endpoint.

A model is named by one string: `smollm2`, `gguf:PATH` or `openai:URL#NAME`.
"""

import threading
from pathlib import Path
from typing import Any

from osler.errors import InputError
from osler.models.base import (
    Busy,
    Generation,
    LanguageModel,
    Message,
    ModelInfo,
    Request,
    ScoreRequest,
)
from osler.settings import Settings

__all__ = [
    "Busy",
    "Generation",
    "LanguageModel",
    "Message",
    "ModelInfo",
    "Request",
    "ScoreRequest",
    "load_model",
    "model_digest",
    "model_path",
]

_loaded: dict[tuple[Any, ...], LanguageModel] = {}
_loading = threading.Lock()


def model_path(spec: str, settings: Settings) -> Path | None:
    """The GGUF file behind a spec; None for an endpoint. Raises InputError, MissingComponent or IntegrityError."""
    scheme, _, rest = spec.partition(":")
    if spec == "smollm2":
        from osler.models.weights import smollm2_path

        return smollm2_path(settings.home)
    if scheme == "gguf" and rest:
        return Path(rest).expanduser().absolute()
    if scheme == "openai" and rest:
        return None
    raise InputError("unknown model", where=spec, hint="Give smollm2, gguf:PATH or openai:URL#NAME.")


def model_digest(spec: str, settings: Settings) -> str:
    """What `load_model(spec, settings).info.digest` would be, without loading the model."""
    path = model_path(spec, settings)
    if path is None:
        from osler.models.endpoint import endpoint_digest

        return endpoint_digest(spec)
    from osler.models.files import adapter_path, read_header, weights_digest

    read_header(path)
    return weights_digest(path, adapter_path(settings), settings.home)


def load_model(spec: str, settings: Settings) -> LanguageModel:
    """The model of a spec, loaded once a process and settings.

    Raises InputError for a spec or file that can't be used, MissingComponent for one that isn't there,
    EgressBlocked or EndpointError (on the first call) for an endpoint.
    """
    key = (spec, settings.home, settings.models, settings.egress)
    with _loading:
        if key not in _loaded:
            _loaded[key] = _load(spec, settings)
        return _loaded[key]


def _load(spec: str, settings: Settings) -> LanguageModel:
    path = model_path(spec, settings)
    if path is None:
        from osler.models.endpoint import EndpointModel

        return EndpointModel(spec, settings)
    from osler.models.gguf import GgufModel

    return GgufModel(path, settings, spec=spec)
