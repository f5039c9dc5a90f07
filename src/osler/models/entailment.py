"""The verifier's model: whether a text supports a statement, as chances of the four verdicts.

It is e5-small with its upper layers fine-tuned on statement and evidence (scripts/train_entailment.py); words and lower
layers are the embedder's own file, cut where the verifier's begins. It reads 256 tokens and knows nothing but the two
texts.
"""

import functools
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from osler.errors import IntegrityError, MissingComponent
from osler.models.embedder import REINSTALL, SHIPPED
from osler.nouns import Verdict

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

FOLDER = SHIPPED.parent / "verifier"
LONGEST = 256  # tokens of statement and evidence together, as in training
GRAPH, NODE, OUTPUT = 7, 1, 12  # fields of ONNX's ModelProto and GraphProto


class Entailment:
    """Threads may share it. Raises MissingComponent or IntegrityError at its first use if its files are not whole."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, onnxruntime.InferenceSession, onnxruntime.InferenceSession] | None = None

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(_read(self._folder / "manifest.json"))
        return loaded

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - there is one model a process
    def chances(self, statement: str, text: str) -> dict[Verdict, float]:
        """How likely each verdict on the statement by this text is."""
        tokenizer, lower, upper = self._load()
        first, second = (
            encoding.ids for encoding in tokenizer.encode_batch([f"query: {statement}", f"passage: {text}"])
        )
        ids = np.array([[*first, *second[1:]][:LONGEST]], np.int64)
        row = upper.run(None, {"hidden": lower.run(None, {"input_ids": ids})[0]})[0][0]
        return dict(zip(self.manifest["verdicts"], map(float, row), strict=True))

    def _load(self) -> "tuple[Tokenizer, onnxruntime.InferenceSession, onnxruntime.InferenceSession]":
        with self._loading:
            if self._loaded is None:
                import onnxruntime
                from tokenizers import Tokenizer

                upper, lower = _read(self._folder / "upper.onnx"), _read(SHIPPED / "model.onnx")
                wanted = self.manifest["files"]["upper.onnx"], self.manifest["embedder"]
                if tuple(hashlib.sha256(content).hexdigest() for content in (upper, lower)) != wanted:
                    where = str(self._folder)
                    raise IntegrityError("a file differs from the verifier's manifest", where=where, hint=REINSTALL)
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                options.enable_mem_pattern = False
                options.log_severity_level = 3
                sessions = [
                    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
                    for content in (cut(lower, self.manifest["begins"]), upper)
                ]
                self._loaded = Tokenizer.from_buffer(_read(SHIPPED / "tokenizer.json")), sessions[0], sessions[1]
            return self._loaded


@functools.cache
def entailment() -> Entailment:
    return Entailment()


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
        raise MissingComponent("the verifier's model is not installed", where=str(path), hint=REINSTALL) from None
