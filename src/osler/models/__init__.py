"""One interface to any language model: embedded weights, a GGUF file, or an OpenAI-compatible endpoint.

A model is named by one string: `smollm2`, `adapter:NAME`, `gguf:PATH` or `openai:URL#NAME`.
"""

import threading
from typing import Any

from osler.models.adapters import language_model
from osler.models.base import Busy, Generation, LanguageModel, Message, ModelInfo, Request, ScoreRequest
from osler.settings import Settings

__all__ = [
    "Busy",
    "Generation",
    "LanguageModel",
    "Message",
    "ModelInfo",
    "Request",
    "ScoreRequest",
    "language_model",
    "load_model",
    "model_digest",
]

_loaded: dict[tuple[Any, ...], LanguageModel] = {}
_loading = threading.Lock()


def model_digest(spec: str, settings: Settings) -> str:
    """What `load_model(spec, settings).info.digest` would be, without loading the model."""
    if spec.startswith("openai:"):
        from osler.models.http import endpoint_digest

        return endpoint_digest(spec)
    from osler.models.catalogue import find_weights

    return find_weights(spec, settings).digest


def load_model(spec: str, settings: Settings) -> LanguageModel:
    """The model of a spec, loaded once a process and settings.

    Raises InputError for a spec or file that can't be used, MissingComponent for one that isn't there,
    EgressBlocked or EndpointError (on the first call) for an endpoint.
    """
    key = (spec, settings.home, settings.models, settings.egress)
    with _loading:
        if key not in _loaded:
            if spec.startswith("openai:"):
                from osler.models.endpoint import EndpointModel

                _loaded[key] = EndpointModel(spec, settings)
            else:
                from osler.models.gguf import GgufModel

                _loaded[key] = GgufModel(spec, settings)
        return _loaded[key]
