"""Text to vectors: the shipped e5-small in process, or an OpenAI-compatible embeddings endpoint behind the egress gate.

It knows weights, tokens and batches. It does not know what is embedded or where vectors are kept.
"""

import hashlib
import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.encoder import REINSTALL, SHIPPED
from osler.errors import EndpointError, InputError, IntegrityError, MissingComponent, UsageError
from osler.models.http import Retry, Server
from osler.privacy.egress import Gate
from osler.settings import Models, Settings, default_home

if TYPE_CHECKING:
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

E5_PREFIXES = ("query: ", "passage: ")  # the model was trained with these
REMEMBERED = 8192  # vectors, about 12 MB
TOKENISED_AT_ONCE = 1024  # texts; bounds what waits between tokenizer and model


class EmbedderInfo(NamedTuple):
    """What identifies an embedder: two indexes are comparable when their digests are equal."""

    spec: str
    digest: str  # sha256; of the files in process, of URL and name for an endpoint (its weights can't be seen)
    dimension: int
    max_tokens: int | None  # longer texts are cut; None: the endpoint decides


class Embedder(ABC):
    """Queries and passages go in apart because models are trained on the difference, by a prefix of each."""

    _prefixes = ("", "")

    @property
    @abstractmethod
    def info(self) -> EmbedderInfo: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), each row of unit length."""
        return self._embed(self._prefixes[0], _stripped(texts))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 (texts, dimension), each row of unit length."""
        return self._embed(self._prefixes[1], _stripped(texts))

    @abstractmethod
    def _embed(self, prefix: str, texts: list[str]) -> Vectors: ...


@cache
def configured_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name: `e5-small` (shipped) or `openai:URL#NAME`; one a process and settings.

    Raises UsageError for an unknown spec; EgressBlocked or EndpointError (on the first call) for an endpoint.
    """
    spec = settings.models.embedder
    if spec == "e5-small":
        return OnnxEmbedder(threads=settings.models.threads)
    if not spec.startswith("openai:"):
        raise UsageError(f"unknown embedder {spec!r}", hint="Use e5-small or openai:URL#NAME.")
    return EndpointEmbedder(spec, settings)


def load_embedder(spec: str = "e5-small", threads: int = 0) -> Embedder:
    """The embedder of a spec with default settings for the rest. `threads` 0: as many as the machine has cores."""
    return configured_embedder(Settings(home=default_home(), models=Models(embedder=spec, threads=threads)))


def _stripped(texts: Sequence[str]) -> list[str]:
    """The texts without outer white space; a single string would otherwise be embedded letter by letter."""
    if isinstance(texts, str):
        raise UsageError("a list of texts was expected, not one string")
    for i, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError("the text holds half a surrogate pair", where=f"text {i}") from error
    return [text.strip() for text in texts]


class OnnxEmbedder(Embedder):
    """multilingual-e5-small on the CPU through onnxruntime; weights are checked and loaded at the first text.

    Each text is run alone, one thread a text: there is no padding to pay for, and a vector depends on its own
    text only (int8 activations share one scale a run). Texts over 512 tokens are cut. Threads may share it.
    Source: Wang et al. 2024, Multilingual E5 Text Embeddings; how it was built: scripts/build_embedder.py.
    """

    _prefixes = E5_PREFIXES

    def __init__(self, folder: Path = SHIPPED, threads: int = 0) -> None:
        self._folder = folder
        self._threads = threads or os.cpu_count() or 1
        self._loading = threading.Lock()
        self._loaded: tuple[Tokenizer, onnxruntime.InferenceSession] | None = None
        self._known: dict[bytes, Vectors] = {}

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        content = self._read("manifest.json")
        try:
            manifest: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise IntegrityError(f"the embedder's manifest can't be read: {error}", hint=REINSTALL) from None
        return manifest

    @property
    def info(self) -> EmbedderInfo:
        manifest = self._manifest
        digest = hashlib.sha256("".join(manifest["files"].values()).encode()).hexdigest()
        return EmbedderInfo("e5-small", digest, manifest["dimension"], manifest["max_tokens"])

    def _embed(self, prefix: str, texts: list[str]) -> Vectors:
        """What was embedded of late is looked up: a consult that is edited asks for much the same sentences again."""
        inputs = [prefix + text for text in texts]
        if len(inputs) > REMEMBERED // 8:
            return self._run(inputs)
        keys = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in inputs]
        found = {key: self._known[key] for key in keys if key in self._known}
        new = {key: text for key, text in zip(keys, inputs, strict=True) if key not in found}
        made = dict(zip(new, self._run(list(new.values())), strict=True))
        kept = self._known if len(self._known) + len(made) <= REMEMBERED else {}
        self._known = {**kept, **made}
        found.update(made)
        return np.array([found[key] for key in keys], np.float32).reshape(len(keys), self._manifest["dimension"])

    def _run(self, inputs: list[str]) -> Vectors:
        vectors = np.empty((len(inputs), self._manifest["dimension"]), np.float32)
        if not inputs:
            return vectors
        tokenizer, session = self._load()

        def run(item: tuple[int, list[int]]) -> None:
            row, ids = item
            vectors[row] = session.run(None, {"input_ids": np.array([ids], np.int64)})[0][0]

        with ThreadPoolExecutor(min(self._threads, len(inputs))) as pool:
            for start in range(0, len(inputs), TOKENISED_AT_ONCE):
                encoded = tokenizer.encode_batch(inputs[start : start + TOKENISED_AT_ONCE])
                items = [(start + i, encoding.ids) for i, encoding in enumerate(encoded)]
                items.sort(key=lambda item: len(item[1]), reverse=True)  # no thread is left with a long last one
                list(pool.map(run, items))
        return vectors

    def _load(self) -> "tuple[Tokenizer, onnxruntime.InferenceSession]":
        with self._loading:
            if self._loaded is None:
                import onnxruntime
                from tokenizers import Tokenizer

                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = options.inter_op_num_threads = 1
                options.enable_mem_pattern = False  # lengths differ from run to run
                options.log_severity_level = 3
                session = onnxruntime.InferenceSession(
                    self._checked("model.onnx"), options, providers=["CPUExecutionProvider"]
                )
                self._loaded = Tokenizer.from_buffer(self._checked("tokenizer.json")), session
            return self._loaded

    def _checked(self, name: str) -> bytes:
        """A file's bytes after comparison with the manifest: what was checked is what is loaded."""
        content = self._read(name)
        if hashlib.sha256(content).hexdigest() != self._manifest["files"].get(name):
            where = str(self._folder / name)
            raise IntegrityError("the file differs from the embedder's manifest", where=where, hint=REINSTALL)
        return content

    def _read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            where = str(self._folder / name)
            raise MissingComponent("the embedder is not installed", where=where, hint=REINSTALL) from None


