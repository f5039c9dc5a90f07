"""The way back from torch to the runtime that serves: a LoRA adapter or whole weights as GGUF, and the proof that both
say the same.

Follows the GGUF and LoRA-adapter layouts of llama.cpp; names of tensors come from the package `gguf`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from osler.adaptation.base import Base
from osler.models.base import Message
from osler.models.gguf import GgufModel
from osler.settings import Settings

Array = npt.NDArray[np.float32]
_ROTATED = {"llama": ("q_proj", "k_proj")}  # architectures whose GGUF files hold these in another order of rows
COMPARED, LIKELIEST = 50, 20  # prompts, and next tokens of each
TIE = 0.2  # log-probability by which two next tokens are as likely
CLOSE = 0.05  # mean difference of log-probabilities up to which the runtime says the same as torch


class Agreement(NamedTuple):
    """Over `n` prompts: the share whose likeliest next token is the same (or a tie in torch), and of the
    log-probabilities of the likeliest 20 the mean and the largest difference. `tokens`: the share of prompts that both
    cut into the same tokens."""

    n: int
    same: float
    mean: float
    worst: float
    tokens: float

    def holds(self, base: "Agreement | None" = None) -> bool:
        """Near enough, or no farther apart than the base alone is: quantised weights are multiplied in fewer bits than
        torch multiplies them."""
        if self.tokens < 1.0:
            return False
        near = self.same >= 0.9 and self.mean <= CLOSE
        return near or (base is not None and self.mean <= 1.1 * base.mean and self.same >= base.same - 0.05)


def write_lora(model: Any, base: Base, path: Path) -> None:
    """`model`: a PEFT model with one LoRA adapter. Raises KeyError for a layer that the format has no name for."""
    import gguf
    import peft

    config = next(iter(model.peft_config.values()))
    writer = gguf.GGUFWriter(path, base.weights.header.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config.lora_alpha))
    names = _names(base)
    for key, tensor in peft.get_peft_model_state_dict(model).items():
        layer, _, side = key.removeprefix("base_model.model.").partition(".lora_")
        name = f"{names(layer)}.weight.lora_{side[0].lower()}"
        value = tensor.detach().float().cpu().numpy()
        writer.add_tensor(name, _rotated(layer, value, base) if side.startswith("B") else value)
    _close(writer)


def write_whole(state: Mapping[str, Any], base: Base, path: Path, kind: str = "same") -> None:
    """All weights, with everything else as in the base's file. `kind`: "same" quantisation as there (Q8_0 for kinds
    that can't be written here), or the name of one, as "Q8_0"."""
    import gguf

    reader = gguf.GGUFReader(str(base.weights.path))
    writer = gguf.GGUFWriter(path, base.weights.header.architecture)
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type=inner)
    names = _names(base)
    values = {f"{names(key.removesuffix('.weight'))}.weight": (key, tensor) for key, tensor in state.items()}
    for tensor in reader.tensors:
        if tensor.name not in values:  # what torch doesn't hold (factors of the rotation) stays
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        key, found = values[tensor.name]
        value = _rotated(key.removesuffix(".weight"), found.detach().float().cpu().numpy(), base)
        wanted = tensor.tensor_type if kind == "same" or value.ndim == 1 else gguf.GGMLQuantizationType[kind]
        try:
            data = gguf.quants.quantize(value, wanted)
        except NotImplementedError:
            wanted = gguf.GGMLQuantizationType.Q8_0
            data = gguf.quants.quantize(value, wanted)
        writer.add_tensor(tensor.name, data, raw_dtype=wanted)
    _close(writer)


def agreement(model: Any, base: Base, spec: str, prompts: list[list[Message]], settings: Settings) -> Agreement:
    """The served model of `spec` beside `model`, on the next token after each of the prompts."""
    import torch

    served = GgufModel(spec, settings, parallel=1)
    same, cut, gaps = 0, 0, list[float]()
    try:
        for messages in prompts:
            prompt, tokens, found = served.next_tokens(messages, LIKELIEST)
            cut += base.tokenizer(prompt, add_special_tokens=False)["input_ids"] == tokens
            with torch.no_grad():
                logits = model(torch.tensor([tokens], device=model.device)).logits[0, -1].float()
            said = torch.log_softmax(logits, dim=-1)
            ended = int(said.argmax()) == base.tokenizer.eos_token_id  # an end has no next tokens to compare
            first = max(found, key=found.__getitem__, default=None)
            same += ended if first is None else float(said.max() - said[first]) <= TIE
            gaps += [abs(float(said[token]) - value) for token, value in found.items()]
    finally:
        served.close()
    n = len(prompts)
    return Agreement(n, same / n, sum(gaps) / max(1, len(gaps)), max(gaps, default=0.0), cut / n)


def prompts_for(rows: list[dict[str, Any]]) -> list[list[Message]]:
    """Questions out of training rows, to compare on, the same each time."""
    asked = list(_asked(rows))
    step = max(1, len(asked) // COMPARED)
    return asked[::step][:COMPARED]


def _asked(rows: list[dict[str, Any]]) -> Iterator[list[Message]]:
    for row in rows:
        given = row["messages"][:-1] if "messages" in row else row.get("prompt", row.get("text", ""))
        turns = given if isinstance(given, list) else [{"role": "user", "content": str(given)[:1500]}]
        yield [Message(cast(Any, turn["role"]), turn["content"][:1500]) for turn in turns]


def _names(base: Base) -> Any:
    import gguf

    arch = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == base.weights.header.architecture)
    known = gguf.get_tensor_name_map(arch, base.model.config.num_hidden_layers)

    def name(layer: str) -> str:
        found = known.get_name(layer)
        if found is None:
            raise KeyError(layer)
        return str(found)

    return name


def _rotated(layer: str, value: Array, base: Base) -> Array:
    """The rows of queries and keys in the order of GGUF files, where that differs."""
    kind = layer.rpartition(".")[2]
    if kind not in _ROTATED.get(base.weights.header.architecture, ()):
        return value
    config = base.model.config
    heads = config.num_attention_heads if kind == "q_proj" else config.num_key_value_heads
    halves = value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(value.shape))


def _close(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
