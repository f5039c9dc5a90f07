"""The shipped encoder, e5-small, with other upper layers: what its lower layers give goes on through layers that were
fine-tuned for one purpose (the verifier, the de-identifier's reader), so that each adds 11 MB and not 45.

It knows weights and word pieces, not what is read out of them.
"""

import functools
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osler.errors import IntegrityError, MissingComponent

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

WEIGHTS = Path(__file__).parent / "models" / "weights"
SHIPPED = WEIGHTS / "e5-small"
REINSTALL = "Reinstall osler."
GRAPH, NODE, OUTPUT = 7, 1, 12  # fields of ONNX's ModelProto and GraphProto


class Branch:
    """The encoder up to the layer that the folder's manifest names, then `upper.onnx` of the folder. Threads may share
    it. Raises MissingComponent or IntegrityError at its first use if its files are not whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loading = threading.Lock()
        self._upper: onnxruntime.InferenceSession | None = None

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(_read(self._folder / "manifest.json"))
        return loaded

    def run(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """What the upper layers give for one row of word pieces (at most 512 of them)."""
        with self._loading:
            if self._upper is None:
                content = _read(self._folder / "upper.onnx")
                found = hashlib.sha256(content).hexdigest(), encoder_digest()
                if found != (self.manifest["files"]["upper.onnx"], self.manifest["embedder"]):
                    where = str(self._folder)
                    raise IntegrityError("a file differs from its manifest", where=where, hint=REINSTALL)
                self._upper = _session(content)
        lower = _lower(self.manifest["begins"])
        hidden = lower.run(None, {"input_ids": np.array([ids], np.int64)})[0]
        row: NDArray[np.float32] = self._upper.run(None, {"hidden": hidden})[0][0]
        return row


@functools.cache
def tokenizer() -> "Tokenizer":
    """The encoder's own, without a limit of length."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_buffer(_read(SHIPPED / "tokenizer.json"))
    loaded.no_truncation()
    return loaded


@functools.cache
def encoder_digest() -> str:
    return hashlib.sha256(_read(SHIPPED / "model.onnx")).hexdigest()


@functools.cache
def _lower(ends: str) -> "onnxruntime.InferenceSession":
    return _session(cut(_read(SHIPPED / "model.onnx"), ends))


def _session(content: bytes) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # lengths differ from run to run
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def cut(model: bytes, output: str) -> bytes:
    """An ONNX model that ends at one of its inner values (of float32): what comes after is left out."""
    name, kept, ended = output.encode(), list[bytes](), False
    graph = next(field.content for field in _fields(model) if field.number == GRAPH)
    for field in _fields(graph):
        if field.number != OUTPUT and not (field.number == NODE and ended):
            kept.append(field.raw)
        if field.number == NODE and any(part.number == 2 and part.content == name for part in _fields(field.content)):
            ended = True
    kind = _encoded(2, _encoded(1, b"\x08\x01"))  # a tensor of float32
    kept.append(_encoded(OUTPUT, _encoded(1, name) + kind))
    rest = [field.raw for field in _fields(model) if field.number != GRAPH]
    return b"".join([*rest, _encoded(GRAPH, b"".join(kept))])


class _Field(NamedTuple):
    """A field of a protobuf message; `content` of those with a length, `raw` with its head."""

    number: int
    content: bytes
    raw: bytes


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        content = b""
        if tag & 7 == 2:
            length, at = _varint(message, at)
            content, at = message[at : at + length], at + length
        elif tag & 7 == 0:
            _, at = _varint(message, at)
        else:
            at += 8 if tag & 7 == 1 else 4
        yield _Field(tag >> 3, content, message[start:at])


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def _encoded(number: int, content: bytes) -> bytes:
    head, length = bytes([number << 3 | 2]), len(content)
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    return head + bytes([length]) + content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise MissingComponent("a shipped model is not installed", where=str(path), hint=REINSTALL) from None
