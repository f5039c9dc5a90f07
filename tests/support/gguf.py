"""Writes a small GGUF file (version 3) by the specification: for adapters and damaged files in tests."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

ALIGNMENT = 32


def write_gguf(path: Path, values: Mapping[str, str | float], tensors: Mapping[str, npt.NDArray[np.float32]]) -> Path:
    """Texts and floats as metadata; float32 tensors, numpy shapes (rows first)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, value in values.items():
        head += _string(key)
        head += struct.pack("<I", 8) + _string(value) if isinstance(value, str) else struct.pack("<If", 6, value)
    data = b""
    for name, tensor in tensors.items():
        head += _string(name) + struct.pack("<I", tensor.ndim) + struct.pack(f"<{tensor.ndim}Q", *tensor.shape[::-1])
        head += struct.pack("<IQ", 0, len(data))
        data += _padded(tensor.astype("<f4").tobytes())
    path.write_bytes(_padded(head) + data)
    return path


def lora(path: Path, scale: float) -> Path:
    """A rank-2 adapter for SmolLM2-135M: the query projections of the first five blocks."""
    random = np.random.default_rng(1)
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for block in range(5):
        name = f"blk.{block}.attn_q.weight"
        tensors[f"{name}.lora_a"] = random.normal(size=(2, 576)).astype(np.float32)
        tensors[f"{name}.lora_b"] = (scale * random.normal(size=(576, 2))).astype(np.float32)
    values: dict[str, str | float] = {
        "general.type": "adapter",
        "general.architecture": "llama",
        "adapter.type": "lora",
        "adapter.lora.alpha": 2.0,
    }
    return write_gguf(path, values, tensors)


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % ALIGNMENT)