class EndpointEmbedder(Embedder):
    """`openai:URL#NAME`: `POST /v1/embeddings` (vLLM, Ollama, llama-server, a hospital gateway).

    Every text passes the gate before a byte is sent. Calls raise EgressBlocked or EndpointError.
    """

    def __init__(
        self, spec: str, settings: Settings, gate: Gate | None = None, retry: Retry | None = None, batch: int = 64
    ) -> None:
        self._spec, self._gate, self._batch = spec, gate or Gate(settings.egress), batch
        self._server = Server(spec, settings.models, retry)
        base = self._server.base
        self._url = f"{base}/embeddings" if base.endswith("/v1") else f"{base}/v1/embeddings"
        self._prefixes = E5_PREFIXES if "e5" in self._server.name.lower() else ("", "")
        self._dimension: int | None = None

    @property
    def info(self) -> EmbedderInfo:
        """Asks the endpoint for one vector if none came back yet: only it knows the dimension."""
        dimension = self._dimension or self._embed("", ["dimension"]).shape[1]
        return EmbedderInfo(self._spec, hashlib.sha256(self._spec.encode()).hexdigest(), dimension, None)

    def _embed(self, prefix: str, texts: list[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.info.dimension), np.float32)
        inputs = [prefix + text for text in self._gate.clear(self._url, texts).texts]
        vectors = np.concatenate([self._ask(inputs[i : i + self._batch]) for i in range(0, len(inputs), self._batch)])
        if self._dimension not in (None, vectors.shape[1]):
            raise EndpointError(f"vectors changed from {self._dimension} to {vectors.shape[1]} dimensions", self._url)
        self._dimension = vectors.shape[1]
        return vectors

    def _ask(self, inputs: list[str]) -> Vectors:
        """Unit rows from the answer's `data`, by `index`; anything odd in them is an error, never a guess."""
        answer = self._server.post(self._url, {"model": self._server.name, "input": inputs})
        try:
            data = sorted(answer["data"], key=lambda row: row["index"])
            indices = [row["index"] for row in data]
            vectors = np.array([row["embedding"] for row in data], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(f"the answer is not an embeddings list: {error}", where=self._url) from error
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if vectors.ndim != 2 or indices != list(range(len(inputs))) or not (np.isfinite(lengths) & (lengths > 0)).all():
            raise EndpointError(f"the answer does not hold {len(inputs)} finite vectors", where=self._url)
        unit: Vectors = vectors / lengths
        return unit
