"""The model that is shown pictures, if one is configured. It knows the setting, not what a picture shows."""

from osler.errors import InputError, MissingComponent
from osler.models import LanguageModel, load_model
from osler.settings import Settings


def vision_model(settings: Settings) -> LanguageModel:
    """Raises MissingComponent where none is configured, InputError for one that can't be shown pictures."""
    spec = settings.models.vision
    if not spec:
        hint = "Set `vision` under [models] to openai:URL#NAME of an endpoint that takes image parts."
        raise MissingComponent("no vision model is configured", hint=hint)
    if not spec.startswith("openai:"):
        raise InputError("only an endpoint (openai:URL#NAME) can be shown pictures", where=f"models.vision = {spec!r}")
    return load_model(spec, settings)
