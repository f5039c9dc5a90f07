"""The model that training starts from, as torch sees it: the weights of a GGUF file, its tokenizer and chat template.

Quantised weights are read at their exact values, so what is learned fits the file that serves. Needs `osler[train]`.
"""

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from osler.errors import InputError, MissingComponent
from osler.models.adapters import AdapterCard, folder_of
from osler.models.catalogue import Weights, find_weights
from osler.settings import Settings

T = TypeVar("T")
# Architectures whose names of tensors and ways to rotate positions the way back (`serving.py`) knows.
KNOWN = ("llama", "qwen2", "qwen3")


class Base(NamedTuple):
    """`model`: a transformers causal language model in float32; `tokenizer`: its fast tokenizer."""

    model: Any
    tokenizer: Any
    weights: Weights


def need_train() -> None:
    """Raises MissingComponent without the extra `train`; makes its libraries quiet and keeps them off the network."""
    warnings.filterwarnings("ignore", module=r"(transformers|peft|trl|torch)\b")
    for name, value in {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error",
                        "TOKENIZERS_PARALLELISM": "false", "TRL_EXPERIMENTAL_SILENCE": "1"}.items():  # fmt: skip
        os.environ.setdefault(name, value)
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        said = f"training needs packages that are not installed ({error.name})"
        raise MissingComponent(said, hint="Run: pip install 'osler[train]'") from None


def load_base(spec: str, settings: Settings) -> Base:
    """Raises what `find_weights` does, and InputError for an architecture that can't be brought back to serving."""
    need_train()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = base_weights(spec, settings)
    folder, file = str(weights.path.parent), weights.path.name
    # transformers marks the model as one of GGUF and won't save it: its values go into a fresh one.
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.padding_side = "right"
    return Base(model, tokenizer, weights)


def base_weights(spec: str, settings: Settings) -> Weights:
    """The file of a base model, without the settings' adapter. Raises InputError for one that can't be trained."""
    if spec.startswith("openai:"):
        raise InputError(
            "the weights behind an endpoint can't be trained", where=spec, hint="Give smollm2 or gguf:PATH."
        )
    bare = settings.model_copy(update={"models": settings.models.model_copy(update={"adapter": None})})
    weights = find_weights(spec, bare)
    if weights.header.architecture not in KNOWN:
        said = f"models of the architecture {weights.header.architecture!r} can't be trained here"
        raise InputError(said, where=spec, hint=f"Known: {', '.join(KNOWN)}.")
    return weights


def before_and_after(card: AdapterCard, settings: Settings, look: Callable[[Any, Any], T]) -> tuple[T, T]:
    """What `look(tokenizer, model)` makes of the base, and of the base with the adapter."""
    base = load_base(card.base, settings)
    before = look(base.tokenizer, base.model.eval())
    folder = folder_of(card.name, settings)
    if card.file == "model.gguf":
        after = load_base(f"gguf:{folder / card.file}", settings).model
    else:
        import peft

        after = peft.PeftModel.from_pretrained(base.model, str(folder))
    return before, look(base.tokenizer, after.eval())
